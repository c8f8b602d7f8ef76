"""What changes between two sources, or two conditions of one: rules that differ, flows that come out otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from simnet.lab.lab import Lab
from simnet.net.address import ip_text
from simnet.net.iptables.listing import specification
from simnet.net.netfilter.rule import Table
from simnet.scenario.source import Source

from .flows import Flow, Outcome, Study


@dataclass(frozen=True, slots=True)
class RuleChange:
    """One line of `iptables -S` that only one side has; `why` is what the engine says of it."""

    place: str
    table: str
    sign: str
    line: str
    why: str = ""

    def __str__(self) -> str:
        """`+ -A DOCKER …`."""
        return f"{self.sign} {self.line}"


@dataclass(frozen=True, slots=True)
class FlowChange:
    """A flow that comes out otherwise; None on the side where there is no such flow."""

    flow: Flow
    before: Outcome | None
    after: Outcome | None


@dataclass(frozen=True, slots=True)
class Difference:
    """Everything that differs; `tried` is how many flows both sides have.

    `rerouted` are flows with the same outcome that docker-proxy carries on one side only.
    """

    names: tuple[str, str]
    rules: tuple[RuleChange, ...]
    flows: tuple[FlowChange, ...]
    tried: int
    rerouted: tuple[FlowChange, ...] = ()


def diff(before: Source, after: Source, names: tuple[str, str]) -> Difference:
    """Compare two sources: every chain of every place, and every flow that either has.

    A flow changes where its verdict does, or the address that the server sees.
    """
    one, other = Study(before), Study(after)
    flows, others = list(one.flows()), {flow: flow for flow in other.flows()}
    changes, rerouted, tried = [], [], 0
    for flow in flows:
        twin = others.pop(flow, None)
        mine = one.ask(flow)
        theirs = other.ask(twin) if twin is not None else None
        tried += theirs is not None
        if theirs is None or _told(one, mine) != _told(other, theirs):
            changes.append(FlowChange(flow, mine, theirs))
        elif mine.proxied != theirs.proxied:
            rerouted.append(FlowChange(flow, mine, theirs))
    changes += [FlowChange(flow, None, other.ask(flow)) for flow in others]
    return Difference(names, tuple(_rules(one.lab, other.lab)), tuple(changes), tried, tuple(rerouted))


def _told(study: Study, outcome: Outcome) -> tuple[str, str, str]:
    """What client and server can tell of a flow."""
    return outcome.verdict, outcome.other, _seen(study, outcome)


def _seen(study: Study, outcome: Outcome) -> str:
    """Whom the server saw, by the place that the address stands at, so that other subnets are no difference."""
    for namespace in study.lab.network.namespaces.values():
        for device in namespace.devices.values():
            if any(outcome.saw == ip_text(one.address) for one in device.addresses):
                return f"{namespace.place}:{device.name}"
    return outcome.saw


def _rules(before: Lab, after: Lab) -> Iterator[RuleChange]:
    """The lines that differ, place by place, table by table, in the order of the chains."""
    for place in dict.fromkeys([*before.network.namespaces, *after.network.namespaces]):
        sides = [lab.network.namespaces.get(place) for lab in (before, after)]
        tables = [side.ruleset.tables if side is not None else {} for side in sides]
        for name in dict.fromkeys([*tables[0], *tables[1]]):
            old, new = (specification(side.get(name, Table(name))).splitlines() for side in tables)
            for sign, line in _lines(old, new):
                yield RuleChange(place, name, sign, line, (before if sign == "-" else after).why(place, name, line))


def _lines(old: list[str], new: list[str]) -> Iterator[tuple[str, str]]:
    for kind, from_old, to_old, from_new, to_new in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind != "equal":
            yield from (("-", line) for line in old[from_old:to_old])
            yield from (("+", line) for line in new[from_new:to_new])
