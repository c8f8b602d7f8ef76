"""`route`: the main table in the old form.

Models: busybox 1.35; its rows are those of /proc/net/route.
Leaves out: `route add` and `del` (use `ip route`).
"""

from __future__ import annotations

from simnet.answer import Answer
from simnet.net.address import ip_text
from simnet.net.route import Route

from .ending import Options, unmodelled, usage
from .ip_route import ordered
from .place import Place


def route(place: Place, words: list[str], _stdin: str) -> Answer:
    """`route [-n] [-e]`."""
    asked = Options("route", words, flags="ne", real="A")
    if asked.words[:1] in (["add"], ["del"], ["delete"]):
        raise unmodelled("route", f"route {asked.words[0]}")
    if asked.words:
        raise usage("route")
    return Answer(table(place, numeric="n" in asked.flags, old="e" in asked.flags))


def table(place: Place, *, numeric: bool, old: bool = False) -> str:
    """The table; `old` in the form of netstat."""
    columns = "Flags   MSS Window  irtt Iface" if old else "Flags Metric Ref    Use Iface"
    out = f"Kernel IP routing table\nDestination     Gateway         Genmask         {columns}\n"
    for one in ordered(place.namespace, "main"):
        out += _row(place, one, numeric=numeric, old=old)
    return out


def _row(place: Place, one: Route, *, numeric: bool, old: bool) -> str:
    nowhere = "0.0.0.0" if numeric else "*"

    def shown(address: int) -> str:
        """An address, or its name in /etc/hosts."""
        text = ip_text(address)
        return text if numeric else (place.names_of(text) or [text])[0]

    dst = shown(one.dst.address) if numeric or one.dst.length else "default"
    # what has no device is rejected; a blackhole tells nobody, and is not marked
    flags = "!" if one.type in {"unreachable", "prohibit"} else "U"
    flags += ("G" if one.gateway else "") + ("H" if one.dst.length == 32 else "")
    where = f"{dst:<15} {shown(one.gateway) if one.gateway else nowhere:<15} {ip_text(one.dst.mask):<16}"
    numbers = f"{flags:<6}{0:>5} {0:<5} {0:>6} " if old else f"{flags:<5} {one.metric:<6} {0:<2} {0:>7} "
    return f"{where}{numbers}{one.device or '*'}\n"
