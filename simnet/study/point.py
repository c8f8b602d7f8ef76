"""One point of a sweep: what a process needs to know to make its runs, by itself and anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from simnet.errors import SimnetError
from simnet.scenario.plan import Setting
from simnet.scenario.source import Source, read_source
from simnet.sim.experiment import Bill, Outcome, Plan

from .conditions import Conditions, model_hash, text_hash
from .timing import experiment


@dataclass(frozen=True, slots=True)
class Task:
    """A point's runs: the values that it varies (`point`), all `conditions`, and the `seeds`; one run for each.

    `costs` is a price list by name or file, empty for the source's own; `traffic` names what is run, empty for all.
    """

    point: Mapping[str, str]
    source: str
    costs: str
    plan: Plan
    conditions: Conditions
    seeds: tuple[int, ...]
    traffic: tuple[str, ...] = ()

    def __str__(self) -> str:
        """`h1.cpus=2, run.seed=1`."""
        return ", ".join(f"{path}={value}" for path, value in self.point.items())


@dataclass(frozen=True, slots=True)
class Made:
    """The runs of a point, the bills that all of them share, and where they are not exact."""

    outcomes: tuple[Outcome, ...]
    bills: Mapping[str, tuple[Bill, Bill]]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """Why there are no runs of a point."""

    why: str

    def __str__(self) -> str:
        """The reason."""
        return self.why


def settled(source: str, settings: Mapping[str, str]) -> Source:
    """A source with settings laid over it, by path as `--set` takes them."""
    return read_source(source, settings=[Setting.parse(f"{path}={value}") for path, value in settings.items()])


def make(task: Task) -> Made | Failed:
    """Make a point's runs; whatever is wrong with it comes back as a reason, for the other points go on."""
    try:
        return _made(task)
    except SimnetError as error:
        return Failed(str(error))
    except Exception as error:  # one point must not end the others
        return Failed(f"{type(error).__name__}: {error}")


def _made(task: Task) -> Made | Failed:
    conditions = task.conditions
    if conditions.model != model_hash():
        return Failed("another state of simnet does the work than the one that the sweep began with")
    if conditions.text != text_hash(read_source(task.source), task.traffic):
        return Failed(f"{task.source} has changed since the sweep began")
    found = experiment(settled(task.source, conditions.settings), task.costs, task.traffic)
    if found.costs.digest != conditions.prices:
        return Failed(f"the price list {found.costs.name} has changed since the sweep began")
    plans = [replace(task.plan, seed=seed, replications=1) for seed in task.seeds]
    outcomes = tuple(outcome for plan in plans for outcome in found.run(plan))
    return Made(outcomes, found.bills(), found.notes)
