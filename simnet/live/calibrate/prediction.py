"""The prediction test: prices from bare paths, told on Docker's modes, and held against what those take.

No path that is predicted had a part in the prices: they are fitted to networks without an engine's rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from simnet.sim.prices.costs import Costs, read
from simnet.study.prediction import FIRSTS, GROUPS, PROXY, ROUND_TRIPS, SLEEPING, SLOPES, THROUGHPUT, Compared

from . import counts
from .calibration import Calibration
from .cost_file import text
from .measure import Figure
from .paths import BURST, FIRST, MORE_RULES, SLEPT, STREAM, Path, modes, proxied, slopes

_BITS, _NANOSECONDS = 8, 1e9


def paths(backends: Iterable[str]) -> list[Path]:
    """What is predicted: the modes, docker-proxy over TCP, and many rules on a mode's way."""
    pairs = [pair for backend in backends for pair in slopes(backend)]
    return [*modes(), proxied("tcp"), *dict.fromkeys(path for pair in pairs for path in pair)]


def predict(found: Calibration, figures: Mapping[Path, Figure]) -> list[Compared]:
    """Compare the model, with the calibrated prices, to the figures that were measured of those paths."""
    costs = read(text(found, "calibrated", found.base.backend), "calibrated.yaml")
    asked = [path for path in (*modes(), proxied("tcp")) if path in figures]
    compared = [_compared(path, figures[path], costs, found.sockets_first) for path in asked]
    for backend in sorted({path.bed.backend for path in asked}):
        pairs = [pair for pair in slopes(backend) if all(path in figures for path in pair)]
        compared += [_slope(without, many, figures, costs) for without, many in pairs]
    return sorted(compared, key=lambda one: GROUPS.index(one.group))


def _compared(path: Path, figure: Figure, costs: Costs, sockets_first: float) -> Compared:
    predicted, measured = counts.predicted(path, costs), figure.median
    if path.kind == FIRST:
        return Compared(FIRSTS, str(path), "ns more", predicted, measured - sockets_first)
    if path.kind == STREAM:
        bits = counts.piece(path) * _BITS
        return Compared(THROUGHPUT, str(path), "Gbit/s", bits / predicted, bits / measured)
    if path.kind == BURST:
        thousands = _NANOSECONDS / 1e3
        return Compared(THROUGHPUT, f"{path.name}: datagrams", "k/s", thousands / predicted, thousands / measured)
    group = PROXY if path.proxied else SLEEPING if path.kind == SLEPT else ROUND_TRIPS
    return Compared(group, str(path), "ns", predicted, measured)


def _slope(without: Path, many: Path, figures: Mapping[Path, Figure], costs: Costs) -> Compared:
    """What one more rule takes of each packet; two packets of a round trip pass it."""
    predicted = counts.predicted(many, costs) - counts.predicted(without, costs)
    measured = figures[many].median - figures[without].median
    return Compared(SLOPES, many.name, "ns a rule", predicted / MORE_RULES / 2, measured / MORE_RULES / 2)
