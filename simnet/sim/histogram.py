"""A histogram of times whose buckets grow with them, so that every percentile is as exact as the next.

Source: G. Tene's HdrHistogram: a bucket for each power of two, cut into equal parts.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from .queueing.model import Ints

# each power of two has 2 ** _BITS buckets, so a percentile is within 0.1 % of the true one
_BITS = 10
_PARTS = 1 << _BITS


class Histogram:
    """Times in ns: how many fell where, their number, sum, least and greatest.

    Example:
        >>> histogram = Histogram()
        >>> histogram.add(np.arange(1, 100_001))
        >>> histogram.count, histogram.least, histogram.greatest, histogram.mean
        (100000, 1, 100000, 50000.5)
        >>> abs(histogram.percentile(99) / 99_000 - 1) < 0.001
        True
    """

    def __init__(self) -> None:
        """Nothing yet."""
        self.count = self.sum = self.greatest = 0
        self.least = np.iinfo(np.int64).max
        self._counts = np.zeros(0, np.int64)

    def add(self, times: Ints) -> None:
        """Take in times, none of them negative."""
        if not len(times):
            return
        self.count += len(times)
        self.sum += int(times.sum())
        self.least, self.greatest = min(self.least, int(times.min())), max(self.greatest, int(times.max()))
        counts = np.bincount(_bucket(times))
        self._counts = _longer(self._counts, len(counts))
        self._counts[: len(counts)] += counts

    def merge(self, other: Histogram) -> None:
        """Take in all of another."""
        self.count, self.sum = self.count + other.count, self.sum + other.sum
        self.least, self.greatest = min(self.least, other.least), max(self.greatest, other.greatest)
        self._counts = _longer(self._counts, len(other._counts))
        self._counts[: len(other._counts)] += other._counts

    @property
    def mean(self) -> float:
        """The mean, 0 of nothing."""
        return self.sum / self.count if self.count else 0.0

    def percentile(self, percent: float) -> int:
        """The time that so many of a hundred do not exceed; 0 of nothing."""
        if not self.count:
            return 0
        rank = max(int(np.ceil(self.count * percent / 100)), 1)
        bucket = int(np.searchsorted(np.cumsum(self._counts), rank))
        return int(np.clip(_middle(np.array([bucket]))[0], self.least, self.greatest))

    def percentiles(self, percents: Iterable[float] = (50, 90, 99, 99.9)) -> list[int]:
        """Several of them."""
        return [self.percentile(percent) for percent in percents]

    def distribution(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The times that occurred (ns) and the share that does not exceed each: what a figure of it draws."""
        found = np.flatnonzero(self._counts)
        times = np.clip(_middle(found), self.least, self.greatest).astype(np.float64)
        return times, np.cumsum(self._counts[found]) / max(self.count, 1)

    def buckets(self) -> dict[int, int]:
        """The buckets that hold anything, by number: what `load` takes."""
        return {int(number): int(self._counts[number]) for number in np.flatnonzero(self._counts)}

    @classmethod
    def load(cls, buckets: dict[int, int], total: int, least: int, greatest: int) -> Histogram:
        """A histogram from its buckets, the sum of its times, and its least and greatest."""
        found = cls()
        if buckets:
            found._counts = np.zeros(max(buckets) + 1, np.int64)
            for number, count in buckets.items():
                found._counts[number] = count
            found.count, found.sum = int(found._counts.sum()), total
            found.least, found.greatest = least, greatest
        return found


def _longer(counts: Ints, length: int) -> Ints:
    return counts if len(counts) >= length else np.concatenate([counts, np.zeros(length - len(counts), np.int64)])


def _bucket(times: Ints) -> Ints:
    """The number of each time's bucket: below 2 ** _BITS the time itself, then the exponent and what follows it."""
    exponents = np.maximum(np.frexp(times.astype(np.float64))[1] - 1 - _BITS, 0).astype(np.int64)
    return np.asarray((exponents << _BITS) + (times >> exponents), np.int64)


def _middle(buckets: Ints) -> Ints:
    """The time in the middle of each bucket."""
    exponents = np.maximum((buckets >> _BITS) - 1, 0)
    low = (buckets - (exponents << _BITS)) << exponents
    return np.asarray(low + (1 << exponents) // 2, np.int64)
