"""What rules cost, as a chart: latency against the number of rules, and at each line how much one rule adds.

Run it by itself to see one: `python -m simnet.draw.slope` writes slope.png.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from . import chart, labels
from .figure import check_output, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# more lines than these have their names in one row
_FEW = 6


class Fit(NamedTuple):
    """The straight line nearest to some points, by least squares: ns for each rule, and ns without any."""

    slope: float
    base: float


class _Line(NamedTuple):
    name: str
    counts: tuple[int, ...]
    times: tuple[float, ...]
    look: chart.Look
    first: bool

    @property
    def text(self) -> str:
        """Its name, and what a rule adds where two numbers of rules or more tell."""
        name = f"{self.name}, first" if self.first else self.name
        if not self.counts:
            return f"{name}: none measured"
        return (
            f"{name}\n{chart.digits(round(fitted(self.counts, self.times).slope, 2))} ns/rule"
            if len(self.counts) > 1
            else name
        )


def fitted(counts: Sequence[int], times: Sequence[float]) -> Fit:
    """The straight line nearest to latencies (ns) by their numbers of rules; at least one number is needed.

    Example:
        >>> fitted([0, 100, 1000], [20_000, 24_500, 65_000])
        Fit(slope=45.0, base=20000.0)
    """
    middle, mean = sum(counts) / len(counts), sum(times) / len(times)
    spread = sum((count - middle) ** 2 for count in counts)
    together = sum((count - middle) * (time - mean) for count, time in zip(counts, times, strict=True))
    slope = together / spread if spread else 0.0
    return Fit(slope, mean - slope * middle)


def save(
    later: Mapping[str, Mapping[int, float]],
    path: Path,
    *,
    first: Mapping[str, Mapping[int, float]] | None = None,
    log: bool = False,
    title: str = "",
    width: float = chart.COLUMN,
) -> None:
    """Draw lines into a .png, .svg or .pdf file, `width` inches wide; UsageError where it cannot be written.

    See `draw_on` for the rest.
    """
    check_output(path)
    figure, (axes,) = chart.new(width, 2.5)
    draw_on(axes, later, first=first, log=log, title=title)
    chart.fit(figure, [axes], least=1.9)
    write(figure, path)


def draw_on(
    axes: Axes,
    later: Mapping[str, Mapping[int, float]],
    *,
    first: Mapping[str, Mapping[int, float]] | None = None,
    log: bool = False,
    title: str = "",
) -> None:
    """Draw, by name, the latency (ns) of later exchanges at each number of rules, and of `first` ones, dashed.

    The points are joined by the straight line that is nearest to them, which is curved where the scales are
    logarithmic (`log`).
    """
    chart.bare(axes, title)
    names = list(dict.fromkeys([*later, *(first or {})]))
    lines = [
        _Line(name, *_sorted(points), chart.look(names.index(name)), dashed)
        for some, dashed in ((later, False), (first or {}, True))
        for name, points in some.items()
    ]
    seen = [line for line in lines if line.counts]
    if not seen:
        chart.empty(axes)
        return
    _scales(axes, seen, log=log)
    ways = [_draw(axes, line, log=log) for line in seen]
    written = [labels.Label(line.text, way, line.look.colour) for line, way in zip(seen, ways, strict=True)]
    if len(seen) < len(lines) or not (
        (len(lines) <= _FEW and labels.write(axes, written)) or labels.write_at_ends(axes, _in_one_row(written))
    ):
        _legend(axes, lines)


def _in_one_row(written: Sequence[labels.Label]) -> Sequence[labels.Label]:
    """Labels of many lines, so that there is room for all."""
    if len(written) <= _FEW:
        return written
    return [label._replace(text=label.text.replace("\n", ": ")) for label in written]


def _sorted(points: Mapping[int, float]) -> tuple[tuple[int, ...], tuple[float, ...]]:
    return tuple(sorted(points)), tuple(points[count] for count in sorted(points))


def _scales(axes: Axes, lines: Sequence[_Line], *, log: bool) -> None:
    """Limits, scales, ticks and names of both axes."""
    counts = [count for line in lines for count in line.counts]
    times = [time for line in lines for time in line.times]
    wide, high = chart.room(axes)
    most = max(counts) or 1
    slowest = max(times) or 1.0
    across, up = max(2, int(wide / 0.6)), max(2, int(high / 0.35))
    if log:
        least = min((count for count in counts if count), default=1)
        # no rules at all have their place to the left of the fewest
        axes.set_xscale("symlog", linthresh=least, linscale=0.3)
        places = [
            place for place in chart.log_ticks(least, max(most, least * 2), across) if least <= place <= most * 1.3
        ]
        chart.set_ticks(axes.xaxis, [0, *places], [f"{place:,.0f}" for place in (0, *places)])
        axes.set_xlim(-0.1 * least if 0 in counts else least * 0.9, most * 1.3)
        fastest = min((time for time in times if time > 0), default=1.0)
        low, slowest = fastest / 1.5, max(slowest, fastest) * 1.5
        axes.set_yscale("log", nonpositive="clip")
        chart.time_axis(axes.yaxis, low, slowest, "latency", most=up, log=True)
        axes.set_ylim(low, slowest)
    else:
        places = chart.even_ticks(0, most, across)
        chart.set_ticks(axes.xaxis, places, [f"{place:,.0f}" for place in places])
        axes.set_xlim(-0.03 * most, most * 1.05)
        chart.time_axis(axes.yaxis, 0, slowest * 1.15, "latency", most=up, log=False)
        axes.set_ylim(0, slowest * 1.15)
    axes.set_xlabel("rules", fontsize=chart.POINTS)


def _draw(axes: Axes, line: _Line, *, log: bool) -> list[tuple[float, float]]:
    """A line's points, and the fit through them, which is given back."""
    colour, mark = line.look
    # what a logarithmic scale cannot show is at its lower end
    least = axes.get_ylim()[0]
    shown = [max(time, least) for time in line.times]
    axes.plot(
        line.counts, shown, linestyle="none", marker=mark, markersize=3.8, color=colour, clip_on=False, zorder=3,
        markerfacecolor="white" if line.first else colour, markeredgewidth=0.8,
    )  # fmt: skip
    if len(line.counts) == 1:
        return [(line.counts[0], max(line.times[0], least))] * 2
    fit = fitted(line.counts, line.times)
    low, high = line.counts[0], line.counts[-1]
    places: list[float] = [low, high]
    if log:
        places = [low, *(max(low, 1) * (high / max(low, 1)) ** (step / 60) for step in range(61))]
    heights = [max(fit.base + fit.slope * place, least) for place in places]
    axes.plot(
        places, heights, color=colour, linewidth=1.0, linestyle=(0, (4, 1.6)) if line.first else "-", zorder=2
    )  # fmt: skip
    return list(zip(places, heights, strict=True))


def _legend(axes: Axes, lines: Sequence[_Line]) -> None:
    """The lines from the highest to the lowest, as they end."""
    from matplotlib.lines import Line2D

    order = sorted(lines, key=lambda line: -line.times[-1] if line.times else 1)
    handles = [
        Line2D(
            [], [], color=line.look.colour, linestyle="--" if line.first else "-", marker=line.look.mark,
            markersize=3.8, markerfacecolor="white" if line.first else None, linewidth=1.0,
        )
        for line in order
    ]  # fmt: skip
    chart.legend_below(axes, handles, [line.text.replace("\n", ": ") for line in order])


if __name__ == "__main__":
    import sys

    rules = (0, 100, 1000, 5000, 10_000)
    save(
        {"bridge": {count: 31_000 + 1.2 * count for count in rules}, "host": dict.fromkeys(rules, 22_000)},
        Path([*sys.argv, "slope.png"][1]),
        first={"bridge": {count: 58_000 + 44.0 * count for count in rules}},
    )
