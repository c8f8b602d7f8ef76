"""What a run came to, as text for a terminal: a table of each traffic, its bill, and the stations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simnet.sim.experiment import Bill
from simnet.study.interval import Mean
from simnet.study.summary import PERCENTS, FlowSummary, Latency, StationSummary, Summary

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

_SECOND = 1_000_000_000
# headings of a bill that come to less are left out
_LEAST_SHARE = 0.01


def parts(summary: Summary) -> list[RenderableType]:
    """The summary as renderables of rich, in the order in which they are to be printed."""
    found: list[RenderableType] = []
    for flow in summary.flows:
        found += [f"[bold]{flow.traffic}[/bold]", _counts(flow), _latencies(flow)]
        if flow.traffic.name in summary.bills:
            found.append(_bill(summary.bills[flow.traffic.name][1]))
        found.append("")
    found.append(_stations(summary.stations))
    return found


def _counts(flow: FlowSummary) -> str:
    lost = f", [red]{_number(flow.lost)} lost[/red]" if flow.lost.value else ""
    return (
        f"  {_number(flow.exchanges)} exchanges{lost}, {_number(flow.rate)}/s, {_scaled(flow.throughput)}bit/s of data"
    )


def _table(*columns: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column(columns[0], no_wrap=True)
    for name in columns[1:]:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _latencies(flow: FlowSummary) -> Table:
    table = _table("  latency", "mean", *(f"p{percent:g}" for percent in PERCENTS))
    for name, latency in (("first exchange", flow.first), ("later ones", flow.later)):
        if latency is not None:
            table.add_row(f"  {name}", time(latency.mean), *_percentiles(latency))
    return table


def _percentiles(latency: Latency) -> list[str]:
    return [time(latency.percentiles[percent]) for percent in PERCENTS]


def _bill(bill: Bill) -> str:
    counts = f"{bill.totals.hops} hops, {bill.totals.rules_evaluated} rules compared"
    headings = sorted(bill.headings.items(), key=lambda item: -item[1])
    shares = [f"{name} {spent / bill.total:.0%}" for name, spent in headings if spent >= _LEAST_SHARE * bill.total]
    return f"  a later exchange costs {time(Mean(bill.total))} of CPU ({counts}):\n  {', '.join(shares)}"


def _stations(stations: tuple[StationSummary, ...]) -> Table:
    table = _table("station", "busy", "mean wait", "dropped", "lost", "longest queue")
    for one in stations:
        dropped = _number(one.dropped)
        table.add_row(one.name, _percent(one.busy), time(one.wait), f"[red]{dropped}[/red]" if one.dropped.value else
                      dropped, _number(one.lost), _number(one.longest))  # fmt: skip
    return table


def time(mean: Mean) -> str:
    """A time in ns with the unit that suits it, and half its interval where there is one.

    Example:
        >>> time(Mean(26_357.2)), time(Mean(26_357.2, 120.0)), time(Mean(3_200_000.0)), time(Mean(0.0))
        ('26.4 µs', '26.4 ±0.12 µs', '3.20 ms', '0 ns')
    """
    for unit, factor in (("s", _SECOND), ("ms", 1_000_000), ("µs", 1_000)):
        if mean.value >= factor:
            return f"{_three(mean.value / factor)}{_half(mean, factor)} {unit}"
    return f"{_three(mean.value)}{_half(mean, 1)} ns"


def _half(mean: Mean, factor: float) -> str:
    return f" ±{mean.half / factor:.2g}" if mean.half else ""


def _three(value: float) -> str:
    """Three digits that count."""
    if not value:
        return "0"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _number(mean: Mean) -> str:
    """`53,201` or `53,201 ±40`."""
    half = f" ±{mean.half:,.0f}" if mean.half is not None and mean.half >= 0.5 else ""
    whole = mean.value == round(mean.value) or mean.value >= 100
    return (f"{mean.value:,.0f}" if whole else f"{mean.value:.1f}") + half


def _percent(mean: Mean) -> str:
    half = f" ±{mean.half * 100:.2g}" if mean.half else ""
    return f"{mean.value * 100:.1f}{half} %"


def _scaled(mean: Mean) -> str:
    for unit, factor in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if mean.value >= factor:
            return f"{_three(mean.value / factor)}{_half(mean, factor)} {unit}"
    return f"{_three(mean.value)}{_half(mean, 1)} "
