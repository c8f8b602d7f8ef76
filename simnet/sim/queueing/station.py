"""A FIFO station that serves whole arrays of jobs: the max-plus recursion that the closed forms share."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from simnet.errors import UsageError

from .model import BLOCK, NOISE, Block, Exchange, Ints, Model, Run, stream


class NoClosedForm(UsageError):
    """Something came up on the way of which the closed forms know nothing, such as a full queue."""


def linear(exchange: Exchange) -> bool:
    """Whether each visit leads to the next one only."""
    return all(visit.parent == at - 1 for at, visit in enumerate(exchange.visits))


def used(model: Model) -> list[Exchange]:
    """The kinds of exchange that flows have."""
    return [model.exchanges[kind] for kind in sorted({kind for flow in model.flows for kind in flow.exchanges})]


def one_record(exchanges: list[Exchange]) -> bool:
    """Whether all measurements are made at one place on the way: then they come in the order of the jobs there."""
    return len({at for exchange in exchanges for at, visit in enumerate(exchange.visits) if visit.record}) <= 1


def same_way(model: Model) -> bool:
    """Whether all exchanges visit the same stations at the same distance, each once, one after the other."""
    exchanges = used(model)
    ways = {tuple((visit.station, visit.lag if at else 0) for at, visit in enumerate(e.visits)) for e in exchanges}
    if len(ways) != 1 or not all(linear(exchange) for exchange in exchanges) or not one_record(exchanges):
        return False
    stations = [station for station, _ in ways.pop()]
    return len(set(stations)) == len(stations) and lossless(model)


def takes_time(model: Model) -> bool:
    """Whether every job, but for the last of an exchange, takes some time.

    Then no two jobs come to a station at one time that did not come to the one before so, and nothing changes their
    order, since of those that come at one time the flow with the lower number is served first.
    """
    return all(visit.fixed > 0 for exchange in used(model) for visit in exchange.visits[:-1])


def lossless(model: Model) -> bool:
    """Whether no station loses or reorders jobs."""
    visited = {visit.station for exchange in used(model) for visit in exchange.visits}
    return not any(model.stations[index].loss or model.stations[index].reorder for index in visited)


class Server:
    """A station of a way: serves jobs in the order of arrival, all of one or several kinds."""

    def __init__(self, run: Run, exchanges: list[Exchange], at: int, most: int) -> None:
        """Serve the visits `at` a place of the exchanges, at most so many at once."""
        visits = [exchange.visits[at] for exchange in exchanges]
        self.index, self.tally, self.free, self.last = visits[0].station, run.tally, 0, 0
        station = run.model.stations[self.index]
        self.name, self.capacity, self.slack = station.name, station.capacity, station.slack
        self.lag = visits[0].lag
        self.fixed = np.array([visit.fixed for visit in visits], np.int64)
        self.noise = np.array([visit.noise for visit in visits], float)
        self.bounded = np.array([visit.bounded for visit in visits])
        self.draw = stream(run.seed, NOISE, self.index).standard_exponential
        self.constant = len({(visit.fixed, visit.noise, visit.bounded) for visit in visits}) == 1
        self.steady = self.constant and not self.noise[0]
        self.steps = self.fixed[0] * np.arange(most + 1, dtype=np.int64)
        self.queue = np.zeros(0, np.int64)
        # the longest queue noted in the present span of time, and when that ends
        self.known = self.span_end = 0

    def services(self, kinds: Ints, count: int) -> Ints:
        """How long the next jobs take, by their kinds."""
        if self.constant:
            drawn = self.draw(count)
            drawn *= self.noise[0]
            return np.rint(drawn, out=drawn).astype(np.int64) + self.fixed[0]
        services: Ints = self.fixed[kinds]
        noise = self.noise[kinds]
        noisy = noise > 0
        services[noisy] += np.rint(noise[noisy] * self.draw(int(noisy.sum()))).astype(np.int64)
        return services

    def serve(self, came: Ints, kinds: Ints) -> Ints:
        """When jobs end that arrive at ascending times."""
        count = len(came)
        if self.steady:
            before, upto = self.steps[:count], self.steps[1 : count + 1]
        else:
            services = self.services(kinds, count)
            upto = np.cumsum(services)
            before = upto - services
        idle = came - before
        idle[0] = max(idle[0], self.free)
        np.maximum.accumulate(idle, out=idle)
        waited = int(idle.sum() + before.sum() - came.sum())
        if self.bounded.any():
            self.admit(came, np.maximum(came, idle + (before - self.slack)), kinds)
        idle += upto
        self.free = int(idle[-1])
        tally = self.tally
        tally.jobs[self.index] += count
        tally.busy[self.index] += int(upto[-1])
        tally.waited[self.index] += waited
        ended = np.maximum(came, idle - self.slack) if self.slack else idle
        self.last = int(ended[-1])
        return ended

    def admit(self, came: Ints, starts: Ints, kinds: Ints) -> None:
        """Count how many wait when a bounded job arrives.

        Raises:
            NoClosedForm: Where that is as many as there is room for.
        """
        if not self.constant:
            bounded = self.bounded[kinds]
            came, starts = came[bounded], starts[bounded]
            if not len(came):
                return
        queue = np.concatenate([self.queue[np.searchsorted(self.queue, came[0], side="right") :], starts])
        ahead = len(queue) - len(came)
        longest = int(self.tally.longest[self.index])
        known = self.known if came[-1] < self.span_end else 0
        # more wait than is known where the one that is that many places ahead has not started
        late, rest = queue[: max(len(queue) - known - 1, 0)], came[max(known + 1 - ahead, 0) :]
        late = late[len(late) - len(rest) :] if len(late) > len(rest) else late
        which = (late > rest[len(rest) - len(late) :]).nonzero()[0] + (len(came) - len(late))
        if len(which):
            before, times = ahead + which, came[which]
            waiting = before - np.minimum(np.searchsorted(queue, times, side="right"), before)
            longest = max(longest, int(waiting.max()))
            self.tally.longest[self.index] = longest
            self.tally.lengths.note_all(self.index, times, waiting)
            self.span_end = 0
        if came[-1] >= self.span_end:
            self.known, self.span_end = self.tally.lengths.at(self.index, int(came[-1]))
        if 0 < self.capacity <= longest:
            raise NoClosedForm(f"the queue of {self.name} overflows, so no closed form holds; use another engine")
        self.queue = queue[np.searchsorted(queue, came[-1], side="right") :]


class Rows:
    """Measurements on their way into blocks."""

    def __init__(self) -> None:
        self.columns = np.empty((4, BLOCK), np.int64)
        self.count = 0

    def add(self, flow: Ints, number: Ints, began: Ints, ended: Ints) -> Iterator[Block]:
        """Take some in; gives the blocks that are full."""
        low = 0
        while low < len(ended):
            high = min(len(ended), low + BLOCK - self.count)
            place = slice(self.count, self.count + high - low)
            self.columns[0, place] = flow[low:high]
            self.columns[1, place], self.columns[2, place] = number[low:high], began[low:high]
            self.columns[3, place] = ended[low:high]
            self.count += high - low
            low = high
            if self.count == BLOCK:
                yield Block(*self.columns)
                self.columns, self.count = np.empty((4, BLOCK), np.int64), 0

    def rest(self) -> Block:
        """The last block."""
        return Block(*self.columns[:, : self.count])
