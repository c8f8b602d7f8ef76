"""All namespaces together, and the order in which things happen in them.

The kernel's own order is kept: what waits in a softirq backlog runs before a process that was woken, and only when
all is silent does a timer fire. `run` plays this at time zero; a simulator may drive the same queues with a clock.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Generator, Iterator
from itertools import count
from typing import TYPE_CHECKING

from ..errors import UnknownName, UnknownPlace, UsageError
from .namespace import NetNamespace
from .netfilter.rule import Rule
from .step import Step

if TYPE_CHECKING:
    from .program import Server

Walk = Generator[Step, None, object]
SECOND = 1_000_000_000


class Network:
    """The namespaces of every host, by place, and what is still to happen in them.

    `aliases` lets a place go by other names (`h1` for `h1/host`, `h1/con` for the container whose namespace it shares).
    `nicknames` are understood as well, but not shown (`web` for `h1/shop-web-1`).
    `assumptions` settles undecided rules: (place, table, chain, number) → whether it matches; `assume` the others.

    Example:
        >>> network = Network()
        >>> network.namespace("h1/host").place
        'h1/host'
        >>> network.find("h1").place
        'h1/host'
    """

    def __init__(self) -> None:
        """No namespaces, nothing to do."""
        self.namespaces: dict[str, NetNamespace] = {}
        self.aliases: dict[str, str] = {}
        self.nicknames: dict[str, str] = {}
        self.assumptions: dict[tuple[str, str, str, int], bool] = {}
        self.assume = False
        self.servers: list[Server] = []
        self.notes: list[str] = []
        self._serials = count(1)
        self._order = count()
        self._softirq: deque[Walk] = deque()
        self._wakeups: deque[Walk] = deque()
        self._timers: list[tuple[int, int, Callable[[], Walk | None]]] = []
        self._now = 0

    def namespace(self, place: str) -> NetNamespace:
        """The namespace of a place, made if there is none."""
        if place not in self.namespaces:
            self.namespaces[place] = NetNamespace(place, self)
        return self.namespaces[place]

    def forget(self, place: str) -> None:
        """Take a namespace away, with every other name of it."""
        self.namespaces.pop(place, None)
        for name in [name for name, meant in self.aliases.items() if meant == place]:
            del self.aliases[name]

    def find(self, name: str) -> NetNamespace:
        """The namespace that a name stands for; UnknownPlace when there is none."""
        name = self.nicknames.get(name, name) if name not in self.namespaces else name
        place = self.aliases.get(name, name)
        found = self.namespaces.get(place) or self.namespaces.get(f"{place}/host")
        if found is None:
            hosts = [place.removesuffix("/host") for place in self.namespaces]
            raise UnknownPlace(name, {*hosts, *self.aliases, *self.nicknames})
        return found

    def find_rule(self, place: str, table: str, chain: str, number: int) -> Rule:
        """The rule at a place by its table, chain and number (from 1); UnknownName or UsageError without one."""
        tables = self.find(place).ruleset.tables
        if table not in tables:
            raise UnknownName("table", table, tables)
        if chain not in tables[table].chains:
            raise UnknownName("chain", chain, tables[table].chains)
        rules = tables[table].chains[chain].rules
        if not 1 <= number <= len(rules):
            raise UsageError(f"chain {chain} of {place} has {len(rules)} rules, no rule {number}")
        return rules[number - 1]

    @property
    def now(self) -> int:
        """The nanoseconds that went by so far: those of timers, and of waiting in vain."""
        return self._now

    def serial(self) -> int:
        """The next packet's number."""
        return next(self._serials)

    def defer(self, walk: Walk) -> None:
        """Let a walk run when the ones before it are done (a softirq backlog)."""
        self._softirq.append(walk)

    def wake(self, walk: Walk) -> None:
        """Let a process run when no packet is on its way."""
        self._wakeups.append(walk)

    def after(self, delay: int, action: Callable[[], Walk | None]) -> None:
        """Call `action` when all has been silent and `delay` ns have gone by; the walk that it returns then runs."""
        heapq.heappush(self._timers, (self._now + delay, next(self._order), action))

    def forget_connections(self) -> None:
        """Let every namespace forget what it tracked and what waits; addresses that were learned stay known."""
        self._softirq.clear()
        self._wakeups.clear()
        self._timers.clear()
        for namespace in self.namespaces.values():
            namespace.forget_connections()
        for server in self.servers:
            server.seen.clear()

    def run(self, until: int = 0, done: Callable[[], bool] = lambda: False) -> Iterator[Step]:
        """Play everything that is to happen; timers up to `until` ns fire while `done` does not hold.

        Where `done` never holds, it is `until` ns then.
        """
        while True:
            if self._softirq:
                yield from self._softirq.popleft()
            elif self._wakeups:
                yield from self._wakeups.popleft()
            elif self._timers and self._timers[0][0] <= until and not done():
                self._now, _, action = heapq.heappop(self._timers)
                walk = action()
                if walk is not None:
                    self._softirq.append(walk)
            else:
                if not done():
                    self._now = max(self._now, until)
                return
