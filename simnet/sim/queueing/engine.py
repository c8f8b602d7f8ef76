"""Which engine runs a model: a closed form where one is exact, the compiled loop where it pays to start, or `loop`."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

from simnet.errors import UnknownName

from . import alone, path, ring, tandem
from .model import Block, Exchange, Flow, Model, Run, Tally
from .station import NoClosedForm
from .validate import validate

ENGINES = ("auto", "reference", "loop", "compiled", "tandem")

# visits that the plain loop does in the half second or so that the compiled one takes to start
_WORTH = 400_000
# flows in a ring from which on its closed form is quicker than the plain loop
_MANY = 16
_UNKNOWN = float("inf")


def _length(exchange: Exchange) -> float:
    """How long an exchange takes, about, where nothing waits, in ns."""
    ends: list[float] = []
    for visit in exchange.visits:
        came = ends[visit.parent] + visit.lag if visit.parent >= 0 else 0
        ends.append(came + visit.fixed + visit.noise)
    return max((end for end, visit in zip(ends, exchange.visits, strict=True) if visit.release), default=0)


def _flow_visits(model: Model, flow: Flow, until: int) -> float:
    kinds = [model.exchanges[kind] for kind in flow.exchanges[-flow.cycle :]]
    visits = sum(len(exchange.visits) for exchange in kinds) / len(kinds)
    most = flow.limit * visits or _UNKNOWN
    if flow.arrivals is not None:
        count = getattr(flow.arrivals, "count", None)
        return min(most, count(until) * visits) if count else most
    length = sum(_length(exchange) for exchange in kinds) / len(kinds) + flow.think
    return min(most, (until - flow.begin) / max(length, 1) * visits)


def most_visits(run: Run) -> float:
    """How many visits a run can come to at the most, about; infinite where nothing tells.

    Example:
        >>> from simnet.sim.queueing.model import Station, Visit
        >>> ping = Exchange((Visit(0, 300), Visit(0, 700, parent=0, release=True)))
        >>> model = Model((Station("cpu"),), (ping,), (Flow((0,)),))
        >>> most_visits(Run(model, until=1_000_000))
        2000.0
    """
    return sum(_flow_visits(run.model, flow, run.until) for flow in run.model.flows)


def choose(run: Run) -> str:
    """The engine that `auto` comes to for a run."""
    large = most_visits(run) > _WORTH
    if alone.holds(run.model) or path.holds(run.model):
        return "tandem"
    if large and find_spec("numba") is not None:
        return "compiled"
    return "tandem" if ring.holds(run.model) and len(run.model.flows) >= _MANY else "loop"


def _named(run: Run, engine: str) -> Iterator[Block]:
    """The blocks of one engine; it is imported when it is asked for."""
    if engine == "reference":
        from . import reference

        return reference.blocks(run)
    if engine == "compiled":
        from . import compiled

        return compiled.blocks(run)
    if engine == "tandem":
        return tandem.blocks(run)
    from . import loop

    return loop.blocks(run)


def _begin_anew(run: Run, blocks_done: int) -> Iterator[Block]:
    """Where a closed form came to its end on the way: an event loop, whose blocks so far are the same."""
    run.tally = Tally.of(run.model)
    engine = "compiled" if most_visits(run) > _WORTH and find_spec("numba") is not None else "loop"
    for index, block in enumerate(_named(run, engine)):
        if index >= blocks_done:
            yield block


def blocks(run: Run, engine: str = "auto") -> Iterator[Block]:
    """Run a model; yields its measurements block by block (65,536 each, the last one less), and fills `run.tally`.

    All engines give the same. Between two blocks the caller may show progress, or stop.

    Raises:
        UsageError: Where the model breaks a rule, there is no such engine, or it cannot run this model.

    Example:
        >>> from simnet.sim.queueing.model import Station, Visit
        >>> ping = Exchange((Visit(0, 300), Visit(1, 500, parent=0, lag=50, release=True, record=True)))
        >>> run = Run(Model((Station("client"), Station("server")), (ping,), (Flow((0,), limit=3),)))
        >>> [(block.ended - block.began).tolist() for block in blocks(run)]
        [[850, 850, 850]]
    """
    validate(run.model)
    if engine not in ENGINES:
        raise UnknownName("engine", engine, ENGINES)
    if engine != "auto":
        yield from _named(run, engine)
        return
    engine = choose(run)
    done = 0
    try:
        for block in _named(run, engine):
            yield block
            done += 1
    except NoClosedForm:
        yield from _begin_anew(run, done)
