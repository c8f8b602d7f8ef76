"""`ping`: echo requests, one a second.

Models: busybox 1.35. A reply prints `time=0.000 ms`: a walk takes no time.
Leaves out: going on for ever (without -c and -w four requests are sent, as if Ctrl-C came then), and names backwards.
"""

from __future__ import annotations

from simnet.answer import Answer
from simnet.net.address import ip_text, parse_ip
from simnet.net.packet import IPv4

from .ending import Ending, Options, usage
from .place import Place
from .talk import Echo, Outcome, settle
from .words import STRERROR

_DEFAULT_COUNT, _DEFAULT_WAIT = 4, 10


def ping(place: Place, words: list[str], _stdin: str) -> Answer:
    """`ping [-q] [-c N] [-s SIZE] [-t TTL] [-I DEVICE|ADDRESS] [-W SEC] [-w SEC] HOST`."""
    asked = Options("ping", words, flags="q4A", values="cstWwIip", real="6")
    if len(asked.words) != 1:
        raise usage("ping")
    host = asked.words[0]
    found = place.look_up(host)
    if not found:
        raise Ending(f"ping: bad address '{host}'")
    echo = Echo(place.namespace, found[0] or 0x7F000001, asked.number("s", 56), asked.number("t", 64))
    bound = _bind(place, echo, asked.values["I"]) if "I" in asked.values else ""
    out = f"PING {host} ({ip_text(found[0])}){bound}"
    out += f": {echo.size} data bytes\n"
    deadline, wait = asked.number("w", 0), asked.number("W", _DEFAULT_WAIT)
    count = asked.number("c", 0) or deadline or _DEFAULT_COUNT
    if echo.source and not place.namespace.owns(echo.source):
        raise Ending("ping: can't set multicast source interface", out=out)
    lines, got, errno = [], 0, ""
    for seq in range(min(count, deadline) if deadline else count):
        # one a second; after the last one it waits on
        done = echo.send(seq, wait if seq == count - 1 and not deadline else 1)
        if done.errno:
            errno = done.errno
            break
        line = _reply(done, seq)
        got += bool(line)
        lines.append(line)
    settle(place.namespace.network)
    out += "" if "q" in asked.flags else "".join(lines)
    if errno:
        return Answer(out, f"ping: sendto: {STRERROR[errno]}\n", 1)
    return Answer(out + _statistics(host, len(lines), got), "", 0 if got else 1)


def _bind(place: Place, echo: Echo, text: str) -> str:
    """Bind the socket to a device or an address; gives what the first line says of it."""
    if text in place.namespace.devices:
        echo.device = place.namespace.devices[text]
        return ""
    try:
        echo.source = parse_ip(text)
    except ValueError:
        raise Ending(f"ping: bad address '{text}'") from None
    return f" from {text}"


def _reply(done: Outcome, seq: int) -> str:
    packet = done.heard("ping")
    if not done.ended or not isinstance(packet, IPv4):
        return ""
    size = packet.transport.length
    return f"{size} bytes from {ip_text(packet.src)}: seq={seq} ttl={packet.ttl} time=0.000 ms\n"


def _statistics(host: str, sent: int, got: int) -> str:
    lost = (sent - got) * 100 // sent if sent else 0
    text = (
        f"\n--- {host} ping statistics ---\n{sent} packets transmitted, {got} packets received, {lost}% packet loss\n"
    )
    return text + ("round-trip min/avg/max = 0.000/0.000/0.000 ms\n" if got else "")
