"""What is measured of a run, one number each: a rate, a throughput, a latency, a share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from simnet.sim.experiment import Flow, Outcome

# what a number is counted in
RATE, BITS, TIME, SHARE = "/s", "bit/s", "ns", ""


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure: how a figure names it, its unit, and how it is taken of one traffic of a run."""

    title: str
    unit: str
    of: Callable[[Outcome, Flow], float]


def _percentile(percent: float) -> Callable[[Outcome, Flow], float]:
    return lambda _run, flow: flow.latency.percentile(percent)


MEASURES: Mapping[str, Measure] = {
    "rate": Measure("exchanges a second", RATE, lambda _run, flow: flow.rate),
    "throughput": Measure("throughput", BITS, lambda _run, flow: flow.throughput),
    "mean": Measure("mean latency", TIME, lambda _run, flow: flow.latency.mean),
    "p50": Measure("median latency", TIME, _percentile(50)),
    "p90": Measure("latency, 90th percentile", TIME, _percentile(90)),
    "p99": Measure("latency, 99th percentile", TIME, _percentile(99)),
    "p999": Measure("latency, 99.9th percentile", TIME, _percentile(99.9)),
    "first": Measure("mean latency of first exchanges", TIME, lambda _run, flow: flow.first.mean),
    "failed": Measure("share of exchanges that failed", SHARE, lambda _run, flow: flow.failed / max(flow.begun, 1)),
    "busy": Measure("busy share of the busiest CPU or wire", SHARE,
                    lambda run, _flow: max((one.busy for one in run.stations), default=0.0)),
}  # fmt: skip
