"""How long queues were in the course of a run: of each station, span by span of time, the longest that a job found.

There are 256 equal spans from time 0 on. When a queue is found after the last of them their width doubles, and two
become one; so what is kept does not grow with the run, and does not hang on the order in which queues are found.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SPANS = 256
# a span is 1024 ns wide at first; a power of 2, so that a time's span is found by a shift
SHIFT = 10


def halved(row: list[int]) -> list[int]:
    """A row in which two spans have become one."""
    return [*map(max, row[::2], row[1::2]), *[0] * (SPANS // 2)]


@dataclass(slots=True)
class Lengths:
    """Of each station a row of longest queues (jobs that wait, 0 where none did), one a span of `width` ns.

    Example:
        >>> lengths = Lengths.of(1)
        >>> lengths.note(0, 5_000, 3)
        >>> lengths.width, lengths.rows[0][:6]
        (1024, [0, 0, 0, 0, 3, 0])
        >>> lengths.note(0, 300_000, 2)
        >>> lengths.width, lengths.rows[0][:4], lengths.rows[0][146]
        (2048, [0, 0, 3, 0], 2)
    """

    rows: list[list[int]]
    shift: int

    @classmethod
    def of(cls, stations: int) -> Lengths:
        """Nobody has waited."""
        return cls([[0] * SPANS for _ in range(stations)], SHIFT)

    @property
    def width(self) -> int:
        """How long a span is, in ns."""
        return 1 << self.shift

    def grow(self, stations: int) -> None:
        """Have at least so many rows."""
        self.rows += [[0] * SPANS for _ in range(stations - len(self.rows))]

    def reach(self, time: int) -> None:
        """Have a span for a time."""
        while time >> self.shift >= SPANS:
            self.double()

    def double(self) -> None:
        """Make spans twice as wide."""
        for row in self.rows:
            row[:] = halved(row)
        self.shift += 1

    def note(self, station: int, time: int, waiting: int) -> None:
        """A job came to a station at a time (ns) and found so many waiting, at least one."""
        self.reach(time)
        row, span = self.rows[station], time >> self.shift
        row[span] = max(row[span], waiting)

    def note_all(self, station: int, times: NDArray[np.int64], waiting: NDArray[np.int64]) -> None:
        """The same of jobs that came at ascending times; some of them may have found nobody."""
        found = waiting.nonzero()[0]
        if not len(found):
            return
        upto = int(found[-1]) + 1
        self.reach(int(times[upto - 1]))
        row, spans = self.rows[station], times[:upto] >> self.shift
        if spans[0] == spans[-1]:
            row[spans[0]] = max(row[spans[0]], int(waiting.max()))
            return
        changes = (spans[1:] != spans[:-1]).nonzero()[0]
        begins = np.concatenate([changes[:1] * 0, changes + 1])
        most = np.maximum.reduceat(waiting[:upto], begins)
        for span, longest in zip(spans[begins].tolist(), most.tolist(), strict=True):
            row[span] = max(row[span], longest)

    def merge(self, station: int, row: list[int], shift: int) -> None:
        """Take in what was noted of a station in a row of its own."""
        while self.shift < shift:
            self.double()
        for _ in range(self.shift - shift):
            row = halved(row)
        self.rows[station][:] = map(max, self.rows[station], row)

    def until_none(self, station: int) -> tuple[int, ...]:
        """A station's row up to the last span in which anything waited."""
        row = self.rows[station]
        return tuple(row[: max((number for number, most in enumerate(row, 1) if most), default=0)])

    def at(self, station: int, time: int) -> tuple[int, int]:
        """What the span of a time holds, and when that span ends: until then a shorter queue tells nothing new."""
        span = time >> self.shift
        return self.rows[station][span] if span < SPANS else 0, (span + 1) << self.shift
