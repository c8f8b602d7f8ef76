"""All namespaces together, and what is to happen in them (when, a `Schedule` decides)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import TYPE_CHECKING

from ..errors import UnknownName, UnknownPlace, UsageError
from .namespace import NetNamespace
from .netfilter.rule import Rule
from .schedule import AtOnce, Schedule, Walk
from .step import Step

if TYPE_CHECKING:
    from .device import Device
    from .program import Server
    from .skb import Skb

SECOND = 1_000_000_000


class Network:
    """The namespaces of every host, by place, and what is still to happen in them.

    `aliases` lets a place go by other names (`h1` for `h1/host`, `h1/con` for the container whose namespace it shares).
    `nicknames` are understood as well, but not shown (`web` for `h1/shop-web-1`).
    `largest` bytes are what TCP hands down at once, to be cut by devices (GSO; 0: a segment).
    `counts_conditions` lets every chain walk tell which conditions of its rules were tried (see `ChainWalk`).
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
        self.schedule: Schedule = AtOnce()
        self.largest = 0
        self.counts_conditions = False
        self._serials = count(1)

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
        return self.schedule.now

    def serial(self) -> int:
        """The next packet's number."""
        return next(self._serials)

    def defer(self, walk: Walk, device: Device | None = None) -> None:
        """Let a walk run from a softirq backlog; `device` is the one that the packet comes in by."""
        self.schedule.defer(walk, device)

    def carry(self, walk: Walk, sender: Device, receiver: Device, skb: Skb) -> None:
        """Let a frame come in at the other end of a cable."""
        self.schedule.carry(walk, sender, receiver, skb)

    def wake(self, walk: Walk, namespace: NetNamespace, by: str) -> None:
        """Let a process of a namespace run when no packet is on its way."""
        self.schedule.wake(walk, namespace, by)

    def after(self, delay: int, action: Callable[[], Walk | None]) -> None:
        """Call `action` when all has been silent and `delay` ns have gone by; the walk that it returns then runs."""
        self.schedule.after(delay, action)

    def forget_connections(self) -> None:
        """Let every namespace forget what it tracked and what waits; addresses that were learned stay known."""
        self.schedule.clear()
        for namespace in self.namespaces.values():
            namespace.forget_connections()
        for server in self.servers:
            server.seen.clear()

    def run(self, until: int = 0, done: Callable[[], bool] = lambda: False) -> Iterator[Step]:
        """Play everything that is to happen; timers up to `until` ns fire while `done` does not hold.

        Where `done` never holds, it is `until` ns then. Only where time stands still: a clock runs things by itself.
        """
        assert isinstance(self.schedule, AtOnce)
        yield from self.schedule.run(until, done)
