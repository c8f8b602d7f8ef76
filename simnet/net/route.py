"""Routing: tables with longest prefix, policy rules, source address choice, and what kind of address one is.

Models: net/ipv4/fib_rules.c, fib_trie.c, fib_frontend.c and route.c of Linux 6.x.
Leaves out: multipath (the first next hop is used), realms, and TOS routes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from .address import Prefix, ip_text

UNICAST, LOCAL, BROADCAST, MULTICAST = "unicast", "local", "broadcast", "multicast"
UNREACHABLE, PROHIBIT, BLACKHOLE, THROW = "unreachable", "prohibit", "blackhole", "throw"

# what a failing route means: the errno that the sender gets (fib_props in net/ipv4/fib_semantics.c). A policy rule that
# says "unreachable" means the network, a route that says so the host (fib4_rule_action).
ROUTE_ERRORS = {UNREACHABLE: "EHOSTUNREACH", PROHIBIT: "EACCES", BLACKHOLE: "EINVAL", "no network": "ENETUNREACH"}

SCOPES = {"global": 0, "site": 200, "link": 253, "host": 254, "nowhere": 255}


@dataclass(frozen=True, slots=True)
class Route:
    """One route; `device` is a name, `gateway` and `prefsrc` are 0 where there are none."""

    dst: Prefix
    device: str = ""
    gateway: int = 0
    prefsrc: int = 0
    type: str = UNICAST
    table: str = "main"
    metric: int = 0
    scope: str = "global"
    mtu: int = 0
    alive: bool = True

    def __str__(self) -> str:
        """As `ip route` puts it."""
        kind = "" if self.type == UNICAST else f"{self.type} "
        via = f" via {ip_text(self.gateway)}" if self.gateway else ""
        return f"{kind}{self.dst}{via}" + (f" dev {self.device}" if self.device else "")


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """One line of `ip rule`: the conditions (None: any) and the table or the failure that it leads to."""

    priority: int
    table: str = ""
    src: Prefix | None = None
    dst: Prefix | None = None
    fwmark: int | None = None
    fwmask: int = 0xFFFFFFFF
    iif: str = ""
    oif: str = ""
    proto: int = 0
    inverted: bool = False
    action: str = "lookup"
    suppress_prefix: int = -1

    def matches(self, query: RouteQuery) -> bool:
        """Whether the rule applies to a query (fib4_rule_match)."""
        hit = (
            (self.src is None or query.src in self.src)
            and (self.dst is None or query.dst in self.dst)
            and (self.fwmark is None or query.mark & self.fwmask == self.fwmark)
            and (not self.iif or self.iif == query.iif)
            and (not self.oif or self.oif == query.oif)
            and (not self.proto or self.proto == query.proto)
        )
        return hit != self.inverted


@dataclass(frozen=True, slots=True)
class RouteQuery:
    """What is asked of the tables: addresses as integers, the mark, the devices; `iif` is `lo` for own packets."""

    dst: int
    src: int = 0
    mark: int = 0
    iif: str = "lo"
    oif: str = ""
    proto: int = 0


DEFAULT_RULES = (PolicyRule(0, "local"), PolicyRule(32766, "main"), PolicyRule(32767, "default"))


@dataclass(slots=True)
class Fib:
    """The routing tables of one namespace and the rules that choose among them."""

    rules: list[PolicyRule] = field(default_factory=lambda: list(DEFAULT_RULES))
    # of each table: by mask, the longest first, the routes of each block
    _tables: dict[str, dict[int, dict[int, list[Route]]]] = field(default_factory=dict)

    def add(self, routes: Iterable[Route]) -> None:
        """Add routes; within one prefix the lower metric is found first, then the older one."""
        for route in routes:
            levels = self._tables.setdefault(route.table, {})
            if route.dst.mask not in levels:
                levels[route.dst.mask] = {}
                self._tables[route.table] = levels = dict(sorted(levels.items(), reverse=True))
            same = levels[route.dst.mask].setdefault(route.dst.address, [])
            same.append(route)
            same.sort(key=lambda r: r.metric)

    def remove(self, routes: Iterable[Route]) -> None:
        """Take routes out, where they are there."""
        for route in list(routes):
            levels = self._tables.get(route.table, {})
            same = levels.get(route.dst.mask, {}).get(route.dst.address, [])
            if route in same:
                same.remove(route)
                if not same:
                    del levels[route.dst.mask][route.dst.address]

    def routes(self) -> list[Route]:
        """All routes, by table, longest prefix first."""
        return [
            route
            for levels in self._tables.values()
            for blocks in levels.values()
            for same in blocks.values()
            for route in same
        ]

    @property
    def tables(self) -> set[str]:
        """The tables that there are: two from the start, others since their first route."""
        return {"local", "main", *self._tables}

    @property
    def has_custom_rules(self) -> bool:
        """Whether policy rules beyond the three default ones exist."""
        return tuple(self.rules) != DEFAULT_RULES

    def lookup(self, query: RouteQuery) -> Route | None:
        """The route that a packet takes, or None (`ENETUNREACH`).

        Models: fib_rules_lookup and fib_table_lookup. A failing route (unreachable, prohibit, blackhole) is returned
        as such; `throw` goes on with the next rule.
        """
        for rule in self.rules:
            if not rule.matches(query):
                continue
            if rule.action != "lookup":
                kind = "no network" if rule.action == UNREACHABLE else rule.action
                return Route(Prefix(0, 0), type=kind, table=f"rule {rule.priority}")
            found = self._find(rule.table, query)
            if found is None or found.type == THROW:
                continue
            if found.type not in ROUTE_ERRORS and found.dst.length <= rule.suppress_prefix:
                continue
            return found
        return None

    def _find(self, table: str, query: RouteQuery) -> Route | None:
        for mask, blocks in self._tables.get(table, {}).items():
            for route in blocks.get(query.dst & mask, ()):
                if route.alive and (not query.oif or not route.device or route.device == query.oif):
                    return route
        return None

    def address_type(self, address: int, device: str = "") -> str:
        """What kind of address it is to this namespace: local, unicast, broadcast, multicast, … (inet_addr_type).

        With `device`, the local table counts only as far as the address is on that device (inet_dev_addr_type).
        """
        if address >> 28 == 14:
            return MULTICAST
        if address == 0xFFFFFFFF or address >> 24 == 0:
            return BROADCAST
        found = self._find("local", RouteQuery(address))
        if found is None or (device and found.device != device):
            return UNICAST
        return found.type
