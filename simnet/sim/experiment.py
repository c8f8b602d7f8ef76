"""One experiment: a network, its traffic, prices and hardware in; latencies, throughput, bills and drops out.

Each replication is a run of its own with the next seed; what hangs on none (the ways) is recorded once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from simnet.errors import UsageError
from simnet.net.conversation import Totals, count
from simnet.net.network import Network

from . import ways
from .hardware import Cpus, Wire
from .histogram import Histogram
from .prices.costs import Costs
from .prices.keys import IDLE
from .queueing import engine
from .queueing.model import NEVER, Block, Ints, Run
from .recorder import Way
from .stage import Lane, Stage, ready
from .traffic import Traffic
from .ways import Ways

# the engine that plays walks afresh instead of recorded ways
WALKS = "walks"
ENGINES = (*engine.ENGINES, WALKS)
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how often: exchanges of each lane (`exchanges`, 0: any) before `duration` ns (0: any).

    What begins before `warmup` ns is not measured. `replications` runs have the seeds `seed`, `seed + 1`, …
    """

    exchanges: int = 0
    duration: int = 0
    warmup: int = 0
    seed: int = 0
    replications: int = 1
    engine: str = "auto"

    def checked(self) -> Plan:
        """The same; UsageError where it would never end, or makes no sense."""
        for what in ("exchanges", "duration", "warmup", "seed"):
            if getattr(self, what) < 0:
                raise UsageError(f"{what} must be 0 or more, not {getattr(self, what)}")
        if self.replications < 1:
            raise UsageError(f"replications must be 1 or more, not {self.replications}")
        if not self.exchanges and not self.duration:
            raise UsageError("a run needs an end: a duration, or a number of exchanges")
        if self.duration and self.warmup >= self.duration:
            raise UsageError("the warm-up is as long as the run")
        return self


@dataclass(slots=True)
class Flow:
    """What became of one traffic in one run.

    `first` are the latencies of its lanes' first exchanges, `later` those of the others (ns). `seconds` is how long was
    measured, `completed` exchanges ended in that time and moved `payload` bytes of data, both ways; `begun` and
    `failed` count all of the run's.
    """

    traffic: Traffic
    first: Histogram = field(default_factory=Histogram)
    later: Histogram = field(default_factory=Histogram)
    seconds: float = 0.0
    payload: int = 0
    begun: int = 0
    failed: int = 0
    completed: int = 0

    @property
    def latency(self) -> Histogram:
        """All latencies."""
        both = Histogram()
        both.merge(self.first)
        both.merge(self.later)
        return both

    @property
    def rate(self) -> float:
        """Exchanges a second."""
        return self.completed / self.seconds if self.seconds else 0.0

    @property
    def throughput(self) -> float:
        """Bits of data a second."""
        return self.payload * 8 / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class Bill:
    """What one exchange comes to: ns by heading, and its counts (hops, rules compared, …).

    `paid` says of each price how many times (or bytes) it was paid.
    """

    headings: Mapping[str, int]
    totals: Totals
    paid: Mapping[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """The sum, in ns."""
        return sum(self.headings.values())

    @property
    def cpu(self) -> int:
        """The part of it that CPUs are busy for."""
        return sum(spent for heading, spent in self.headings.items() if heading not in IDLE)


@dataclass(frozen=True, slots=True)
class Load:
    """What one CPU or wire did: jobs, the share of the time that it was busy, mean wait (ns), drops, longest queue.

    `lengths` are the longest queues of each `span` ns in turn, up to the last in which anything waited.
    """

    name: str
    jobs: int
    busy: float
    wait: float
    dropped: int
    lost: int
    longest: int
    lengths: tuple[int, ...] = ()
    span: int = 0


@dataclass(slots=True)
class Outcome:
    """One run: its flows by name, its stations, how long it was (ns of the model; `took` seconds of the machine)."""

    seed: int
    flows: dict[str, Flow]
    stations: list[Load]
    ended: int
    took: float
    engine: str


@dataclass(slots=True)
class Experiment:
    """A network's traffic, recorded and ready to run.

    `open` gives the network, which is left as it was found.

    Example:
        >>> from simnet.net.address import parse_ip
        >>> from simnet.scenario.question import Listen, serve
        >>> from simnet.scenario.source import open_source
        >>> from simnet.sim.prices.costs import load
        >>> def network():
        ...     found = open_source("scenarios/snapshots/seed-modes-28.5")
        ...     serve(found, Listen.parse("h1/csphere-nat2:tcp:0.0.0.0:22"))
        ...     return found
        >>> ssh = Traffic("ssh", "wan", parse_ip("192.0.2.2"), 2222)
        >>> outcome = next(Experiment(network, [ssh], load()).run(Plan(exchanges=100)))
        >>> flow = outcome.flows["ssh"]
        >>> flow.later.count, flow.first.mean > flow.later.mean
        (99, True)
    """

    open: Callable[[], Network]
    traffic: Sequence[Traffic]
    costs: Costs
    cpus: Mapping[str, Cpus] = field(default_factory=dict)
    wires: Mapping[str, Wire] = field(default_factory=dict)
    _ways: Ways | None = None
    _lanes: list[Lane] = field(default_factory=list)

    def stage(self) -> Stage:
        """A fresh stage; UsageError where a flow leads nowhere."""
        return ready(self.open(), self.traffic, self.costs, self.cpus, self.wires)

    @property
    def ways(self) -> Ways:
        """The recorded ways, for any number of exchanges."""
        if self._ways is None:
            stage = self.stage()
            self._lanes = stage.lanes
            try:
                self._ways = ways.record(stage)
            finally:
                stage.leave()
        return self._ways

    @property
    def notes(self) -> tuple[str, ...]:
        """Where the recorded ways are not exact."""
        return self.ways.notes

    @property
    def _loses_segments(self) -> bool:
        """Whether TCP has to send again what a wire loses or reorders, which recorded ways do not hold."""
        wires = self.wires.values()
        return any(wire.loss or wire.reorder for wire in wires) and any(one.proto == "tcp" for one in self.traffic)

    def bills(self) -> dict[str, tuple[Bill, Bill]]:
        """Of each traffic, what its first exchange and a later one come to."""
        recorded = self.ways
        found: dict[str, tuple[Bill, Bill]] = {}
        for lane, flow in zip(self._lanes, recorded.model.flows, strict=True):
            kinds = flow.exchanges[0], flow.exchanges[-1]
            found.setdefault(lane.traffic.name, (_bill(recorded.ways[kinds[0]]), _bill(recorded.ways[kinds[1]])))
        return found

    def run(self, plan: Plan, progress: Progress = lambda _done, _of: None) -> Iterator[Outcome]:
        """Run the replications one by one; `progress` is told of measurements done, and of how many (0: not known)."""
        plan.checked()
        for number in range(plan.replications):
            yield self._once(plan, plan.seed + number, progress)

    def _once(self, plan: Plan, seed: int, progress: Progress) -> Outcome:
        walks = plan.engine == WALKS or (plan.engine == "auto" and self._loses_segments)
        return (self._walk if walks else self._run)(plan, seed, progress)

    def _run(self, plan: Plan, seed: int, progress: Progress) -> Outcome:
        """A run of the recorded ways."""
        began = time.perf_counter()
        run = Run(self.ways.limited(plan.exchanges), seed, plan.duration or NEVER)
        watch = _Watch(self._lanes, plan)
        watch.follow(engine.blocks(run, plan.engine), progress)
        return watch.outcome(run, began)

    def _walk(self, plan: Plan, seed: int, progress: Progress) -> Outcome:
        """A run of the walks themselves."""
        from .walks import Clocked  # SimPy, which nothing else here needs

        began = time.perf_counter()
        stage = self.stage()
        try:
            clocked = Clocked(stage, seed, plan.exchanges, plan.duration or NEVER)
            watch = _Watch(stage.lanes, plan)
            watch.follow(clocked.blocks(), progress)
            run = Run(ways.bare(stage), seed)
            clocked.tally(run.tally)
            return watch.outcome(run, began)
        finally:
            stage.leave()


class _Watch:
    """Measurements on their way into histograms."""

    def __init__(self, lanes: Sequence[Lane], plan: Plan) -> None:
        self.warmup, self.seen = plan.warmup, 0
        self.plan, self.of = plan, plan.exchanges * len(lanes)
        # what ends later is no part of a rate; a number of exchanges ends with the last of them
        self.end = plan.duration if plan.duration and not plan.exchanges else 0
        self.flows = {lane.traffic.name: Flow(lane.traffic) for lane in lanes}
        names = list(self.flows)
        self._names = names
        self._of = np.array([names.index(lane.traffic.name) for lane in lanes], np.int64)
        self._payload = np.array([lane.payload for lane in lanes], np.int64)
        self._last = np.zeros(len(names), np.int64)

    def follow(self, blocks: Iterator[Block], progress: Progress) -> None:
        """See every block of a run, and tell of it."""
        for block in blocks:
            self.see(block)
            progress(self.seen, self.of)

    def see(self, block: Block) -> None:
        """Latencies of what began after the warm-up; rates of what ended after it and within the run."""
        self.seen += len(block)
        of = self._of[block.flow]
        inside = block.ended >= self.warmup
        if self.end:
            inside &= block.ended <= self.end
        for index, name in enumerate(self._names):
            flow, mine = self.flows[name], of == index
            ended = mine & inside
            flow.completed += int(ended.sum())
            flow.payload += int(self._payload[block.flow[ended]].sum())
            measured = mine & (block.began >= self.warmup)
            times, numbers = (block.ended - block.began)[measured], block.number[measured]
            if not len(times):
                continue
            first = numbers == 0
            if first.any():
                flow.first.add(times[first])
                times = times[~first]
            flow.later.add(times)
            self._last[index] = max(self._last[index], int(block.ended[measured].max()))

    def outcome(self, run: Run, began: float) -> Outcome:
        tally = run.tally
        for index, flow in enumerate(self.flows.values()):
            mine = self._of == index
            flow.begun, flow.failed = int(tally.begun[mine].sum()), int(tally.failed[mine].sum())
            flow.seconds = max((self.end or int(self._last[index])) - self.warmup, 0) / 1e9
        ended = max(tally.ended, 1)
        loads = [
            Load(station.name, int(tally.jobs[at]), float(tally.busy[at]) / ended, _mean(tally.waited, tally.jobs, at),
                 int(tally.dropped[at]), int(tally.lost[at]), int(tally.longest[at]),
                 tally.lengths.until_none(at), tally.lengths.width)
            for at, station in enumerate(run.model.stations)
        ]  # fmt: skip
        return Outcome(run.seed, self.flows, loads, tally.ended, time.perf_counter() - began, self.plan.engine)


def _mean(sums: Ints, counts: Ints, at: int) -> float:
    return float(sums[at]) / int(counts[at]) if counts[at] else 0.0


def _bill(way: Way) -> Bill:
    return Bill(dict(way.bill), count(way.steps), dict(way.paid))
