"""Bit vectors of a chain's rules: for each dimension of a packet, which rules ask nothing or what the packet has.

A vector holds one bit a rule, the first rule's the highest, so that `int.bit_length` finds the first of a conjunction.
Rules are taken in blocks that grow, so that a packet that matches early reads little.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import lru_cache
from typing import Generic, TypeVar

from . import values
from .matches import interface_matches
from .rule import Match, Option, Rule
from .values import FULL4, FULL6

Asked = TypeVar("Asked")
Value = TypeVar("Value", bound=Hashable)

PORTS = 65536
_FIRST_BLOCK = 512
_PORT_OPTIONS = {
    "--sport": "sports", "--source-port": "sports", "--sports": "sports", "--source-ports": "sports",
    "--dport": "dports", "--destination-port": "dports", "--dports": "dports", "--destination-ports": "dports",
}  # fmt: skip
Spans = list[tuple[int, int]]


class Conditions:
    """What a rule asks of each dimension (None: nothing), and the matches that are left to test."""

    __slots__ = ("dports", "dst", "iif", "oif", "protos", "rest", "sports", "src")

    def __init__(self, rule: Rule) -> None:
        self.src: Spans | None = None
        self.dst: Spans | None = None
        self.sports: Spans | None = None
        self.dports: Spans | None = None
        self.protos: list[tuple[int, bool]] = []
        self.iif: list[tuple[str, bool]] = []
        self.oif: list[tuple[str, bool]] = []
        self.rest = [match for match in rule.matches if not self._take(match)]

    def _take(self, match: Match) -> bool:
        """Index a match; False where its test is still needed."""
        if match.why:
            return False
        if match.module == "comment":
            return True
        if match.module == "ip":
            return self._generic(match.options[0])
        if match.module in {"tcp", "udp", "multiport"} and {(6, False), (17, False)} & set(self.protos):
            return not [option for option in match.options if not self._ports(option)]
        return False

    def _generic(self, option: Option) -> bool:
        text = option.values[0] if option.values else ""
        if option.name in {"-s", "-d"}:
            spans = _block_spans(text, negated=option.negated)
            if spans is None:
                return False
            self._restrict("src" if option.name == "-s" else "dst", spans)
        elif option.name == "-p":
            self.protos.append((values.protocol(text), option.negated))
        elif option.name == "-i":
            self.iif.append((text, option.negated))
        elif option.name == "-o":
            self.oif.append((text, option.negated))
        else:
            return False
        return True

    def _ports(self, option: Option) -> bool:
        name = _PORT_OPTIONS.get(option.name)
        if name is None:
            return False
        spans = _port_spans(option.values[0])
        self._restrict(name, _invert(spans) if option.negated else spans)
        return True

    def _restrict(self, name: str, spans: Spans) -> None:
        known: Spans | None = getattr(self, name)
        setattr(self, name, spans if known is None else _intersect(known, spans))


@lru_cache(maxsize=65536)
def _port_spans(text: str) -> Spans:
    return [values.port_range(part) for part in text.split(",")]


@lru_cache(maxsize=65536)
def _block_spans(text: str, *, negated: bool) -> Spans | None:
    """The addresses of a block as ranges; None for a mask with gaps."""
    address, mask = values.block(text)
    last = FULL6 if ":" in text else FULL4
    size = (mask ^ last) + 1
    if size & (size - 1):
        return None
    low = address & mask
    high = low + size - 1
    if not negated:
        return [(low, high)]
    return [(a, b) for a, b in ((0, low - 1), (high + 1, last)) if a <= b]


def _invert(spans: Spans) -> Spans:
    found, at = [], 0
    for low, high in sorted(spans):
        if low > at:
            found.append((at, low - 1))
        at = max(at, high + 1)
    return [*found, (at, PORTS - 1)] if at < PORTS else found


def _intersect(one: Spans, other: Spans) -> Spans:
    return [(max(a, c), min(b, d)) for a, b in one for c, d in other if max(a, c) <= min(b, d)]


class Block:
    """Some rules that follow each other: the vectors of each dimension, `None` where no rule asks for it.

    `src` and `dst` hold a vector for each interval between the bounds of the whole chain; `sports` and `dports` one for
    each port, and at the end the one of packets without ports; the rest is made as values are first seen.
    """

    __slots__ = ("count", "dports", "dst", "everything", "iif", "oif", "proto", "sports", "src", "start")

    def __init__(self, start: int, conditions: Sequence[Conditions], src: Sequence[int], dst: Sequence[int]) -> None:
        self.start, self.count = start, len(conditions)
        self.everything = (1 << self.count) - 1
        bits = [1 << shift for shift in range(self.count - 1, -1, -1)]
        each = list(zip(conditions, bits, strict=True))
        self.src = self._intervals([(one.src, bit) for one, bit in each], src)
        self.dst = self._intervals([(one.dst, bit) for one, bit in each], dst)
        self.sports = self._port_table([(one.sports, bit) for one, bit in each])
        self.dports = self._port_table([(one.dports, bit) for one, bit in each])
        self.proto = Memo([(one.protos, bit) for one, bit in each if one.protos], self.everything, _proto_holds)
        self.iif = Memo([(one.iif, bit) for one, bit in each if one.iif], self.everything, interface_matches)
        self.oif = Memo([(one.oif, bit) for one, bit in each if one.oif], self.everything, interface_matches)

    def _intervals(self, asked: list[tuple[Spans | None, int]], bounds: Sequence[int]) -> list[int]:
        """A vector for each interval that begins at a bound; the first is of what lies below all of them."""
        flips: dict[int, int] = {}
        vector = self.everything
        for spans, bit in asked:
            if spans is None:
                continue
            vector ^= bit
            for low, high in spans if len(spans) == 1 else _merged(spans):
                flips[low] = flips.get(low, 0) ^ bit
                flips[high + 1] = flips.get(high + 1, 0) ^ bit
        vectors = [vector]
        for bound in bounds:
            if bound in flips:
                vector ^= flips[bound]
            vectors.append(vector)
        return vectors

    def _port_table(self, asked: list[tuple[Spans | None, int]]) -> list[int] | None:
        if all(spans is None for spans, _ in asked):
            return None
        bounds = bounds_of(spans for spans, _ in asked)
        vectors = self._intervals(asked, bounds)
        table = [vectors[0]] * min(bounds[0], PORTS)
        for low, high, vector in zip(bounds, [*bounds[1:], PORTS], vectors[1:], strict=True):
            table += [vector] * (min(high, PORTS) - min(low, PORTS))
        table.append(vectors[0])
        return table


def blocks(conditions: Sequence[Conditions]) -> tuple[list[int], list[int], list[Block]]:
    """The bounds of sources and destinations, and the blocks of a chain, each twice as long as the one before."""
    src = bounds_of(one.src for one in conditions)
    dst = bounds_of(one.dst for one in conditions)
    made, start, size = [], 0, _FIRST_BLOCK
    while start < len(conditions):
        made.append(Block(start, conditions[start : start + size], src, dst))
        start, size = start + size, size * 2
    return src, dst, made


def bounds_of(asked: Iterable[Spans | None]) -> list[int]:
    """Every value at which some rule begins or ceases to hold, in order."""
    found = {bound for spans in asked if spans is not None for low, high in spans for bound in (low, high + 1)}
    return sorted(found)


def _merged(spans: Spans) -> Spans:
    """Ranges without overlap, so that each bound flips a rule once."""
    found: Spans = []
    for low, high in sorted(spans):
        if found and low <= found[-1][1] + 1:
            found[-1] = found[-1][0], max(found[-1][1], high)
        else:
            found.append((low, high))
    return found


class Memo(Generic[Asked, Value]):
    """A dimension of few values: each value's vector is made when it is first seen."""

    __slots__ = ("_conditions", "_everything", "_holds", "seen")

    def __init__(
        self,
        conditions: list[tuple[list[tuple[Asked, bool]], int]],
        everything: int,
        holds: Callable[[Asked, Value], bool],
    ) -> None:
        self._conditions, self._everything, self._holds = conditions, everything, holds
        self.seen: dict[Value, int] = {}

    def vector(self, value: Value) -> int:
        """The rules that ask nothing here, or this."""
        found = self.seen.get(value)
        if found is None:
            found = self._everything
            for asked, bit in self._conditions:
                if not all(self._holds(wanted, value) != negated for wanted, negated in asked):
                    found ^= bit
            self.seen[value] = found
        return found


def _proto_holds(wanted: int, value: int) -> bool:
    return not wanted or wanted == value
