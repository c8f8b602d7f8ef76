"""A sweep as a table, and as a figure: a measure over what varies, as lines, or over two things as a map.

Run it by itself to see one: `python -m simnet.draw.sweep` writes sweep.png.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from simnet.study.interval import Mean
from simnet.study.measures import BITS, MEASURES, RATE, TIME
from simnet.study.sampling import numbers
from simnet.study.sweep import Row

from . import chart
from .figure import check_output, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.cm import ScalarMappable

SHOWN = ("rate", "p50", "p99", "throughput")
_SCALES = {
    TIME: ((1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1.0, "ns")),
    RATE: ((1e6, "M/s"), (1e3, "k/s"), (1.0, "/s")),
    BITS: ((1e9, "Gbit/s"), (1e6, "Mbit/s"), (1e3, "kbit/s"), (1.0, "bit/s")),
}


def render(rows: Sequence[Row], paths: Sequence[str]) -> str:
    """The points as a table: what varies, and the measures that most ask for, with 95 % intervals of the mean."""
    if not rows:
        return "no point has a result"
    traffic = len({row.traffic for row in rows}) > 1
    head = [*_short(paths), *(["traffic"] if traffic else []), *SHOWN]
    lines = [[*(row.point[path] for path in paths), *([row.traffic] if traffic else []),
              *(amount(row.measures[name], MEASURES[name].unit) for name in SHOWN)] for row in rows]  # fmt: skip
    widths = [max(len(line[at]) for line in [head, *lines]) for at in range(len(head))]
    left = len(head) - len(SHOWN)
    return "\n".join(
        "  ".join(cell.ljust(width) if at < left else cell.rjust(width)
                  for at, (cell, width) in enumerate(zip(line, widths, strict=True))).rstrip()
        for line in [head, *lines]
    )  # fmt: skip


def amount(found: Mean, unit: str) -> str:
    """A mean with its unit and, where it is known, what it may be off by.

    Example:
        >>> amount(Mean(37_240.0, 512.0), "ns"), amount(Mean(9.4e9), "bit/s")
        ('37.24 ± 0.51 µs', '9.4 Gbit/s')
    """
    size, name = next((one for one in _SCALES.get(unit, ()) if found.value >= one[0]), (1.0, unit))
    value, space = found.value / size, " " if name[:1].isalpha() else ""
    if not found.half:
        return f"{value:.3g}{space}{name}" if value < 1000 else f"{value:.0f}{space}{name}"
    half = found.half / size
    places = max(1 - math.floor(math.log10(half)), 0)
    return f"{value:.{places}f} ± {half:.{places}f}{space}{name}"


def _short(paths: Sequence[str]) -> list[str]:
    """Paths by as many of their last parts as tell them apart."""
    for many in range(1, 20):
        found = [".".join(path.split(".")[-many:]) for path in paths]
        if len(set(found)) == len(paths):
            return found
    return list(paths)


def save(
    rows: Sequence[Row], path: Path, over: Sequence[str], measure: str, *, title: str = "", width: float = chart.COLUMN
) -> None:
    """Draw a measure into a .png, .svg or .pdf file: lines over one path that varies, maps (one a traffic) over two.

    What varies beside the one path makes further lines. UsageError where the file cannot be written.
    """
    check_output(path)
    traffic = list(dict.fromkeys(row.traffic for row in rows))
    if len(over) == 1 or not rows:
        figure, panels = chart.new(width, 2.5)
        _lines(panels[0], rows, over, measure, title)
    else:
        figure, panels = chart.new(width * len(traffic), 2.6, len(traffic))
        values = [row.measures[measure].value for row in rows]
        for axes, name in zip(panels, traffic, strict=True):
            said = ", ".join(filter(None, [title, name if len(traffic) > 1 else ""]))
            drawn = _map(axes, [row for row in rows if row.traffic == name], over, measure, said)
            drawn.set_clim(min(values), max(values))
        _bar(panels[-1], drawn, measure)
    chart.fit(figure, panels, least=1.9)
    write(figure, path)


class _Scale:
    """Where values stand on an axis: numbers by their size, on a logarithmic one if they grow so; words in order."""

    def __init__(self, path: str, values: Sequence[str]) -> None:
        self.values = list(dict.fromkeys(values))
        found = numbers(self.values)
        self.name = path if found is None or not found[1] else f"{path} ({found[1]})"
        self.places = dict(zip(self.values, found[0] if found else map(float, range(len(self.values))), strict=True))
        ordered = sorted(self.places.values())
        self.numbers = found is not None
        self.log = self.numbers and ordered[0] > 0 and ordered[-1] / ordered[0] >= 8 and _leans(ordered)

    def ticks(self, axis: Axis, most: int) -> None:
        """Name the axis, and the values on it where they have room."""
        places = sorted(self.places.items(), key=lambda item: item[1])
        if self.numbers and len(places) > most:
            ends = places[0][1], places[-1][1]
            found = chart.log_ticks(*ends, most) if self.log else chart.even_ticks(*ends, most)
            places = [(f"{place:g}", place) for place in found]
        elif self.numbers:
            places = [(f"{place:g}", place) for _, place in places]
        chart.set_ticks(axis, [place for _, place in places], [text for text, _ in places])
        axis.set_label_text(self.name, fontsize=chart.POINTS, parse_math=False)


def _leans(ordered: Sequence[float]) -> bool:
    """Whether numbers lie more evenly by their logarithms."""
    low, middle, high = ordered[0], median(ordered), ordered[-1]
    even, steep = (middle - low) / (high - low), math.log(middle / low) / math.log(high / low)
    return abs(steep - 0.5) < abs(even - 0.5)


def _lines(axes: Axes, rows: Sequence[Row], over: Sequence[str], measure: str, title: str) -> None:
    chart.bare(axes, title)
    if not rows:
        chart.empty(axes)
        return
    scale = _Scale(
        _short(list(rows[0].point))[list(rows[0].point).index(over[0])], [row.point[over[0]] for row in rows]
    )
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(_group(row, rows, over[0]), []).append(row)
    if scale.log:
        axes.set_xscale("log")
    named = len(groups) <= len(chart.LOOKS)
    for index, found in enumerate(groups.values()):
        found.sort(key=lambda row: scale.places[row.point[over[0]]])
        _line(axes, found, over[0], measure, scale, chart.look(index) if named else chart.LOOKS[0], joined=named)
    most = max(row.measures[measure].value + (row.measures[measure].half or 0) for row in rows) or 1.0
    axes.set_ylim(0, most * 1.08)
    _measured(axes.yaxis, most, measure, int(chart.room(axes)[1] / 0.35))
    scale.ticks(axes.xaxis, max(int(chart.room(axes)[0] / 0.33), 2))
    if len(groups) > 1 and named:
        handles = [one for one in axes.get_lines() if not str(one.get_label()).startswith("_")]
        chart.legend_below(axes, handles, list(groups))


def _group(row: Row, rows: Sequence[Row], path: str) -> str:
    """What a line is called: its traffic, where there are several, and what else varies."""
    names = dict(zip(row.point, _short(list(row.point)), strict=True))
    said = [row.traffic] if len({one.traffic for one in rows}) > 1 else []
    return ", ".join(said + [f"{names[one]} {value}" for one, value in row.point.items() if one != path])


def _line(axes: Axes, rows: Sequence[Row], path: str, measure: str, scale: _Scale, look: chart.Look, *,
          joined: bool) -> None:  # fmt: skip
    places = [scale.places[row.point[path]] for row in rows]
    means = [row.measures[measure] for row in rows]
    axes.plot(
        places, [one.value for one in means], color=look.colour, marker=look.mark, markersize=3.8, linewidth=1.0,
        linestyle="-" if joined else "none", clip_on=False, zorder=3, label="line",
    )  # fmt: skip
    halves = [one.half or 0.0 for one in means]
    if any(halves):
        axes.errorbar(places, [one.value for one in means], yerr=halves, fmt="none", ecolor=look.colour,
                      elinewidth=0.8, capsize=2, capthick=0.8, label="_")  # fmt: skip


def _measured(axis: Axis, most: float, measure: str, ticks: int, least: float = 0.0) -> None:
    """Ticks and the name of an axis from the least to the most of a measure."""
    said, ticks = MEASURES[measure], max(ticks, 2)
    if said.unit == TIME:
        chart.time_axis(axis, least, most, said.title, most=ticks, log=False)
        return
    size, name = chart.prefix(most) if said.unit else (1.0, "")
    places = chart.even_ticks(least, most, ticks)
    chart.set_ticks(axis, places, [f"{place / size:.6g}" for place in places])
    unit = f" ({name}{said.unit})" if said.unit else ""
    axis.set_label_text(f"{said.title}{unit}", fontsize=chart.POINTS)


def _map(axes: Axes, rows: Sequence[Row], over: Sequence[str], measure: str, title: str) -> ScalarMappable:
    """Squares where every pair of values has a point, coloured dots where a sample has some."""
    chart.bare(axes, title)
    names = dict(zip(rows[0].point, _short(list(rows[0].point)), strict=True))
    x, y = (_Scale(names[path], [row.point[path] for row in rows]) for path in over)
    found = {(row.point[over[0]], row.point[over[1]]): row.measures[measure].value for row in rows}
    if len(found) == len(x.values) * len(y.values):
        drawn = _squares(axes, x, y, found, measure)
    else:
        for scale, set_scale in ((x, axes.set_xscale), (y, axes.set_yscale)):
            set_scale("log" if scale.log else "linear")
        across, up = ([scale.places[pair[at]] for pair in found] for at, scale in enumerate((x, y)))
        drawn = axes.scatter(
            across, up, c=list(found.values()), cmap="viridis", s=18, linewidths=0.3, edgecolors="black"
        )
        x.ticks(axes.xaxis, max(int(chart.room(axes)[0] / 0.4), 2))
        y.ticks(axes.yaxis, max(int(chart.room(axes)[1] / 0.3), 2))
    return drawn


def _bar(axes: Axes, drawn: ScalarMappable, measure: str) -> None:
    """What the colours mean, at the right of the last map."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    bar = figure.colorbar(drawn, cax=axes.inset_axes((1.04, 0, 0.05, 1)))
    low, high = drawn.get_clim()
    bar.ax.tick_params(labelsize=chart.POINTS, length=3, width=0.6, pad=2)
    _measured(bar.ax.yaxis, high or 1.0, measure, 5, low or 0.0)


def _squares(axes: Axes, x: _Scale, y: _Scale, found: dict[tuple[str, str], float], measure: str) -> ScalarMappable:
    columns, lines = (sorted(scale.values, key=scale.places.__getitem__) for scale in (x, y))
    heights = [[found[column, line] for column in columns] for line in lines]
    drawn = axes.imshow(heights, cmap="viridis", origin="lower", aspect="auto")
    for axis, names, scale in ((axes.xaxis, columns, x), (axes.yaxis, lines, y)):
        step = max(len(names) // 8, 1)
        chart.set_ticks(axis, range(0, len(names), step), names[::step])
        axis.set_label_text(scale.name.partition(" (")[0], fontsize=chart.POINTS, parse_math=False)
    low, high = min(found.values()), max(found.values())
    size = (chart.time_unit(high) if MEASURES[measure].unit == TIME else chart.prefix(high))[0]
    for row, line in enumerate(heights) if len(columns) <= 8 and len(lines) <= 12 else ():
        for column, value in enumerate(line):
            colour = "white" if value < (low + high) / 2 else "black"
            axes.text(column, row, chart.digits(value / size), ha="center", va="center", color=colour, fontsize=7)
    return drawn


if __name__ == "__main__":
    some = [
        Row({"h1.cpus": cpus, "traffic.web.requests.clients": clients}, "web", 3,
            {"p99": Mean(20_000.0 * (1 + int(clients) / int(cpus)), 900.0)})
        for cpus in ("1", "2", "4") for clients in ("1", "2", "4", "8", "16")
    ]  # fmt: skip
    save(some, Path("sweep.png"), ["traffic.web.requests.clients"], "p99")
