"""The walks themselves with a clock: the same generators that a trace lists, each waiting on its CPU for what it costs.

Nothing is kept or replayed here, so state (conntrack, TCP's time-outs) is as it is at that moment. It is the reference
for the engines that run recorded ways.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from functools import partial

import simpy

from simnet.net.schedule import Walk
from simnet.net.step import Step

from .prices.pricing import Burst
from .queueing.clock import Arrival, Server, TokenBucket
from .queueing.lengths import Lengths
from .queueing.loop import Variates, moments
from .queueing.model import ARRIVALS, BLOCK, LOSS, NEVER, NOISE, REORDER, Block, Tally, draws, stream
from .stage import Stage
from .work import Passage, Placement, Work

# room for the children that one piece of work may have, and for how deep they go
_LEVELS, _LEVEL_BITS = 40, 16
_NUMBER_BITS = 48


def rank(flow: int, exchange: int, path: tuple[int, ...]) -> int:
    """What decides which of two arrivals at one time is first, as in `model`: the flow, the exchange, the visit.

    Example:
        >>> rank(0, 5, (0, 1)) < rank(0, 5, (1,)) < rank(0, 6, ()) < rank(1, 0, ())
        True
    """
    found = (flow + 1) << _NUMBER_BITS | exchange
    for level in range(_LEVELS):
        found = found << _LEVEL_BITS | (path[level] + 1 if level < len(path) else 0)
    return found


class _Frame:
    """A frame in the queue towards a wire, and the work that it leads to."""

    bounded = True

    def __init__(self, clock: Clocked, passage: Passage, work: Work) -> None:
        self.clock, self.passage, self.then, self.lost = clock, passage, work, False

    def came(self) -> None:
        self.lost = self.clock.loses(self.passage.station)
        if self.lost:
            self.clock.failed(self.then)

    def dropped(self) -> None:
        self.clock.failed(self.then)

    def service(self) -> int:
        return self.passage.service

    def work(self) -> Generator[int, None, None]:
        yield self.passage.service
        self.passed(0)

    def passed(self, delay: int) -> None:
        """It leaves in `delay` ns, and is at the other end after the wire's delay."""
        if not self.lost:
            self.clock.arrive(self.then, delay + self.passage.delay + self.clock.late(self.passage.station))


class _Job:
    """Work on its CPU."""

    def __init__(self, clock: Clocked, work: Work) -> None:
        self.clock, self.item, self.bounded = clock, work, work.bounded

    def came(self) -> None:
        """It will be done."""

    def dropped(self) -> None:
        self.clock.failed(self.item)

    def work(self) -> Generator[int, None, None]:
        noise = self.item.noise
        if noise:
            yield round(noise * self.clock.noises[self.item.station].next())
        yield from self.clock.parts(self.item)
        self.clock.finished(self.item)


class Clocked(Placement):
    """A schedule with SimPy's clock.

    Exchanges of closed lanes follow each other up to `limit` (0: any number); at `until` (ns) all stops.
    """

    def __init__(self, stage: Stage, seed: int = 0, limit: int = 0, until: int = NEVER) -> None:
        """Take a stage that nothing was played on."""
        super().__init__(stage.pricing, stage.hardware, stage.seats)
        self.stage, self.seed, self.limit, self.until = stage, seed, limit, until
        self.env = simpy.Environment()
        self.noises = _Streams(seed, NOISE, "standard_exponential")
        self._losses = _Streams(seed, LOSS, "random")
        self._reorders = _Streams(seed, REORDER, "random")
        self._servers: dict[int, Server | TokenBucket] = {}
        self._begun: dict[tuple[int, int], int] = {}
        self._missing: dict[tuple[int, int], int] = {}
        self.rows: list[tuple[int, int, int, int]] = []
        self.exchanges = [0] * len(stage.lanes)
        self.failures = [0] * len(stage.lanes)
        self.lost: dict[int, int] = {}
        self.lengths = Lengths.of(0)
        self.ended = 0
        self._times: dict[int, Iterator[int]] = {}

    @property
    def now(self) -> int:
        """The time, in ns."""
        return int(self.env.now)

    # -- the schedule --------------------------------------------------------------------------------------------------

    def submit(self, work: Work, passage: Passage | None = None) -> None:
        """Let work arrive at its CPU now, or after a frame's passage."""
        if passage is None:
            self.arrive(work, work.lag)
        elif passage.station < 0:
            self.arrive(work, passage.delay)
        else:
            frame = _Frame(self, passage, work)
            where = partial(self._server(passage.station).arrive, frame)
            Arrival(self.env, 0, rank(work.flow, work.exchange, work.path), where)

    def arrive(self, work: Work, delay: int) -> None:
        """Let work come to its CPU in `delay` ns."""
        where = partial(self._cpu(work.station).arrive, _Job(self, work))
        Arrival(self.env, delay, rank(work.flow, work.exchange, work.path), where)

    def after(self, delay: int, action: Callable[[], Walk | None]) -> None:
        """Let a timer of what runs now fire in `delay` ns, on the same CPU."""
        now = self._now()
        timer = Work(_nothing(), now.host, now.number, now.station, now.flow, now.exchange, (*now.path, now.children))

        def fire() -> None:
            self.current = timer
            walk = action()
            self.current = None
            if walk is not None:
                self.arrive(replace(timer, walk=walk, burst=Burst()), 0)

        Arrival(self.env, delay, rank(timer.flow, timer.exchange, timer.path), fire)

    # -- exchanges -----------------------------------------------------------------------------------------------------

    def start(self, flow: int, exchange: int, delay: int) -> None:
        """Let a lane's next exchange begin."""
        if (self.limit and exchange >= self.limit) or self.now + delay >= self.until:
            return
        Arrival(self.env, delay, rank(flow, exchange, ()), partial(self._begin, flow, exchange))

    def _begin(self, flow: int, exchange: int) -> None:
        lane = self.stage.lanes[flow]
        self.exchanges[flow] += 1
        self._begun[flow, exchange] = self.now
        self._missing[flow, exchange] = lane.releases
        if lane.arrivals is not None:
            self._next_arrival(flow, exchange + 1)
        work = self.begin(flow, exchange, self.stage.begin(flow, exchange), lane.namespace)
        self._cpu(work.station).arrive(_Job(self, work))

    def _next_arrival(self, flow: int, exchange: int) -> None:
        time = next(self._times[flow], -1)
        if time >= 0:
            self.start(flow, exchange, time - self.now)

    def finished(self, work: Work) -> None:
        """Work is done: note what it measured, and begin the exchanges after those that it released."""
        if work.marks:
            self.ended = self.now  # what timers do later is no part of the run
        for mark in work.marks:
            key = mark.flow, mark.exchange
            if mark.record:
                self.rows.append((*key, self._begun[key], self.now))
            if mark.release and self.stage.lanes[mark.flow].arrivals is None:
                self._missing[key] -= 1
                if self._missing[key] == 0:
                    self.start(mark.flow, mark.exchange + 1, self.stage.lanes[mark.flow].traffic.think)

    def failed(self, work: Work) -> None:
        """A datagram is gone, and so is the exchange that waits for it; TCP sees to its losses itself."""
        key, lane = (work.flow, work.exchange), self.stage.lanes[work.flow]
        if lane.traffic.proto == "tcp":
            return
        if lane.arrivals is not None:
            self.failures[work.flow] += 1
        elif self._missing[key] > 0:
            self.failures[work.flow] += 1
            self._missing[key] = 0
            again = max(self.now, self._begun[key] + lane.traffic.timeout)
            self.start(work.flow, work.exchange + 1, again - self.now)

    # -- stations ------------------------------------------------------------------------------------------------------

    def _cpu(self, index: int) -> Server:
        server = self._server(index)
        assert isinstance(server, Server)
        return server

    def _server(self, index: int) -> Server | TokenBucket:
        if index not in self._servers:
            station = self.hardware.stations[index]
            make = partial(TokenBucket, slack=station.slack) if station.slack else Server
            self.lengths.grow(index + 1)
            self._servers[index] = make(self.env, station.name, station.capacity, partial(self.lengths.note, index))
        return self._servers[index]

    def loses(self, index: int) -> bool:
        """Whether a wire loses the next frame."""
        loss = self.hardware.stations[index].loss
        if not loss or self._losses[index].next() >= loss:
            return False
        self.lost[index] = self.lost.get(index, 0) + 1
        return True

    def late(self, index: int) -> int:
        """How much later than others the next frame is."""
        station = self.hardware.stations[index]
        return station.reorder_delay if station.reorder and self._reorders[index].next() < station.reorder else 0

    # -- the run -------------------------------------------------------------------------------------------------------

    def blocks(self) -> Iterator[Block]:
        """Play; yields measurements block by block."""
        lanes = self.stage.lanes
        self.stage.network.schedule = self
        for flow, lane in enumerate(lanes):
            if lane.arrivals is not None:
                self._times[flow] = moments(lane.arrivals, stream(self.seed, ARRIVALS, flow))
        for flow, lane in enumerate(lanes):
            if lane.arrivals is not None:
                self._next_arrival(flow, 0)
            else:
                self.start(flow, 0, 0)
        while self.env.peek() <= self.until:
            self.env.step()
            if len(self.rows) >= BLOCK:
                yield self._block()
        yield self._block()

    def _block(self) -> Block:
        block = Block.of(self.rows)
        self.rows.clear()
        return block

    def tally(self, tally: Tally) -> None:
        """Put the stations' counts into a tally of as many stations."""
        for index, server in self._servers.items():
            tally.jobs[index], tally.busy[index], tally.waited[index] = server.jobs, server.busy, server.waited
            tally.dropped[index], tally.longest[index] = server.drops, server.longest
            tally.lost[index] = self.lost.get(index, 0)
        self.lengths.grow(len(tally.jobs))
        tally.lengths = self.lengths
        tally.begun[:], tally.failed[:] = self.exchanges, self.failures
        tally.ended = self.until if self.until < NEVER else self.ended or self.now


def _nothing() -> Generator[Step, None, None]:
    yield from ()


class _Streams(dict[int, Variates]):
    """A station's variates, made as they are first asked for."""

    def __init__(self, seed: int, purpose: int, kind: str) -> None:
        super().__init__()
        self.seed, self.purpose, self.kind = seed, purpose, kind

    def __missing__(self, index: int) -> Variates:
        found = self[index] = Variates(draws(self.seed, self.purpose, index, self.kind))
        return found
