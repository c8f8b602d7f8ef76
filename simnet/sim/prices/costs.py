"""Price lists: what each step of a walk takes, from `models/costs/NAME.yaml` or a file of one's own.

A price has a value, a unit (`ns`, `ns/byte`), a statistic, the hardware and the source; one that lacks any of them does
not load. What a file says under `defaults` holds for each price that does not say it itself. A file may extend another,
and scale groups of its prices by published ratios, one after the other (`scale`); then come prices of its own, which
nothing scales. `machine` says what the prices were taken on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from simnet.bundled import bundled
from simnet.docker import document
from simnet.docker.document import Value
from simnet.errors import SourceError, UnknownName

from .keys import KEYS, UNITS, groups_of, in_group

STATISTICS = ("median", "mean", "minimum", "slope", "fit", "none")
DEFAULT = "linux-6.18-vm"
BACKENDS = ("legacy", "nft")
_FOLDER = "models/costs"
_SAID = ("unit", "statistic", "hardware", "source")
_TOP = ("name", "about", "extends", "backend", "defaults", "machine", "scale", "prices")
_MACHINE = ("cpus", "together", "rate", "delay")


@dataclass(frozen=True, slots=True)
class Price:
    """What one step takes: `value` in `unit`, and `spread`, the mean of what a random wait adds (ns)."""

    key: str
    value: float
    unit: str
    statistic: str
    hardware: str
    source: str
    spread: float = 0.0

    def __str__(self) -> str:
        """`route: 150 ns (median, …)`."""
        return f"{self.key}: {self.value:g} {self.unit} ({self.statistic}, {self.source})"


@dataclass(frozen=True, slots=True)
class Machine:
    """What prices were taken on: CPUs of each machine, or of all `together`; a wire's rate (bit/s, 0: any), delay."""

    cpus: int = 2
    together: bool = False
    rate: int = 0
    delay: int = 0


@dataclass(frozen=True, slots=True)
class Costs:
    """A price list; `digest` tells two lists apart that bear one name."""

    name: str
    about: str
    prices: Mapping[str, Price] = field(repr=False)
    machine: Machine
    backend: str
    digest: str

    def __getitem__(self, key: str) -> float:
        """The value of a price in its unit; 0 for what the list has no price for.

        Example:
            >>> load("linux-6.18-vm")["rule.legacy"] > 0
            True
        """
        price = self.prices.get(key)
        return price.value if price is not None else 0.0

    def spread(self, key: str) -> float:
        """The mean of the random wait that comes on top, in ns."""
        price = self.prices.get(key)
        return price.spread if price is not None else 0.0


def names() -> list[str]:
    """The price lists that ship with simnet."""
    folder = bundled(_FOLDER)
    return sorted(path.stem for path in folder.glob("*.yaml")) if folder is not None else []


def load(name: str = DEFAULT) -> Costs:
    """Read a price list by its name or path; UnknownName without one, SourceError where it cannot be taken."""
    return _load(name, Path(), ())


def _load(name: str, folder: Path, through: tuple[Path, ...]) -> Costs:
    """Read a list that those `through` which it is reached extend; a path begins in `folder`."""
    path, shown = folder / name, str(folder / name)
    if path.suffix not in {".yaml", ".yml"}:
        found = bundled(f"{_FOLDER}/{name}.yaml")
        if found is None:
            raise UnknownName("price list", name, names())
        path, shown = found, f"{_FOLDER}/{found.name}"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(getattr(error, "strerror", None) or "not UTF-8 text", file=shown) from None
    return _read(text, shown, (*through, path.resolve()))


def read(text: str, file: str) -> Costs:
    r"""Read a price list from its text; SourceError names the price and the place of what is wrong.

    Example:
        >>> read("name: mine\nprices: {rout: {value: 150}}\n", "mine.yaml")
        Traceback (most recent call last):
        ...
        simnet.errors.SourceError: mine.yaml:2:16: no key 'rout' here; did you mean 'route'?
    """
    return _read(text, file, ())


def _read(text: str, file: str, through: tuple[Path, ...]) -> Costs:
    top = document.read(text, file)
    found = top.mapping(_TOP, ["name"] if "extends" in top.mapping() else ["name", "prices"])
    base = _extended(found["extends"], file, through) if "extends" in found else None
    defaults = found["defaults"].mapping(_SAID) if "defaults" in found else {}
    given = found["prices"].mapping(KEYS) if "prices" in found else {}
    own = {key: _price(key, value, defaults) for key, value in given.items()}
    prices = dict(base.prices) if base is not None else {}
    for value in found["scale"].items() if "scale" in found else ():
        prices |= _scaled(value, prices, defaults)
    machine = _machine(found["machine"], base) if "machine" in found else base.machine if base else Machine()
    backend = found["backend"].one_of(BACKENDS) if "backend" in found else base.backend if base else BACKENDS[0]
    digest = hashlib.blake2s((text + (base.digest if base else "")).encode(), digest_size=8).hexdigest()
    about = found["about"].text().strip() if "about" in found else ""
    return Costs(found["name"].text(), about, prices | own, machine, backend, digest)


def _extended(value: Value, file: str, through: tuple[Path, ...]) -> Costs:
    """The list that a file extends; where there is none, or it comes back to the file, the error points at its name."""
    name, folder = value.text(), Path() if file.startswith(_FOLDER) else Path(file).parent
    own = bundled(f"{_FOLDER}/{name}.yaml") or folder / name
    if own.resolve() in through:
        raise value.error(f"{name} leads back to itself by `extends`", "let one of them stand by itself")
    try:
        return _load(name, folder, through)
    except UnknownName as error:
        raise value.error(str(error)) from None
    except SourceError as error:
        if error.line:
            raise
        raise value.error(f"{error.file}: {error.message}") from None


def _price(key: str, value: Value, defaults: Mapping[str, Value]) -> Price:
    given = value.mapping((*_SAID, "value", "spread"))
    said = {**defaults, **given}
    lacking = [name for name in ("value", *_SAID) if name not in said]
    if lacking:
        why = "say where it comes from, or it is only a number"
        raise value.error(f"the price of {key} has no {', '.join(lacking)}", why)
    amount, spread = (_amount(said[name]) if name in said else 0.0 for name in ("value", "spread"))
    unit, statistic = said["unit"].one_of(UNITS), said["statistic"].one_of(STATISTICS)
    if unit != KEYS[key].unit:
        raise said["unit"].error(f"{key} is paid in {KEYS[key].unit}, not {unit}")
    return Price(key, amount, unit, statistic, said["hardware"].text(), said["source"].text(), spread)


def _amount(value: Value) -> float:
    """A number that is not negative."""
    held = value.scalar()
    try:
        amount = float("" if isinstance(held, bool) else held)
    except ValueError:
        raise value.error(f"a number is wanted here, not {held!r}") from None
    if not 0 <= amount < 1e12:
        raise value.error(f"{amount:g} is no price", "a price is 0 or more")
    return amount


def _scaled(value: Value, prices: Mapping[str, Price], defaults: Mapping[str, Value]) -> dict[str, Price]:
    """The prices of some groups times a factor, with the source that the factor comes from."""
    given = value.mapping(("of", "factor", *_SAID), ["of", "factor"])
    said = {**defaults, **given}
    factor = _amount(given["factor"])
    of = given["of"].items() if isinstance(given["of"].held, list) else [given["of"]]
    groups = [group.one_of(groups_of(KEYS)) for group in of]
    lacking = [name for name in ("hardware", "source") if name not in said]
    if lacking:
        raise value.error(f"the factor of {', '.join(groups)} has no {', '.join(lacking)}", "say where it comes from")
    source, hardware = said["source"].text(), said["hardware"].text()
    return {
        key: Price(key, price.value * factor, price.unit, price.statistic, hardware,
                   f"{source}; {factor:g} × {price.source}", price.spread * factor)
        for key, price in prices.items() if any(in_group(key, group) for group in groups)
    }  # fmt: skip


def _machine(value: Value, base: Costs | None) -> Machine:
    given = value.mapping(_MACHINE)
    was = base.machine if base is not None else Machine()
    cpus = given["cpus"].number() if "cpus" in given else was.cpus
    if not 1 <= cpus <= 1024:
        raise given["cpus"].error(f"no machine has {cpus} CPUs here", "between 1 and 1024")
    together = given["together"].flag() if "together" in given else was.together
    rate = int(_amount(given["rate"])) if "rate" in given else was.rate
    delay = int(_amount(given["delay"])) if "delay" in given else was.delay
    return Machine(cpus, together, rate, delay)
