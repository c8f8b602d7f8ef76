"""What a file says of time: who sends what to whom, over which wires, and for how long; before any address is known.

Plain data, so that a trace of the same file needs none of what simulates; `simnet.study.timing` makes an experiment of
it. Times are ns, sizes bytes, rates a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from simnet.docker.document import Value

KINDS = ("requests", "stream", "open", "connections")
CONSTANT, POISSON, ON_OFF, TIMES = "constant", "poisson", "on-off", "times"
SHAPES = (CONSTANT, POISSON, ON_OFF)


@dataclass(frozen=True, slots=True)
class ArrivalsPlan:
    """When the exchanges of open traffic begin, of all its flows together.

    `rate` is how many begin in a second (with `on-off`: in a second of a burst), `burst` and `pause` are the mean
    lengths of bursts and of what lies between them, `times` is the file that they are read from.
    """

    shape: str
    origin: Value
    rate: float = 0.0
    burst: int = 0
    pause: int = 0
    times: str = ""


@dataclass(frozen=True, slots=True)
class TrafficPlan:
    """One traffic: from a place to an address or place, with a port or without.

    `fields` are those of `simnet.sim.traffic.Traffic` that the file gives.
    """

    name: str
    frm: str
    to: str
    kind: str
    origin: Value
    proto: str = "tcp"
    fields: Mapping[str, Any] = field(default_factory=dict)
    arrivals: ArrivalsPlan | None = None


@dataclass(frozen=True, slots=True)
class TimingPlan:
    """All of it: traffic, wires by name (the fields of `simnet.sim.hardware.Wire`) and how it is to be run.

    `run` holds fields of `simnet.sim.experiment.Plan` (`simulator` is its `engine`), and `costs`.
    """

    traffic: tuple[TrafficPlan, ...] = ()
    wires: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    run: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MachineHardware:
    """What a host or machine is made of, where the file says so: CPUs, steering, what its card does by itself.

    `cpus` 0 and an empty `steering` are those of the price list's machine. `offload` has the keys `tso`, `gro` and
    `checksums`.
    """

    cpus: int = 0
    steering: str = ""
    offload: Mapping[str, bool] = field(default_factory=dict)
