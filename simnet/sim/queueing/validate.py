"""What a model must keep to, so that its engines need not ask: see `model` for what each rule is there for."""

from __future__ import annotations

from collections.abc import Iterator

from simnet.errors import UsageError

from .model import Exchange, Flow, Model, Station, Visit


def _stations(stations: tuple[Station, ...]) -> Iterator[str]:
    for index, station in enumerate(stations):
        where = f"station {index} ({station.name})"
        for name in ("capacity", "slack", "reorder_delay"):
            if getattr(station, name) < 0:
                yield f"{where}: {name} is {getattr(station, name)}; it cannot be negative"
        for name in ("loss", "reorder"):
            if not 0 <= getattr(station, name) <= 1:
                yield f"{where}: {name} is {getattr(station, name)}; it is a share from 0 to 1"


def _lag(visit: Visit, parent: Visit, station: Station, where: str) -> Iterator[str]:
    """A visit can come before its parent's end only where it is certain when that is, and not before its start."""
    if visit.lag >= 0:
        return
    if station.loss or station.reorder or station.slack:
        yield (
            f"{where}: lag {visit.lag} is before its parent's end, which {station.name} does not fix when that starts "
            "(it has loss, reorder or slack); use a lag of 0 or more"
        )
    elif visit.lag < -parent.fixed:
        yield f"{where}: lag {visit.lag} is before its parent's start; it can be {-parent.fixed} at the least"


def _exchange(index: int, exchange: Exchange, model: Model) -> Iterator[str]:
    if not exchange.visits:
        yield f"exchange {index} has no visits"
    for at, visit in enumerate(exchange.visits):
        where = f"exchange {index}, visit {at}"
        if not 0 <= visit.station < len(model.stations):
            yield f"{where}: there is no station {visit.station}; there are {len(model.stations)}"
        if visit.fixed < 0 or visit.noise < 0:
            yield f"{where}: its service is {visit.fixed} ns and noise of {visit.noise}; neither can be negative"
        if at == 0 and visit.parent != -1:
            yield f"{where}: the first visit is the root; its parent is -1, not {visit.parent}"
        elif at > 0 and not 0 <= visit.parent < at:
            yield f"{where}: its parent is {visit.parent}; a parent stands before its children, so it is 0 to {at - 1}"
        elif at > 0 and 0 <= exchange.visits[visit.parent].station < len(model.stations):
            parent = exchange.visits[visit.parent]
            yield from _lag(visit, parent, model.stations[parent.station], where)


def _flow(index: int, flow: Flow, model: Model) -> Iterator[str]:
    where = f"flow {index}"
    if not flow.exchanges:
        yield f"{where} has no exchanges"
    elif not 1 <= flow.cycle <= len(flow.exchanges):
        yield f"{where}: the last {flow.cycle} of its exchanges are to repeat; it has {len(flow.exchanges)}"
    for name in ("begin", "think", "timeout", "limit"):
        if getattr(flow, name) < 0:
            yield f"{where}: {name} is {getattr(flow, name)}; it cannot be negative"
    for kind in flow.exchanges:
        if not 0 <= kind < len(model.exchanges):
            yield f"{where}: there is no exchange {kind}; there are {len(model.exchanges)}"
        elif flow.arrivals is None and not any(visit.release for visit in model.exchanges[kind].visits):
            yield f"{where} is closed, but no visit of its exchange {kind} is a `release`"


def validate(model: Model) -> None:
    """Refuse a model that breaks a rule of `model`.

    Raises:
        UsageError: The first rule that is broken, and where.

    Example:
        >>> model = Model((Station("cpu"),), (Exchange((Visit(0, 10),)),), (Flow((0,)),))
        >>> validate(model)
        Traceback (most recent call last):
        simnet.errors.UsageError: flow 0 is closed, but no visit of its exchange 0 is a `release`
    """
    faults = list(_stations(model.stations))
    for index, exchange in enumerate(model.exchanges):
        faults += _exchange(index, exchange, model)
    for index, flow in enumerate(model.flows):
        faults += _flow(index, flow, model)
    if not model.stations or not model.flows:
        faults.append("a model has at least one station, one exchange and one flow")
    if faults:
        raise UsageError(faults[0])
