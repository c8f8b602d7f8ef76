"""What the model says of a path: where it leads, how much of what each price it comes to, and what it would take.

All on one CPU, as it is measured: then an exchange takes what is on its bill.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from simnet.errors import UsageError
from simnet.net.address import parse_ip
from simnet.net.conversation import Probe, converse
from simnet.net.packet import Arp
from simnet.net.step import Crossing
from simnet.sim.experiment import Experiment, Plan
from simnet.sim.prices.costs import Costs, Machine, load
from simnet.sim.traffic import REQUESTS, Traffic
from simnet.sim.traffic import STREAM as STREAMS

from .paths import FIRST, SLEPT, STREAM, TRIP, WOKEN, Path

_EXCHANGES = 200
_NAME = "x"


@dataclass(frozen=True)
class Way:
    """Where a path leads: the server's place, its address and port, and the places that its packets cross."""

    place: str
    address: int
    port: int
    places: frozenset[str]

    @property
    def hosts(self) -> frozenset[str]:
        """The hosts and machines of those places."""
        return frozenset(place.partition("/")[0] for place in self.places)


def way(path: Path) -> Way:
    """Follow a path once in the model; UsageError where it leads nowhere."""
    network = path.bed.network
    before = {id(server): len(server.seen) for server in network.servers}
    trace = converse(network, Probe(path.frm, parse_ip(path.to), path.port, path.proto))
    answered = [server for server in network.servers if len(server.seen) > before[id(server)]]
    network.forget_connections()
    if trace.verdict != "reply" or not answered:
        raise UsageError(f"{path}: {trace.probe} ends in {trace.verdict}")
    crossed = {step.place for step in trace.steps if isinstance(step, Crossing) and not isinstance(step.packet, Arp)}
    crossed |= {step.place for step in trace.steps if isinstance(step, Crossing) and step.direction == "In"}
    address, _, port = trace.served_at.rpartition(":")
    return Way(answered[0].namespace.place, parse_ip(address), int(port), frozenset(crossed))


def experiment(path: Path, costs: Costs) -> Experiment:
    """The traffic of a path on one CPU; where it sleeps on two, on two."""
    asks = path.kind in {TRIP, SLEPT, WOKEN}
    proto = "tcp" if path.kind == STREAM else path.proto
    traffic = Traffic(_NAME, path.frm, parse_ip(path.to), path.port, proto, REQUESTS if asks else STREAMS,
                      size=path.size, reply=path.size, polls=path.kind not in {SLEPT, WOKEN})  # fmt: skip
    machine = Machine(cpus=2 if path.kind == WOKEN else 1, together=True)
    return Experiment(lambda: path.bed.network, [traffic], replace(costs, machine=machine, backend=path.bed.backend))


def counts(path: Path, costs: Costs) -> Mapping[str, float]:
    """How much of each price an exchange comes to; of a first packet, how much more than a later one."""
    first, later = experiment(path, costs).bills()[_NAME]
    if path.kind != FIRST:
        return {key: float(amount) for key, amount in later.paid.items()}
    keys = first.paid.keys() | later.paid.keys()
    found = {key: first.paid.get(key, 0) - later.paid.get(key, 0) for key in keys}
    return {key: float(amount) for key, amount in found.items() if amount}


def predicted(path: Path, costs: Costs) -> float:
    """What an exchange would take, by a run of the model, in ns; of a first packet, what it takes more."""
    asked = experiment(path, costs)
    if path.kind == FIRST:
        first, later = asked.bills()[_NAME]
        return first.total - later.total
    flow = next(asked.run(Plan(exchanges=_EXCHANGES))).flows[_NAME]
    return flow.later.mean if path.kind in {TRIP, SLEPT, WOKEN} else 1e9 / flow.rate


def piece(path: Path) -> int:
    """How many bytes a piece of a path's stream has."""
    stage = experiment(path, load()).stage()
    try:
        return stage.lanes[0].payload
    finally:
        stage.leave()
