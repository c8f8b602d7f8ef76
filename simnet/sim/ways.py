"""A stage's traffic as a model: each lane's exchanges recorded until they repeat, then run by any engine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count

from .programs import Connector
from .queueing.model import Exchange, Flow, Model
from .recorder import Recorder, Way
from .stage import Stage

# an exchange is taken to repeat when two in a row are equal; where they go on differing, the last ones are repeated
_MOST = 8
# connections differ in their ports, and so in the CPUs that take them in
_CONNECTIONS = 16


@dataclass(frozen=True, slots=True)
class Ways:
    """A model, and of each kind of exchange how it was recorded; `notes` say where it is not exact."""

    model: Model
    ways: tuple[Way, ...]
    notes: tuple[str, ...] = ()

    def limited(self, limit: int) -> Model:
        """The model with at most `limit` exchanges of each flow (0: any number)."""
        return replace(self.model, flows=tuple(replace(flow, limit=limit) for flow in self.model.flows))


def bare(stage: Stage) -> Model:
    """A stage's stations and lanes without their ways."""
    flows = tuple(Flow((0,), 1, arrivals=lane.arrivals) for lane in stage.lanes)
    return Model(tuple(stage.hardware.stations), (), flows)


def record(stage: Stage) -> Ways:
    """Record a stage that nothing was played on."""
    recorder = Recorder(stage.pricing, stage.hardware, stage.seats)
    stage.network.schedule = recorder
    kinds: dict[Exchange, int] = {}
    ways: list[Way] = []
    flows: list[Flow] = []
    notes: list[str] = []
    for flow, lane in enumerate(stage.lanes):
        found, cycle = _lane(stage, recorder, flow)
        if cycle > 1 and not isinstance(lane.client, Connector):
            notes.append(f"traffic {lane.traffic.name}: its exchanges go on differing; the last {cycle} are repeated")
        for way in found:
            if way.exchange not in kinds:
                kinds[way.exchange] = len(ways)
                ways.append(way)
        numbers = tuple(kinds[way.exchange] for way in found)
        traffic = lane.traffic
        flows.append(Flow(numbers, cycle, 0, traffic.think, traffic.timeout, 0, lane.arrivals))
    model = Model(tuple(stage.hardware.stations), tuple(way.exchange for way in ways), tuple(flows))
    return Ways(model, tuple(ways), tuple(dict.fromkeys(notes)))


def _lane(stage: Stage, recorder: Recorder, flow: int) -> tuple[list[Way], int]:
    """A lane's exchanges up to where they repeat, and how many of the last do."""
    connects = isinstance(stage.lanes[flow].client, Connector)
    found: list[Way] = []
    for way in _exchanges(stage, recorder, flow):
        found.append(way)
        if connects and len(found) == _CONNECTIONS:
            return found, _CONNECTIONS
        if not connects and len(found) > 1 and way.exchange == found[-2].exchange:
            return found[:-1], 1
        if len(found) == _MOST * 2:
            return found, _MOST
    raise AssertionError("exchanges never end")


def _exchanges(stage: Stage, recorder: Recorder, flow: int) -> Iterator[Way]:
    namespace = stage.lanes[flow].namespace
    for number in count():
        yield recorder.record(recorder.begin(flow, number, stage.begin(flow, number), namespace))
