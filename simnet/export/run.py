"""A run as plain data, `simnet.run/1`, and as a table of its measures."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import simnet
from simnet.net.address import ip_text
from simnet.sim.experiment import Bill, Plan
from simnet.sim.prices.costs import Costs
from simnet.study.interval import Mean
from simnet.study.summary import FlowSummary, Latency, StationSummary, Summary

SCHEMA = "simnet.run/1"


def run_json(
    source: str, costs: Costs, plan: Plan, summary: Summary, notes: tuple[str, ...] = (), *, stopped: bool = False
) -> dict[str, Any]:
    """A run's summary, schema `simnet.run/1`: times in ns, rates a second, shares from 0 to 1.

    A measure is `{"mean": …, "ci95": …}`; `ci95` is half the width of the interval, null for one replication.
    """
    return {
        "schema": SCHEMA,
        "version": simnet.__version__,
        "source": source,
        "costs": {"name": costs.name, "digest": costs.digest},
        "plan": {"exchanges": plan.exchanges or None, "duration_ns": plan.duration or None, "warmup_ns": plan.warmup,
                 "seed": plan.seed, "replications": plan.replications, "simulator": plan.engine},
        "replications": summary.replications,
        "stopped": stopped,
        "ended_ns": _measure(summary.ended),
        "traffic": [_flow(flow, summary.bills.get(flow.traffic.name)) for flow in summary.flows],
        "stations": [_station(one) for one in summary.stations],
        "overflowed": [one.name for one in summary.overflowed],
        "notes": list(notes),
    }  # fmt: skip


def _measure(measure: Mean) -> dict[str, float | None]:
    return {"mean": measure.value, "ci95": measure.half}


def _flow(flow: FlowSummary, bills: tuple[Bill, Bill] | None) -> dict[str, Any]:
    traffic = flow.traffic
    first, later = bills if bills is not None else (None, None)
    return {
        "name": traffic.name,
        "kind": traffic.kind,
        "proto": traffic.proto,
        "from": traffic.frm,
        "to": ip_text(traffic.to),
        "port": traffic.port,
        "parallel": traffic.parallel,
        "exchanges": _measure(flow.exchanges),
        "begun": _measure(flow.begun),
        "lost": _measure(flow.lost),
        "rate_per_s": _measure(flow.rate),
        "throughput_bit_per_s": _measure(flow.throughput),
        "latency_ns": {"first": _latency(flow.first), "later": _latency(flow.later)},
        "bill": {"first": _bill(first), "later": _bill(later)},
    }


def _latency(latency: Latency | None) -> dict[str, Any] | None:
    if latency is None:
        return None
    percentiles = {_percent(percent): _measure(mean) for percent, mean in latency.percentiles.items()}
    return {"count": latency.count, "mean": _measure(latency.mean), **percentiles, "min": latency.least,
            "max": latency.greatest}  # fmt: skip


def _percent(percent: float) -> str:
    """`p99_9`."""
    return f"p{percent:g}".replace(".", "_")


def _bill(bill: Bill | None) -> dict[str, Any] | None:
    if bill is None:
        return None
    headings = {name: {"ns": spent, "share": spent / bill.total if bill.total else 0.0}
                for name, spent in sorted(bill.headings.items(), key=lambda item: -item[1])}  # fmt: skip
    return {"total_ns": bill.total, "cpu_ns": bill.cpu, "headings": headings, **asdict(bill.totals)}


def _station(one: StationSummary) -> dict[str, Any]:
    return {"name": one.name, "jobs": _measure(one.jobs), "busy": _measure(one.busy),
            "mean_wait_ns": _measure(one.wait), "dropped": _measure(one.dropped), "lost": _measure(one.lost),
            "longest_queue": _measure(one.longest)}  # fmt: skip


def run_csv(summary: Summary) -> str:
    """A run's measures, one a line: of which traffic or station, which measure, its mean, half its interval."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["of", "name", "measure", "mean", "ci95"])
    for flow in summary.flows:
        found = _flow(flow, summary.bills.get(flow.traffic.name))
        rows = [*_rows(found), *_bill_rows(found["bill"]["later"])]
        writer.writerows(["traffic", flow.traffic.name, *row] for row in rows)
    for station in summary.stations:
        writer.writerows(["station", station.name, *row] for row in _rows(_station(station)))
    return text.getvalue()


def _rows(found: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, float, float | str]]:
    """Every measure in plain data, by its path."""
    for key, value in found.items():
        if not isinstance(value, dict):
            continue
        if value.keys() == {"mean", "ci95"}:
            yield prefix + key, value["mean"], "" if value["ci95"] is None else value["ci95"]
        elif key != "bill":
            yield from _rows(value, f"{prefix}{key}.")


def _bill_rows(bill: dict[str, Any] | None) -> Iterator[tuple[str, float, str]]:
    if bill is not None:
        yield "bill.total_ns", bill["total_ns"], ""
        for name, share in bill["headings"].items():
            yield f"bill.{name}", share["ns"], ""
