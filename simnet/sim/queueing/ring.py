"""The closed form for closed flows that go round the same stations for ever (see `tandem`).

Each station serves them in one order that stays, round after round; what the last station gives is what comes to the
first one next. So the times of each place in that order (a *lane*) need no look at who is there. Only of those that
come to a station at one time, which happens where a service took no time, the flow with the lower number goes first:
two flows then change lanes, and what is told of a lane from there on is told of the other flow.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .model import NEVER, Block, Exchange, Ints, Model, Run
from .station import NoClosedForm, Rows, Server, same_way, takes_time, used

# rounds at once
_ROUNDS = 64

# those that come to a station at one time: when, which visit it is, the first of them and the one after the last
Tie = tuple[int, int, int, int]


def _least(model: Model, exchange: Exchange) -> int:
    """The least time that a round takes."""
    fixed = sum(visit.fixed for visit in exchange.visits if not model.stations[visit.station].slack)
    return fixed + sum(visit.lag for visit in exchange.visits[1:])


def holds(model: Model) -> bool:
    """Whether all flows are closed and have one kind of exchange, which keeps them in order.

    Leaves out: loss, reordering, and queues that overflow (which shows on the way). Where services may take no time,
    so that flows change lanes, also limits.
    """
    flows, exchanges = model.flows, used(model)
    if any(flow.arrivals is not None for flow in flows) or len(exchanges) != 1 or not same_way(model):
        return False
    visits = exchanges[0].visits
    if [visit.release for visit in visits] != [False] * (len(visits) - 1) + [True]:
        return False
    if len({(flow.think, flow.limit) for flow in flows}) > 1:
        return False
    # nobody comes round before the last one has begun; at the same time only where lanes may change
    begins = [flow.begin for flow in flows]
    spread, round_trip = max(begins) - min(begins), _least(model, exchanges[0]) + flows[0].think
    if flows[0].limit and len(flows) > 1:
        return takes_time(model) and visits[-1].fixed > 0 and spread < round_trip
    return spread == 0 or spread < round_trip


def _runs(came: Ints, low: int, high: int) -> Iterator[Tie]:
    """Those of a window's arrivals that come at one time from `low` on and before `high`."""
    for at, times in enumerate(came.reshape(len(came), -1)):
        same = np.flatnonzero((times[1:] == times[:-1]) & (times[1:] >= low) & (times[1:] < high))
        if len(same):
            for run in np.split(same, np.flatnonzero(np.diff(same) > 1) + 1):
                yield int(times[run[0]]), at, int(run[0]), int(run[-1]) + 2


class _Ring:
    """One run under way; a window of rounds is kept until all ties that concern it are known."""

    def __init__(self, run: Run) -> None:
        exchanges = used(run.model)
        visits = exchanges[0].visits
        begins = np.array([flow.begin for flow in run.model.flows], np.int64)
        self.run, self.count = run, len(begins)
        self.servers = [Server(run, exchanges, at, self.count) for at in range(len(visits))]
        self.record = next((at for at, visit in enumerate(visits) if visit.record), None)
        # of each lane: the flow that is there, by how many exchanges it is ahead of the rounds
        self.flow = np.argsort(begins, kind="stable")
        self.ahead = np.zeros(self.count, np.int64)
        self.next = begins[self.flow]
        # the window: its first round, when each lane came to each visit, what is told of it; rows given; ties settled
        self.first = self.given = self.settled = 0
        self.came = np.zeros((len(visits), 0, self.count), np.int64)
        self.told = np.zeros((4, 0, self.count), np.int64)

    def advance(self) -> None:
        """Go some rounds further."""
        flow, until, tally = self.run.model.flows[0], self.run.until, self.run.tally
        came = np.full((len(self.servers), _ROUNDS, self.count), NEVER)
        ended = np.full((_ROUNDS, self.count), NEVER)
        kinds = np.zeros(self.count, np.int64)
        begin = self.first + self.came.shape[1]
        done = 0
        while done < _ROUNDS and len(self.next) and not 0 < flow.limit <= begin + done:
            times = self.next
            if times[-1] >= until:
                times = times[: np.searchsorted(times, until)]
                if not len(times):
                    break
            for at, server in enumerate(self.servers):
                if at and server.lag:
                    times = times + server.lag
                came[at, done, : len(times)] = times
                times = server.serve(times, kinds)
                if at == self.record:
                    ended[done, : len(times)] = times
            self.next = times + flow.think
            done += 1
        tally.ended = max(tally.ended, *(server.last for server in self.servers))
        flows = np.broadcast_to(self.flow, (done, self.count))
        numbers = begin + np.arange(done)[:, None] + self.ahead
        told = np.stack([flows, numbers, came[0, :done], ended[:done]])
        self.came = np.concatenate([self.came, came[:, :done]], axis=1)
        self.told = np.concatenate([self.told, told], axis=1)
        if done < _ROUNDS:
            self.next = self.next[:0]

    def settle(self, upto: int) -> None:
        """Let flows change lanes where they come at one time, as far as all that come before a time are known."""
        ties = sorted(_runs(self.came, self.settled, upto))
        self.settled = upto
        while ties:
            together = [tie for tie in ties if tie[0] == ties[0][0]]
            tie = next((tie for tie in together if not any(self.before(other, tie) for other in together)), None)
            if tie is None:
                raise NoClosedForm("ties that hang on each other, so no closed form holds; use another engine")
            ties.remove(tie)
            self.change(tie)

    def before(self, one: Tie, other: Tie) -> bool:
        """Whether a lane comes to one tie first and then to the other, at the same time."""
        places = {n % self.count: (n // self.count, one[1]) for n in range(*one[2:])}
        lanes = [n for n in range(*other[2:]) if n % self.count in places]
        return any(places[n % self.count] < (n // self.count, other[1]) for n in lanes)

    def change(self, tie: Tie) -> None:
        """Put those that come at one time in the order of their flows."""
        _, at, low, high = tie
        rounds, lanes = np.divmod(np.arange(low, high), self.count)
        who, number = self.flow[lanes], rounds + self.ahead[lanes]
        order = np.lexsort((number, who))
        if (order == np.arange(len(order))).all():
            return
        if high - low > self.count:
            raise NoClosedForm("flows overtake each other, so no closed form holds; use another engine")
        began = self.told[2, rounds, lanes][order]
        self.flow[lanes], self.ahead[lanes] = who[order], number[order] - rounds
        for place, (turn, lane) in enumerate(zip(rounds.tolist(), lanes.tolist(), strict=True)):
            now = self.record is not None and self.record >= at
            rest = np.arange(turn if now else turn + 1, self.told.shape[1])
            self.told[0, rest, lane] = self.flow[lane]
            self.told[1, rest, lane] = self.first + rest + self.ahead[lane]
            if now:
                self.told[2, turn, lane] = began[place]

    def give(self, upto: int, rows: Rows) -> Iterator[Block]:
        """Give the measurements that no tie can change any more, and let go of their rounds."""
        if self.record is not None:
            known = int(np.searchsorted(self.came[self.record].ravel(), upto))
            flat = self.told.reshape(4, -1)[:, self.given : known]
            yield from rows.add(*flat)
            self.given = known
        gone = int(np.searchsorted(self.came[-1, :, -1], upto))
        self.came, self.told = self.came[:, gone:], self.told[:, gone:]
        self.given -= gone * self.count
        self.first += gone

    def blocks(self) -> Iterator[Block]:
        rows = Rows()
        while len(self.next):
            self.advance()
            # what comes to the first station next is not before the last that came to it
            upto = int(self.came[0, -1, -1]) if len(self.next) else NEVER
            self.settle(upto)
            lanes = (self.came[0] < NEVER).sum(axis=0)
            self.run.tally.begun[self.flow] = self.first + lanes + self.ahead
            yield from self.give(upto, rows)
        yield rows.rest()


def blocks(run: Run) -> Iterator[Block]:
    """Run a model for which the form holds.

    Raises:
        NoClosedForm: Where a queue overflows on the way, or flows overtake each other after all.
    """
    yield from _Ring(run).blocks()
