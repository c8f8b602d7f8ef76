"""A calibration: what was measured on this machine, and the prices that follow from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from statistics import median

from simnet.errors import HostError
from simnet.live.host import command
from simnet.sim.prices.costs import DEFAULT, Costs, load
from simnet.sim.prices.keys import KEYS
from simnet.study.interval import Mean

from . import counts
from .fit import FLOOR, fit, scale
from .measure import Figure
from .paths import BACKENDS, FIRST, SLEPT, WOKEN, Path

# what a socket's first packet takes more, wherever it goes: measured with the others, and no price of a network's
SOCKETS_FIRST = "a socket's first packet"
_SOCKETS_FIRST_USUALLY = 500.0
# the rounds are dealt out to so many parts, and how much the prices of the parts differ says how sure a price is
_PARTS = 6
NOISY = 0.25
_TOLD = 3
# a price is taken to be the least one up to this much above it
_ABOVE = 1.01


@dataclass(frozen=True)
class Fitted:
    """A price: its value, half its 95 % interval, the mean random wait on top (ns), and the paths that tell most of it.

    `least`: the paths leave next to nothing for it, and it is the least that a price may be (see `fit`).

    Example:
        >>> Fitted("route", 40.0, 15.0).noisy
        True
    """

    key: str
    value: float
    half: float
    spread: float = 0.0
    told_by: tuple[str, ...] = ()
    least: bool = False

    @property
    def noisy(self) -> bool:
        """Whether the value is not to be trusted: it may be off by more than a quarter."""
        return self.half > NOISY * (self.value + self.spread)


@dataclass(frozen=True)
class Calibration:
    """Figures of paths, and the prices that they come to.

    `factor` is how this machine compares with that of the base list; prices that nothing measured (`unmeasured`) are
    the base's times that. `refused` says of paths why they could not be measured.
    """

    base: Costs
    figures: Mapping[Path, Figure]
    prices: Mapping[str, Fitted]
    factor: float
    sockets_first: float
    refused: Mapping[Path, str] = field(default_factory=dict)

    @property
    def noisy(self) -> list[Fitted]:
        """The prices that are not to be trusted."""
        return [price for price in self.prices.values() if price.noisy]

    @property
    def unmeasured(self) -> list[str]:
        """The keys that no path measures, though the base list has a price for them."""
        return [key for key in KEYS if key not in self.prices and self.base[key]]


def backends(only: str | None = None) -> dict[str, str]:
    """The iptables-restore of each back end that this machine has (or of one); HostError where it has none.

    Example:
        >>> sorted(backends())  # doctest: +SKIP
        ['legacy', 'nft']
    """
    found: dict[str, str] = {}
    for name in BACKENDS if only is None else [only]:
        try:
            command.find(f"iptables-{name}-restore")
            found[name] = f"iptables-{name}-restore"
        except HostError:
            continue
    if not found:  # a distribution that has one of them alone, by its plain name
        name = _default()
        if only not in {None, name}:
            raise HostError(f"this machine's iptables is {name}, and there is no other", f"leave out --backend {only}")
        found[name] = "iptables-restore"
    return found


def usual_backend(restore: Mapping[str, str]) -> str:
    """Of the back ends that were measured the one that `iptables` itself has here."""
    return default if (default := _default()) in restore else next(iter(restore))


def _default() -> str:
    return "nft" if "nf_tables" in command.run(["iptables", "--version"]) else "legacy"


def calibrate(figures: Mapping[Path, Figure], refused: Mapping[Path, str], base: str = DEFAULT) -> Calibration:
    """The prices that some figures come to, as a list that extends `base`."""
    costs = load(base)
    usual = {key: costs[key] + costs.spread(key) for key in KEYS} | {SOCKETS_FIRST: _SOCKETS_FIRST_USUALLY}
    paths = [path for path in figures if path.kind != WOKEN]
    amounts = [dict(counts.counts(path, costs)) for path in paths]
    for path, one in zip(paths, amounts, strict=True):
        if path.kind == FIRST:
            one[SOCKETS_FIRST] = 1.0
    took = [figures[path].median for path in paths]
    values, factor = fit(amounts, took, usual), scale(amounts, took, usual)
    parts = [fit(amounts, [median(figures[path].rounds[part::_PARTS]) for path in paths], usual)
             for part in range(_PARTS)]  # fmt: skip
    prices: dict[str, Fitted] = {}
    for key, value in values.items():
        if key in KEYS:
            half = Mean.of([part[key] for part in parts]).half or 0.0
            shares = {str(path): one.get(key, 0.0) * value / time
                      for path, one, time in zip(paths, amounts, took, strict=True)}  # fmt: skip
            told_by = sorted((name for name in shares if shares[name] > 0), key=lambda name: -shares[name])[:_TOLD]
            least = value <= FLOOR * factor * usual[key] * _ABOVE
            prices[key] = replace(_with_spread(costs, key, value, half, tuple(told_by)), least=least)
    prices |= {price.key: price for price in _woken(figures, costs)}
    return Calibration(costs, figures, prices, factor, values[SOCKETS_FIRST], refused)


def _woken(figures: Mapping[Path, Figure], costs: Costs) -> list[Fitted]:
    """What waking on another CPU takes: half of what a round trip takes longer on two CPUs than on one."""
    slept = next((figure for path, figure in figures.items() if path.kind == SLEPT and not path.proxied), None)
    woken = next((figure for path, figure in figures.items() if path.kind == WOKEN), None)
    if slept is None or woken is None:
        return []
    value = max(woken.median - slept.median, 0.0) / 2
    half = Mean.of([median(woken.rounds[part::_PARTS]) / 2 for part in range(_PARTS)]).half or 0.0
    return [_with_spread(costs, "wake-up.other-cpu", value, half, (str(woken.path), str(slept.path)))]


def _with_spread(costs: Costs, key: str, mean: float, half: float, told_by: tuple[str, ...]) -> Fitted:
    """A price by its mean, of which a random wait has the share that it has in the base list."""
    usual = costs[key] + costs.spread(key)
    waits = costs.spread(key) / usual if usual else 0.0
    return Fitted(key, mean * (1 - waits), half, mean * waits, told_by)
