"""Prices from what paths take: least squares over the counts that the model gives for each path.

A path takes the sum of its counts times prices. Prices that no measured path tells apart (their counts have one
proportion on all of them) keep the proportion that they have in the base list. Where paths leave a choice, it falls to
the prices that are nearest to the base list's, scaled to this machine, and none is less than a tenth of that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

# a path that is missed by 2 % weighs as much as a price that is twice the base list's, scaled
_CLOSE, _FREE = 0.02, 1.0
# of a base price, scaled to this machine: the least that a price may be, so that what is cheap is not taken for nothing
FLOOR = 0.1
_SETTLED = 1e-9


@dataclass(frozen=True)
class Group:
    """Keys that the paths do not tell apart, with the share of the group's price that each has for one count."""

    shares: Mapping[str, float]

    def __str__(self) -> str:
        """The keys."""
        return " + ".join(self.shares)


def groups(counts: Sequence[Mapping[str, float]], base: Mapping[str, float]) -> list[Group]:
    """Sort the keys that some paths have counts of into groups that the paths tell apart.

    A key that the base list has at 0 is part of another one's price there, and stays so.

    Example:
        >>> paths = [{"route": 2, "forward": 1, "hook": 1}, {"route": 4, "forward": 2}]
        >>> list(map(str, groups(paths, {"route": 60, "forward": 30, "hook": 60})))
        ['forward + route', 'hook']
    """
    keys = sorted({key for one in counts for key in one if base.get(key)})
    sorted_by: dict[tuple[float, ...], list[str]] = {}
    for key in keys:
        column = [one.get(key, 0.0) for one in counts]
        largest = max(map(abs, column))
        sorted_by.setdefault(tuple(round(amount / largest, 9) for amount in column), []).append(key)
    return [Group({key: base[key] for key in same}) for same in sorted_by.values()]


def fit(counts: Sequence[Mapping[str, float]], took: Sequence[float], base: Mapping[str, float]) -> dict[str, float]:
    """The prices (ns, or ns a byte) with which the paths take what they took; `base` are those of the base list.

    Example:
        >>> paths = [{"send.udp": 1}, {"send.udp": 1, "bridge": 1}, {"send.udp": 1, "bridge": 2}]
        >>> prices = fit(paths, [1000, 1200, 1400], {"send.udp": 2000, "bridge": 400})
        >>> round(prices["send.udp"]), round(prices["bridge"])
        (1000, 200)
    """
    import numpy as np

    found = groups(counts, base)
    amounts = np.array([[sum(one.get(key, 0.0) * share for key, share in group.shares.items()) for group in found]
                        for one in counts])  # fmt: skip
    weights = 1 / (_CLOSE * np.abs(np.array(took)))
    usual = scale(counts, took, base)
    near = np.eye(len(found)) / (_FREE * usual)
    rows = np.vstack((amounts * weights[:, None], near))
    wanted = np.concatenate((np.array(took) * weights, np.full(len(found), 1 / _FREE)))
    factors = _bounded(rows, wanted, FLOOR * usual)
    return {key: share * float(factor) for group, factor in zip(found, factors, strict=True)
            for key, share in group.shares.items()}  # fmt: skip


def scale(counts: Sequence[Mapping[str, float]], took: Sequence[float], base: Mapping[str, float]) -> float:
    """How many times as long as by the base list the paths take: the middle one of them.

    Example:
        >>> scale([{"route": 1}, {"route": 2}, {"hook": 1}], [30, 60, 500], {"route": 60, "hook": 60})
        0.5
    """
    by_base = (sum(amount * base.get(key, 0.0) for key, amount in one.items()) for one in counts)
    return median(time / usual for time, usual in zip(took, by_base, strict=True) if usual)


def _bounded(rows: Numbers, wanted: Numbers, least: float) -> Numbers:
    """The least-squares solution of numbers of `least` or more.

    Models: the active-set method of Lawson and Hanson, Solving Least Squares Problems (1974), chapter 23.
    """
    import numpy as np

    wanted = wanted - rows.sum(axis=1) * least
    found, free = np.zeros(rows.shape[1]), np.zeros(rows.shape[1], dtype=bool)
    while True:
        pull = rows.T @ (wanted - rows @ found)
        pull[free] = 0.0
        if pull.max() <= _SETTLED * np.abs(rows.T @ wanted).max():
            return found + least
        free[pull.argmax()] = True
        while True:
            tried = np.zeros_like(found)
            tried[free] = np.linalg.lstsq(rows[:, free], wanted, rcond=None)[0]
            below = free & (tried <= 0)
            if not below.any():
                break
            # as far towards the solution as no number goes below its bound; what reaches it is held there
            step = (found[below] / (found[below] - tried[below])).min()
            found += step * (tried - found)
            free &= found > _SETTLED
            found[~free] = 0.0
        found = tried
