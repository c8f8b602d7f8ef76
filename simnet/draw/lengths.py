"""Queues in the course of a run, as a chart: of each CPU and wire the longest in every span of time.

Run it by itself to see one: `python -m simnet.draw.lengths` writes lengths.png.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from . import chart, labels
from .figure import check_output, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from simnet.sim.experiment import Load

# more lines than these are named in a legend
_FEW = 5
_DASHES = ("-", (0, (4, 1.6)), (0, (1, 1)), (0, (6, 1.5, 1, 1.5)))


def save(loads: Sequence[Load], path: Path, *, title: str = "", width: float = chart.PAGE) -> None:
    """Draw queues into a .png, .svg or .pdf file, `width` inches wide; UsageError where it cannot be written."""
    check_output(path)
    figure, (axes,) = chart.new(width, 2.2)
    draw_on(axes, loads, title=title)
    chart.fit(figure, [axes], least=1.6)
    write(figure, path)


def draw_on(axes: Axes, loads: Sequence[Load], *, title: str = "") -> None:
    """Draw a line for each station at which anything waited: packets in the longest queue of each span of time.

    Only what a queue's bound counts is in it: packets that wait, not the one that is served.
    """
    chart.bare(axes, title)
    waited = [load for load in loads if any(load.lengths)]
    if not waited:
        chart.empty(axes, "nothing waited")
        return
    end = max(len(load.lengths) * load.span for load in waited)
    most = max(max(load.lengths) for load in waited)
    size, unit = chart.time_unit(end)
    wide, high = chart.room(axes)
    places = chart.even_ticks(0, end / size, max(2, int(wide / 0.6)))
    chart.set_ticks(axes.xaxis, [place * size for place in places], [f"{place:.6g}" for place in places])
    counts = sorted({float(round(place)) for place in chart.even_ticks(0, most, max(2, int(high / 0.35)))})
    chart.set_ticks(axes.yaxis, counts, [f"{count:,.0f}" for count in counts])
    axes.set(xlim=(0, end), ylim=(0, most * 1.1))
    axes.set_xlabel(f"time ({unit})", fontsize=chart.POINTS)
    axes.set_ylabel("longest queue (packets)", fontsize=chart.POINTS)
    written = []
    for number, load in enumerate(waited):
        times, queues = _steps(load, end)
        colour = chart.look(number).colour
        axes.plot(times, queues, color=colour, linewidth=1.0, linestyle=_DASHES[number % len(_DASHES)])
        written.append(labels.Label(load.name, list(zip(times, queues, strict=True)), colour))
    if len(waited) > _FEW or not (labels.write(axes, written) or labels.write_at_ends(axes, written)):
        chart.legend_below(axes, list(axes.lines), [load.name for load in waited])


def _steps(load: Load, end: int) -> tuple[list[int], list[int]]:
    """A line's corners: level in each span, and at 0 after the last."""
    times, queues = [], []
    for number, most in enumerate(load.lengths):
        times += [number * load.span, (number + 1) * load.span]
        queues += [most, most]
    over = len(load.lengths) * load.span
    return [*times, over, end], [*queues, 0, 0]


if __name__ == "__main__":
    import sys
    from math import exp

    from simnet.sim.experiment import Load as Made

    burst = [round(40 * exp(-(((at - 90) / 30) ** 2))) for at in range(220)]
    steady = [8 + at % 5 for at in range(250)]
    save(
        [Made("h1/cpu0", 9000, 0.9, 1e4, 0, 0, 40, tuple(burst), 8192),
         Made("wan/cpu0", 9000, 0.6, 2e3, 0, 0, 12, tuple(steady), 8192)],
        Path([*sys.argv, "lengths.png"][1]),
    )  # fmt: skip
