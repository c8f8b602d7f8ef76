"""Traffic over a replica, by sockets of this process: what an exchange takes, in ns.

Client and server are one thread, which sends, receives what came, and answers. All that a packet meets runs on this
CPU within the call that sends it, so an exchange takes just what its steps take; what Python itself takes is the same
on every path, and is part of what the system calls cost.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from time import perf_counter_ns

from simnet.net.address import ip_text

from .replica import Replica

# a block of some exchanges: what one of them took, in ns
Block = Callable[[], float]
_PATIENCE = struct.pack("ll", 2, 0)
_BUFFER = 8 << 20
# the share of a block's exchanges that is played before it
_WARM = 5
# how many datagrams of a stream wait for their receiver
_ROW = 16
# below those that the kernel chooses
_FIRST_PORTS, _LAST_PORT = 10_000, 32_000


def opened(replica: Replica, place: str, kind: socket.SocketKind) -> socket.socket:
    """A socket that waits two seconds at most."""
    found = replica.socket(place, kind)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    _hurry(found)
    return found


def _hurry(one: socket.socket) -> None:
    """Let a socket give up in the kernel: a time-out of Python's would be a system call more for each."""
    for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
        one.setsockopt(socket.SOL_SOCKET, option, _PATIENCE)


def datagrams(
    replica: Replica, frm: str, to: int, port: int, served: tuple[str, int]
) -> tuple[socket.socket, socket.socket]:
    """A client and the server that it reaches at a place's port, each connected to the other as it sees it."""
    with ExitStack() as held:
        server = held.enter_context(opened(replica, served[0], socket.SOCK_DGRAM))
        server.bind(("0.0.0.0", served[1]))
        client = held.enter_context(opened(replica, frm, socket.SOCK_DGRAM))
        client.connect((ip_text(to), port))
        client.send(b"?")
        _, peer = server.recvfrom(16)
        server.connect(peer)
        server.send(b"!")
        client.recv(16)
        held.pop_all()
        return client, server


def streams(
    replica: Replica, frm: str, to: int, port: int, served: tuple[str, int]
) -> tuple[socket.socket, socket.socket]:
    """A client and a server with an open connection."""
    with ExitStack() as held, opened(replica, served[0], socket.SOCK_STREAM) as listener:
        client = held.enter_context(opened(replica, frm, socket.SOCK_STREAM))
        for one in (listener, client):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        listener.bind(("0.0.0.0", served[1]))
        listener.listen()
        client.connect((ip_text(to), port))
        server, _ = listener.accept()
        held.pop_all()
    _hurry(server)
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client, server


def trips(client: socket.socket, server: socket.socket, size: int, times: int) -> Block:
    """Round trips of messages of some bytes, the same there and back."""
    message, room = bytes(size), size + 1
    ask, asked, answer, answered = client.send, server.recv, server.send, client.recv

    def some(number: int) -> None:
        for _ in range(number):
            ask(message)
            asked(room)
            answer(message)
            answered(room)

    return _timed(some, times)


def bursts(client: socket.socket, server: socket.socket, size: int, times: int) -> Block:
    """Datagrams, some sent one after the other and then received: what one takes from the CPU at both ends."""
    message, room = bytes(size), size + 1
    send, receive = client.send, server.recv

    def some(number: int) -> None:
        for begun in range(0, number, _ROW):
            row = range(min(_ROW, number - begun))
            for _ in row:
                send(message)
            for _ in row:
                receive(room)

    return _timed(some, times)


def pieces(client: socket.socket, server: socket.socket, size: int, times: int) -> Block:
    """Pieces of a stream, each read before the next is written."""
    message, room = bytes(size), bytearray(size)
    send, receive, all_of_it = client.sendall, server.recv_into, socket.MSG_WAITALL

    def some(number: int) -> None:
        for _ in range(number):
            send(message)
            receive(room, size, all_of_it)

    return _timed(some, times)


def asks(client: socket.socket, size: int, times: int) -> Block:
    """Round trips to a server that is a process of its own."""
    message, room = bytes(size), size + 1
    send, receive = client.send, client.recv

    def some(number: int) -> None:
        for _ in range(number):
            send(message)
            receive(room)

    return _timed(some, times)


def _timed(some: Callable[[int], None], times: int) -> Block:
    """A block of exchanges, after a few that bring back to the caches what other paths have pushed out."""

    def block() -> float:
        some(max(times // _WARM, 1))
        began = perf_counter_ns()
        some(times)
        return (perf_counter_ns() - began) / times

    return block


def firsts(
    replica: Replica, frm: str, to: int, port: int, served: tuple[str, int], times: int, sports: Iterator[int]
) -> Block:
    """First datagrams of flows: what one takes more than the flow's second.

    `sports` are the ports of their clients, the same iterator for all paths of a replica: two flows that translation
    makes equal would have it look for another port.
    """
    warm = max(times // _WARM, 1)

    def block() -> float:
        clients = [replica.socket(frm, socket.SOCK_DGRAM) for _ in range(warm + times)]
        for client in clients:
            sport = next(sports)
            client.bind(("0.0.0.0", sport))
            client.sendto(b"", ("127.0.0.1", sport))  # what a socket's own first packet takes is no matter of flows
            client.connect((ip_text(to), port))
        sends = [client.send for client in clients]
        took = []
        with opened(replica, served[0], socket.SOCK_DGRAM) as sink:  # open only now: other paths lead to its port too
            sink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
            sink.bind(("0.0.0.0", served[1]))
            for _ in range(2):
                for send in sends[:warm]:
                    send(b"x")
                began = perf_counter_ns()
                for send in sends[warm:]:
                    send(b"x")
                took.append((perf_counter_ns() - began) / times)
                for _ in sends:
                    sink.recv(16)
        for client in clients:
            client.close()
        return took[0] - took[1]

    return block


def ports() -> Iterator[int]:
    """Ports that follow each other, so that none is used again while its connection is tracked (see `replica`)."""
    for number in count():
        yield _FIRST_PORTS + number % (_LAST_PORT - _FIRST_PORTS)
