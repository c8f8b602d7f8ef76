"""Which points a sweep tries: all combinations of the values, or a random or Latin-hypercube sample of their ranges.

Values are texts, as `--set` takes them. A sample maps evenly spread numbers from 0 to 1 to values: those of a list and
whole numbers are equally likely each, a geometric range is even in its logarithm.

Source: M. D. McKay, R. J. Beckman, W. J. Conover, A Comparison of Three Methods for Selecting Values of Input
Variables, Technometrics 21 (1979): of n points, each n-th part of every range holds one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import product

import numpy as np
from numpy.typing import NDArray

from simnet.errors import UnknownName, UsageError
from simnet.scenario import units

GRID, RANDOM, LHS = "grid", "random", "lhs"
SAMPLES = (GRID, RANDOM, LHS)
MOST_POINTS = 1_000_000
_SCALES = (units.DURATIONS, units.SIZES, units.SPEEDS, units.PER_SECOND)
_NUMBER = r"([+-]?[0-9]*\.?[0-9]+)([^\s0-9.*/]*(?:/m?s)?)"
_ONE = re.compile(_NUMBER)
_RANGE = re.compile(rf"{_NUMBER}\.\.{_NUMBER}(?:\*([0-9]*\.?[0-9]+)|/([0-9]+))?")

Point = dict[str, str]


@dataclass(frozen=True, slots=True)
class Axis:
    """One value that varies: its path, and a list of values, or a range from `low` to `high` in `unit`.

    `factor` steps through a geometric range, `count` cuts an even one into so many values; without either, a range of
    whole numbers has them all, and one of real numbers can only be sampled.
    """

    path: str
    listed: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 0.0
    unit: str = ""
    whole: bool = False
    factor: float = 0.0
    count: int = 0

    @classmethod
    def parse(cls, text: str) -> Axis:
        """Read `PATH=VALUES`; UsageError where it is none.

        Example:
            >>> [list(Axis.parse(f"a={text}").values()) for text in ("x,y", "1..4", "1..64*4", "0.1..0.9/3")]
            [['x', 'y'], ['1', '2', '3', '4'], ['1', '4', '16', '64'], ['0.1', '0.5', '0.9']]
            >>> Axis.parse("a=10us..1ms*10").values()
            ['10us', '100us', '1000us']
        """
        path, found, said = text.partition("=")
        if not found or not path or not said:
            raise UsageError(f"--vary {text!r} is not PATH=VALUES, such as h1.cpus=1,2,4 or run.seed=1..9")
        if ".." not in said:
            values = tuple(one.strip() for one in said.split(","))
            if len(set(values)) < len(values) or "" in values:
                raise UsageError(f"--vary {text}: a value is there twice, or empty")
            return cls(path, values)
        ends = _RANGE.fullmatch(said)
        if ends is None:
            raise UsageError(f"--vary {text}: {said!r} is no range; write 1..64, 1..64*2, 0.1..0.9/5 or 10us..1ms")
        return cls._between(path, text, *ends.groups())

    @classmethod
    def _between(cls, path: str, text: str, low: str, one: str, high: str, other: str, factor: str | None,
                 count: str | None) -> Axis:  # fmt: skip
        factor_of = ratio(other, one or other)
        if factor_of is None:
            raise UsageError(f"--vary {text}: {one!r} and {other or 'a number alone'!r} are not units of one kind")
        least, most = float(low), float(high) * factor_of
        whole = not one and not other and low.lstrip("+-").isdigit() and high.lstrip("+-").isdigit()
        axis = cls(path, (), least, most, one or other, whole, float(factor or 0), int(count or 0))
        if least >= most:
            raise UsageError(f"--vary {text}: a range goes from the lesser to the greater")
        if factor is not None and (axis.factor <= 1 or least <= 0):
            raise UsageError(f"--vary {text}: a geometric range begins above 0 and has a factor above 1")
        if count is not None and axis.count < 2:
            raise UsageError(f"--vary {text}: a range is cut into 2 values or more")
        return axis

    def values(self) -> Sequence[str]:
        """The values of a grid; UsageError for real numbers without a count, of which there is no end."""
        if self.listed:
            return self.listed
        if self.factor:
            steps = int(math.log(self.high / self.low) / math.log(self.factor) + 1e-9)
            numbers = [self.low * self.factor**step for step in range(steps + 1)]
            return list(dict.fromkeys(map(self._text, numbers)))
        if self.count:
            return list(dict.fromkeys(map(self._text, np.linspace(self.low, self.high, self.count))))
        if not self.whole:
            raise UsageError(
                f"--vary {self.path}: a grid needs to know how many values; write …/5, or use --sample lhs"
            )
        if self.high - self.low >= MOST_POINTS:
            raise UsageError(f"--vary {self.path}: that is more than {MOST_POINTS} values")
        return [str(number) for number in range(int(self.low), int(self.high) + 1)]

    def at(self, share: float) -> str:
        """The value at a share from 0 to 1 (not quite) of the range.

        Example:
            >>> [Axis.parse("a=1..64*2").at(share) for share in (0, 0.5, 0.999)]
            ['1', '8', '64']
        """
        if self.listed:
            return self.listed[int(share * len(self.listed))]
        low, high = self.low, self.high + (1 if self.whole else 0)
        number = low * (high / low) ** share if self.factor else low + (high - low) * share
        return self._text(min(math.floor(number + 1e-9), self.high) if self.whole else number)

    def ends(self) -> tuple[str, ...]:
        """What a first look should try: every value of a list, the ends of a range."""
        return self.listed or (self._text(self.low), self._text(self.high))

    def _text(self, number: float) -> str:
        """A number as a file would have it: six digits, no exponent, its unit."""
        if self.whole:
            return str(round(number))
        return format(Decimal(f"{number:.6g}"), "f") + self.unit


def ratio(unit: str, other: str) -> float | None:
    """What a unit is in terms of another; None where they are not of one kind.

    Example:
        >>> ratio("ms", "us"), ratio("KB", "bit"), ratio("", "")
        (1000.0, None, 1.0)
    """
    if unit == other:
        return 1.0
    return next((scale[unit] / scale[other] for scale in _SCALES if unit in scale and other in scale), None)


def numbers(values: Sequence[str]) -> tuple[list[float], str] | None:
    """Values as numbers in the first one's unit, and that unit; None where they are not all numbers of one kind.

    Example:
        >>> numbers(["10us", "1ms"]), numbers(["1", "2.5"]), numbers(["28.5", "legacy"])
        (([10.0, 1000.0], 'us'), ([1.0, 2.5], ''), None)
    """
    found = [_ONE.fullmatch(value) for value in values]
    parts = [(float(one[1]), ratio(one[2], found[0][2])) for one in found if one is not None and found[0] is not None]
    if not parts or len(parts) < len(values):
        return None
    amounts = [amount * factor for amount, factor in parts if factor is not None]
    return (amounts, found[0][2]) if len(amounts) == len(values) and found[0] is not None else None


def points(axes: Sequence[Axis], sample: str = GRID, count: int = 0, seed: int = 0) -> list[Point]:
    """The points, each a value by path: a grid in order, or `count` of a sample; the same for the same seed.

    Points that a sample has twice are there once. UsageError for too many, or a grid that has no end.

    Example:
        >>> axes = [Axis.parse("a=1,2"), Axis.parse("b=x,y")]
        >>> [" ".join(point.values()) for point in points(axes)]
        ['1 x', '1 y', '2 x', '2 y']
        >>> [point["b"] for point in points([Axis.parse("b=0.0..1.0")], "lhs", 3, seed=1)]
        ['0.503941', '0.316821', '0.71472']
    """
    if sample not in SAMPLES:
        raise UnknownName("sample", sample, SAMPLES)
    paths = [axis.path for axis in axes]
    if len(set(paths)) < len(paths):
        raise UsageError(f"{max(paths, key=paths.count)} varies twice")
    if sample == GRID and count:
        raise UsageError("a grid has as many points as it has; --points is for --sample random or lhs")
    if sample == GRID:
        columns = [axis.values() for axis in axes]
        if math.prod(map(len, columns)) > MOST_POINTS:
            raise UsageError(f"that is {math.prod(map(len, columns))} points; use --sample lhs --points 1000")
        return [dict(zip(paths, values, strict=True)) for values in product(*columns)]
    if not 1 <= count <= MOST_POINTS:
        raise UsageError(f"a {sample} sample needs --points, between 1 and {MOST_POINTS}")
    shares = _shares(sample, count, len(axes), np.random.default_rng(seed))
    rows = dict.fromkeys(tuple(axis.at(float(share)) for axis, share in zip(axes, row, strict=True)) for row in shares)
    return [dict(zip(paths, values, strict=True)) for values in rows]


def _shares(sample: str, count: int, axes: int, stream: np.random.Generator) -> NDArray[np.float64]:
    """Numbers from 0 to 1 for each point and axis; of a Latin hypercube, one in each of `count` parts of every axis."""
    inside = stream.random((count, axes))
    if sample == RANDOM:
        return inside
    parts = np.column_stack([stream.permutation(count) for _ in range(axes)])
    return np.asarray((parts + inside) / count)
