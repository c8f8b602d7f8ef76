"""`ip route`: the tables shown, asked and changed.

Models: iproute.c of iproute2 6.1, and what fib_frontend.c and fib_semantics.c refuse and look for.
Leaves out: several next hops, nexthop objects, tos, and protocols: a connected route is `proto kernel`, any other one
was typed (`proto boot`, which is not shown).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from simnet.net.address import Prefix, ip_text
from simnet.net.namespace import NetNamespace
from simnet.net.route import LOCAL, ROUTE_ERRORS, SCOPES, Route, RouteQuery

from . import link_state
from .ending import Ending, unmodelled
from .ip_get import get
from .ip_words import Form, address, device, extended, kernel, matches, next_word, number, prefix, wrong
from .place import Place

_TYPES = {"unicast", "local", "broadcast", "multicast", "unreachable", "prohibit", "blackhole", "throw"}
_NAMED_TABLES = {"254": "main", "255": "local", "253": "default"}


@dataclass(slots=True)
class _Asked:
    """What the words after a command say, as far as it was said."""

    dst: Prefix | None = None
    type: str = ""
    via: int | None = None
    dev: str = ""
    src: int | None = None
    metric: int | None = None
    table: str = ""
    scope: str = ""
    proto: str = ""
    mtu: int = 0
    onlink: bool = False
    kind: str = ""
    words: set[str] = field(default_factory=set)


def run(place: Place, form: Form, words: list[str]) -> str:
    """`ip route [COMMAND …]`."""
    command, rest = (words[0], words[1:]) if words else ("show", [])
    if command in {"list", "lst", "show"} or matches(command, "list") or matches(command, "show"):
        return _show(place, form, rest)
    if matches(command, "get"):
        return get(place, form, rest)
    for name in ("add", "change", "chg", "replace", "prepend", "append", "delete"):
        if matches(command, name):
            asked = _read(place, rest)
            return (
                _delete(place, asked) if name == "delete" else _put(place, asked, "change" if name == "chg" else name)
            )
    if matches(command, "flush"):
        return _flush(place, rest)
    if command in {"test", "save", "restore", "showdump", "help"}:
        raise unmodelled("ip", f"ip route {command}")
    raise Ending(f'Command "{command}" is unknown, try "ip route help".', 255)


def _read(place: Place, words: list[str]) -> _Asked:
    """The words of a route or of a selector."""
    asked, given = _Asked(), list(words)
    if not given and words is not None:
        return asked
    while given:
        word = given.pop(0)
        asked.words.add(word)
        if word in {"via", "src", "from"}:
            text = next_word(given)
            if text in {"inet", "inet6"}:
                raise unmodelled("ip", f"ip route … {word} {text}")
            setattr(asked, word if word != "from" else "src", address(text))
        elif word in {"dev", "oif"}:
            asked.dev = device(place.namespace, next_word(given)).name
        elif word in {"metric", "priority", "preference"}:
            asked.metric = number("metric", next_word(given))
        elif word == "table":
            asked.table = _table(next_word(given))
        elif word in {"scope", "proto", "protocol"}:
            setattr(asked, "proto" if word != "scope" else word, next_word(given))
        elif word == "mtu":
            text = next_word(given)
            asked.mtu = number("mtu", next_word(given) if text == "lock" else text)
        elif word == "onlink":
            asked.onlink = True
        elif word in {"root", "match", "exact", "to"}:
            asked.kind, asked.dst = word, prefix(next_word(given))
        elif word == "type" or word in _TYPES:
            asked.type = next_word(given) if word == "type" else word
        elif word in {"nexthop", "nhid", "tos", "encap", "advmss", "realms", "weight", "window", "cache", "vrf"}:
            raise unmodelled("ip", f"ip route … {word}")
        else:
            asked.dst = prefix(word)
    return asked


def _table(text: str) -> str:
    if text in {"all", "main", "local", "default"}:
        return text
    if not text.isdigit():
        raise wrong(text, "table id value is invalid\n")
    return _NAMED_TABLES.get(text, text)


def ordered(namespace: NetNamespace, table: str) -> list[Route]:
    """The routes of a table as the kernel lists them: by address, the longer prefix and the lower metric first."""
    found = [route for route in namespace.fib.routes() if route.table == table]
    return sorted(found, key=lambda route: (route.dst.address, -route.dst.length, route.metric))


def _selected(place: Place, asked: _Asked) -> Iterator[Route]:
    namespace = place.namespace
    table = asked.table or "main"
    names = dict.fromkeys(["main", *sorted({route.table for route in namespace.fib.routes()} - {"main", "local"}),
                           "local"]) if table == "all" else [table]  # fmt: skip
    if table not in {"all", *namespace.fib.tables}:
        raise Ending("Error: ipv4: FIB table does not exist.\nDump terminated", 2)
    for name in names:
        for route in ordered(namespace, name):
            if _fits(namespace, route, asked):
                yield route


def _fits(namespace: NetNamespace, route: Route, asked: _Asked) -> bool:
    if asked.dst is not None:
        if asked.kind == "root":
            inside = route.dst.length >= asked.dst.length and route.dst.address in asked.dst
        elif asked.kind == "match":
            inside = route.dst.length <= asked.dst.length and asked.dst.address in route.dst
        else:
            inside = route.dst == asked.dst
        if not inside:
            return False
    wanted = (
        (asked.dev, route.device), (asked.type, route.type), (asked.scope, route.scope),
        (asked.proto, protocol(namespace, route) or "boot"),
    )  # fmt: skip
    return all(not want or want == have for want, have in wanted) and all(
        want is None or want == have
        for want, have in ((asked.via, route.gateway), (asked.src, route.prefsrc), (asked.metric, route.metric))
    )


def protocol(namespace: NetNamespace, route: Route) -> str:
    """`kernel` where the kernel added the route beside an address, else nothing."""
    if route.table == "local":
        return "kernel"
    own = namespace.devices.get(route.device)
    connected = not route.gateway and not route.metric and route.scope == "link"
    if (
        connected
        and own is not None
        and any((one.network, one.address) == (route.dst, route.prefsrc) for one in own.addresses)
    ):
        return "kernel"
    return ""


def _flags(namespace: NetNamespace, route: Route) -> list[str]:
    """`dead` and `linkdown`: the device of the next hop has no carrier (fib_sync_down_dev)."""
    out = namespace.devices.get(route.device)
    found = [] if route.alive else ["dead"]
    if out is not None and out.up and not link_state.carrier(out) and route.type != LOCAL:
        found.append("linkdown")
    return found


def _destination(dst: Prefix) -> str:
    if not dst.length:
        return "default"
    return str(dst).removesuffix("/32")


def parts(namespace: NetNamespace, route: Route, asked: _Asked) -> dict[str, Any]:
    """What is said of a route, by the keys of `ip -j`; what the selector fixed is left out."""
    found: dict[str, Any] = {} if route.type == "unicast" else {"type": route.type}
    found["dst"] = _destination(route.dst)
    if route.gateway and asked.via is None:
        found["gateway"] = ip_text(route.gateway)
    if route.device and not asked.dev:
        found["dev"] = route.device
    if route.table != "main" and asked.table == "all":
        found["table"] = route.table
    if protocol(namespace, route) and not asked.proto:
        found["protocol"] = protocol(namespace, route)
    if route.scope != "global" and not asked.scope:
        found["scope"] = route.scope
    if route.prefsrc and asked.src is None:
        found["prefsrc"] = ip_text(route.prefsrc)
    if route.metric and asked.metric is None:
        found["metric"] = route.metric
    found["flags"] = _flags(namespace, route)
    if route.mtu:
        found["metrics"] = [{"mtu": route.mtu}]
    return found


_WORDS = {"gateway": "via", "dev": "dev", "table": "table", "protocol": "proto", "scope": "scope", "prefsrc": "src",
          "metric": "metric"}  # fmt: skip


def line(found: dict[str, Any]) -> str:
    """The parts as one line; each ends in a blank.

    Example:
        >>> line({"dst": "default", "gateway": "10.0.0.1", "dev": "eth0", "flags": ["linkdown"]})
        'default via 10.0.0.1 dev eth0 linkdown '
    """
    words = [found["type"]] if "type" in found else []
    words.append(found["dst"])
    for key, name in _WORDS.items():
        words += [name, str(found[key])] if key in found else []
    words += found["flags"]
    for metric in found.get("metrics", []):
        words += ["mtu", str(metric["mtu"])]
    return "".join(f"{word} " for word in words)


def _show(place: Place, form: Form, words: list[str]) -> str:
    asked = _read(place, words)
    found = [parts(place.namespace, route, asked) for route in _selected(place, asked)]
    return form.dump(found) if form.json else "".join(f"{line(one)}\n" for one in found)


def _same(namespace: NetNamespace, route: Route) -> list[Route]:
    """The routes that a new one is held against: those of its prefix and metric."""
    key = route.dst, route.metric, route.table
    return [one for one in namespace.fib.routes() if (one.dst, one.metric, one.table) == key]


def _put(place: Place, asked: _Asked, how: str) -> str:
    """Add, replace, change, append or prepend a route (fib_table_insert)."""
    if asked.dst is None:
        raise unmodelled("ip", f"ip route {how} without a destination")
    fib, route = place.namespace.fib, _made(place.namespace, asked)
    same = _same(place.namespace, route)
    if how == "change" and not same:
        raise kernel("No such file or directory")
    if same and (how == "add" or (how in {"append", "prepend"} and route in same)):
        raise kernel("File exists")
    after = (
        [route, *same[1:]] if how in {"replace", "change"} else [*same, route] if how != "prepend" else [route, *same]
    )
    fib.remove(same)
    fib.add(after)
    return ""


def _made(namespace: NetNamespace, asked: _Asked) -> Route:
    """The route that the words mean, if the kernel takes it (fib_create_info)."""
    assert asked.dst is not None
    kind = asked.type or "unicast"
    if asked.dst.address & ~asked.dst.mask:
        raise extended("Invalid prefix for given prefix length.")
    scope = asked.scope or ("host" if kind == LOCAL else "global" if asked.via or kind in _FAILING else "link")
    if scope not in SCOPES:
        raise wrong(scope, "invalid scope value.\n")
    table = asked.table or ("local" if kind in {"local", "broadcast"} else "main")
    route = Route(
        asked.dst, asked.dev, asked.via or 0, asked.src or 0, kind, table, asked.metric or 0, scope, asked.mtu
    )
    if kind in _FAILING:
        return replace(route, device="", gateway=0)
    if asked.via:
        route = replace(route, device=_next_hop(namespace, asked))
    elif not asked.dev:
        raise kernel("No such device")
    if not namespace.devices[route.device].up:
        raise extended("Device for nexthop is not up.")
    if asked.src and not namespace.owns(asked.src):
        raise extended("Invalid prefsrc address.")
    return route


_FAILING = {*ROUTE_ERRORS, "throw"}


def _next_hop(namespace: NetNamespace, asked: _Asked) -> str:
    """The device that a gateway is behind (fib_check_nh): one that a route of link scope leads to, or the one named."""
    assert asked.via is not None
    if asked.onlink:
        if not asked.dev:
            raise extended("Nexthop device required for onlink.")
        return asked.dev
    narrow = [route for route in namespace.fib.routes() if SCOPES.get(route.scope, 0) > 0]
    fib = type(namespace.fib)(list(namespace.fib.rules))
    fib.add(narrow)
    found = fib.lookup(RouteQuery(asked.via, oif=asked.dev))
    if found is None or found.type not in {"unicast", LOCAL}:
        raise extended("Nexthop has invalid gateway.")
    return found.device


def _delete(place: Place, asked: _Asked) -> str:
    """Delete the first route that fits (fib_table_delete)."""
    fib = place.namespace.fib
    if asked.dst is None:
        raise unmodelled("ip", "ip route del without a destination")
    asked = replace(asked, metric=asked.metric or None)
    table = asked.table or ("local" if asked.type in {"local", "broadcast"} else "main")
    found = next((route for route in ordered(place.namespace, table)
                  if _fits(place.namespace, route, asked)), None)  # fmt: skip
    if found is None:
        raise kernel("No such process")
    fib.remove([found])
    return ""


def _flush(place: Place, words: list[str]) -> str:
    asked = _read(place, words)
    if words == ["cache"]:
        return ""
    if not words:
        raise Ending('"ip route flush" requires arguments.', 255)
    place.namespace.fib.remove(list(_selected(place, asked)))
    return ""
