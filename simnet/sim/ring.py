"""The closed form for closed flows that go round the same stations for ever (see `tandem`).

They never overtake each other, so each station serves them in one order that stays, round after round; what the last
station gives is what comes to the first one next.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .model import Block, Model, Run
from .station import Rows, Server, same_way, used


def holds(model: Model) -> bool:
    """Whether all flows are closed and have one kind of exchange, which keeps them in order.

    Leaves out: loss, reordering, and queues that overflow (which shows on the way).
    """
    flows, exchanges = model.flows, used(model)
    if any(flow.arrivals is not None for flow in flows) or len(exchanges) != 1 or not same_way(model):
        return False
    visits = exchanges[0].visits
    if [visit.release for visit in visits] != [False] * (len(visits) - 1) + [True]:
        return False
    if len({(flow.think, flow.limit) for flow in flows}) > 1:
        return False
    # nobody comes round before the last one has begun
    begins = [flow.begin for flow in flows]
    least = sum(visit.fixed for visit in visits if not model.stations[visit.station].slack)
    least += sum(visit.lag for visit in visits[1:]) + flows[0].think
    return len(flows) == 1 or (visits[-1].fixed > 0 and max(begins) - min(begins) < least)


def blocks(run: Run) -> Iterator[Block]:
    """Run a model for which the form holds.

    Raises:
        Overflow: Where a queue overflows on the way.
    """
    flows, tally, rows = run.model.flows, run.tally, Rows()
    exchanges = used(run.model)
    count, think, limit = len(flows), flows[0].think, flows[0].limit
    servers = [Server(run, exchanges, at, count) for at in range(len(exchanges[0].visits))]
    record = [at for at, visit in enumerate(exchanges[0].visits) if visit.record]
    begins = np.array([flow.begin for flow in flows], np.int64)
    order = np.argsort(begins, kind="stable")
    began = begins[order]
    kinds = np.zeros(count, np.int64)
    number = 0
    while len(began) and (not limit or number < limit):
        if began[-1] >= run.until:
            began = began[: np.searchsorted(began, run.until)]
            order = order[: len(began)]
            if not len(began):
                break
        ended = began
        for at, server in enumerate(servers):
            ended = server.serve(ended + server.lag if at and server.lag else ended, kinds)
            if at in record:
                measured = ended
        tally.begun[order] += 1
        if record:
            yield from rows.add(order, np.full(len(order), number, np.int64), began, measured)
        tally.ended = max(tally.ended, *(server.last for server in servers))
        began = ended + think
        number += 1
    yield rows.rest()
