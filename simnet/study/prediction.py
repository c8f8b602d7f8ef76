"""What was predicted beside what was measured, and how near it came: the prediction test's figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

ROUND_TRIPS, SLEEPING, THROUGHPUT = "round trips", "round trips, sleeping", "throughput"
SLOPES, FIRSTS, PROXY = "rules", "first packets", "docker-proxy"
GROUPS = (ROUND_TRIPS, SLEEPING, THROUGHPUT, SLOPES, FIRSTS, PROXY)
# how near each must be, as a share of what was measured; what has none is shown and not judged
TARGETS = {ROUND_TRIPS: 0.10, SLEEPING: 0.10, THROUGHPUT: 0.15, SLOPES: 0.15}


@dataclass(frozen=True, slots=True)
class Compared:
    """One figure, predicted and measured in a unit, and the group that it is of.

    Example:
        >>> one = Compared(ROUND_TRIPS, "nat, legacy: round trip, udp", "ns", 5400.0, 5000.0)
        >>> f"{one.error:+.0%}", one.holds
        ('+8%', True)
    """

    group: str
    name: str
    unit: str
    predicted: float
    measured: float

    @property
    def error(self) -> float:
        """How far the prediction is off, as a share of what was measured."""
        return self.predicted / self.measured - 1

    @property
    def holds(self) -> bool | None:
        """Whether it is as near as it must be; None where nothing is demanded."""
        target = TARGETS.get(self.group)
        return None if target is None else abs(self.error) <= target


@dataclass(frozen=True, slots=True)
class Verdict:
    """How near a group's predictions came: the middle and the largest error (shares, without sign), how many hold."""

    group: str
    middle: float
    largest: float
    hold: int
    of: int

    def __str__(self) -> str:
        """`rules: 3 % off in the middle, 8 % at most; 18 of 18 within 15 %`."""
        target = TARGETS.get(self.group)
        judged = f"; {self.hold} of {self.of} within {target:.0%}" if target is not None else ""
        return f"{self.group}: {self.middle:.1%} off in the middle, {self.largest:.1%} at most{judged}"


def verdicts(compared: Sequence[Compared]) -> list[Verdict]:
    """How near each group came.

    Example:
        >>> print(*verdicts([Compared(SLOPES, "address, nft", "ns a rule", 11.0, 10.0)]))
        rules: 10.0% off in the middle, 10.0% at most; 1 of 1 within 15%
    """
    found = []
    for group in GROUPS:
        mine = [one for one in compared if one.group == group]
        if mine:
            errors = [abs(one.error) for one in mine]
            found.append(Verdict(group, median(errors), max(errors), sum(one.holds is True for one in mine), len(mine)))
    return found
