"""A queueing network as data: stations that serve jobs in turn, and flows whose exchanges are trees of visits to them.

An engine runs a model. What it must do is fixed here, so that all engines give the same times to the nanosecond:

- A *station* serves one job at a time, in the order of arrival. A job that arrives at `t` starts at `max(t, free)`,
  where `free` is when the job before it was done, and ends after its service, which is `fixed` ns and, where `noise`
  is not 0, `round(noise × E)` ns more, E being the station's next standard exponential variate.
- A *bounded* job that finds `capacity` bounded jobs waiting (arrived, not started: those that start at `t` no longer
  wait) is dropped, and what would have come of it does not happen.
- A station with `slack` is a token bucket: its jobs start and end up to that many ns before they otherwise would
  (never before they came). One with `loss` loses a job that it served where its next uniform variate is less; one with
  `reorder` lets a job of that share go `reorder_delay` ns later on its way.
- An *exchange* is a tree of *visits*. The root arrives when the exchange begins; another visit arrives `lag` ns after
  its parent ended (before it where the lag is negative: the work went on meanwhile).
- A flow *releases* its next exchange when every visit marked `release` has ended, and `think` ns later it begins. A
  visit marked `record` is a measurement: from the beginning of its exchange to its own end.
- An exchange fails when a visit that leads to a release is dropped or lost, which is settled when it arrives; the next
  one begins `timeout` ns after the failed one began, or at once where that has gone by.
- A flow with `arrivals` begins its exchanges at those times and waits for nothing.
- Of arrivals at one time the flow with the lower number comes first, then the earlier exchange, then the earlier visit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .lengths import Lengths

Ints = NDArray[np.int64]
BLOCK = 1 << 16
# a time that no run comes to
NEVER = int(np.iinfo(np.int64).max)


@dataclass(frozen=True, slots=True)
class Station:
    """A server and its queue: a CPU core, or a link. `capacity` 0 lets any number wait; times are ns."""

    name: str
    capacity: int = 0
    slack: int = 0
    loss: float = 0.0
    reorder: float = 0.0
    reorder_delay: int = 0


@dataclass(frozen=True, slots=True)
class Visit:
    """A job at a station (`station` and `parent` are indexes; `parent` -1 is the root, which comes first)."""

    station: int
    fixed: int
    noise: int = 0
    parent: int = -1
    lag: int = 0
    release: bool = False
    record: bool = False
    bounded: bool = False


@dataclass(frozen=True, slots=True)
class Exchange:
    """What one request comes to: its visits in preorder (each after its parent, siblings in their order)."""

    visits: tuple[Visit, ...]

    def children(self) -> list[list[int]]:
        """Of each visit those that it leads to."""
        found: list[list[int]] = [[] for _ in self.visits]
        for index, visit in enumerate(self.visits):
            if visit.parent >= 0:
                found[visit.parent].append(index)
        return found

    def vital(self) -> list[bool]:
        """Of each visit whether it is a release or leads to one."""
        found = [visit.release for visit in self.visits]
        for index in range(len(found) - 1, 0, -1):
            found[self.visits[index].parent] |= found[index]
        return found


class Arrivals(Protocol):
    """When the exchanges of an open flow begin."""

    def blocks(self, stream: np.random.Generator) -> Iterator[Ints]:
        """The times in ns, in order, block by block; they may never end."""


@dataclass(frozen=True, slots=True)
class Flow:
    """A source of exchanges: the k-th is `exchanges[k]` (an index into the model's), and the last `cycle` repeat.

    `limit` is the number of exchanges (0: until the run's end). A closed flow (no `arrivals`) has one exchange at a
    time that is not released; a window of N is N flows.
    """

    exchanges: tuple[int, ...]
    cycle: int = 1
    begin: int = 0
    think: int = 0
    timeout: int = 1_000_000_000
    limit: int = 0
    arrivals: Arrivals | None = None

    def kind(self, number: int) -> int:
        """Which of the model's exchanges the flow's `number`-th is.

        Example:
            >>> [Flow((7, 8, 9), cycle=2).kind(number) for number in range(6)]
            [7, 8, 9, 8, 9, 8]
        """
        count = len(self.exchanges)
        if number < count:
            return self.exchanges[number]
        return self.exchanges[count - self.cycle + (number - count) % self.cycle]


@dataclass(frozen=True, slots=True)
class Model:
    """Stations, the kinds of exchange, and the flows."""

    stations: tuple[Station, ...]
    exchanges: tuple[Exchange, ...]
    flows: tuple[Flow, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """Measurements, one a column: which flow and exchange, when it began, when the recorded visit ended (ns)."""

    flow: Ints
    number: Ints
    began: Ints
    ended: Ints

    @classmethod
    def of(cls, rows: Sequence[tuple[int, int, int, int]]) -> Block:
        """Measurements that were noted row by row.

        Example:
            >>> Block.of([(0, 0, 0, 850), (1, 0, 0, 900)]).ended.tolist()
            [850, 900]
        """
        return cls(*np.array(rows, np.int64).reshape(-1, 4).T.copy())

    def __len__(self) -> int:
        """The number of measurements."""
        return len(self.flow)


@dataclass(slots=True)
class Tally:
    """What an engine counts beside its measurements, one figure a station or a flow.

    `jobs` served, `busy` ns of service, `waited` ns between arrival and start, `dropped` for want of room, `lost` on
    the way, `longest` queue of bounded jobs that an arrival found; `begun` and `failed` exchanges of each flow;
    `ended`, the time of the last thing that happened; `lengths`, the longest queues in the course of time (this and
    `longest` are there when the run is over).
    """

    jobs: Ints
    busy: Ints
    waited: Ints
    dropped: Ints
    lost: Ints
    longest: Ints
    begun: Ints
    failed: Ints
    lengths: Lengths
    ended: int = 0

    @classmethod
    def of(cls, model: Model) -> Tally:
        """All zero."""
        stations, flows = len(model.stations), len(model.flows)
        jobs, busy, waited, dropped, lost, longest = np.zeros((6, stations), np.int64)
        begun, failed = np.zeros((2, flows), np.int64)
        return cls(jobs, busy, waited, dropped, lost, longest, begun, failed, Lengths.of(stations))


@dataclass(slots=True)
class Run:
    """A model, and what its engine needs to know of one run: the seed, and when to begin no more exchanges (ns)."""

    model: Model
    seed: int = 0
    until: int = NEVER
    tally: Tally = field(init=False)

    def __post_init__(self) -> None:
        """Begin with nothing counted."""
        self.tally = Tally.of(self.model)


# the streams of variates that a station or flow has of its own
NOISE, LOSS, REORDER, ARRIVALS = range(4)


def stream(seed: int, purpose: int, index: int) -> np.random.Generator:
    """The random variates of one station (or flow) for one purpose; the same whatever else a model holds.

    Example:
        >>> a, b = stream(1, NOISE, 0), stream(1, NOISE, 0)
        >>> bool((a.standard_exponential(3) == b.standard_exponential(3)).all())
        True
    """
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(purpose, index))))


def draws(seed: int, purpose: int, index: int, kind: str) -> Callable[[int], NDArray[np.float64]]:
    """What draws so many variates of a stream by one of its generator's methods; made when it is first called.

    Example:
        >>> draws(1, LOSS, 0, "random")(2).shape
        (2,)
    """
    found: list[Callable[[int], NDArray[np.float64]]] = []

    def draw(count: int) -> NDArray[np.float64]:
        if not found:  # numpy.random takes a while to load, and most runs need none of it
            found.append(getattr(stream(seed, purpose, index), kind))
        return found[0](count)

    return draw
