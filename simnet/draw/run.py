"""What a run came to, as text for a terminal: a table of each traffic, its bill, and the stations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simnet.sim.experiment import Bill
from simnet.sim.traffic import STREAM
from simnet.study.interval import Mean
from simnet.study.summary import PERCENTS, FlowSummary, StationSummary, Summary

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
    ways = " both ways" if flow.traffic.kind != STREAM and flow.traffic.reply else ""
    rates = f"{_number(flow.rate)}/s, {_scaled(flow.throughput)}bit/s of data{ways}"
    return f"  {_number(flow.exchanges)} exchanges{lost}, {rates}"


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
        if latency is None:
            continue
        measures = [latency.mean, *(latency.percentiles[percent] for percent in PERCENTS)]
        table.add_row(f"  {name}", *map(time, measures))
        if any(measure.half for measure in measures):
            halves = [time(Mean(measure.half or 0.0)) for measure in measures]
            table.add_row("  ± (95 %)", *halves, style="dim")
    return table


def _bill(bill: Bill) -> str:
    counts = f"{bill.totals.hops} hops, {bill.totals.rules_evaluated} rules compared"
    headings = sorted(bill.headings.items(), key=lambda item: -item[1])
    shares = [f"{name} {spent / bill.total:.0%}" for name, spent in headings if spent >= _LEAST_SHARE * bill.total]
    busy = f", {time(Mean(bill.cpu))} of it of CPU" if bill.cpu < bill.total else " of CPU"
    return f"  a later exchange takes {time(Mean(bill.total))}{busy} ({counts}):\n  {', '.join(shares)}"


def _stations(stations: tuple[StationSummary, ...]) -> Table:
    table = _table("station", "busy", "mean wait", "dropped", "lost", "longest queue")
    for one in stations:
        dropped = f"[red]{_plain(one.dropped)}[/red]" if one.dropped.value else "0"
        table.add_row(one.name, f"{one.busy.value:.1%}", time(one.wait), dropped, _plain(one.lost), _plain(one.longest))
    return table


def time(measure: Mean) -> str:
    """A time in ns with the unit that suits it.

    Example:
        >>> time(Mean(26_357.2)), time(Mean(3_200_000.0)), time(Mean(0.0))
        ('26.4 µs', '3.20 ms', '0 ns')
    """
    for unit, factor in (("s", _SECOND), ("ms", 1_000_000), ("µs", 1_000)):
        if measure.value >= factor:
            return f"{_three(measure.value / factor)} {unit}"
    return f"{_three(measure.value)} ns"


def _three(value: float) -> str:
    """Three digits that count."""
    if not value:
        return "0"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _plain(measure: Mean) -> str:
    """A count: whole where it is, or large."""
    return f"{measure.value:,.0f}" if measure.value.is_integer() or measure.value >= 100 else f"{measure.value:.1f}"


def _number(measure: Mean) -> str:
    """`53,201` or `53,201 ±40`."""
    half = measure.half or 0.0
    return _plain(measure) + (f" ±{half:,.0f}" if half >= 10 else f" ±{half:.2g}" if half else "")


def _scaled(measure: Mean) -> str:
    """`1.06 ±0.02 G`."""
    units = ((" G", 1e9), (" M", 1e6), (" k", 1e3))
    unit, factor = next((one for one in units if measure.value >= one[1]), (" ", 1.0))
    half = f" ±{measure.half / factor:.2g}" if measure.half else ""
    return f"{_three(measure.value / factor)}{half}{unit}"
