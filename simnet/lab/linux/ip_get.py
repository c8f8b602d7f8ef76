"""`ip route get`: the way that the model's own look-up finds.

Models: inet_rtm_getroute of net/ipv4/route.c, Linux 6.x, and iproute_get of iproute2 6.1.
Leaves out: ports and protocols in the question, and the flags of multicast routes.
"""

from __future__ import annotations

from typing import Any

from simnet.net.address import Prefix, ip_text
from simnet.net.namespace import NetNamespace
from simnet.net.packet import UDP, IPv4, UdpDatagram
from simnet.net.route import BROADCAST, LOCAL, ROUTE_ERRORS, Route, RouteQuery
from simnet.net.skb import Skb
from simnet.net.stack.input_route import route_input
from simnet.net.step import Drop

from .ending import Ending, unmodelled
from .ip_words import Form, device, extended, kernel, next_word, number, prefix
from .place import Place
from .words import STRERROR


def get(place: Place, form: Form, words: list[str]) -> str:
    """`ip route get ADDRESS [from ADDRESS] [iif DEVICE] [oif DEVICE] [mark N]`."""
    asked: dict[str, Any] = {}
    given = list(words)
    while given:
        word = given.pop(0)
        if word == "from":
            asked["from"] = prefix(next_word(given)).address
        elif word in {"iif", "oif", "dev"}:
            asked["oif" if word == "dev" else word] = device(place.namespace, next_word(given))
        elif word == "mark":
            asked["mark"] = number("mark", next_word(given))
        elif word in {"tos", "vrf", "uid", "ipproto", "sport", "dport", "fibmatch", "connected", "notify"}:
            raise unmodelled("ip", f"ip route get … {word}")
        else:
            asked["to"] = prefix(next_word(given) if word == "to" else word)
    if "to" not in asked:
        raise Ending("need at least a destination address", 1)
    if asked["to"].length != 32:
        raise extended("ipv4: Invalid values in header for route get request.")
    dst = asked["to"].address
    found = (_received if "iif" in asked else _sent)(place.namespace, dst, asked)
    return form.dump([found]) if form.json else _text(found)


def _sent(namespace: NetNamespace, dst: int, asked: dict[str, Any]) -> dict[str, Any]:
    """The route of an own packet."""
    source, mark, oif = asked.get("from", 0), asked.get("mark", 0), asked.get("oif")
    if source and not namespace.owns(source):
        raise kernel("Network is unreachable")
    found: Route | str
    if oif is None:
        found = namespace.route_output(dst, source, mark)
    else:
        route = namespace.fib.lookup(RouteQuery(dst, source, mark, oif=oif.name))
        # with a device that is named, what no route leads to is taken to be on its link
        found = route or Route(Prefix(dst, 0xFFFFFFFF), oif.name, scope="link")
        found = ROUTE_ERRORS.get(found.type, found)
    if isinstance(found, str):
        raise kernel(STRERROR[found])
    out = namespace.output_device(found)
    told = _told(namespace, found, dst, out.name if out is not None else "", source)
    if not source:
        told["prefsrc"] = ip_text(namespace.source_for(found, dst))
    if mark:
        told["mark"] = mark
    return told | {"flags": [], "uid": 0, "cache": _cache(found)}


def _received(namespace: NetNamespace, dst: int, asked: dict[str, Any]) -> dict[str, Any]:
    """The route of a packet that comes in by a device."""
    source = asked.get("from", 0)
    skb = Skb(0, IPv4(source, dst, UDP, UdpDatagram(0, 0)), device=asked["iif"], mark=asked.get("mark", 0))
    why = [step.reason for step in route_input(namespace, skb) if isinstance(step, Drop)]
    if why or skb.route is None:
        reason = why[0] if why else ""
        errno = "EHOSTUNREACH" if "forwarding is off" in reason else "ENETUNREACH"
        errno = "EXDEV" if reason.startswith("rp_filter") else "EINVAL" if reason.startswith("martian") else errno
        raise kernel(STRERROR[errno])
    out = namespace.output_device(skb.route)
    told = _told(namespace, skb.route, dst, out.name if out is not None else "", source)
    return told | {"flags": [], "cache": _cache(skb.route), "iif": asked["iif"].name}


def _told(namespace: NetNamespace, route: Route, dst: int, out: str, source: int) -> dict[str, Any]:
    told: dict[str, Any] = {} if route.type == "unicast" else {"type": route.type}
    told["dst"] = ip_text(dst)
    if source:
        told["from"] = ip_text(source)
    if route.gateway:
        told["gateway"] = ip_text(route.gateway)
    told["dev"] = out
    # without policy rules the kernel holds the local table and the main one as one
    table = "main" if route.table == "local" and not namespace.fib.has_custom_rules else route.table
    return told if table == "main" else told | {"table": table}


def _cache(route: Route) -> list[str]:
    return {LOCAL: ["local"], BROADCAST: ["local", "brd"], "multicast": ["local", "mc"]}.get(route.type, [])


_WORDS = {"from": "from", "gateway": "via", "dev": "dev", "table": "table", "prefsrc": "src", "mark": "mark",
          "uid": "uid"}  # fmt: skip


def _text(told: dict[str, Any]) -> str:
    words = [told["type"]] if "type" in told else []
    words.append(told["dst"])
    for key, name in _WORDS.items():
        if key in told:
            words += [name, f"{told[key]:#x}" if key == "mark" and told[key] > 9 else str(told[key])]
    cache = f"<{','.join(told['cache'])}> " if told["cache"] else ""
    iif = f"iif {told['iif']} " if "iif" in told else ""
    return "".join(f"{word} " for word in words) + f"\n    cache {cache}{iif}\n"
