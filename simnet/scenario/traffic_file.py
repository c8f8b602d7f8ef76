r"""The part of a scenario that tells of time: `traffic`, `wires`, `run`, and the CPUs and cards of hosts.

Example:
    >>> from simnet.docker import document
    >>> from .problems import Problems
    >>> text = "traffic: {web: {from: wan, to: 'web:80', requests: {clients: 64, think: 10us}}}\nrun: {duration: 2s}\n"
    >>> plan = read(document.read(text, "a.yaml").mapping(), Problems())
    >>> plan.traffic[0].kind, plan.traffic[0].fields, plan.run
    ('requests', {'parallel': 64, 'think': 10000}, {'duration': 2000000000})
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from simnet.docker.document import Value

from . import units
from .problems import Problems
from .timing_plan import (
    CONSTANT,
    KINDS,
    ON_OFF,
    SHAPES,
    TIMES,
    ArrivalsPlan,
    MachineHardware,
    TimingPlan,
    TrafficPlan,
)

SECTIONS = ("traffic", "wires", "run")
HARDWARE = ("cpus", "steering", "offload")
TRAFFIC = ("from", "to", "proto", "timeout", *KINDS)
PROTOS = ("tcp", "udp")
STEERING = ("rss", "rps", "rfs")
OFFLOAD = ("tso", "gro", "checksums")
SIMULATORS = ("auto", "reference", "loop", "compiled", "tandem", "walks")
_MOST_CPUS, _MOST_CLIENTS = 1024, 100_000

Read = Callable[[Value], Any]


def _count(least: int, most: int = 1 << 53) -> Read:
    def read_count(value: Value) -> int:
        count = value.number()
        if not least <= count <= most:
            raise value.error(f"{count} is {'too few' if count < least else 'too many'}; {least} to {most}")
        return count

    return read_count


def _unit(as_: Callable[[str], Any], *, positive: bool = False) -> Read:
    def read_unit(value: Value) -> Any:
        amount = units.read(value, as_)
        if positive and not amount:
            raise value.error(f"{value.held} is too little; more than 0 is wanted here")
        return amount

    return read_unit


def _word(known: tuple[str, ...]) -> Read:
    return lambda value: value.one_of(known)


_TIME, _SIZE = _unit(units.duration), _unit(units.size)
_DATA = {"size": ("size", _unit(units.size, positive=True)), "reply": ("reply", _SIZE)}
_POLL = {"poll": ("polls", Value.flag)}
_PARALLEL = ("parallel", _count(1, _MOST_CLIENTS))
# of each kind of traffic: its keys, the fields of Traffic that they fill, how they are read
KEYS: Mapping[str, Mapping[str, tuple[str, Read]]] = {
    "requests": {"clients": _PARALLEL, **_DATA, "think": ("think", _TIME), **_POLL},
    "stream": {"connections": _PARALLEL, "window": ("window", _unit(units.size, positive=True)),
               "offload": ("offload", Value.flag), "size": _DATA["size"]},
    "open": {"flows": _PARALLEL, **_DATA, **_POLL},
    "connections": {"clients": _PARALLEL, **_DATA, "think": ("think", _TIME), **_POLL},
}  # fmt: skip
ARRIVALS: Mapping[str, Read] = {
    "rate": _unit(units.per_second), "arrivals": _word(SHAPES), "burst": _unit(units.duration, positive=True),
    "pause": _unit(units.duration, positive=True), "times": Value.text,
}  # fmt: skip
WIRE: Mapping[str, tuple[str, Read]] = {
    "rate": ("rate", _unit(units.speed)), "delay": ("delay", _TIME), "queue": ("queue", _count(0)),
    "burst": ("burst", _SIZE), "loss": ("loss", _unit(units.share)), "reorder": ("reorder", _unit(units.share)),
    "reorder-delay": ("reorder_delay", _TIME),
}  # fmt: skip
RUN: Mapping[str, Read] = {
    "duration": _unit(units.duration, positive=True), "exchanges": _count(1), "warmup": _TIME, "seed": _count(0),
    "replications": _count(1, 100_000), "costs": Value.text, "simulator": _word(SIMULATORS),
}  # fmt: skip


def read(found: Mapping[str, Value], problems: Problems) -> TimingPlan:
    """Read the three sections from the top of a file; what is wrong joins the problems."""
    traffic: list[TrafficPlan] = []
    for name, value in _section(found, "traffic", problems).items():
        with problems.caught():
            traffic.append(_traffic(name, value))
    wires: dict[str, Mapping[str, Any]] = {}
    for name, value in _section(found, "wires", problems).items():
        with problems.caught():
            wires[name] = _wire(value)
    run: dict[str, Any] = {}
    for key, value in _section(found, "run", problems).items():
        with problems.caught():
            value.known(key, RUN)
            run[key] = RUN[key](value)
    return TimingPlan(tuple(traffic), wires, run)


def read_hardware(found: Mapping[str, Value], problems: Problems) -> MachineHardware:
    """Read a host's or machine's `cpus`, `steering` and `offload`."""
    readers: dict[str, Read] = {"cpus": _count(1, _MOST_CPUS), "steering": _word(STEERING), "offload": _offload}
    given: dict[str, Any] = {}
    for key, reader in readers.items():
        if key in found:
            with problems.caught():
                given[key] = reader(found[key])
    return MachineHardware(**given)


def _section(found: Mapping[str, Value], key: str, problems: Problems) -> dict[str, Value]:
    if key in found and found[key].held is not None:
        with problems.caught():
            return found[key].mapping()
    return {}


def _offload(value: Value) -> dict[str, bool]:
    return {key: one.flag() for key, one in value.mapping(OFFLOAD).items()}


def _wire(value: Value) -> dict[str, Any]:
    given = _fields(value, WIRE)
    if given.get("burst") and not given.get("rate"):
        raise value.error("a burst needs a rate that it exceeds")
    if given.get("reorder") and not given.get("reorder_delay"):
        raise value.error("what is reordered comes later: give reorder-delay as well")
    return given


def _traffic(name: str, value: Value) -> TrafficPlan:
    given = value.mapping(TRAFFIC, ("from", "to"))
    kinds = [key for key in KINDS if key in given]
    if len(kinds) != 1:
        said = f"{' and '.join(kinds)} at once" if kinds else "no kind"
        raise value.error(f"traffic {name!r} has {said}; give it one of {', '.join(KINDS)}")
    kind = kinds[0]
    proto = given["proto"].one_of(PROTOS) if "proto" in given else "tcp"
    if kind == "connections" and proto != "tcp":
        raise given["proto"].error("only tcp has connections")
    body = given[kind] if given[kind].held is not None else Value({}, value.file, value.line, value.column)
    keys = dict(KEYS[kind])
    if kind == "open":
        keys |= {key: (key, reader) for key, reader in ARRIVALS.items()}
    fields = _fields(body, keys)
    if kind == "stream" and proto == "tcp" and "size" in fields:
        raise body.mapping()["size"].error("a tcp stream has no size of its own", "its segments follow from the MTU")
    arrivals = _arrivals(body, {key: fields.pop(key) for key in ARRIVALS if key in fields}) if kind == "open" else None
    if "timeout" in given:
        fields["timeout"] = units.read(given["timeout"], units.duration)
    to = str(given["to"].scalar())
    return TrafficPlan(name, given["from"].text(), to, kind, value, proto, fields, arrivals)


def _fields(value: Value, known: Mapping[str, tuple[str, Read]]) -> dict[str, Any]:
    return {known[key][0]: known[key][1](one) for key, one in value.mapping(known).items()}


def _arrivals(value: Value, given: dict[str, Any]) -> ArrivalsPlan:
    """`rate` or `times`, and what goes with it."""
    told = value.mapping()
    if ("rate" in given) == ("times" in given):
        raise value.error("open traffic has a rate, or the times of a file")
    shape = TIMES if "times" in given else given.pop("arrivals", CONSTANT)
    given.pop("arrivals", None)
    if shape == TIMES and len(told.keys() & ARRIVALS.keys()) > 1:
        raise value.error("times from a file need no other arrivals beside them")
    if (shape == ON_OFF) != (given.keys() >= {"burst", "pause"}) or (
        shape != ON_OFF and given.keys() & {"burst", "pause"}
    ):
        raise value.error("bursts (`arrivals: on-off`) have `burst` and `pause`, and nothing else has")
    return ArrivalsPlan(shape, value, **given)
