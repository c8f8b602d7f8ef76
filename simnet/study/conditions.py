"""Under what conditions a run was made: everything that its outcome hangs on, so that equal conditions are one run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import cache
from pathlib import Path

import simnet
from simnet.bundled import bundled
from simnet.docker.document import Value
from simnet.scenario.source import Source
from simnet.sim.experiment import Plan
from simnet.sim.prices.costs import Costs

# the parts of the package that an outcome hangs on, and the data that they read; price lists have digests of their own
_MODEL = ("net", "docker", "lab", "scenario", "sim")
_DATA = "models/docker"


@dataclass(frozen=True, slots=True)
class Conditions:
    """What makes a run what it is, but for the seed.

    `scenario` is the source's name, `text` the hash of what it says (`text_hash`); `settings` are paths and values as
    `--set` takes them, in the order in which they are laid over it. `prices` is the digest of the price list `costs`.
    Times are in ns. `model` is the hash of the part of simnet that makes outcomes (`model_hash`).

    Example:
        >>> here = Conditions("a.yaml", "1f", {"h1.engine": "28.5"}, exchanges=100)
        >>> here.key(1) == here.key(1), here.key(1) == here.key(2)
        (True, False)
    """

    scenario: str
    text: str
    settings: Mapping[str, str] = field(default_factory=dict)
    exchanges: int = 0
    duration: int = 0
    warmup: int = 0
    engine: str = "auto"
    costs: str = ""
    prices: str = ""
    version: str = simnet.__version__
    model: str = ""

    @classmethod
    def of(cls, scenario: str, text: str, settings: Mapping[str, str], plan: Plan, costs: Costs) -> Conditions:
        """Those of a plan's runs with a price list, by this version of simnet."""
        return cls(scenario, text, dict(settings), plan.exchanges, plan.duration, plan.warmup, plan.engine,
                   costs.name, costs.digest, model=model_hash())  # fmt: skip

    def key(self, seed: int) -> str:
        """What one run goes by in a file of results; the source's name is no part of it, for it may be moved."""
        said = {one.name: getattr(self, one.name) for one in fields(self) if one.name not in {"scenario", "costs"}}
        said["settings"] = list(self.settings.items())
        return _digest([json.dumps([said, seed], sort_keys=True).encode()])


def text_hash(source: Source, traffic: Collection[str] = ()) -> str:
    """The hash of what a source says, wherever it lies and however its lines are placed, and of the times it names.

    With `traffic` (names): as if there were no other. Of a snapshot: of its files, by name. Leaves out: a file of times
    that only a setting names.

    Example:
        >>> from simnet.scenario.source import read_source
        >>> len(text_hash(read_source("scenarios/basics/modes.yaml")))
        16
    """
    path = Path(source.name)
    path = path if path.exists() else bundled(source.name) or path
    if source.plan is None:
        return _digest(_files(path, sorted(one for one in path.rglob("*") if one.is_file())))
    timing = source.plan.timing
    kept = tuple(one for one in timing.traffic if not traffic or one.name in traffic)
    folder = path if path.is_dir() else path.parent
    times = [folder / one.arrivals.times for one in kept if one.arrivals and one.arrivals.times]
    plan = replace(source.plan, timing=replace(timing, traffic=kept))
    return _digest([*_said(plan), *(one.read_bytes() for one in times if one.is_file())])


@cache
def model_hash() -> str:
    """The hash of the code and data that outcomes hang on: another one tells two states of one version apart.

    Example:
        >>> len(model_hash())
        16
    """
    package = Path(simnet.__file__).parent
    data = bundled(_DATA)
    return _digest([
        *(part for name in _MODEL for part in _files(package, sorted((package / name).rglob("*.py")))),
        *(_files(data, sorted(data.rglob("*.yaml"))) if data is not None else ()),
    ])  # fmt: skip


def _digest(parts: Iterable[bytes]) -> str:
    found = hashlib.blake2s(digest_size=8)
    for part in parts:
        found.update(b"%d:" % len(part) + part)
    return found.hexdigest()


def _files(root: Path, paths: Iterable[Path]) -> Iterator[bytes]:
    for path in paths:
        yield path.relative_to(root).as_posix().encode()
        yield path.read_bytes()


def _said(one: object) -> Iterator[bytes]:
    """A plan as a row of texts, each value's place in its file left out."""
    if callable(one):
        return
    if isinstance(one, Value):
        yield from _said(one.held)
    elif isinstance(one, Mapping):
        yield b"{%d" % len(one)
        for key, value in one.items():
            yield from _said(key)
            yield from _said(value)
    elif isinstance(one, (set, frozenset)):
        yield from _said(sorted(one))
    elif isinstance(one, (list, tuple)):
        yield b"[%d" % len(one)
        for item in one:
            yield from _said(item)
    elif is_dataclass(one):
        yield type(one).__name__.encode()
        for part in fields(one):
            yield part.name.encode()
            yield from _said(getattr(one, part.name))
    elif hasattr(one, "tobytes"):
        yield one.tobytes()  # an array of times
    else:
        yield repr(one).encode()
