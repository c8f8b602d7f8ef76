"""The closed form for open flows whose packets visit the same stations in turn (see `tandem`)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from .model import ARRIVALS, NEVER, Block, Flow, Ints, Model, Run, stream
from .station import Rows, Server, same_way, takes_time, used

# packets at once: what is computed of them stays in the processor's cache
_CHUNK = 1 << 13


def holds(model: Model) -> bool:
    """Whether all flows are open and their exchanges keep to one way, in order.

    Leaves out: loss, reordering, queues that overflow (which shows on the way), and of several flows services that may
    take no time.
    """
    if not all(flow.arrivals is not None for flow in model.flows) or not same_way(model):
        return False
    return len(model.flows) == 1 or takes_time(model)


def kinds_of(flow: Flow, numbers: Ints) -> Ints:
    """`Flow.kind` of many numbers."""
    count = len(flow.exchanges)
    places = np.where(numbers < count, numbers, count - flow.cycle + (numbers - count) % flow.cycle)
    kinds: Ints = np.array(flow.exchanges, np.int64)[places]
    return kinds


def _times(run: Run, index: int) -> Iterator[Ints]:
    """When a flow's exchanges begin, in pieces, up to its limit and the run's end."""
    flow = run.model.flows[index]
    assert flow.arrivals is not None
    left = flow.limit or NEVER
    for block in flow.arrivals.blocks(stream(run.seed, ARRIVALS, index)):
        for low in range(0, len(block), _CHUNK):
            piece = block[low : low + _CHUNK][:left]
            early = int(np.searchsorted(piece, run.until))
            if early:
                yield piece[:early]
            left -= len(piece)
            if early < len(piece) or not left:
                return


def _merged(run: Run) -> Iterator[tuple[Ints, Ints, Ints]]:
    """All flows' beginnings in the order of time, then flow, then number: times, flows and numbers."""
    sources = [_times(run, index) for index in range(len(run.model.flows))]
    held = [next(source, np.zeros(0, np.int64)) for source in sources]
    counts = [0] * len(held)
    going = [index for index, times in enumerate(held) if len(times)]
    while going or any(len(times) for times in held):
        # what is to come of a source is not before the last time known of it
        safe = min((int(held[index][-1]) for index in going), default=NEVER)
        parts = []
        for index, times in enumerate(held):
            upto = int(np.searchsorted(times, safe))
            if upto:
                numbers = np.arange(counts[index], counts[index] + upto, dtype=np.int64)
                parts.append((times[:upto], np.full(upto, index, np.int64), numbers))
                held[index] = times[upto:]
                counts[index] += upto
        for index in [index for index in going if held[index][-1] == safe]:
            more = next(sources[index], None)
            if more is None:
                going.remove(index)
            else:
                held[index] = np.concatenate([held[index], more])
        if parts:
            time, flow, number = (np.concatenate(columns) for columns in zip(*parts, strict=True))
            order = np.argsort(time, kind="stable")
            yield time[order], flow[order], number[order]


def _single(run: Run) -> Iterator[tuple[Ints, Ints, Ints]]:
    """The same of a flow that is alone."""
    count = 0
    flows = np.zeros(_CHUNK, np.int64)
    for times in _times(run, 0):
        numbers = np.arange(count, count + len(times), dtype=np.int64)
        count += len(times)
        yield times, flows[: len(times)], numbers


def blocks(run: Run) -> Iterator[Block]:
    """Run a model for which the form holds.

    Raises:
        NoClosedForm: Where a queue overflows on the way.
    """
    model, rows = run.model, Rows()
    exchanges = used(model)
    recorded = np.array([[visit.record for visit in exchange.visits] for exchange in exchanges])
    places = np.full(len(model.exchanges), -1, np.int64)
    places[sorted({kind for flow in model.flows for kind in flow.exchanges})] = np.arange(len(exchanges))
    servers = [Server(run, exchanges, at, _CHUNK) for at in range(len(exchanges[0].visits))]
    for times, flows, numbers in _single(run) if len(model.flows) == 1 else _merged(run):
        for low in range(0, len(times), _CHUNK):
            piece = slice(low, low + _CHUNK)
            yield from _chunk(run, servers, (times[piece], flows[piece], numbers[piece]), (places, recorded), rows)
    yield rows.rest()


def _chunk(
    run: Run, servers: list[Server], chunk: tuple[Ints, Ints, Ints], tables: tuple[Ints, NDArray[np.bool_]], rows: Rows
) -> Iterator[Block]:
    """Let some packets go their way."""
    began, flows, numbers = chunk
    places, recorded = tables
    kinds = np.zeros(len(began), np.int64)
    if len(recorded) > 1:
        for index in np.unique(flows).tolist():
            kinds[flows == index] = places[kinds_of(run.model.flows[index], numbers[flows == index])]
    measured = None
    ended = began
    for at, server in enumerate(servers):
        ended = server.serve(ended + server.lag if at and server.lag else ended, kinds)
        if recorded[:, at].any():
            measured = at, ended
    tally = run.tally
    tally.begun += np.bincount(flows, minlength=len(tally.begun))
    tally.ended = max(tally.ended, *(server.last for server in servers))
    if measured is None:
        return
    at, when = measured
    if recorded[:, at].all():
        yield from rows.add(flows, numbers, began, when)
    else:
        those = recorded[kinds, at]
        yield from rows.add(flows[those], numbers[those], began[those], when[those])
