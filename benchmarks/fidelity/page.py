"""The tables of docs/explanation/fidelity.md, made from the model."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from simnet.sim.costs import load

from . import measured, published
from .figure import Figure, Table

PAGE = Path(__file__).parents[2] / "docs/explanation/fidelity.md"
TABLES = {table.name: table for table in (*measured.TABLES, *published.TABLES)}
_MARKED = re.compile(r"(?<=<!-- figures: )([a-z-]+)( -->\n).*?(?=<!-- end -->)", re.DOTALL)


def shown(value: float) -> str:
    """A figure with three digits, or whole.

    Example:
        >>> shown(0.61234), shown(12345.6)
        ('0.612', '12346')
    """
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def lines(table: Table) -> Iterator[str]:
    """A table's lines."""
    costs = load(table.costs)
    yield "| what | unit | measured | model | model ÷ measured | |"
    yield "|---|---|---:|---:|---:|---|"
    for figure in table.figures:
        value = figure.ask(costs)
        cells = (
            figure.what,
            figure.unit,
            shown(figure.value),
            shown(value),
            f"{value / figure.value:.2f}",
            _note(figure),
        )
        yield f"| {' | '.join(cells)} |".replace("  |", " |")


def _note(figure: Figure) -> str:
    return "fitted" if figure.fitted else figure.why


def made(page: str) -> str:
    """The page with its tables made afresh."""
    return _MARKED.sub(
        lambda found: found[1] + found[2] + "".join(f"{line}\n" for line in lines(TABLES[found[1]])), page
    )


def named(page: str) -> list[str]:
    """The tables that a page has, in order."""
    return [found[1] for found in _MARKED.finditer(page)]
