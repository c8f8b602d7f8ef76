"""The pictures of a run, by name: latencies, throughput, the bill, the load of CPUs and wires, queues over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from simnet.sim.experiment import Bill, Outcome
from simnet.sim.histogram import Histogram
from simnet.study.summary import summed_up

FIGURES = ("latency", "tail", "throughput", "bill", "load", "queues")


def save(
    name: str, outcomes: Sequence[Outcome], bills: Mapping[str, tuple[Bill, Bill]], path: Path, *, title: str = ""
) -> None:
    """Draw one of `FIGURES` of a run's replications; UsageError where the file cannot be written.

    Latencies are of all replications together, throughput their mean with its interval; load and queues are of the
    first one.
    """
    if name in {"latency", "tail"}:
        from . import latency

        later, first = _latencies(outcomes)
        latency.save(later, path, first=first, tail=name == "tail", title=title)
    elif name == "throughput":
        from . import throughput

        flows = summed_up(outcomes, bills).flows
        values = {flow.traffic.name: (flow.throughput.value, flow.throughput.half or 0.0) for flow in flows}
        throughput.save(values, path, title=title)
    elif name == "bill":
        from . import bill

        bill.save(bills, path, first=True, title=title)
    elif name == "load":
        from . import queues

        queues.save(outcomes[0].stations, path, title=title)
    else:
        from . import lengths

        lengths.save(outcomes[0].stations, path, title=title)


def _latencies(outcomes: Sequence[Outcome]) -> tuple[dict[str, Histogram], dict[str, Histogram]]:
    """Later and first latencies by traffic; first ones where there are any."""
    names = list(outcomes[0].flows)
    later, first = ({name: Histogram() for name in names} for _ in range(2))
    for outcome in outcomes:
        for name, flow in outcome.flows.items():
            later[name].merge(flow.later)
            first[name].merge(flow.first)
    return later, {name: found for name, found in first.items() if found.count}
