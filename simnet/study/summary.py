"""What the replications of an experiment come to: means with their intervals, of each traffic and each station."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from simnet.sim.experiment import Bill, Flow, Load, Outcome
from simnet.sim.histogram import Histogram
from simnet.sim.traffic import Traffic

from .interval import Mean

PERCENTS = (50.0, 90.0, 99.0, 99.9)


@dataclass(frozen=True, slots=True)
class Latency:
    """Latencies in ns: how many in all replications, their mean and percentiles (by percent), least and greatest."""

    count: int
    mean: Mean
    percentiles: Mapping[float, Mean]
    least: int
    greatest: int


@dataclass(frozen=True, slots=True)
class FlowSummary:
    """One traffic: exchanges measured, begun and lost in a run, their rate, bits a second, and latencies.

    `first` are those of each client's first exchange (None: it was not measured), `later` all others. Of a stream they
    are pieces, each from its sending to the receiver's reading it.
    """

    traffic: Traffic
    exchanges: Mean
    begun: Mean
    lost: Mean
    rate: Mean
    throughput: Mean
    first: Latency | None
    later: Latency | None


@dataclass(frozen=True, slots=True)
class StationSummary:
    """One CPU or wire: jobs, busy share, mean wait (ns), dropped for a full queue, lost on the wire, longest queue."""

    name: str
    jobs: Mean
    busy: Mean
    wait: Mean
    dropped: Mean
    lost: Mean
    longest: Mean


@dataclass(frozen=True, slots=True)
class Summary:
    """An experiment's replications, summed up; `bills` are of each traffic's first exchange and of a later one."""

    flows: tuple[FlowSummary, ...]
    stations: tuple[StationSummary, ...]
    bills: Mapping[str, tuple[Bill, Bill]]
    replications: int
    ended: Mean

    @property
    def overflowed(self) -> tuple[StationSummary, ...]:
        """The stations that dropped what found their queue full."""
        return tuple(station for station in self.stations if station.dropped.value)


def summed_up(outcomes: Sequence[Outcome], bills: Mapping[str, tuple[Bill, Bill]]) -> Summary:
    """Sum up replications, one at least.

    Example:
        >>> from simnet.scenario.source import read_source
        >>> from simnet.study.timing import experiment, plan_of
        >>> source = read_source("scenarios/performance/many-ports.yaml")
        >>> asked = experiment(source, names=["last"])
        >>> found = summed_up(list(asked.run(plan_of(source, exchanges=50, replications=3))), asked.bills())
        >>> found.flows[0].exchanges.value, found.flows[0].lost.value, found.replications
        (50.0, 0.0, 3)
    """
    flows = tuple(_flow([outcome.flows[name] for outcome in outcomes]) for name in outcomes[0].flows)
    names = sorted({load.name for outcome in outcomes for load in outcome.stations}, key=_order)
    loads = [{load.name: load for load in outcome.stations} for outcome in outcomes]
    stations = tuple(_station(name, [found.get(name, Load(name, 0, 0, 0, 0, 0, 0)) for found in loads])
                     for name in names)  # fmt: skip
    ended = Mean.of([float(outcome.ended) for outcome in outcomes])
    return Summary(flows, stations, bills, len(outcomes), ended)


def _order(name: str) -> tuple[str, int, str]:
    """By machine, and `cpu2` before `cpu10`."""
    return name.partition("/")[0] if "/" in name else "", len(name), name


def _flow(flows: Sequence[Flow]) -> FlowSummary:
    def mean(value: Callable[[Flow], float]) -> Mean:
        return Mean.of([float(value(flow)) for flow in flows])

    return FlowSummary(
        flows[0].traffic,
        mean(lambda flow: flow.first.count + flow.later.count),
        mean(lambda flow: flow.begun),
        mean(lambda flow: flow.failed),
        mean(lambda flow: flow.rate),
        mean(lambda flow: flow.throughput),
        _latency(flow.first for flow in flows),
        _latency(flow.later for flow in flows),
    )


def _latency(histograms: Iterable[Histogram]) -> Latency | None:
    found = [histogram for histogram in histograms if histogram.count]
    if not found:
        return None
    percentiles = {percent: Mean.of([float(one.percentile(percent)) for one in found]) for percent in PERCENTS}
    return Latency(sum(one.count for one in found), Mean.of([one.mean for one in found]), percentiles,
                   min(one.least for one in found), max(one.greatest for one in found))  # fmt: skip


def _station(name: str, loads: Sequence[Load]) -> StationSummary:
    fields = ("jobs", "busy", "wait", "dropped", "lost", "longest")
    return StationSummary(name, *(Mean.of([float(getattr(load, field)) for load in loads]) for field in fields))
