"""The tables in the documentation that are made from the model: figures beside the model's, and the prices' keys."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from simnet.sim.prices.costs import load
from simnet.sim.prices.keys import HEADINGS, KEYS

from . import measured, published
from .figure import Figure, Table

_DOCS = Path(__file__).parents[2] / "docs"
FIDELITY, PRICES = _DOCS / "explanation/fidelity.md", _DOCS / "reference/prices.md"
TABLES = {table.name: table for table in (*measured.TABLES, *published.TABLES)}
_MARKED = re.compile(r"(?<=<!-- made: )([a-z-]+)( -->\n).*?(?=<!-- end -->)", re.DOTALL)


def shown(value: float) -> str:
    """A figure with three digits, or whole.

    Example:
        >>> shown(0.61234), shown(12345.6)
        ('0.612', '12346')
    """
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def lines(table: Table) -> Iterator[str]:
    """A table of figures."""
    costs = load(table.costs)
    yield "| what | unit | measured | model | model ÷ measured | |"
    yield "|---|---|---:|---:|---:|---|"
    for figure in table.figures:
        value = figure.ask(costs)
        ratio, note = f"{value / figure.value:.2f}", _note(figure)
        yield _row(figure.what, figure.unit, shown(figure.value), shown(value), ratio, note)


def _note(figure: Figure) -> str:
    return "fitted" if figure.fitted else figure.why


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |".replace("  |", " |")


def keys() -> Iterator[str]:
    """The table of all keys, by heading."""
    costs = load()
    yield "| key | pays for | unit | value | statistic | heading |"
    yield "|---|---|---|---:|---|---|"
    for heading in HEADINGS:
        for name, key in KEYS.items():
            if key.heading == heading:
                price = costs.prices.get(name)
                value, statistic = (shown(price.value), price.statistic) if price is not None else ("", "")
                yield _row(f"`{name}`", key.pays, key.unit, value, statistic, heading)


MADE: dict[str, Callable[[], Iterator[str]]] = {
    **{name: partial(lines, table) for name, table in TABLES.items()},
    "keys": keys,
}


def made(page: str) -> str:
    """The page with its tables made afresh."""

    def table(found: re.Match[str]) -> str:
        return found[1] + found[2] + "".join(f"{line}\n" for line in MADE[found[1]]())

    return _MARKED.sub(table, page)


def written(page: str) -> dict[str, list[str]]:
    """The tables that a page has, in order, and their lines."""
    return {found[1]: found[0].splitlines()[1:] for found in _MARKED.finditer(page)}
