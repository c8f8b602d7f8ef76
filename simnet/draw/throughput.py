"""Throughput as a chart: a bar for each name, with the interval that its mean lies in.

Run it by itself to see one: `python -m simnet.draw.throughput` writes throughput.png.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import floor, log10
from pathlib import Path
from typing import TYPE_CHECKING

from simnet.errors import UnknownName, UsageError

from . import chart
from .figure import check_output, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BAR, _BASELINE = "#9dc3e6", "#1f4e79"
_PREFIXED = ("bit/s", "B/s")
_WORDS = {"k": "thousand", "M": "million", "G": "billion", "T": "trillion"}


def save(
    values: Mapping[str, tuple[float, float]],
    path: Path,
    *,
    unit: str = "bit/s",
    baseline: str = "",
    title: str = "",
    width: float = chart.COLUMN,
) -> None:
    """Draw bars into a .png, .svg or .pdf file, `width` inches wide; UsageError where it cannot be written.

    See `draw_on` for the rest.
    """
    check_output(path)
    figure, (axes,) = chart.new(width, 0.3)
    draw_on(axes, values, unit=unit, baseline=baseline, title=title)
    chart.fit(figure, [axes], least=chart.ROW * max(len(values), 2))
    write(figure, path)


def draw_on(
    axes: Axes,
    values: Mapping[str, tuple[float, float]],
    *,
    unit: str = "bit/s",
    baseline: str = "",
    title: str = "",
) -> None:
    """Draw bars: of each name its mean, and half the width of the mean's 95 % confidence interval (0: not known).

    `unit` takes an SI prefix (`bit/s`, `exchanges/s`). With a `baseline`, one of the names, the axis says how many
    times its mean each is. Leaves out: the uncertainty of the baseline itself.

    Raises:
        UnknownName: Where there is no such baseline.
        UsageError: Where the baseline is 0.
    """
    chart.bare(axes, title)
    if not values:
        chart.empty(axes)
        return
    size, name = chart.prefix(max(mean for mean, _ in values.values()))
    # a word has its thousands said, where a unit has a prefix
    what = f"{_WORDS[name]} {unit}" if name and unit not in _PREFIXED else f"{name}{unit}"
    if baseline:
        size, what = _baseline(values, baseline), f"times {baseline}"
    rows = range(len(values))
    means, halves = [mean / size for mean, _ in values.values()], [half / size for _, half in values.values()]
    colours = [_BASELINE if name == baseline else _BAR for name in values]
    axes.barh(rows, means, height=0.62, color=colours, edgecolor="black", linewidth=0.4)
    for row, mean, half in zip(rows, means, halves, strict=True):
        if half:
            axes.errorbar(mean, row, xerr=half, color="black", linewidth=0.8, capsize=2, capthick=0.8)
    most = max(mean + half for mean, half in zip(means, halves, strict=True)) or 1.0
    for row, mean, half, (plain, _) in zip(rows, means, halves, values.values(), strict=True):
        text = _text(mean, half) if baseline else _own(mean, half, plain, unit, size)
        axes.annotate(
            text, (mean + half, row), xytext=(3, 0), textcoords="offset points", va="center", fontsize=chart.POINTS,
            annotation_clip=False, parse_math=False,
        )  # fmt: skip
    places = chart.even_ticks(0, most, max(2, int(chart.room(axes)[0] / 0.6)))
    chart.set_ticks(axes.xaxis, places, [f"{place:.6g}" for place in places])
    chart.set_ticks(axes.yaxis, rows, list(values))
    axes.set(xlim=(0, most * 1.02), ylim=chart.rows(len(values)))
    axes.set_xlabel(what, fontsize=chart.POINTS, parse_math=False)
    axes.tick_params(axis="y", length=0)


def _baseline(values: Mapping[str, tuple[float, float]], name: str) -> float:
    """The mean that others are compared with."""
    if name not in values:
        raise UnknownName("baseline", name, values)
    mean = values[name][0]
    if not mean:
        raise UsageError(f"baseline {name} is 0, so nothing is any number of times it")
    return mean


def _text(mean: float, half: float) -> str:
    """A mean with what it may be off by, of which two digits are said.

    Example:
        >>> _text(9.4127, 0.0312), _text(9.4127, 0), _text(43210, 120)
        ('9.413 ± 0.031', '9.41', '43210 ± 120')
    """
    if not half:
        return chart.digits(mean)
    places = max(1 - floor(log10(half)), 0)
    return f"{mean:.{places}f} ± {half:.{places}f}"


def _own(mean: float, half: float, plain: float, unit: str, size: float) -> str:
    """The same; with a unit of its own where it is next to nothing on the axis."""
    if not plain or mean >= 0.01:
        return _text(mean, half)
    own, name = chart.prefix(plain)
    what = f" {_WORDS[name]}" if name and unit not in _PREFIXED else f" {name}{unit}"
    return _text(plain / own, half * size / own) + (what if name or unit in _PREFIXED else "/s" * unit.endswith("/s"))


if __name__ == "__main__":
    import sys

    save(
        {"host": (9.41e9, 0.02e9), "bridge": (8.12e9, 0.11e9), "overlay": (4.87e9, 0.2e9), "docker-proxy": (2.93e9, 0)},
        Path([*sys.argv, "throughput.png"][1]),
        baseline="host",
    )
