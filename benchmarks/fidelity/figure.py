"""A figure that somebody measured, and how the model is asked for the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from simnet.sim.prices.costs import Costs

Ask = Callable[[Costs], float]


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured: its name, value and unit; `ask` has the model's, `why` says where the two part.

    `fitted` figures are those that the list's prices were chosen by, so they say nothing about the model.
    """

    what: str
    value: float
    unit: str
    ask: Ask
    fitted: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Figures of one source and kind, and the price list that the model takes for them."""

    name: str
    costs: str
    figures: tuple[Figure, ...]
