"""A reachability matrix as text and as a picture: a row for each place, a column for each server.

Run it by itself to see one: `python -m simnet.draw.matrix` writes matrix.png.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from simnet.errors import UsageError
from simnet.study.matrix import Cell, Matrix

from .figure import check_output, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# what a cell is, with its sign, its colour in a terminal and in a picture, and what it means
WAYS = {
    "direct": ("●", "green", "#3b8d5a", "answered, at an address of its own"),
    "published": ("◐", "cyan", "#5aa9c9", "answered, through a published port"),
    "other": ("≠", "yellow", "#9c7a4d", "answered by another place, which the address leads to"),
    "refused": ("✗", "yellow", "#e8b04a", "refused"),
    "timeout": ("·", "red", "#d9d9d9", "no answer"),
    "net-unreachable": ("–", "white", "#f4f4f4", "no route there"),
}
_OTHER = ("?", "red", "#b565a7", "unreachable, or another error")


_BLANK = "itself, or at an address that only its own host has"
# a task of a service ends in an id that nobody reads
_TASK = re.compile(r"(\.\d+)\.[0-9a-z]{25}")


def _short(name: str) -> str:
    return _TASK.sub(r"\1", name)


def look(cell: Cell) -> tuple[str, str, str, str]:
    """Sign, terminal colour, picture colour and meaning of a cell."""
    return WAYS.get(cell.way, _OTHER)


def render(found: Matrix) -> str:
    """The matrix as text: columns are numbered, their servers and the signs are named below."""
    if not found.servers:
        return "nobody listens, so nobody can be asked; say `listen:` of a container, a host or a machine"
    width = max(map(len, found.places), default=0)
    lines = ["from".ljust(width) + "".join(f"{number:>4}" for number in range(1, len(found.servers) + 1))]
    for place in found.places:
        cells = [found.cells.get((place, server)) for server in found.servers]
        shown = ["   " + (click.style(look(cell)[0], fg=look(cell)[1]) if cell else " ") for cell in cells]
        lines.append(f"{place:<{width}}{''.join(shown)}")
    lines += ["", *(f"{number:>3}  {server}" for number, server in enumerate(found.servers, 1)), ""]
    legend = [*(f"{sign} {meaning}" for sign, meaning in _legend(found)), f"blank: {_BLANK}"]
    return "\n".join([*lines, "   ".join(legend)])


def _legend(found: Matrix) -> Iterator[tuple[str, str]]:
    present = {look(cell) for cell in found.cells.values()}
    for sign, _, _, meaning in (*WAYS.values(), _OTHER):
        if any(one[0] == sign for one in present):
            yield sign, meaning


def save(found: Matrix, path: Path, title: str) -> None:
    """Draw the matrix into a .png, .svg or .pdf file; UsageError where it cannot be written."""
    check_output(path)
    if not found.servers:
        raise UsageError(f"-o {path}: there is nothing to draw, as nobody listens")
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    rows, columns = len(found.places), len(found.servers)
    figure = Figure(figsize=(3.2 + 0.34 * max(columns, 6), 2.4 + 0.3 * rows), layout="constrained")
    axes = figure.subplots()
    _squares(axes, found)
    axes.set_xticks(range(columns), [_short(str(one)) for one in found.servers], rotation=55, ha="right", fontsize=8)
    axes.set_yticks(range(rows), list(map(_short, found.places)), fontsize=8)
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        label.set_parse_math(False)
    axes.set(xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -0.5), aspect="equal")
    axes.set_xlabel("server", fontsize=9)
    axes.set_ylabel("client", fontsize=9)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    present = {look(cell)[2:] for cell in found.cells.values()}
    patches = [Patch(facecolor=colour, edgecolor="black", linewidth=0.4, label=meaning)
               for _, _, colour, meaning in (*WAYS.values(), _OTHER) if (colour, meaning) in present]  # fmt: skip
    patches.append(Patch(facecolor="white", edgecolor="none", label=f"blank: {_BLANK}"))
    figure.legend(handles=patches, loc="outside lower left", frameon=False, fontsize=8, ncols=2)
    heading = figure.suptitle(f"Who reaches whom ({title})", fontweight="bold", x=0.01, ha="left", fontsize=10)
    heading.set_parse_math(False)
    write(figure, path)


def _squares(axes: Axes, found: Matrix) -> None:
    """A square with its sign for each pair that can be asked."""
    from matplotlib.patches import Rectangle

    for row, place in enumerate(found.places):
        for column, server in enumerate(found.servers):
            cell = found.cells.get((place, server))
            if cell is None:
                continue
            sign, _, colour, _ = look(cell)
            square = Rectangle(
                (column - 0.44, row - 0.44), 0.88, 0.88, facecolor=colour, edgecolor="black", linewidth=0.4
            )
            axes.add_patch(square)
            if not cell.outcome.answered:
                axes.text(column, row, sign, ha="center", va="center", fontsize=8)


if __name__ == "__main__":
    from simnet.scenario.source import read_source
    from simnet.study.matrix import matrix

    save(matrix(read_source("scenarios/basics/modes.yaml")), Path("matrix.png"), "modes")
