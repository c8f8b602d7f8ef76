"""The event loop compiled by numba: the same results as `loop`, some ten to thirty times as fast.

The variates are drawn here, by NumPy, and handed to the kernel by the block; it returns when it wants more of
something, when a block of measurements is full, and every so many events, so that Ctrl-C is heard soon.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np

from simnet.errors import UsageError

from . import kernel as k
from .kernel import NEVER, State
from .lengths import SHIFT, SPANS
from .model import ARRIVALS, BLOCK, LOSS, NOISE, REORDER, Block, Exchange, Ints, Run, stream

_BUDGET = 1 << 18
_VARIATES = 8192
# times of arrival held, of all open flows
_ARRIVALS = 1 << 20
_QUEUE = 64
_KINDS_OF_VARIATE = (NOISE, "standard_exponential"), (LOSS, "random"), (REORDER, "random")
Kernel = Callable[[State, int], int]

# in the order in which they call each other
_HELPERS = (
    *("lacks", "draw", "note", "serve", "lateness", "measure", "next_kind", "put", "lane_begins"),
    *("put_slot", "take_slot", "slot_begins", "slot_starts", "slot_fails", "slot_releases", "slot_lacks"),
)


@cache
def compile_kernels() -> tuple[Kernel, Kernel]:
    """The kernels `lanes` and `slots`, compiled; a second process finds them in numba's cache.

    numba keeps that beside the package, or in the user's cache where the package's folder cannot be written.

    Raises:
        UsageError: Where numba is not installed.
    """
    try:
        import numba
    except ImportError:
        raise UsageError("the compiled engine needs numba: pip install 'simnet-docker[fast]'") from None

    def compiled(function: Callable[..., Any]) -> Any:
        try:
            return numba.njit(cache=True)(function)
        except RuntimeError:  # there is no folder that could hold the cache
            return numba.njit(function)

    for name in _HELPERS:
        setattr(k, name, compiled(getattr(k, name)))
    return compiled(k.lanes), compiled(k.slots)


def one_at_a_time(run: Run) -> bool:
    """Whether each flow has one visit under way at a time, so that `lanes` will do."""

    def linear(exchange: Exchange) -> bool:
        steps = enumerate(exchange.visits)
        return all(visit.parent == at - 1 and visit.release == (at == len(exchange.visits) - 1) for at, visit in steps)

    used = {kind for flow in run.model.flows for kind in flow.exchanges}
    return all(flow.arrivals is None for flow in run.model.flows) and all(linear(run.model.exchanges[i]) for i in used)


def _rows(rows: list[list[int]], columns: int) -> Ints:
    return np.array(rows, np.int64).reshape(-1, columns)


def _visits(run: Run) -> tuple[Ints, Ints, Ints]:
    """All exchanges' visits, what each leads to, and of each exchange its first visit and how many releases it has."""
    visits: list[list[int]] = []
    child: list[int] = []
    kinds = []
    for exchange in run.model.exchanges:
        root = len(visits)
        kinds.append([root, sum(visit.release for visit in exchange.visits)])
        for visit, vital, children in zip(exchange.visits, exchange.vital(), exchange.children(), strict=True):
            row = [visit.station, visit.parent < 0, visit.fixed, visit.noise, visit.lag, visit.release, visit.record]
            row += [visit.bounded, vital, len(child), len(child) + len(children)]
            child += [root + at for at in children]
            visits.append(row)
    return _rows(visits, 11), np.array(child, np.int64), _rows(kinds, 2)


def _stations(run: Run) -> Ints:
    noisy = {visit.station for exchange in run.model.exchanges for visit in exchange.visits if visit.noise}
    rows = []
    used = 0
    for index, station in enumerate(run.model.stations):
        wanted = [index in noisy, station.loss > 0, station.reorder > 0]
        which = [used + sum(wanted[:purpose]) if wanted[purpose] else -1 for purpose in range(3)]
        used += sum(wanted)
        row = [station.capacity, station.slack, station.reorder_delay, *which, *[_VARIATES] * 3]
        place = len(run.model.stations) * SPANS + index * _QUEUE
        rows.append([*row, 0, place, _QUEUE - 1, 0, 0, *[0] * 7, SHIFT])
    return _rows(rows, 22)


def _flows(run: Run, kinds: Ints) -> tuple[Ints, Ints]:
    """The flows, and of each all of its kinds, one flow after the other."""
    rows = []
    which: list[int] = []
    sources = 0
    for flow in run.model.flows:
        begin = len(which)
        which += flow.exchanges
        row = [flow.cycle, flow.think, flow.timeout, flow.limit, run.until, len(which)]
        row += [-1 if flow.arrivals is None else sources, 0, 0, -1, begin - 1, 0, 0, NEVER, *[0] * 5]
        sources += flow.arrivals is not None
        rows.append(row)
    return _rows(rows, 19), kinds[which]


def _power(count: int) -> int:
    """The least power of 2 that is not less."""
    return 1 << max(count - 1, 0).bit_length()


def _tree(slots: int) -> Ints:
    tree = np.full((2 * slots, 3), NEVER, np.int64)
    tree[slots:, k.SLOT] = np.arange(slots)
    return tree


def _state(run: Run, horizon: int) -> State:
    model = run.model
    visits, child, kinds = _visits(run)
    stations = _stations(run)
    flows, kinds = _flows(run, kinds)
    flow_bits, slots = len(flows).bit_length(), _power(2 * len(flows) + 16)
    visit_bits = max(len(exchange.visits) for exchange in model.exchanges).bit_length()
    shift, sources = 63 - flow_bits, 1 + int(flows[:, k.SOURCE].max())
    return State(
        visits=visits,
        child=child,
        stations=stations,
        chances=np.array([[station.loss, station.reorder] for station in model.stations], float).reshape(-1, 2),
        flows=flows,
        kinds=kinds,
        variates=np.zeros((1 + int(stations[:, k.ROW : k.ROW + 3].max()), _VARIATES)),
        arrivals=np.zeros((sources, min(4096, 64 + _ARRIVALS // max(sources, 1))), np.int64),
        queue=np.zeros((SPANS + _QUEUE) * len(stations), np.int64),
        keys=np.full(2 * _power(len(flows)), NEVER, np.int64),
        tree=_tree(slots),
        events=np.stack([np.zeros(slots), np.zeros(slots), np.arange(slots)[::-1]], axis=1).astype(np.int64),
        out=np.zeros((4, BLOCK), np.int64),
        misc=np.array([0, 0, 0, slots, shift, visit_bits, flow_bits, horizon or (1 << shift) - 1], np.int64),
    )


def _pieces(blocks: Iterator[Ints], most: int) -> Iterator[Ints]:
    """Times of arrival in pieces that fit, none of them empty."""
    for block in blocks:
        for at in range(0, len(block), most):
            yield block[at : at + most]


class _Compiled:
    """One run under way."""

    def __init__(self, run: Run, horizon: int) -> None:
        self.run, self.state = run, _state(run, horizon)
        self.draws: dict[int, Callable[..., Any]] = {}
        for purpose, kind in _KINDS_OF_VARIATE:
            for station, row in enumerate(self.state.stations[:, k.ROW + purpose].tolist()):
                if row >= 0:
                    self.draws[row] = getattr(stream(run.seed, purpose, station), kind)
        self.sources = {
            index: _pieces(flow.arrivals.blocks(stream(run.seed, ARRIVALS, index)), self.state.arrivals.shape[1])
            for index, flow in enumerate(run.model.flows)
            if flow.arrivals is not None
        }
        for index in self.sources:
            self.arrive(index)

    def arrive(self, index: int) -> None:
        """Bring an open flow's next times; nothing held says that there are no more."""
        times = next(self.sources[index], ())
        flow = self.state.flows[index]
        self.state.arrivals[flow[k.SOURCE], : len(times)] = times
        flow[k.CAME], flow[k.HELD] = 0, len(times)

    def draw(self, row: int) -> None:
        """Bring the next variates of one kind of one station."""
        self.draws[row](out=self.state.variates[row])
        rows = self.state.stations[:, k.ROW : k.ROW + 3]
        self.state.stations[:, k.USED : k.USED + 3][rows == row] = 0

    def lengthen(self, station: int) -> None:
        """Make room for twice as many waiting jobs at a station."""
        stations, queue = self.state.stations, self.state.queue
        begin = len(stations) * SPANS
        pieces = [queue[:begin]]
        for index, row in enumerate(stations):
            size = (int(row[k.QUEUE_MASK]) + 1) * (2 if index == station else 1)
            kept = (row[k.HEAD] + np.arange(row[k.WAITING])) & row[k.QUEUE_MASK]
            pieces.append(np.resize(queue[row[k.QUEUE_FROM] + kept], size) if len(kept) else np.zeros(size, np.int64))
            row[[k.QUEUE_FROM, k.QUEUE_MASK, k.HEAD]] = begin, size - 1, 0
            begin += size
        self.state = self.state._replace(queue=np.concatenate(pieces))

    def widen(self) -> None:
        """Make room for twice as many events."""
        old, count = self.state, len(self.state.events)
        spare = old.events[: old.misc[k.SPARE], k.FREED]
        tree, events = _tree(2 * count), np.zeros((2 * count, 3), np.int64)
        for slot in np.setdiff1d(np.arange(count), spare).tolist():
            k.put_slot(tree, slot, *old.tree[count + slot, : k.SLOT])
        events[:count, : k.FREED] = old.events[:, : k.FREED]
        events[:count, k.FREED] = np.arange(2 * count - 1, count - 1, -1)
        events[count : count + len(spare), k.FREED] = spare
        old.misc[k.SPARE] += count
        self.state = old._replace(events=events, tree=tree)

    def leave_lanes(self) -> None:
        """Take the lanes' next visits for events; their keys do not reach as far as the times that come now."""
        roots = np.unique(self.state.kinds[:, k.ROOT])
        shift, low = self.state.misc[[k.FLOW_SHIFT, k.VISIT_BITS]].tolist()
        for index, flow in enumerate(self.state.flows):
            if flow[k.DUE] == NEVER:
                continue
            at = flow[k.VISIT] - roots[roots <= flow[k.VISIT]].max()
            slot = k.take_slot(self.state.events, self.state.misc, flow[k.BEGAN], flow[k.VISIT])
            k.put_slot(self.state.tree, slot, flow[k.DUE], index << shift | int(flow[k.NUMBER]) << low | int(at))
            flow[[k.CURRENT, k.PENDING, k.LATEST]] = flow[k.NUMBER], 1, 0

    def begin(self, in_lanes: bool) -> None:
        """Let all flows begin."""
        state, flows, bits = self.state, self.state.flows, int(self.state.misc[k.KEY_BITS])
        tables = flows, state.kinds, state.arrivals, state.tree, state.events, state.misc
        for index, flow in enumerate(self.run.model.flows):
            if not in_lanes:
                k.slot_begins(*tables, index, flow.begin)
                continue
            due = k.lane_begins(flows, state.kinds, index, flow.begin)
            flows[index, k.DUE] = due
            if due < NEVER:
                k.put(state.keys, index, due << bits | index)

    def put_lengths(self) -> None:
        """Fill in the tally's lengths of queues."""
        lengths, rows = self.run.tally.lengths, self.state.stations
        kept_by = self.state.queue[: len(rows) * SPANS].reshape(-1, SPANS)
        for station, (row, kept) in enumerate(zip(rows, kept_by, strict=True)):
            lengths.merge(station, kept.tolist(), int(row[k.SPAN_SHIFT]))
            if row[k.LONGEST]:
                lengths.note(station, int(row[k.SPAN_END]) - 1, int(row[k.LONGEST]))
        self.run.tally.longest[:] = [max(row) for row in lengths.rows]

    def block(self) -> Block:
        """The measurements made so far; the tally is brought up to the same time."""
        state, tally = self.state, self.run.tally
        for column, name in enumerate(("jobs", "busy", "waited", "dropped", "lost"), k.JOBS):
            getattr(tally, name)[:] = state.stations[:, column]
        tally.begun[:], tally.failed[:] = state.flows[:, k.BEGUN], state.flows[:, k.FAILED]
        tally.ended = int(state.misc[k.ENDED])
        rows = int(state.misc[k.ROWS])
        state.misc[k.ROWS] = 0
        return Block(*state.out[:, :rows].copy())

    def blocks(self) -> Iterator[Block]:
        lanes, slots = compile_kernels()
        furthest = max(flow.begin for flow in self.run.model.flows)
        in_lanes = one_at_a_time(self.run) and furthest < self.state.misc[k.HORIZON]
        self.begin(in_lanes)
        why = k.TURN
        while why != k.DONE:
            why = (lanes if in_lanes else slots)(self.state, _BUDGET)
            asked = int(self.state.misc[k.ASKED])
            if why == k.FULL:
                yield self.block()
            elif why == k.VARIATES:
                self.draw(asked)
            elif why == k.ARRIVALS:
                self.arrive(asked)
            elif why == k.QUEUE:
                self.lengthen(asked)
            elif why == k.SLOTS:
                self.widen()
            elif why == k.FAR:
                self.leave_lanes()
                in_lanes = False
        self.put_lengths()
        yield self.block()


def blocks(run: Run, horizon: int = 0) -> Iterator[Block]:
    """Run a model (see `loop.blocks`, which gives the same, block by block).

    `horizon` is for tests: the time in ns from which events are kept in the general way (0: as late as may be).

    Raises:
        UsageError: Where numba is not installed.
    """
    yield from _Compiled(run, horizon).blocks()
