"""`traceroute`: UDP datagrams that live for one router, then two, until the destination answers.

Models: busybox 1.35. Times print as `0.000 ms`: a walk takes no time.
Leaves out: names of routers but those in /etc/hosts, source routing, ICMP probes.
"""

from __future__ import annotations

from simnet.answer import Answer
from simnet.net.address import ip_text
from simnet.net.packet import DEST_UNREACH, PORT_UNREACH, IcmpMessage, IPv4

from .ending import Ending, Options, usage
from .place import Place
from .talk import fresh_port, send, settle, source_of
from .words import STRERROR

_HEADERS = 28
# what stands behind a time for each code of "destination unreachable"
_MARKS = {0: " !N", 1: " !H", 2: " !P", 3: "", 4: " !F-0", 5: " !S", 9: " !A", 10: " !C", 13: " !A"}


def traceroute(place: Place, words: list[str], _stdin: str) -> Answer:
    """`traceroute [-n] [-f N] [-m N] [-q N] [-p PORT] [-w SEC] HOST [BYTES]`."""
    asked = Options("traceroute", words, flags="n4F", values="fmqpw", real="6lrvstiz")
    if not 1 <= len(asked.words) <= 2:
        raise usage("traceroute")
    host = asked.words[0]
    found = place.look_up(host)
    if not found:
        raise Ending(f"traceroute: bad address '{host}'")
    _, errno = source_of(place.namespace, found[0], broadcast="EACCES")
    if errno:
        raise Ending(f"traceroute: can't connect to remote host ({ip_text(found[0])}): {STRERROR[errno]}")
    size = int(asked.words[1]) if asked.words[1:] and asked.words[1].isdigit() else 46
    last, probes = asked.number("m", 30), asked.number("q", 3)
    out = f"traceroute to {host} ({ip_text(found[0])}), {last} hops max, {size} byte packets\n"
    sport, port = fresh_port(place.namespace), asked.number("p", 33434)
    for ttl in range(asked.number("f", 1), last + 1):
        line, there, refusals, before = f"{ttl:>2}", False, 0, 0
        for _ in range(probes):
            port += 1
            done = send(place.namespace, found[0], port, bytes(max(size - _HEADERS, 0)), "traceroute",
                        patience=asked.number("w", 3), ttl=ttl, sport=sport)  # fmt: skip
            packet = done.heard("traceroute")
            if packet is None and done.errno:
                settle(place.namespace.network)
                return Answer(out + line, f"traceroute: sendto: {STRERROR[done.errno]}\n", 1)
            if packet is None:
                line += "  *"
                continue
            if packet.src != before:
                before = packet.src
                line += f"  {_name(place, packet, numeric='n' in asked.flags)}"
            mark = _mark(packet)
            there = there or mark == ""
            refusals += bool(mark and mark != "ttl")
            line += f"  0.000 ms{mark if mark and mark != 'ttl' else ''}"
        out += f"{line}\n"
        if there or (refusals and refusals >= probes - 1):
            break
    settle(place.namespace.network)
    return Answer(out)


def _name(place: Place, packet: IPv4, *, numeric: bool) -> str:
    text = ip_text(packet.src)
    return text if numeric else f"{(place.names_of(text) or [text])[0]} ({text})"


def _mark(packet: IPv4) -> str:
    """`ttl` for a router's answer, nothing for the destination's, else the mark of a refusal."""
    message = packet.transport
    if not isinstance(message, IcmpMessage):
        return ""
    if message.type != DEST_UNREACH:
        return "ttl"
    return "" if message.code == PORT_UNREACH else _MARKS.get(message.code, f" !<{message.code}>")
