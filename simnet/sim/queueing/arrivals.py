"""When the exchanges of an open flow begin: evenly, at random, in bursts, or at given times.

Each gap is rounded to ns by itself, so the times do not depend on how many of them are made at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from simnet.errors import UsageError

from .model import Ints

_BLOCK = 1 << 13
_SECOND = 1_000_000_000


def _positive(what: str, value: float) -> None:
    if not 0 < value < float("inf"):
        raise UsageError(f"{what} is {value}; it must be more than 0")


@dataclass(frozen=True, slots=True)
class Constant:
    """One every `gap` ns, the first at `begin`.

    Raises:
        UsageError: Where the gap is not more than 0.

    Example:
        >>> next(Constant(gap=250).blocks(np.random.default_rng(1)))[:4].tolist()
        [0, 250, 500, 750]
    """

    gap: int
    begin: int = 0

    def __post_init__(self) -> None:
        """Refuse what never ends at one time."""
        _positive("a gap between arrivals", self.gap)

    def count(self, until: int) -> float:
        """How many there are before a time, about."""
        return max(0.0, (until - self.begin) / self.gap)

    def blocks(self, stream: np.random.Generator) -> Iterator[Ints]:
        """The times, without end; no variate is drawn."""
        at = self.begin
        while True:
            yield at + self.gap * np.arange(_BLOCK, dtype=np.int64)
            at += self.gap * _BLOCK


@dataclass(frozen=True, slots=True)
class Poisson:
    """A Poisson process of `rate` exchanges a second from `begin` (ns) on: the gaps are exponential, their mean 1/rate.

    Raises:
        UsageError: Where the rate is not more than 0.

    Example:
        >>> times = next(Poisson(rate=1e6).blocks(np.random.default_rng(1)))
        >>> round(float(np.diff(times).mean()), -2)
        1000.0
    """

    rate: float
    begin: int = 0

    def __post_init__(self) -> None:
        """Refuse a rate at which nothing comes."""
        _positive("a rate of arrivals", self.rate)

    def count(self, until: int) -> float:
        """How many there are before a time, about."""
        return max(0.0, (until - self.begin) * self.rate / _SECOND)

    def blocks(self, stream: np.random.Generator) -> Iterator[Ints]:
        """The times, without end; each takes one standard exponential variate."""
        at = self.begin
        while True:
            times = np.rint(stream.standard_exponential(_BLOCK) * (_SECOND / self.rate)).astype(np.int64)
            times[0] += at
            np.cumsum(times, out=times)
            at = int(times[-1])
            yield times


@dataclass(frozen=True, slots=True)
class OnOff:
    """Bursts: on for a time with mean `on` ns, one every `gap` ns meanwhile, then off for a time with mean `off` ns.

    Both times are exponential; a burst begins with an arrival. The mean rate is about `on / gap / (on + off)` a ns.

    Raises:
        UsageError: Where a time is not more than 0.

    Example:
        >>> next(OnOff(on=3000, off=9000, gap=500).blocks(np.random.default_rng(1)))[:5].tolist()
        [0, 500, 1000, 1500, 2000]
    """

    on: int
    off: int
    gap: int
    begin: int = 0

    def __post_init__(self) -> None:
        """Refuse periods without length."""
        for what, value in (
            ("a burst's mean length", self.on),
            ("a pause's mean length", self.off),
            ("a gap", self.gap),
        ):
            _positive(what, value)

    def count(self, until: int) -> float:
        """How many there are before a time, about."""
        return max(0.0, (until - self.begin) * (self.on / self.gap) / (self.on + self.off))

    def blocks(self, stream: np.random.Generator) -> Iterator[Ints]:
        """The times, without end; each burst takes two standard exponential variates, its own and its pause's."""
        at = self.begin
        while True:
            lengths = stream.standard_exponential((256, 2)) * np.array([self.on, self.off])
            periods = np.rint(lengths).astype(np.int64)
            ends = at + np.cumsum(periods.sum(axis=1))
            starts = ends - periods.sum(axis=1)
            counts = -(-periods[:, 0] // self.gap)
            upto = np.cumsum(counts)
            at = int(ends[-1])
            for low in range(0, int(upto[-1]), _BLOCK):
                which = np.arange(low, min(low + _BLOCK, int(upto[-1])), dtype=np.int64)
                burst = np.searchsorted(upto, which, side="right")
                yield starts[burst] + self.gap * (which - (upto - counts)[burst])


@dataclass(frozen=True, slots=True, eq=False)
class FromTimes:
    """At the given times (ns, ascending), and then no more.

    Raises:
        UsageError: Where a time is not a whole number, negative or before the one in front of it.

    Example:
        >>> [block.tolist() for block in FromTimes([0, 10, 10, 35]).blocks(np.random.default_rng(1))]
        [[0, 10, 10, 35]]
    """

    times: Sequence[int] | Ints
    _array: Ints = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse times that are out of order."""
        array = np.asarray(self.times)
        if array.ndim != 1 or (len(array) and array.dtype.kind not in "iu"):
            raise UsageError("times of arrival must be a list of whole numbers (ns)")
        array = array.astype(np.int64)
        if len(array) and (array[0] < 0 or (np.diff(array) < 0).any()):
            raise UsageError("times of arrival must not be negative and must ascend")
        object.__setattr__(self, "_array", array)

    def count(self, until: int) -> float:
        """How many there are before a time, about."""
        return float(np.searchsorted(self._array, until))

    def blocks(self, stream: np.random.Generator) -> Iterator[Ints]:
        """The times; no variate is drawn."""
        for low in range(0, len(self._array), _BLOCK):
            yield self._array[low : low + _BLOCK]
