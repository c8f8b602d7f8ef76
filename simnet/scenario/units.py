r"""Amounts with units, as scenarios and options write them: times, sizes, rates, speeds, shares.

A time or a speed without its unit is refused, as nobody knows what `5` was meant to be. KB is 1000 bytes, KiB is 1024.

Example:
    >>> duration("1.5ms"), size("256KiB"), per_second("100k/s"), speed("10Gbit"), share("0.1%")
    (1500000, 262144, 100000.0, 10000000000, 0.001)
    >>> speed("10Gb")
    Traceback (most recent call last):
    ...
    ValueError: no unit 'Gb'; did you mean 'Gbit'?
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from simnet.docker.document import Value
from simnet.errors import nearest

DURATIONS = {"ns": 1, "us": 1_000, "µs": 1_000, "ms": 1_000_000, "s": 1_000_000_000, "min": 60_000_000_000}
SIZES = {"B": 1, "bytes": 1, "KB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000, "KiB": 1 << 10, "MiB": 1 << 20,
         "GiB": 1 << 30}  # fmt: skip
PER_SECOND = {"/s": 1, "k/s": 1_000, "M/s": 1_000_000, "k": 1_000, "M": 1_000_000, "/ms": 1_000}
SPEEDS = {"bit": 1, "kbit": 1_000, "Mbit": 1_000_000, "Gbit": 1_000_000_000, "Tbit": 1_000_000_000_000}
SPEEDS |= {f"{unit}/s": factor for unit, factor in SPEEDS.items()}
_AMOUNT = re.compile(r"\s*([+-]?[0-9][0-9_]*(?:\.[0-9]+)?|[+-]?\.[0-9]+)\s*([^\s0-9.]*)\s*")
# beyond it a count of ns no longer fits what the engines count with
_MOST = 1 << 62
T = TypeVar("T")


def _amount(text: str, units: Mapping[str, int], what: str, bare: int = 0) -> float:
    """A number times its unit; `bare` is what one without a unit is counted in (0: refused)."""
    example = next(iter(units))
    found = _AMOUNT.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no {what}")
    number, unit = found[1].replace("_", ""), found[2]
    if unit and unit not in units:
        # capitals are what is most often wrong, and what a likeness of letters does not see
        folded = [known for known in units if known.lower() == unit.lower()]
        raise ValueError(f"no unit {unit!r}" + (f"; did you mean {folded[0]!r}?" if folded else nearest(unit, units)))
    if not unit and not bare and float(number):
        raise ValueError(f"{text!r} lacks its unit, such as {text}{example}; there are: {', '.join(units)}")
    amount = float(number) * (units[unit] if unit else bare)
    if not abs(amount) < _MOST:
        raise ValueError(f"{text} is too much")
    return amount


def _not_negative(text: str, amount: float) -> float:
    if amount < 0:
        raise ValueError(f"{text} is negative")
    return amount


def duration(text: str) -> int:
    """A time in ns: `10us`, `1.5ms`, `1s`, `0`; ValueError where it is none, or negative."""
    return round(_not_negative(text, _amount(text, DURATIONS, "time")))


def size(text: str) -> int:
    """A number of bytes: `64`, `1KB`, `256KiB`; ValueError where it is none, or negative."""
    return round(_not_negative(text, _amount(text, SIZES, "size", 1)))


def per_second(text: str) -> float:
    """How many a second: `100000/s`, `100k/s`, `5000`; ValueError where it is none, or not more than 0."""
    amount = _amount(text, PER_SECOND, "rate", 1)
    if amount <= 0:
        raise ValueError(f"{text} is no rate; a rate is more than 0")
    return amount


def speed(text: str) -> int:
    """Bits a second: `10Gbit`, `100Mbit`; 0 is as fast as may be. ValueError where it is none, or negative."""
    return round(_not_negative(text, _amount(text, SPEEDS, "speed")))


def share(text: str) -> float:
    """A share from 0 to 1: `0.1%`, `0.001`; ValueError where it is none."""
    amount = _amount(text.removesuffix("%"), {"": 1}, "share", 1) / (100 if text.endswith("%") else 1)
    if not 0 <= amount <= 1:
        raise ValueError(f"{text} is no share; a share is between 0 and 100%")
    return amount


def read(value: Value, as_: Callable[[str], T]) -> T:
    """A value of a file as one of the above; an error points at it."""
    held = value.scalar()
    try:
        return as_(str(held).lower() if isinstance(held, bool) else str(held))
    except ValueError as error:
        raise value.error(str(error)) from None
