"""What CPUs and wires had to do, as a chart: how busy each was, how long jobs waited there, and the longest queue.

Run it by itself to see one: `python -m simnet.draw.queues` writes queues.png.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from simnet.errors import UnknownName

from . import chart
from .figure import check_output, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from simnet.sim.experiment import Load

BUSY, WAIT, LONGEST = MEASURES = "busy", "wait", "longest"
_COLOURS = {BUSY: "#1f4e79", WAIT: "#9dc3e6", LONGEST: "#f4b678"}


def save(loads: Sequence[Load], path: Path, *, title: str = "", width: float = chart.PAGE) -> None:
    """Draw the three measures into a .png, .svg or .pdf file; UsageError where it cannot be written."""
    check_output(path)
    figure, panels = chart.new(width, 0.3, len(MEASURES))
    for number, (axes, measure) in enumerate(zip(panels, MEASURES, strict=True)):
        draw_on(axes, loads, measure, title="" if number else title, names=not number)
    chart.fit(figure, panels, least=chart.ROW * max(_worked(loads), 2))
    write(figure, path)


def draw_on(axes: Axes, loads: Sequence[Load], measure: str = BUSY, *, title: str = "", names: bool = True) -> None:
    """Draw a bar for each station that had anything to do, in their order, with its figure at the end.

    `measure` is `busy` (the share of the time), `wait` (the mean of a job, in ns) or `longest` (the longest queue of
    packets that one found, and how many were dropped or lost).

    Raises:
        UnknownName: For another measure.
    """
    if measure not in MEASURES:
        raise UnknownName("measure", measure, MEASURES)
    chart.bare(axes, title)
    stations = [load for load in loads if load.jobs or load.dropped]
    if not stations:
        chart.empty(axes, "nothing had anything to do" if names else "")
        return
    values, texts, what = _figures(stations, measure)
    rows = range(len(stations))
    most = max(values) or 1.0
    axes.barh(rows, values, height=0.62, color=_COLOURS[measure], edgecolor="black", linewidth=0.4)
    for row, value, text in zip(rows, values, texts, strict=True):
        axes.annotate(
            text, (value, row), xytext=(3, 0), textcoords="offset points", va="center", fontsize=chart.POINTS,
            annotation_clip=False,
        )  # fmt: skip
    end = 100.0 if measure == BUSY else most * 1.02
    places = chart.even_ticks(0, end, max(1, int(chart.room(axes)[0] / 0.6)))
    if measure == LONGEST:
        places = sorted({float(round(place)) for place in places})
    chart.set_ticks(axes.xaxis, places, [f"{place:.6g}" for place in places])
    chart.set_ticks(axes.yaxis, rows, [load.name for load in stations] if names else [""] * len(stations))
    axes.set(xlim=(0, end), ylim=chart.rows(len(stations)))
    axes.set_xlabel(what, fontsize=chart.POINTS)
    axes.tick_params(axis="y", length=0)


def _worked(loads: Sequence[Load]) -> int:
    return sum(bool(load.jobs or load.dropped) for load in loads)


def _figures(loads: Sequence[Load], measure: str) -> tuple[list[float], list[str], str]:
    """Of each station the length of its bar and what is written at it; and what the axis is called."""
    if measure == BUSY:
        shares = [load.busy * 100 for load in loads]
        return shares, [f"{chart.digits(share)} %" for share in shares], "busy (%)"
    if measure == WAIT:
        size, unit = chart.time_unit(max(load.wait for load in loads))
        return (
            [load.wait / size for load in loads],
            [chart.time_text(load.wait) for load in loads],
            f"mean wait ({unit})",
        )
    texts = []
    for load in loads:
        missing = (f"{load.dropped:,} dropped" if load.dropped else "", f"{load.lost:,} lost" if load.lost else "")
        texts.append(", ".join(part for part in (f"{load.longest:,}", *missing) if part))
    return [float(load.longest) for load in loads], texts, "longest queue (packets)"


if __name__ == "__main__":
    import sys

    from simnet.sim.experiment import Load as Made

    save(
        [
            Made("h1/cpu0", 40_000, 0.92, 18_400.0, 0, 0, 31),
            Made("h1/cpu1", 40_000, 0.41, 2_100.0, 0, 0, 4),
            Made("wan/cpu0", 80_000, 0.67, 5_200.0, 0, 0, 12),
            Made("h1/host:eth0", 80_000, 0.99, 1_200_000.0, 310, 0, 1000),
        ],
        Path([*sys.argv, "queues.png"][1]),
    )
