"""The reference engine: a model's stations as SimPy processes, its exchanges as jobs that wait for them.

It is slow and plain; the other engines are held against it. A token bucket is the one thing that it does by formula.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from functools import partial

import simpy

from .clock import Arrival, Server, TokenBucket
from .loop import Variates, times
from .model import BLOCK, LOSS, NOISE, REORDER, Block, Flow, Run, Visit, draws

_NUMBER_BITS, _VISIT_BITS = 48, 16


class _Job:
    """One visit of one exchange."""

    def __init__(self, engine: _Reference, index: int, number: int, at: int, began: int) -> None:
        self.engine, self.index, self.number, self.at, self.began = engine, index, number, at, began
        self.flow: Flow = engine.flows[index]
        self.kind = self.flow.kind(number)
        self.visit: Visit = engine.exchanges[self.kind][at]
        self.bounded = self.visit.bounded
        self.lost = False

    def service(self) -> int:
        noise = self.visit.noise
        return self.visit.fixed + (round(noise * self.engine.noises[self.visit.station].next()) if noise else 0)

    def work(self) -> Generator[int, None, None]:
        service = self.service()
        self.leave(service, early=True)
        yield service
        self.leave(0, early=False)

    def passed(self, delay: int) -> None:
        self.leave(delay, early=False)

    def leave(self, delay: int, *, early: bool) -> None:
        """Let what follows follow: what begins before the job's end at its start, the rest at its end."""
        if self.lost:
            return
        station = self.engine.run.model.stations[self.visit.station]
        late = 0
        if not early:
            self.engine.after(delay, self.ended)
            if station.reorder and self.engine.reorders[self.visit.station].next() < station.reorder:
                late = station.reorder_delay
        for child in self.engine.children[self.kind][self.at]:
            lag = self.engine.exchanges[self.kind][child].lag
            if (lag < 0) == early:
                self.engine.submit(delay + lag + late, self.index, self.number, child, self.began)

    def came(self) -> None:
        """It was taken in, not dropped: whether it will be lost is settled now."""
        self.lost = self.engine.loses(self.visit.station)
        if self.lost:
            self.failed()

    def ended(self) -> None:
        engine, now = self.engine, int(self.engine.env.now)
        if self.visit.record:
            engine.rows.append((self.index, self.number, self.began, now))
        current = self.number == engine.current[self.index] and engine.pending[self.index] > 0
        if self.visit.release and self.flow.arrivals is None and current:
            engine.pending[self.index] -= 1
            if not engine.pending[self.index]:
                engine.begin(self.index, self.number + 1, now + self.flow.think)

    def dropped(self) -> None:
        self.failed()

    def failed(self) -> None:
        engine, now = self.engine, int(self.engine.env.now)
        if not engine.vital[self.kind][self.at]:
            return
        if self.flow.arrivals is not None:
            engine.run.tally.failed[self.index] += 1
        elif self.number == engine.current[self.index] and engine.pending[self.index]:
            engine.run.tally.failed[self.index] += 1
            engine.pending[self.index] = 0
            engine.begin(self.index, self.number + 1, max(now, self.began + self.flow.timeout))


class _Reference:
    """One run under way."""

    def __init__(self, run: Run) -> None:
        model = run.model
        self.run, self.flows, self.env = run, model.flows, simpy.Environment()
        self.exchanges = [exchange.visits for exchange in model.exchanges]
        self.children = [exchange.children() for exchange in model.exchanges]
        self.vital = [exchange.vital() for exchange in model.exchanges]
        self.releases = [sum(visit.release for visit in exchange.visits) for exchange in model.exchanges]
        self.servers = [self._server(index) for index in range(len(model.stations))]
        self.noises = self._variates(NOISE, "standard_exponential")
        self.losses = self._variates(LOSS, "random")
        self.reorders = self._variates(REORDER, "random")
        self.times = {index: times(run, index) for index, flow in enumerate(model.flows) if flow.arrivals is not None}
        self.current = [0] * len(model.flows)
        self.pending = [0] * len(model.flows)
        self.rows: list[tuple[int, int, int, int]] = []
        for index, flow in enumerate(model.flows):
            self.begin(index, 0, flow.begin)

    def _server(self, index: int) -> Server | TokenBucket:
        station, found = self.run.model.stations[index], partial(self.run.tally.lengths.note, index)
        if station.slack:
            return TokenBucket(self.env, station.name, station.capacity, found, slack=station.slack)
        return Server(self.env, station.name, station.capacity, found)

    def _variates(self, purpose: int, kind: str) -> list[Variates]:
        return [Variates(draws(self.run.seed, purpose, index, kind)) for index in range(len(self.run.model.stations))]

    def loses(self, station: int) -> bool:
        """Whether a station loses the job that it has served."""
        loss = self.run.model.stations[station].loss
        if not loss or self.losses[station].next() >= loss:
            return False
        self.run.tally.lost[station] += 1
        return True

    def begin(self, index: int, number: int, time: int) -> None:
        """Let a flow's next exchange begin at a time, if it is to have one."""
        flow = self.flows[index]
        if flow.limit and number >= flow.limit:
            return
        if flow.arrivals is not None:
            time = next(self.times[index], -1)
        if 0 <= time < self.run.until:
            self.submit(time - int(self.env.now), index, number, 0, time)

    def submit(self, delay: int, index: int, number: int, at: int, began: int) -> None:
        """Let a visit's job come to its station."""
        rank = ((index + 1) << _NUMBER_BITS | number) << _VISIT_BITS | at
        Arrival(self.env, delay, rank, partial(self._arrive, index, number, at, began))

    def after(self, delay: int, act: Callable[[], None]) -> None:
        """Do something; at once where there is nothing to wait for, else before all arrivals of that time."""
        if delay:
            Arrival(self.env, delay, 0, act)
        else:
            act()

    def _arrive(self, index: int, number: int, at: int, began: int) -> None:
        job = _Job(self, index, number, at, began)
        if at == 0:
            self.run.tally.begun[index] += 1
            self.current[index], self.pending[index] = number, self.releases[job.kind]
            if job.flow.arrivals is not None:
                self.begin(index, number + 1, 0)
        self.servers[job.visit.station].arrive(job)

    def blocks(self) -> Iterator[Block]:
        def block() -> Block:
            found = Block.of(self.rows)
            self.rows.clear()
            return found

        while self.env.peek() != float("inf"):
            self.env.step()
            if len(self.rows) >= BLOCK:
                yield block()
        tally = self.run.tally
        for index, server in enumerate(self.servers):
            tally.jobs[index], tally.busy[index], tally.waited[index] = server.jobs, server.busy, server.waited
            tally.dropped[index], tally.longest[index] = server.drops, server.longest
        tally.ended = int(self.env.now)
        yield block()


def blocks(run: Run) -> Iterator[Block]:
    """Run a model (see `loop.blocks`, which gives the same).

    Example:
        >>> from simnet.sim.queueing.model import Exchange, Flow, Model, Station, Visit
        >>> ping = Exchange((Visit(0, 300), Visit(1, 500, parent=0, lag=50, release=True, record=True)))
        >>> run = Run(Model((Station("client"), Station("server")), (ping,), (Flow((0,), limit=3),)))
        >>> [(block.ended - block.began).tolist() for block in blocks(run)]
        [[850, 850, 850]]
    """
    yield from _Reference(run).blocks()
