"""`ip`: which object is asked about and in which form; the objects have files of their own.

Models: ip.c of iproute2 6.1.
Leaves out: IPv6 and what has no part in Docker's networking (xfrm, tunnels, mptcp …); each is named when asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from simnet.answer import Answer

from . import ip_address, ip_link, ip_neigh, ip_route, ip_rule
from .ending import Ending, unmodelled
from .ip_words import Form, matches
from .place import Place


@dataclass(frozen=True, slots=True)
class _Object:
    """An object of `ip`: its name, and what does its commands."""

    name: str
    run: Callable[[Place, Form, list[str]], str] | None = None


# in the order in which `ip` tries abbreviations
_OBJECTS = (
    _Object("address", ip_address.run), _Object("addrlabel"), _Object("maddress"), _Object("route", ip_route.run),
    _Object("rule", ip_rule.run), _Object("neighbor", ip_neigh.run), _Object("neighbour", ip_neigh.run),
    _Object("ntable"), _Object("ntbl"), _Object("link", ip_link.run), _Object("l2tp"), _Object("fou"), _Object("ila"),
    _Object("macsec"), _Object("tunnel"), _Object("tunl"), _Object("tuntap"), _Object("tap"), _Object("token"),
    _Object("tcpmetrics"), _Object("tcp_metrics"), _Object("monitor"), _Object("xfrm"), _Object("mroute"),
    _Object("mrule"), _Object("netns"), _Object("netconf"), _Object("vrf"), _Object("sr"), _Object("nexthop"),
    _Object("mptcp"), _Object("ioam"), _Object("stats"), _Object("help"),
)  # fmt: skip
_FORMS = {"4": "inet", "0": "link", "oneline": "oneline", "brief": "brief", "json": "json", "pretty": "pretty"}
_UNMODELLED = {"6", "B", "M", "details", "statistics", "stats", "resolve", "human-readable", "iec", "loops", "batch",
               "netns", "Numeric", "all", "timestamp", "tshort", "rcvbuf", "force"}  # fmt: skip


def ip(place: Place, words: list[str], _stdin: str) -> Answer:
    """`ip [OPTIONS] OBJECT [COMMAND …]`.

    Example:
        >>> from simnet.net.network import Network
        >>> ip(Place(Network().namespace("h1/host")), ["rule", "show", "table", "main"], "").out.split()
        ['32766:', 'from', 'all', 'lookup', 'main']
    """
    form, rest = Form(), list(words)
    while rest and rest[0].startswith("-"):
        form = _option(form, rest)
        if form.version:
            return Answer("ip utility, iproute2-6.1.0, libbpf 1.1.2\n")
    if not rest:
        raise Ending("Usage: ip [ OPTIONS ] OBJECT { COMMAND | help }\n       ip [ -force ] -batch filename", 255)
    name = rest.pop(0)
    found = next((one for one in _OBJECTS if matches(name, one.name)), None)
    if found is None:
        raise Ending(f'Object "{name}" is unknown, try "ip help".', 1)
    if found.run is None:
        raise unmodelled("ip", f"ip {found.name}")
    return Answer(found.run(place, form, rest))


def _option(form: Form, rest: list[str]) -> Form:
    """Take one option from the front of the words."""
    word = rest.pop(0)
    name = word.removeprefix("-").removeprefix("-")
    if name == "br":
        name = "brief"
    if name and matches(name, "family"):
        family = rest.pop(0) if rest else ""
        if family not in {"inet", "link"}:
            raise unmodelled("ip", f"ip -family {family}")
        name = "4" if family == "inet" else "0"
    if name in {"c", "color"} or name.startswith(("color=", "c=")):
        return form
    if name and matches(name, "Version"):
        return form.with_("version")
    known = next((one for one in _FORMS if name and matches(name, one)), "")
    if known:
        return form.with_(_FORMS[known])
    if name and any(matches(name, one) for one in _UNMODELLED):
        raise unmodelled("ip", f"ip {word}")
    raise Ending(f'Option "{word}" is unknown, try "ip -help".', 255)
