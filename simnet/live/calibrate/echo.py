"""A server that answers each message with itself, as a process of its own: `python echo.py SOCKET CPU`.

It is given an open, connected socket by its number, runs on one CPU, and sleeps while it waits.
"""

import os
import signal
import socket
import sys


def serve(number: int, cpu: int) -> None:
    """Answer until nobody can ask any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it ends with the process that asks, and says nothing of its own
    os.sched_setaffinity(0, {cpu})
    served = socket.socket(fileno=number)
    served.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, bytes(16))  # it may not be asked for long
    receive, send = served.recv, served.send
    while True:
        send(receive(65536))


if __name__ == "__main__":
    serve(int(sys.argv[1]), int(sys.argv[2]))
