"""The event loop in plain Python: arrivals in the order of time, each settling at once when its job starts and ends.

A FIFO server's job has its whole fate on arrival, so one event a visit is enough; nothing is scheduled for its end.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from heapq import heappop, heappush, heapreplace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .lengths import SPANS
from .model import ARRIVALS, BLOCK, LOSS, NOISE, REORDER, Arrivals, Block, Run, draws, stream


class Variates:
    """One stream of variates as Python floats, drawn by the block."""

    __slots__ = ("_draw", "_held")

    def __init__(self, draw: Callable[[int], NDArray[np.float64]]) -> None:
        """`draw` gives so many of them."""
        self._draw = draw
        self._held: list[float] = []

    def next(self) -> float:
        """The next one."""
        if not self._held:
            self._held = self._draw(4096).tolist()[::-1]
        return self._held.pop()


def moments(arrivals: Arrivals, variates: np.random.Generator) -> Iterator[int]:
    """When an open flow's exchanges begin, one by one."""
    for block in arrivals.blocks(variates):
        yield from block.tolist()


def times(run: Run, index: int) -> Iterator[int]:
    """When the exchanges of one of a model's open flows begin."""
    arrivals = run.model.flows[index].arrivals
    assert arrivals is not None
    return moments(arrivals, stream(run.seed, ARRIVALS, index))


class _Server:
    """A station at work, and its part of the tally."""

    __slots__ = (
        *("capacity", "slack", "loss", "reorder", "reorder_delay", "free", "queue", "noises", "losses", "reorders"),
        *("jobs", "busy", "waited", "dropped", "lost", "index", "lengths", "row"),
    )

    def __init__(self, run: Run, index: int) -> None:
        station = run.model.stations[index]
        self.capacity, self.slack, self.free = station.capacity, station.slack, 0
        self.loss, self.reorder, self.reorder_delay = station.loss, station.reorder, station.reorder_delay
        self.queue: deque[int] = deque()
        self.noises = Variates(draws(run.seed, NOISE, index, "standard_exponential"))
        self.losses = Variates(draws(run.seed, LOSS, index, "random"))
        self.reorders = Variates(draws(run.seed, REORDER, index, "random"))
        self.jobs = self.busy = self.waited = self.dropped = self.lost = 0
        self.index, self.lengths, self.row = index, run.tally.lengths, run.tally.lengths.rows[index]

    @property
    def longest(self) -> int:
        """The longest queue that was found."""
        return max(self.row)

    def admit(self, time: int) -> bool:
        """Whether a bounded job that arrives finds room."""
        queue = self.queue
        while queue and queue[0] <= time:
            queue.popleft()
        waiting = len(queue)
        if waiting:
            span = time >> self.lengths.shift
            if span >= SPANS or waiting > self.row[span]:
                self.lengths.note(self.index, time, waiting)
        if self.capacity and waiting >= self.capacity:
            self.dropped += 1
            return False
        return True

    def serve(self, visit: _Visit, time: int) -> int:
        """When the job of an arrival ends, -1 where it is dropped."""
        if visit.bounded and not self.admit(time):
            return -1
        service = visit.fixed
        if visit.noise:
            service += round(visit.noise * self.noises.next())
        start = self.free
        if start < time:
            start = time
        else:
            self.waited += start - time
        self.free = end = start + service
        if visit.bounded:
            self.queue.append(max(time, start - self.slack))
        self.jobs += 1
        self.busy += service
        return max(time, end - self.slack) if self.slack else end

    def loses(self) -> bool:
        """Whether a job that was served is lost."""
        if not self.loss or self.losses.next() >= self.loss:
            return False
        self.lost += 1
        return True

    def late(self) -> int:
        """How much later than its end a job goes on its way."""
        return self.reorder_delay if self.reorder and self.reorders.next() < self.reorder else 0


class _Visit(NamedTuple):
    """A visit of an exchange, and what it leads to: the lags, positions and visits of its children."""

    server: _Server
    fixed: int
    noise: int
    bounded: bool
    record: bool
    release: bool
    vital: bool
    children: list[tuple[int, int, _Visit]]


class _Loop:
    """One run under way. An event is (time, flow, exchange number, position, when the exchange began, visit)."""

    def __init__(self, run: Run) -> None:
        model = run.model
        self.run, self.flows = run, model.flows
        self.servers = [_Server(run, index) for index in range(len(model.stations))]
        self.roots = [self._root(kind) for kind in range(len(model.exchanges))]
        self.releases = [sum(visit.release for visit in exchange.visits) for exchange in model.exchanges]
        self.closed = [flow.arrivals is None for flow in model.flows]
        self.times = {index: times(run, index) for index, closed in enumerate(self.closed) if not closed}
        self.current = [0] * len(model.flows)
        self.pending = [0] * len(model.flows)
        self.latest = [0] * len(model.flows)
        self.begun = [0] * len(model.flows)
        self.failed = [0] * len(model.flows)
        self.ended = 0
        self.heap: list[tuple[int, int, int, int, int, _Visit]] = []
        self.rows: list[tuple[int, int, int, int]] = []
        for index, flow in enumerate(model.flows):
            self._begin(index, 0, flow.begin)

    def _root(self, kind: int) -> _Visit:
        """An exchange's first visit, which leads to the others."""
        exchange = self.run.model.exchanges[kind]
        made = [
            _Visit(
                self.servers[visit.station], visit.fixed, visit.noise, visit.bounded, visit.record, visit.release, v, []
            )
            for visit, v in zip(exchange.visits, exchange.vital(), strict=True)
        ]
        for index, visit in enumerate(exchange.visits[1:], 1):
            made[visit.parent].children.append((visit.lag, index, made[index]))
        return made[0]

    def _begin(self, index: int, number: int, time: int) -> None:
        """Let a flow's next exchange begin, if it is to have one."""
        flow = self.flows[index]
        if flow.limit and number >= flow.limit:
            return
        if not self.closed[index]:
            time = next(self.times[index], -1)
        if 0 <= time < self.run.until:
            heappush(self.heap, (time, index, number, 0, time, self.roots[flow.kind(number)]))

    def _start(self, index: int, number: int, time: int) -> None:
        """An exchange's root has arrived."""
        self.begun[index] += 1
        self.current[index], self.latest[index] = number, time
        self.pending[index] = self.releases[self.flows[index].kind(number)]
        if not self.closed[index]:
            self._begin(index, number + 1, 0)

    def _release(self, index: int, number: int, end: int) -> None:
        """A visit that releases has ended; where it was the last of them, the next exchange begins."""
        if not self.closed[index] or number != self.current[index] or not self.pending[index]:
            return
        self.latest[index] = max(self.latest[index], end)
        self.pending[index] -= 1
        if not self.pending[index]:
            self._begin(index, number + 1, self.latest[index] + self.flows[index].think)

    def _fail(self, index: int, number: int, began: int, time: int) -> None:
        """An exchange is never to be released; where its flow waits for it, the next one begins in its stead."""
        if not self.closed[index]:
            self.failed[index] += 1
        elif number == self.current[index] and self.pending[index]:
            self.failed[index] += 1
            self.pending[index] = 0
            self._begin(index, number + 1, max(time, began + self.flows[index].timeout))

    def _block(self) -> Block:
        """The measurements made so far; the tally is brought up to the same time."""
        tally = self.run.tally
        for name in ("jobs", "busy", "waited", "dropped", "lost", "longest"):
            getattr(tally, name)[:] = [getattr(server, name) for server in self.servers]
        tally.begun[:], tally.failed[:], tally.ended = self.begun, self.failed, self.ended
        block = Block.of(self.rows)
        self.rows.clear()
        return block

    def blocks(self) -> Iterator[Block]:
        heap, rows = self.heap, self.rows
        while heap:
            # the event stays in front until its first child takes its place: all else that follows from it is later
            time, index, number, at, began, visit = heap[0]
            if not at:
                self._start(index, number, time)
            server = visit.server
            end = server.serve(visit, time)
            if end > self.ended or time > self.ended:
                self.ended = max(time, end)
            if end < 0 or (server.loss and server.loses()):
                heappop(heap)
                if visit.vital:
                    self._fail(index, number, began, time)
                continue
            if visit.record:
                rows.append((index, number, began, end))
                if len(rows) == BLOCK:
                    yield self._block()
            if visit.release:
                self._release(index, number, end)
            if server.reorder:
                end += server.late()
            if not visit.children:
                heappop(heap)
                continue
            lag, child, then = visit.children[0]
            heapreplace(heap, (end + lag, index, number, child, began, then))
            for lag, child, then in visit.children[1:]:
                heappush(heap, (end + lag, index, number, child, began, then))
        yield self._block()


def blocks(run: Run) -> Iterator[Block]:
    """Run a model; yields its measurements block by block, and fills `run.tally` as far as each block goes.

    Example:
        >>> from simnet.sim.queueing.model import Exchange, Flow, Model, Station, Visit
        >>> ping = Exchange((Visit(0, 300), Visit(1, 500, parent=0, lag=50, release=True, record=True)))
        >>> run = Run(Model((Station("client"), Station("server")), (ping,), (Flow((0,), limit=3),)))
        >>> [(block.ended - block.began).tolist() for block in blocks(run)]
        [[850, 850, 850]]
    """
    yield from _Loop(run).blocks()
