"""Where `simnet run -o` puts what was measured: runs into a file of results, and a figure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from simnet.draw.figure import FORMATS
from simnet.errors import UsageError, nearest

if TYPE_CHECKING:
    from simnet.sim.experiment import Experiment, Outcome, Plan
    from simnet.study.conditions import Conditions
    from simnet.study.results import Results

RESULTS = ("sqlite", "db")


def check(path: Path) -> None:
    """Refuse a file that cannot be written, before anything is run."""
    form = path.suffix.lower().lstrip(".")
    if form not in (*RESULTS, *FORMATS):
        raise UsageError(f"-o {path}: no format {path.suffix!r}{nearest(form, (*RESULTS, *FORMATS))}")
    if not path.parent.is_dir():
        raise UsageError(f"-o {path}: no folder {str(path.parent)!r}")


class Outputs:
    """The files of one run. A finished replication is in a file of results before the next one begins."""

    def __init__(self, paths: Iterable[Path], conditions: Callable[[], Conditions], asked: Experiment) -> None:
        """Open the files of results; `conditions` is asked where there are any."""
        self._asked, self._open, self.paths = asked, ExitStack(), tuple(paths)
        kept = [path for path in self.paths if _is_results(path)]
        self._conditions = conditions() if kept else None
        self._results = [self._opened(path) for path in kept]

    def _opened(self, path: Path) -> Results:
        from simnet.study.results import Results

        return self._open.enter_context(Results(path))

    def __enter__(self) -> Outputs:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def add(self, outcome: Outcome) -> None:
        """Keep a replication."""
        for results in self._results:
            assert self._conditions is not None
            results.add(self._conditions, [outcome], self._asked.bills())

    def draw(self, figure: str, outcomes: Sequence[Outcome], title: str) -> None:
        """Draw a figure of all replications."""
        for path in self.paths:
            if not _is_results(path):
                from simnet.draw.run_figures import save

                save(figure, outcomes, self._asked.bills(), path, title=title)


def _is_results(path: Path) -> bool:
    return path.suffix.lower().lstrip(".") in RESULTS


def conditions_of(
    name: str, engine: str, settings: Sequence[str], traffic: Sequence[str], plan: Plan, asked: Experiment
) -> Conditions:
    """Under what conditions a run is made, as a file of results tells them apart; the same as a sweep's."""
    from simnet.scenario.source import read_source
    from simnet.study.conditions import Conditions, text_hash

    laid = {"*.engine": engine} if engine else {}
    laid |= dict(text.partition("=")[::2] for text in settings)
    return Conditions.of(name, text_hash(read_source(name), traffic), laid, plan, asked.costs)
