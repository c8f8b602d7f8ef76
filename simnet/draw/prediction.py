"""A prediction test as a picture: how far each prediction is off, a row of marks for each group, with what must hold.

Run it by itself to see one: `python -m simnet.draw.prediction` writes prediction.png.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from simnet.errors import UsageError
from simnet.study.prediction import GROUPS, TARGETS, Compared

from .chart import GREY, PAGE, POINTS, look
from .figure import check_output, write

_ROW, _MARGIN = 0.75, 1.3
_FEW = 3


def save(compared: Sequence[Compared], path: Path, title: str) -> None:
    """Draw the errors into a .png, .svg or .pdf file; UsageError where it cannot be written."""
    check_output(path)
    if not compared:
        raise UsageError(f"-o {path}: there is nothing to draw, as nothing was predicted")
    from matplotlib.figure import Figure

    present = [group for group in GROUPS if any(one.group == group for one in compared)]
    figure = Figure(figsize=(PAGE, _MARGIN + _ROW * len(present)), layout="constrained")
    axes = figure.subplots()
    for row, group in enumerate(present):
        mine = sorted((one for one in compared if one.group == group), key=lambda one: one.error)
        target = TARGETS.get(group)
        if target is not None:
            axes.barh(row, 2 * target, left=-target, height=0.8, color="#e6eef5", zorder=0)
        # side by side within the row, so that none hides another
        heights = [
            row + 0.32 * (2 * number / max(len(mine) - 1, 1) - 1) * (len(mine) > 1) for number in range(len(mine))
        ]
        style = look(row)
        axes.plot([one.error for one in mine], heights, style.mark, color=style.colour, markersize=4, linestyle="none")
        farthest, height = max(zip(mine, heights, strict=True), key=lambda pair: abs(pair[0].error))
        above = farthest.error < 0  # where the row has no other mark
        axes.annotate(farthest.name, (farthest.error, height), (0, 5 if above else -5), textcoords="offset points",
                      ha="left" if above else "right", va="bottom" if above else "top", fontsize=POINTS - 2,
                      color=GREY, parse_math=False)  # fmt: skip
    axes.axvline(0, color=GREY, linewidth=0.8)
    axes.set_yticks(range(len(present)), present, fontsize=POINTS)
    axes.invert_yaxis()
    axes.xaxis.set_major_formatter(lambda value, _at: f"{value:+.0%}")
    axes.tick_params(labelsize=POINTS)
    axes.set_xlabel("predicted against measured (shaded: what must hold)", fontsize=POINTS)
    axes.set_title(title, fontsize=POINTS, loc="left", parse_math=False)
    axes.spines[["top", "right"]].set_visible(False)
    write(figure, path)


if __name__ == "__main__":
    example = [
        Compared(group, f"path {number}", "ns", 100.0 + 3 * number, 100.0) for group in GROUPS for number in range(_FEW)
    ]
    save(example, Path("prediction.png"), "An example")
