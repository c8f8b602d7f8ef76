"""A mean over replications, and the interval that the true mean lies in: Student's t, 95 %."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean, and half the width of its 95 % confidence interval (None: one value alone says nothing of it).

    Example:
        >>> Mean.of([10.0, 12.0, 14.0])
        Mean(value=12.0, half=4.968...)
        >>> Mean.of([10.0])
        Mean(value=10.0, half=None)
    """

    value: float
    half: float | None = None

    @classmethod
    def of(cls, values: Sequence[float]) -> Mean:
        """The mean of independent values, one at least."""
        count = len(values)
        mean = math.fsum(values) / count
        if count < 2:
            return cls(mean)
        variance = math.fsum((value - mean) ** 2 for value in values) / (count - 1)
        return cls(mean, quantile(count - 1) * math.sqrt(variance / count))


@cache
def quantile(freedom: int) -> float:
    """What Student's t with so many degrees of freedom exceeds, either way, with a chance of 5 %.

    Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4 (exact for whole numbers).

    Example:
        >>> [round(quantile(freedom), 3) for freedom in (1, 2, 9, 30)]
        [12.706, 4.303, 2.262, 2.042]
    """
    low, high = 0.0, 13.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, freedom) < CONFIDENCE else (low, middle)
    return high


def _within(limit: float, freedom: int) -> float:
    """The chance that Student's t is between -limit and limit."""
    angle = math.atan(limit / math.sqrt(freedom))
    sine, square = math.sin(angle), math.cos(angle) ** 2
    if freedom == 1:
        return 2 * angle / math.pi
    term = total = 1.0 if freedom % 2 == 0 else math.cos(angle)
    for number in range(2 if freedom % 2 == 0 else 3, freedom - 1, 2):
        term *= square * (number - 1) / number
        total += term
    return sine * total if freedom % 2 == 0 else 2 / math.pi * (angle + sine * total)
