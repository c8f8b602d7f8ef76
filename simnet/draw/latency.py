"""Latencies as a chart: the share of exchanges that took no longer than each time, or, for tails, that took longer.

Run it by itself to see one: `python -m simnet.draw.latency` writes latency.png.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from simnet.sim.histogram import Histogram
from simnet.sim.queueing.model import Ints

from . import chart, labels
from .figure import check_output, write

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# percentiles that are marked, each where so many exchanges are that one is beyond it
MARKS = (50, 99, 99.9)
# more lines than these are named in a legend
_FEW = 5


class _Curve(NamedTuple):
    """One histogram's line: its times (ns) and heights, and how it looks."""

    name: str
    histogram: Histogram
    times: Floats
    heights: Floats
    look: chart.Look
    first: bool


def save(
    series: Mapping[str, Histogram],
    path: Path,
    *,
    first: Mapping[str, Histogram] | None = None,
    tail: bool = False,
    title: str = "",
    width: float = chart.COLUMN,
) -> None:
    """Draw named histograms into a .png, .svg or .pdf file, `width` inches wide; UsageError where it cannot be written.

    See `draw_on` for the rest.
    """
    check_output(path)
    figure, (axes,) = chart.new(width, 2.5)
    draw_on(axes, series, first=first, tail=tail, title=title)
    chart.fit(figure, [axes], least=1.9)
    write(figure, path)


def draw_on(
    axes: Axes,
    series: Mapping[str, Histogram],
    *,
    first: Mapping[str, Histogram] | None = None,
    tail: bool = False,
    title: str = "",
) -> None:
    """Draw named histograms (ns) on axes, their p50, p99 and p99.9 marked; those of `first` exchanges are dashed.

    With `tail` the heights are the share of the exchanges that took longer, on a logarithmic scale. A `first` line has
    the look of the series with its name. A percentile beyond which there is no whole exchange is not marked.
    """
    chart.bare(axes, title)
    curves = _curves(series, first or {}, tail=tail)
    seen = [curve for curve in curves if len(curve.times)]
    if not seen:
        chart.empty(axes)
        return
    _scales(axes, seen, tail=tail)
    _levels(axes, tail=tail)
    lines = [_draw(axes, curve, curves[:at], tail=tail) for at, curve in enumerate(curves)]
    _name(axes, curves, lines)


def _curves(series: Mapping[str, Histogram], first: Mapping[str, Histogram], *, tail: bool) -> list[_Curve]:
    """All lines, each beginning where it rises from nothing, so that one time alone is an upright line."""
    import numpy as np

    names = list(dict.fromkeys([*series, *first]))
    found = []
    for some, dashed in ((series, False), (first, True)):
        for name, histogram in some.items():
            times, shares = histogram.distribution()
            if len(times):
                times, shares = np.concatenate([times[:1], times]), np.concatenate([[0.0], shares])
                shares[-1] = 1.0
            heights = 1 - shares if tail else shares
            which = _needed(times, heights)
            look = chart.look(names.index(name))
            found.append(_Curve(name, histogram, times[which], heights[which], look, dashed))
    return found


def _needed(times: Floats, heights: Floats) -> Ints:
    """Which points of a line differ from the ones before them by what print could show."""
    import numpy as np

    if len(times) < 500:
        return np.arange(len(times))
    across = np.floor(np.log10(np.maximum(times, 1)) * 500)
    up = np.floor(np.log10(np.maximum(heights, 1e-12)) * 200 + heights * 500)
    changes = (np.diff(across) != 0) | (np.diff(up) != 0)
    return np.flatnonzero(np.concatenate([[True], changes[:-1], [True]]))


def _scales(axes: Axes, curves: Sequence[_Curve], *, tail: bool) -> None:
    """Limits, scales, ticks and names of both axes."""
    times = [float(time) for curve in curves for time in (curve.times[0], curve.times[-1])]
    most = max(2, int(chart.room(axes)[0] / 0.5))
    least, high = min((time for time in times if time > 0), default=1.0), max(*times, 1.0)
    pad = 2.0 if high < least * 1.05 else max((high / least) ** 0.06, 1.05)
    low, high = least / pad, high * pad
    if min(times) > 0:
        axes.set_xscale("log")
        chart.time_axis(axes.xaxis, low, high, "latency", most=most, log=True)
        axes.set_xlim(low, high)
    else:
        # a time of 0 has its place to the left of the least that is more
        axes.set_xscale("symlog", linthresh=least / 2, linscale=0.4)
        chart.time_axis(axes.xaxis, least / 2, high, "latency", most=most - 1, log=True)
        shown = zip(axes.get_xticks(), [text.get_text() for text in axes.get_xticklabels()], strict=True)
        kept = [(place, text) for place, text in shown if place >= least * 0.9]
        chart.set_ticks(axes.xaxis, [0.0, *(place for place, _ in kept)], ["0", *(text for _, text in kept)])
        axes.set_xlim(-least / 8, high)
    if not tail:
        chart.set_ticks(axes.yaxis, [0, 0.25, 0.5, 0.75, 1], ["0", "25", "50", "75", "100"])
        axes.set_ylim(0, 1.02)
        axes.set_ylabel("exchanges no slower (%)", fontsize=chart.POINTS)
        return
    fewest = min(1 / max(curve.histogram.count for curve in curves), 0.1)
    powers = chart.log_ticks(fewest * 0.8, 1.0, 8)
    axes.set_yscale("log")
    chart.set_ticks(axes.yaxis, powers, [f"{power * 100:.10g}" for power in powers])
    axes.set_ylim(fewest * 0.8, 1.15)
    axes.set_ylabel("slower exchanges (%)", fontsize=chart.POINTS)


def _levels(axes: Axes, *, tail: bool) -> None:
    """Thin lines at the heights of the percentiles, named at the right edge."""
    bottom = axes.get_ylim()[0]
    named = {50: "p50", 99: "p99", 99.9: "p99.9"} if tail else {50: "p50", 99: "p99"}
    for percent, name in named.items():
        height = 1 - percent / 100 if tail else percent / 100
        if height < bottom:
            continue
        axes.axhline(height, color="#c4c4c4", linewidth=0.5, zorder=0)
        axes.annotate(
            name, (1, height), xycoords=("axes fraction", "data"), xytext=(2, 0), textcoords="offset points",
            fontsize=chart.POINTS, color=chart.GREY, va="center", annotation_clip=False,
        )  # fmt: skip


def _draw(axes: Axes, curve: _Curve, before: Sequence[_Curve], *, tail: bool) -> Line2D:
    """A line with its marks; one that lies on others is thinner than they, so that all are seen."""
    under = sum(_same(curve, other) for other in before)
    heights = curve.heights.clip(axes.get_ylim()[0] / 10) if tail else curve.heights
    colour, mark = curve.look
    (line,) = axes.plot(
        curve.times, heights, drawstyle="steps-post", color=colour, linewidth=max(1.2 - 0.3 * under, 0.4),
        linestyle=(0, (4, 1.6)) if curve.first else "-", solid_capstyle="butt",
    )  # fmt: skip
    marked = [percent for percent in MARKS if curve.histogram.count * (100 - percent) >= 100 - 1e-6]
    if marked:
        places = [1 - percent / 100 if tail else percent / 100 for percent in marked]
        axes.plot(
            curve.histogram.percentiles(marked), places, linestyle="none", marker=mark, markersize=3.8, color=colour,
            markerfacecolor="white" if curve.first else colour, markeredgewidth=0.8, clip_on=False, zorder=3,
        )  # fmt: skip
    return line


def _same(one: _Curve, other: _Curve) -> bool:
    import numpy as np

    return np.array_equal(one.times, other.times) and np.array_equal(one.heights, other.heights)


def _name(axes: Axes, curves: Sequence[_Curve], lines: Sequence[Line2D]) -> None:
    """Names at the lines where there is room, those of equal lines together, or else in a legend."""
    named = {curve.name for curve in curves if not curve.first}
    if any(curve.first for curve in curves):
        axes.set_xlabel(f"{axes.get_xlabel()}, dashed: first exchanges")
    which = [at for at, curve in enumerate(curves) if not curve.first or curve.name not in named]
    groups: list[list[_Curve]] = []
    for curve in (curves[at] for at in which):
        group = next((group for group in groups if _same(group[0], curve)), None)
        groups.append([curve]) if group is None else group.append(curve)
    if len(which) <= _FEW and all(len(curve.times) for curve in curves):
        bottom = axes.get_ylim()[0]
        written = [
            labels.Label("\n".join(curve.name for curve in group), _corners(group[0], bottom), group[0].look.colour)
            for group in groups
        ]
        others = [_corners(curve, bottom) for curve in curves if curve.first and curve.name in named]
        if labels.write(axes, written, others):
            return
    _legend(axes, [curves[at] for at in which], [lines[at] for at in which])


def _corners(curve: _Curve, bottom: float) -> Floats:
    """A line of steps as points."""
    import numpy as np

    times, heights = np.repeat(curve.times, 2)[1:], np.repeat(np.maximum(curve.heights, bottom), 2)[:-1]
    return np.stack([times, heights], axis=1)


def _text(curve: _Curve) -> str:
    return curve.name if curve.histogram.count else f"{curve.name}: none measured"


def _legend(axes: Axes, curves: Sequence[_Curve], lines: Sequence[Line2D]) -> None:
    """The lines in the order of their medians."""
    from matplotlib.lines import Line2D

    order = sorted(range(len(curves)), key=lambda at: (curves[at].first, curves[at].histogram.percentile(50)))
    handles = [
        Line2D(
            [], [], color=lines[at].get_color(), linestyle=lines[at].get_linestyle(), linewidth=1.2,
            marker=curves[at].look.mark, markersize=3.8, markerfacecolor="white" if curves[at].first else None,
        )
        for at in order
    ]  # fmt: skip
    chart.legend_below(axes, handles, [_text(curves[at]) for at in order])


if __name__ == "__main__":
    import sys

    import numpy as np

    def example(low: float, spread: float, count: int) -> Histogram:
        """Latencies from a least one on."""
        found = Histogram()
        found.add((low + np.random.default_rng(1).lognormal(0, 0.8, count) * spread).astype(np.int64))
        return found

    modes = {"host": (21_000, 900), "bridge": (29_000, 1500), "docker-proxy": (47_000, 9000)}
    save(
        {name: example(*figures, 20_000) for name, figures in modes.items()},
        Path([*sys.argv, "latency.png"][1]),
        first={name: example(2.1 * low, spread, 40) for name, (low, spread) in modes.items()},
    )
