"""Closed forms: what an event loop finds visit by visit, as a recursion over whole arrays where that is exact.

A FIFO station's job i ends at `D[i] = max(A[i], D[i-1]) + S[i]`, so with `C` the running sum of the services S,
`D = C + max over j ≤ i of (A[j] - C[j-1])`: one cumulative sum and one cumulative maximum.

path    open flows whose packets visit the same stations one after the other: station by station, in chunks of packets
ring    closed flows that go round the same stations for ever: the same, each round's ends the next one's arrivals
alone   one closed flow, whose visits never find a station busy: plain sums
"""

from __future__ import annotations

from collections.abc import Iterator

from simnet.errors import UsageError

from . import alone, path, ring
from .model import Block, Model, Run
from .station import NoClosedForm

_FORMS = alone, ring, path


def holds(model: Model) -> bool:
    """Whether one of the forms is exact for a model, as long as no queue overflows.

    Example:
        >>> from simnet.sim.queueing.model import Exchange, Flow, Station, Visit
        >>> once = Exchange((Visit(0, 300), Visit(1, 500, parent=0, release=True)))
        >>> twice = Exchange((Visit(0, 300), Visit(0, 500, parent=0, release=True)))
        >>> stations = Station("nic"), Station("core")
        >>> [holds(Model(stations, (kind,), (Flow((0,)), Flow((0,))))) for kind in (once, twice)]
        [True, False]
    """
    return any(form.holds(model) for form in _FORMS)


def blocks(run: Run) -> Iterator[Block]:
    """Run a model (see `loop.blocks`, which gives the same, block by block).

    Raises:
        UsageError: Where no form holds.
        NoClosedForm: Where a queue overflows on the way.
    """
    for form in _FORMS:
        if form.holds(run.model):
            yield from form.blocks(run)
            return
    raise UsageError(
        "no closed form holds for this model: it needs flows that visit the same stations in the same order, each once"
    )


__all__ = ["NoClosedForm", "blocks", "holds"]
