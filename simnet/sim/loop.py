"""The event loop in plain Python: arrivals in the order of time, each settling at once when its job starts and ends.

A FIFO server's job has its whole fate on arrival, so one event a visit is enough; nothing is scheduled for its end.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from heapq import heappop, heappush

import numpy as np

from .model import ARRIVALS, BLOCK, LOSS, NOISE, REORDER, Arrivals, Block, Flow, Run, Visit, stream


class Variates:
    """One stream of variates as Python floats, drawn by the block."""

    def __init__(self, generator: np.random.Generator, kind: str) -> None:
        """`kind` is the generator's method that draws them."""
        self._draw = getattr(generator, kind)
        self._held: list[float] = []

    def next(self) -> float:
        """The next one."""
        if not self._held:
            self._held = self._draw(4096).tolist()[::-1]
        return self._held.pop()


class _Server:
    """A station at work."""

    def __init__(self, run: Run, index: int) -> None:
        station = run.model.stations[index]
        self.capacity, self.slack, self.free = station.capacity, station.slack, 0
        self.loss, self.reorder, self.reorder_delay = station.loss, station.reorder, station.reorder_delay
        self.queue: deque[int] = deque()
        self.noises = Variates(stream(run.seed, NOISE, index), "standard_exponential")
        self.losses = Variates(stream(run.seed, LOSS, index), "random")
        self.reorders = Variates(stream(run.seed, REORDER, index), "random")


def moments(arrivals: Arrivals, variates: np.random.Generator) -> Iterator[int]:
    """When an open flow's exchanges begin, one by one."""
    for block in arrivals.blocks(variates):
        yield from block.tolist()


def times(run: Run, index: int) -> Iterator[int]:
    """When the exchanges of one of a model's open flows begin."""
    arrivals = run.model.flows[index].arrivals
    assert arrivals is not None
    return moments(arrivals, stream(run.seed, ARRIVALS, index))


class _Recorder:
    """Measurements on their way into blocks."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, int, int, int]] = []

    def block(self) -> Block:
        columns = np.array(self.rows, np.int64).reshape(-1, 4).T.copy()
        self.rows.clear()
        return Block(*columns)


class _Loop:
    """One run under way. An event is (time, flow, exchange number, visit, when the exchange began)."""

    def __init__(self, run: Run) -> None:
        model = run.model
        self.run, self.tally, self.flows = run, run.tally, model.flows
        self.servers = [_Server(run, index) for index in range(len(model.stations))]
        self.visits = [exchange.visits for exchange in model.exchanges]
        self.children = [exchange.children() for exchange in model.exchanges]
        self.vital = [exchange.vital() for exchange in model.exchanges]
        self.releases = [sum(visit.release for visit in exchange.visits) for exchange in model.exchanges]
        self.current = [0] * len(model.flows)
        self.pending = [0] * len(model.flows)
        self.latest = [0] * len(model.flows)
        self.times = {index: times(run, index) for index, flow in enumerate(model.flows) if flow.arrivals is not None}
        self.heap: list[tuple[int, int, int, int, int]] = []
        self.recorder = _Recorder()
        for index, flow in enumerate(model.flows):
            self._begin(index, flow, 0, flow.begin)

    def _begin(self, index: int, flow: Flow, number: int, time: int) -> None:
        """Let a flow's next exchange begin, if it is to have one."""
        if flow.limit and number >= flow.limit:
            return
        if flow.arrivals is not None:
            time = next(self.times[index], -1)
        if 0 <= time < self.run.until:
            heappush(self.heap, (time, index, number, 0, time))

    def blocks(self) -> Iterator[Block]:
        heap, tally, rows = self.heap, self.tally, self.recorder.rows
        while heap:
            time, index, number, at, began = heappop(heap)
            flow = self.flows[index]
            kind = flow.kind(number)
            if at == 0:
                tally.begun[index] += 1
                self.current[index], self.pending[index], self.latest[index] = number, self.releases[kind], time
                if flow.arrivals is not None:
                    self._begin(index, flow, number + 1, 0)
            visits = self.visits[kind]
            visit = visits[at]
            server = self.servers[visit.station]
            end = self._serve(visit, time)
            tally.ended = max(tally.ended, time, end)
            if end < 0 or (server.loss and self._loses(visit.station)):
                if self.vital[kind][at]:
                    self._fail(index, flow, number, began, time)
                continue
            if visit.record:
                rows.append((index, number, began, end))
                if len(rows) >= BLOCK:
                    yield self.recorder.block()
            if visit.release and flow.arrivals is None and number == self.current[index]:
                self._release(index, flow, number, end)
            late = server.reorder_delay if server.reorder and server.reorders.next() < server.reorder else 0
            for child in self.children[kind][at]:
                heappush(heap, (end + visits[child].lag + late, index, number, child, began))
        yield self.recorder.block()

    def _serve(self, visit: Visit, time: int) -> int:
        """When the job of an arrival ends, -1 where it is dropped."""
        station, server, tally = visit.station, self.servers[visit.station], self.tally
        if visit.bounded:
            queue = server.queue
            while queue and queue[0] <= time:
                queue.popleft()
            waiting = len(queue)
            tally.longest[station] = max(tally.longest[station], waiting)
            if server.capacity and waiting >= server.capacity:
                tally.dropped[station] += 1
                return -1
        service = visit.fixed + (round(visit.noise * server.noises.next()) if visit.noise else 0)
        start = max(time, server.free)
        server.free = start + service
        if visit.bounded:
            server.queue.append(max(time, start - server.slack))
        tally.jobs[station] += 1
        tally.busy[station] += service
        tally.waited[station] += start - time
        return max(time, server.free - server.slack)

    def _loses(self, station: int) -> bool:
        server = self.servers[station]
        lost = server.losses.next() < server.loss
        self.tally.lost[station] += lost
        return lost

    def _release(self, index: int, flow: Flow, number: int, end: int) -> None:
        self.latest[index] = max(self.latest[index], end)
        self.pending[index] -= 1
        if not self.pending[index]:
            self._begin(index, flow, number + 1, self.latest[index] + flow.think)

    def _fail(self, index: int, flow: Flow, number: int, began: int, time: int) -> None:
        """An exchange is never to be released; where its flow waits for it, the next one begins in its stead."""
        if flow.arrivals is not None:
            self.tally.failed[index] += 1
        elif number == self.current[index] and self.pending[index]:
            self.tally.failed[index] += 1
            self.pending[index] = 0
            self._begin(index, flow, number + 1, max(time, began + flow.timeout))


def blocks(run: Run) -> Iterator[Block]:
    """Run a model; yields its measurements block by block, and fills `run.tally`.

    Example:
        >>> from simnet.sim.model import Exchange, Model, Station, Visit
        >>> ping = Exchange((Visit(0, 300), Visit(1, 500, parent=0, lag=50, release=True, record=True)))
        >>> run = Run(Model((Station("client"), Station("server")), (ping,), (Flow((0,), limit=3),)))
        >>> [(block.ended - block.began).tolist() for block in blocks(run)]
        [[850, 850, 850]]
    """
    yield from _Loop(run).blocks()
