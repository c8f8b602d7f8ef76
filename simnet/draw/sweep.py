"""A sweep as a table, and as a figure: a measure over what varies, as lines, or over two things as a map.

Run it by itself to see one: `python -m simnet.draw.sweep` writes sweep.png.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from simnet.study.interval import Mean
from simnet.study.measures import BITS, MEASURES, RATE, TIME
from simnet.study.sweep import Row

SHOWN = ("rate", "p50", "p99", "throughput")
_SCALES = {
    TIME: ((1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1.0, "ns")),
    RATE: ((1e6, "M/s"), (1e3, "k/s"), (1.0, "/s")),
    BITS: ((1e9, "Gbit/s"), (1e6, "Mbit/s"), (1e3, "kbit/s"), (1.0, "bit/s")),
}


def render(rows: Sequence[Row], paths: Sequence[str]) -> str:
    """The points as a table: what varies, and the measures that most ask for, with 95 % intervals of the mean."""
    if not rows:
        return "no point has a result"
    traffic = len({row.traffic for row in rows}) > 1
    head = [*_short(paths), *(["traffic"] if traffic else []), *SHOWN]
    lines = [[*(row.point[path] for path in paths), *([row.traffic] if traffic else []),
              *(amount(row.measures[name], MEASURES[name].unit) for name in SHOWN)] for row in rows]  # fmt: skip
    widths = [max(len(line[at]) for line in [head, *lines]) for at in range(len(head))]
    left = len(head) - len(SHOWN)
    return "\n".join(
        "  ".join(cell.ljust(width) if at < left else cell.rjust(width)
                  for at, (cell, width) in enumerate(zip(line, widths, strict=True))).rstrip()
        for line in [head, *lines]
    )  # fmt: skip


def amount(found: Mean, unit: str) -> str:
    """A mean with its unit and, where it is known, what it may be off by.

    Example:
        >>> amount(Mean(37_240.0, 512.0), "ns"), amount(Mean(9.4e9), "bit/s")
        ('37.24 ± 0.51 µs', '9.4 Gbit/s')
    """
    size, name = next((one for one in _SCALES.get(unit, ()) if found.value >= one[0]), (1.0, unit))
    value, space = found.value / size, "" if name.startswith("/") else " "
    if not found.half:
        return f"{value:.3g}{space}{name}" if value < 1000 else f"{value:.0f}{space}{name}"
    half = found.half / size
    places = max(1 - math.floor(math.log10(half)), 0)
    return f"{value:.{places}f} ± {half:.{places}f}{space}{name}"


def _short(paths: Sequence[str]) -> list[str]:
    """Paths by as many of their last parts as tell them apart."""
    for many in range(1, 20):
        found = [".".join(path.split(".")[-many:]) for path in paths]
        if len(set(found)) == len(paths):
            return found
    return list(paths)
