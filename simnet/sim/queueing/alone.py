"""The closed form for one closed flow, whose visits come one at a time and never find a station busy: plain sums."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .model import NOISE, Block, Ints, Model, Run, draws
from .path import kinds_of
from .station import Rows, linear, lossless, used

# visits at once, about
_CHUNK = 1 << 13


def holds(model: Model) -> bool:
    """Whether there is one flow, closed, with one visit under way at a time.

    Leaves out: loss, reordering, token buckets.
    """
    if len(model.flows) != 1 or model.flows[0].arrivals is not None or not lossless(model):
        return False
    for exchange in used(model):
        visits = exchange.visits
        if not linear(exchange) or [visit.release for visit in visits] != [False] * (len(visits) - 1) + [True]:
            return False
        if any(visit.lag < 0 for visit in visits[1:]) or any(model.stations[visit.station].slack for visit in visits):
            return False
    return True


class _Alone:
    """One run under way; its visits stand one after the other, kind by kind."""

    def __init__(self, run: Run) -> None:
        model = run.model
        visits = [visit for exchange in model.exchanges for visit in exchange.visits]
        lengths = [len(exchange.visits) for exchange in model.exchanges]
        self.run, self.flow, self.rows = run, model.flows[0], Rows()
        self.which = np.split(np.arange(len(visits)), np.cumsum(lengths)[:-1])
        self.station = np.array([visit.station for visit in visits])
        self.fixed = np.array([visit.fixed for visit in visits], np.int64)
        self.noise = np.array([visit.noise for visit in visits], float)
        # what goes by before a visit comes
        self.before = np.array([visit.lag if visit.parent >= 0 else self.flow.think for visit in visits], np.int64)
        self.record = np.array([visit.record for visit in visits])
        self.draws = [draws(run.seed, NOISE, index, "standard_exponential") for index in range(len(model.stations))]

    def services(self, visits: Ints) -> Ints:
        """How long the next visits take."""
        services: Ints = self.fixed[visits]
        noise = self.noise[visits]
        if noise.any():
            stations = np.where(noise > 0, self.station[visits], -1)
            for station in np.unique(stations[stations >= 0]).tolist():
                here = np.flatnonzero(stations == station)
                services[here] += np.rint(noise[here] * self.draws[station](len(here))).astype(np.int64)
        return services

    def exchanges(self, numbers: Ints, time: int) -> tuple[int, Iterator[Block]]:
        """Let exchanges follow on a time; the end of the last, or -1 where no more is to begin; the full blocks."""
        parts = [self.which[kind] for kind in kinds_of(self.flow, numbers).tolist()]
        visits = np.concatenate(parts)
        lengths = np.array([len(part) for part in parts])
        services = self.services(visits)
        ends = time + np.cumsum(services + self.before[visits])
        roots = np.cumsum(lengths) - lengths
        began = ends[roots] - services[roots]
        count = int(np.searchsorted(began, self.run.until))
        upto = int(lengths[:count].sum())
        stations, tally = self.station[visits[:upto]], self.run.tally
        tally.jobs += np.bincount(stations, minlength=len(tally.jobs))
        np.add.at(tally.busy, stations, services[:upto])
        tally.begun[0] += count
        if upto:
            tally.ended = int(ends[upto - 1])
        those = np.flatnonzero(self.record[visits[:upto]])
        owner = np.repeat(np.arange(count), lengths[:count])[those]
        full = self.rows.add(np.zeros(len(those), np.int64), numbers[owner], began[owner], ends[those])
        return tally.ended if count == len(numbers) else -1, full

    def blocks(self) -> Iterator[Block]:
        flow = self.flow
        most = max(1, _CHUNK // max(len(self.which[kind]) for kind in flow.exchanges))
        number, time = 0, flow.begin - flow.think
        while time >= 0 or not number:
            upto = min(number + most, flow.limit) if flow.limit else number + most
            if upto == number:
                break
            time, full = self.exchanges(np.arange(number, upto, dtype=np.int64), time)
            yield from full
            number = upto
        yield self.rows.rest()


def blocks(run: Run) -> Iterator[Block]:
    """Run a model for which the form holds."""
    yield from _Alone(run).blocks()
