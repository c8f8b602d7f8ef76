"""The network modes as a chart: hops, and rules compared by the first and by a later packet, both ways.

Run it by itself to see one: `python -m simnet.draw.mode_counts` writes modes.png.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from simnet.study.modes import Comparison, compare

from .figure import check_output, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# one hue for each question; its two bars differ in lightness, so that a grey print still reads
_WAYS, _TIMES = ("#1f4e79", "#9dc3e6"), ("#8a4510", "#f4b678")


def save(compared: Comparison, path: Path) -> None:
    """Draw a comparison into a .png, .svg or .pdf file; UsageError where it cannot be written."""
    check_output(path)
    results = compared.results
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.5, 0.62 * len(results) + 2.2), layout="constrained")
    hops, rules = figure.subplots(1, 2, sharey=True, width_ratios=(1, 1.25))
    names = [f"{one.mode.name}\n{one.mode.title}" for one in results]
    _bars(
        hops,
        "device crossings",
        [(one.request.first.hops, one.reply.first.hops) for one in results],
        ("request", "reply"),
        _WAYS,
    )
    _bars(
        rules,
        "rules compared, both ways",
        [
            (
                one.request.first.rules_evaluated + one.reply.first.rules_evaluated,
                one.request.later.rules_evaluated + one.reply.later.rules_evaluated,
            )
            for one in results
        ],
        ("first packet", "later packet"),
        _TIMES,
    )
    hops.set_yticks(range(len(names)), names, fontsize=8.5)
    hops.invert_yaxis()
    for index, one in enumerate(results):
        if one.trace.verdict != "reply":
            hops.text(0.6, index, f"✗ {one.trace.verdict}", va="center", fontsize=9, color="#8b0000")
    figure.suptitle(f"What a packet meets in each network mode ({compared})", fontweight="bold", x=0.01, ha="left")
    write(figure, path)


def _bars(
    axes: Axes, title: str, pairs: list[tuple[int, int]], labels: tuple[str, str], colours: tuple[str, str]
) -> None:
    """Two bars a mode, each with its number at the end."""
    from matplotlib.ticker import MaxNLocator

    for shift, index, colour in ((-0.2, 0, colours[0]), (0.2, 1, colours[1])):
        places = [row + shift for row in range(len(pairs))]
        values = [pair[index] for pair in pairs]
        bars = axes.barh(
            places, values, height=0.36, color=colour, edgecolor="black", linewidth=0.4, label=labels[index]
        )
        axes.bar_label(bars, labels=[str(value) for value in values], padding=3, fontsize=8.5)
    axes.set_title(title, fontsize=10, loc="left")
    axes.margins(x=0.12)
    axes.spines[["top", "right"]].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False, fontsize=8.5, ncols=2, loc="lower right", bbox_to_anchor=(1, 0.985), borderaxespad=0.2)


if __name__ == "__main__":
    save(compare(), Path("modes.png"))
