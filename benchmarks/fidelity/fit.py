"""Choosing the factors of a price list so that the model gives the figures that they are named after.

A list has one factor for each figure. They are solved for one after the other, by the secant rule, again and again
until none changes: a figure hangs most on its own factor, and a little on the others. Factors that do are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from simnet.sim.prices.costs import read

from .figure import Figure

_FACTOR = re.compile(r"(?<=\bfactor: )[0-9.]+")
_NEAR, _ROUNDS = 2e-4, 12


def factors(text: str) -> list[float]:
    """The factors of a list, in order."""
    return [float(found) for found in _FACTOR.findall(text)]


def with_factors(text: str, given: Sequence[float]) -> str:
    """The list with other factors, each with four digits."""
    left = iter(given)
    return _FACTOR.sub(lambda _found: f"{next(left):.4g}", text)


def fit(text: str, file: str, figures: Sequence[Figure]) -> str:
    """The list with the factors that give the figures; ValueError where none do."""
    found = factors(text)
    if len(found) != len(figures):
        raise ValueError(f"{file} has {len(found)} factors and {len(figures)} figures")

    def miss(place: int, factor: float) -> float:
        tried = [*found[:place], factor, *found[place + 1 :]]
        figure = figures[place]
        return figure.ask(read(with_factors(text, tried), file)) / figure.value - 1

    for _ in range(_ROUNDS):
        worst = max(abs(miss(place, found[place])) for place in range(len(found)))
        if worst < 10 * _NEAR:
            return with_factors(text, found)
        for place in range(len(found)):
            found[place] = _solved(lambda factor, place=place: miss(place, factor), found[place])
    raise ValueError(f"{file}: no factors give these figures; the nearest are {found}, off by {worst:.1%}")


def _solved(miss: Callable[[float], float], at: float) -> float:
    """Where a function is nearly zero, from 0 on."""
    low, high = at, at * 1.25 + 0.01
    off_low, off_high = miss(low), miss(high)
    for _ in range(_ROUNDS):
        if abs(off_low) < _NEAR or off_low == off_high:
            break
        low, high = max(low - off_low * (high - low) / (off_high - off_low), 0.0), low
        off_low, off_high = miss(low), off_low
        if low == high:
            break
    return low
