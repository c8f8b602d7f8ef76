"""A sweep: an experiment at many points, in many processes, each finished point kept at once.

Every point has the same seeds (common random numbers), so that points differ by what varies and not by luck, and a
point's runs are the same ones in whichever sweep it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, cast

from simnet.errors import UsageError
from simnet.sim.experiment import Plan
from simnet.sim.prices.costs import Costs

from .conditions import Conditions, text_hash
from .interval import Mean
from .measures import MEASURES
from .point import Failed, Made, Task, make, settled
from .results import Kept, Results
from .sampling import Axis, Point
from .timing import experiment, plan_of
from .workers import Died

# gives each task and what came of it, as they are done (`workers.each`, `cluster.each`)
Pool = Callable[[Iterable[Task], Callable[[Task], Made | Failed]], Iterator[tuple[Task, Made | Failed | Died]]]
Progress = Callable[[int, int], None]
_RUN, _COSTS = "run.", "run.costs"


@dataclass(frozen=True)
class Sweep:
    """What to try: a source, `settings` that hold at every point, the points, prices, and how to run (`plan_of`).

    `traffic` names what is run, empty for all of it.

    Example:
        >>> from .sampling import points
        >>> axes = [Axis.parse("traffic.last.connections.clients=1,2")]
        >>> ports = Sweep("scenarios/performance/many-ports.yaml", {}, axes, points(axes), how={"exchanges": 10})
        >>> [f"{task}, seeds {task.seeds}" for task in ports.tasks()]
        ['traffic.last.connections.clients=1, seeds (0,)', 'traffic.last.connections.clients=2, seeds (0,)']
    """

    source: str
    settings: Mapping[str, str]
    axes: Sequence[Axis]
    points: Sequence[Point]
    costs: str = ""
    how: Mapping[str, Any] = field(default_factory=dict)
    traffic: tuple[str, ...] = ()

    def check(self) -> tuple[str, ...]:
        """Look at the first point, and at the ends of everything that varies; an error says what cannot be.

        What there is to say of the source is given back.
        What shows only where packets flow is found when the points are run.
        """
        for axis in self.axes:
            if axis.path in self.settings:
                raise UsageError(f"{axis.path} is set, so it cannot vary")
        first = self.points[0]
        source = settled(self.source, {**self.settings, **first})
        experiment(source, self.costs, self.traffic)
        for axis in self.axes:
            for value in axis.ends():
                plan_of(settled(self.source, {**self.settings, **first, axis.path: value}), **self.how)
        return source.notes

    def tasks(self) -> Iterator[Task]:
        """The task of every point, with all its seeds."""
        for point in self.points:
            settings = {**self.settings, **point}
            plan, prices = self._plan(point, settings), self._prices(point, settings)
            conditions = Conditions.of(self.source, self._text, settings, plan, prices)
            seeds = tuple(range(plan.seed, plan.seed + plan.replications))
            yield Task(point, self.source, self.costs, plan, conditions, seeds, self.traffic)

    @cached_property
    def _text(self) -> str:
        return text_hash(settled(self.source, {}), self.traffic)

    @cached_property
    def _known(self) -> dict[tuple[str, ...], Any]:
        """What does not hang on what a point varies is found out once."""
        return {}

    def _plan(self, point: Point, settings: Mapping[str, str]) -> Plan:
        key = ("plan", *(value for path, value in point.items() if path.startswith(_RUN)))
        if key not in self._known:
            self._known[key] = plan_of(settled(self.source, settings), **self.how)
        return cast("Plan", self._known[key])

    def _prices(self, point: Point, settings: Mapping[str, str]) -> Costs:
        key = ("prices", point.get(_COSTS, ""))
        if key not in self._known:
            self._known[key] = experiment(settled(self.source, settings), self.costs).costs
        return cast("Costs", self._known[key])


@dataclass(slots=True)
class Went:
    """How a sweep went: points done now, points that were there before, those that failed and why, and notes."""

    done: int = 0
    before: int = 0
    failed: list[tuple[Task, Failed | Died]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def run(tasks: Sequence[Task], results: Results, pool: Pool, progress: Progress = lambda _done, _all: None) -> Went:
    """Make the runs that are not there, and keep each point's as it is done; `progress` is told of points."""
    lacking = [replace(task, seeds=tuple(results.lacking(task.conditions, task.seeds))) for task in tasks]
    todo = [task for task in lacking if task.seeds]
    went = Went(before=len(tasks) - len(todo))
    progress(went.before, len(tasks))
    with closing(cast("Any", pool(todo, make))) as found:
        for task, done in found:
            if isinstance(done, Made):
                _keep(results, task, done)
                went.done += 1
                went.notes += [note for note in done.notes if note not in went.notes]
            else:
                went.failed.append((task, done))
            progress(went.before + went.done + len(went.failed), len(tasks))
    return went


def _keep(results: Results, task: Task, done: Made) -> None:
    try:
        results.add(task.conditions, done.outcomes, done.bills)
    except KeyboardInterrupt:
        results.add(task.conditions, done.outcomes, done.bills)  # it is finished, so it is kept
        raise


@dataclass(frozen=True, slots=True)
class Row:
    """What a point's runs say of one traffic: each measure with its interval."""

    point: Mapping[str, str]
    traffic: str
    runs: int
    measures: Mapping[str, Mean]


def rows(tasks: Iterable[Task], results: Results) -> Iterator[Row]:
    """The rows of all points that have runs, in their order."""
    for task in tasks:
        yield from _rows(task.point, results.of(task.conditions, task.seeds))


def _rows(point: Mapping[str, str], kept: Sequence[Kept]) -> Iterator[Row]:
    for name in kept[0].outcome.flows if kept else ():
        runs = [one.outcome for one in kept]
        found = {key: Mean.of([one.of(run, run.flows[name]) for run in runs]) for key, one in MEASURES.items()}
        yield Row(point, name, len(kept), found)
