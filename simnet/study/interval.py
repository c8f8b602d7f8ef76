"""What some replications say of a mean, and how far off that may be.

Source: Student, The Probable Error of a Mean, Biometrika 6 (1908).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

CONFIDENCE = 0.95
_STEPS = 200


class Interval(NamedTuple):
    """A mean, and half the width of the interval that holds the true one with some confidence.

    `half` is NaN where one value alone tells nothing of it.
    """

    mean: float
    half: float = math.nan

    @property
    def low(self) -> float:
        """The lower end; the mean itself where there is no interval."""
        return self.mean - (0 if math.isnan(self.half) else self.half)

    @property
    def high(self) -> float:
        """The upper end; the mean itself where there is no interval."""
        return self.mean + (0 if math.isnan(self.half) else self.half)


def interval(values: Sequence[float], confidence: float = CONFIDENCE) -> Interval:
    """The mean of values of independent replications, with Student's interval; NaN of nothing.

    Example:
        >>> [round(part, 3) for part in interval([9.0, 10.0, 11.0])]
        [10.0, 2.484]
        >>> interval([5.0])
        Interval(mean=5.0, half=nan)
    """
    if len(values) < 2:
        return Interval(values[0] if values else math.nan)
    mean = math.fsum(values) / len(values)
    spread = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))
    return Interval(mean, quantile(1 - (1 - confidence) / 2, len(values) - 1) * spread / math.sqrt(len(values)))


def quantile(share: float, degrees: int) -> float:
    """What a t-distributed value of so many degrees of freedom does not exceed, with probability `share` >= 0.5.

    Example:
        >>> [round(quantile(0.975, degrees), 3) for degrees in (1, 2, 9, 30, 1000)]
        [12.706, 4.303, 2.262, 2.042, 1.962]
    """
    # t = sqrt(degrees) tan(angle), and the angle's density goes with cos(angle) ** (degrees - 1)
    low, high = 0.0, math.pi / 2
    whole = math.sqrt(math.pi) * math.exp(math.lgamma(degrees / 2) - math.lgamma((degrees + 1) / 2)) / 2
    for _ in range(60):
        middle = (low + high) / 2
        if _area(middle, degrees - 1) < (share - 0.5) * 2 * whole:
            low = middle
        else:
            high = middle
    return math.sqrt(degrees) * math.tan(high)


def _area(upto: float, power: int) -> float:
    """The integral of cos ** power from 0 to an angle, by Simpson's rule."""
    upto = min(upto, math.pi / 2)
    step = upto / _STEPS
    heights = [math.cos(step * at) ** power for at in range(_STEPS + 1)]
    return step / 3 * (heights[0] + heights[-1] + 4 * sum(heights[1:-1:2]) + 2 * sum(heights[2:-1:2]))
