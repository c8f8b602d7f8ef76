"""What an exchange comes to, as a chart: a bar for each mode, in parts by heading, with the total at its end.

Run it by itself to see one: `python -m simnet.draw.bill` writes bill.png.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from simnet.sim.prices import keys

from . import chart
from .figure import check_output, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from simnet.sim.experiment import Bill

# each heading's colour and hatching, so that neighbours differ in grey as well
STYLES = {
    keys.SOCKETS: ("#1f4e79", ""),
    keys.COPIES: ("#9dc3e6", ""),
    keys.WAKEUPS: ("#5b8db8", "////"),
    keys.HALTS: ("#ffffff", "...."),
    keys.PROXIES: ("#e8e8e8", "xxxx"),
    keys.DEVICES: ("#3b7d5a", ""),
    keys.BRIDGES: ("#b9dcc4", "...."),
    keys.ROUTES: ("#7fb394", "\\\\\\\\"),
    keys.HOOKS: ("#f4e3b2", ""),
    keys.CONNTRACK: ("#8a4510", ""),
    keys.NAT: ("#f4b678", "////"),
    keys.RULES: ("#d0642a", ""),
    keys.TUNNELS: ("#d9c2e0", "----"),
    keys.WIRES: ("#6a4c7d", ""),
}
_OTHER = ("#ffffff", "||||")
# a bar's name, and what it holds: ns by heading
_Row = tuple[str, Mapping[str, int]]


def save(
    bills: Mapping[str, tuple[Bill, Bill]],
    path: Path,
    *,
    first: bool = False,
    title: str = "",
    width: float = chart.PAGE,
) -> None:
    """Draw bills into a .png, .svg or .pdf file, `width` inches wide; UsageError where it cannot be written.

    See `draw_on` for the rest.
    """
    check_output(path)
    figure, (axes,) = chart.new(width, 0.3)
    draw_on(axes, bills, first=first, title=title)
    chart.fit(figure, [axes], least=chart.ROW * max(len(bills) * (1 + first), 2))
    write(figure, path)


def draw_on(axes: Axes, bills: Mapping[str, tuple[Bill, Bill]], *, first: bool = False, title: str = "") -> None:
    """Draw, by name, what an exchange comes to: the second of each pair of bills, a later exchange's.

    With `first` the first exchange's stands above it. The parts are in the order of `sim.prices.keys.HEADINGS`, each
    in the same colour in every chart; the legend names those that occur.
    """
    chart.bare(axes, title)
    rows = _rows(bills, first=first)
    if not rows:
        chart.empty(axes)
        return
    headings = _headings(rows)
    longest = max(sum(parts.values()) for _, parts in rows) or 1
    size, unit = chart.time_unit(longest)
    _bars(axes, rows, headings, size)
    places = chart.even_ticks(0, longest / size, max(2, int(chart.room(axes)[0] / 0.6)))
    chart.set_ticks(axes.xaxis, places, [f"{place:.6g}" for place in places])
    chart.set_ticks(axes.yaxis, _heights(rows, first=first), [name for name, _ in rows])
    axes.set(xlim=(0, longest / size * 1.02), ylim=chart.rows(len(rows)))
    axes.set_xlabel(f"time of one exchange ({unit})", fontsize=chart.POINTS)
    axes.tick_params(axis="y", length=0)
    if headings:
        chart.legend_below(axes, [chart.patch(*_style(one)) for one in headings], headings)


def _rows(bills: Mapping[str, tuple[Bill, Bill]], *, first: bool) -> list[_Row]:
    if not first:
        return [(name, later.headings) for name, (_, later) in bills.items()]
    rows: list[_Row] = []
    for name, (once, later) in bills.items():
        rows += [(f"{name}, first", once.headings), ("later", later.headings)]
    return rows


def _heights(rows: Sequence[_Row], *, first: bool) -> list[float]:
    """Where the bars are; the two of one name stand close together."""
    return [row + (-0.12 if row % 2 else 0.12) * first for row in range(len(rows))]


def _headings(rows: Sequence[_Row]) -> list[str]:
    """The headings that occur, in their order; what a price list adds of its own comes last."""
    found = {heading for _, parts in rows for heading, cost in parts.items() if cost}
    return [one for one in keys.HEADINGS if one in found] + sorted(found.difference(keys.HEADINGS))


def _style(heading: str) -> tuple[str, str]:
    return STYLES.get(heading, _OTHER)


def _bars(axes: Axes, rows: Sequence[_Row], headings: Sequence[str], size: float) -> None:
    """The parts, one heading after the other, and the totals."""
    from matplotlib.collections import PolyCollection

    heights = _heights(rows, first=any(name == "later" for name, _ in rows))
    lefts = [0.0] * len(rows)
    for heading in headings:
        parts = [bill.get(heading, 0) / size for _, bill in rows]
        colour, hatch = _style(heading)
        corners = [
            [(left, at - 0.35), (left + part, at - 0.35), (left + part, at + 0.35), (left, at + 0.35)]
            for left, part, at in zip(lefts, parts, heights, strict=True)
            if part
        ]
        # one thing to draw for a heading, not one for each part: a bar of its own takes long
        axes.add_collection(
            PolyCollection(corners, facecolors=colour, hatch=hatch, edgecolors="black", linewidths=0.4), autolim=False
        )
        lefts = [left + part for left, part in zip(lefts, parts, strict=True)]
    for height, left, (_, bill) in zip(heights, lefts, rows, strict=True):
        axes.annotate(
            chart.time_text(sum(bill.values())), (left, height), xytext=(3, 0), textcoords="offset points",
            va="center", fontsize=chart.POINTS, annotation_clip=False,
        )  # fmt: skip


if __name__ == "__main__":
    import sys

    from simnet.net.conversation import count
    from simnet.sim.experiment import Bill as Made

    def example(scale: int, rules: int, proxy: int = 0) -> Made:
        """A bill of a way of some length."""
        costs = {keys.SOCKETS: 4200, keys.COPIES: 900, keys.WAKEUPS: 6100, keys.DEVICES: 900 * scale}
        costs |= {keys.PROXIES: proxy, keys.HOOKS: 210 * scale, keys.CONNTRACK: 480 * scale, keys.RULES: rules}
        return Made(costs, count([]))

    save(
        {
            "host": (example(2, 900), example(2, 500)),
            "bridge": (example(5, 7400), example(5, 1100)),
            "docker-proxy": (example(6, 8200, 21_000), example(6, 1300, 14_500)),
        },
        Path([*sys.argv, "bill.png"][1]),
        first=True,
    )
