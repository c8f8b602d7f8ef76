"""`telnet`: connects, and ends with its input.

Models: busybox 1.35 with an input that is no terminal.
"""

from __future__ import annotations

from simnet.answer import Answer
from simnet.net.address import ip_text

from .ending import Ending, Options, usage
from .place import Place
from .talk import connect
from .words import STRERROR


def telnet(place: Place, words: list[str], stdin: str) -> Answer:
    """`telnet HOST [PORT]`."""
    asked = Options("telnet", words, flags="a", values="l")
    if not 1 <= len(asked.words) <= 2:
        raise usage("telnet")
    host, port = asked.words[0], asked.words[1] if asked.words[1:] else "23"
    found = place.look_up(host)
    if not found:
        raise Ending(f"telnet: bad address '{host}'")
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise Ending(f"telnet: bad port '{port}'")
    done = connect(place.namespace, found[0], int(port), "telnet", request=stdin.encode() or None)
    if not done.connected:
        raise Ending(f"telnet: can't connect to remote host ({ip_text(found[0])}): {STRERROR[done.errno]}")
    return Answer(f"Connected to {host}\n")
