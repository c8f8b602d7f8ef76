"""A calibration as a price list: a YAML file that `--costs` takes, written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from simnet.errors import UsageError
from simnet.sim.prices.keys import KEYS

from .calibration import Calibration, Fitted

SUFFIXES = (".yaml", ".yml")
_DIGITS = 4
_WIDTH = 116


def check_output(path: Path) -> None:
    """Refuse a file that cannot be written or would not be read; UsageError says why.

    Example:
        >>> check_output(Path("mine.txt"))
        Traceback (most recent call last):
        ...
        simnet.errors.UsageError: -o mine.txt: a price list is a .yaml file
    """
    if path.suffix not in SUFFIXES:
        raise UsageError(f"-o {path}: a price list is a .yaml file")
    if not path.parent.is_dir():
        raise UsageError(f"-o {path}: no folder {str(path.parent)!r}")
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise UsageError(f"-o {path}: cannot be written")


def hardware() -> str:
    """What this machine is: CPUs, whether it is virtual, and its kernel.

    Example:
        >>> hardware().endswith(f"Linux {os.uname().release}")
        True
    """
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    pairs = (line.partition(":") for line in reversed(lines))
    said = {key.strip(): value.strip() for key, _, value in pairs}
    model = said.get("model name") or said.get("Model") or os.uname().machine
    virtual = "virtual " if "hypervisor" in said.get("flags", "").split() else ""
    count = os.cpu_count() or 1
    return f"{count} {virtual}CPU{'s' if count > 1 else ''}, {model}, Linux {os.uname().release}"


def text(found: Calibration, name: str, backend: str) -> str:
    """The price list, named, with the back end whose prices rules have where nothing else is said."""
    import yaml

    prices = {key: _price(found.prices[key]) for key in KEYS if key in found.prices}
    document: dict[str, Any] = {
        "name": name,
        "about": _about(found),
        "extends": found.base.name,
        "backend": backend,
        "machine": {"cpus": os.cpu_count() or 1, "together": True},
        "defaults": {"unit": "ns", "statistic": "fit", "hardware": hardware()},
    }
    if found.unmeasured:
        document["scale"] = [{
            "of": found.unmeasured, "factor": _rounded(found.factor),
            "source": "not measured on this machine; the middle one of the measured paths takes so many times as long "
                      f"as by {found.base.name}",
        }]  # fmt: skip
    document["prices"] = prices
    written: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=_WIDTH)
    return written


def write(path: Path, document: str) -> None:
    """Write a file whole or not at all; UsageError where it cannot be."""
    check_output(path)
    try:
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(document)
            Path(draft).chmod(0o644)
            Path(draft).replace(path)
        finally:
            Path(draft).unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"-o {path}: cannot be written: {error.strerror}") from None


def _price(price: Fitted) -> dict[str, Any]:
    """One entry of `prices`."""
    found: dict[str, Any] = {"value": _rounded(price.value)}
    if price.spread:
        found["spread"] = _rounded(price.spread)
    if (unit := KEYS[price.key].unit) != "ns":
        found["unit"] = unit
    sure = f"± {_rounded(price.half):g} (95 %)" + (", too noisy to trust" if price.noisy else "")
    if price.least:
        sure = "the paths leave next to nothing for it; a tenth of the base's, scaled, is the least"
    found["source"] = f"{sure}; told most by {'; '.join(price.told_by)}"
    return found


def _about(found: Calibration) -> str:
    rounds = len(next(iter(found.figures.values())).rounds)
    noisy = ", ".join(price.key for price in found.noisy) or "none"
    lines = [
        f"Measured by simnet calibrate on {datetime.now(UTC):%Y-%m-%d}: {len(found.figures)} paths, {rounds} rounds, "
        "each path in each round, on one CPU, in network namespaces joined by veth pairs.",
        "Prices are fitted by least squares to the medians, over the counts that the model gives for each path; prices "
        f"that the paths do not tell apart have the proportion that they have in {found.base.name}.",
        f"Too noisy to trust (off by more than a quarter, perhaps): {noisy}.",
    ]
    if found.refused:
        refused = sorted({f"{path.name} ({why})" for path, why in found.refused.items()})
        lines.append(f"Refused here: {'; '.join(refused)}")
    return "\n".join(lines) + "\n"


def _rounded(value: float) -> float:
    """A value with four digits, as a number that prints so."""
    return float(f"{value:.{_DIGITS}g}")
