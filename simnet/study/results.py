"""Runs that are kept: a SQLite file to which each finished run is added whole, and which nothing that is in it leaves.

A run is one transaction with a rollback journal, so a process that is killed at any moment loses the run that it was
adding at most. `rows` says how a run becomes rows, and back.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from simnet.errors import SimnetError
from simnet.sim.experiment import Bill, Outcome

from . import rows
from .conditions import Conditions

if TYPE_CHECKING:
    from pandas import DataFrame

# "snet" in the file's header says whose it is, `VERSION` which tables it has
_OURS = 0x736E6574
VERSION = 1
_PATIENCE = 30


class ResultsError(SimnetError):
    """A file of results that cannot be opened, read or written; what is in it stays.

    Example:
        >>> ResultsError("full").exit_code
        1
    """


@dataclass(frozen=True, slots=True)
class Kept:
    """A run as it is kept: its conditions, its outcome (seed and all), its bills by traffic, and when it was added."""

    conditions: Conditions
    outcome: Outcome
    bills: Mapping[str, tuple[Bill, Bill]] = field(default_factory=dict)
    when: str = ""


class Results:
    """A file of runs. ResultsError where it is not one, is of another version, or cannot be read or written.

    Example:
        >>> import tempfile
        >>> here = Conditions("a.yaml", "1f", {"h1.engine": "28.5"}, exchanges=100)
        >>> with tempfile.TemporaryDirectory() as folder, Results(Path(folder, "r.sqlite")) as results:
        ...     results.add(here, [Outcome(7, {}, [], 1000, 0.1, "loop")])
        ...     results.seeds(here), [kept.outcome.ended for kept in results]
        ({7}, [1000])
    """

    def __init__(self, path: Path) -> None:
        """Open a file, or begin one where there is none or an empty one."""
        self.path = path
        with self._told("opened"):
            if not path.parent.is_dir():
                raise ResultsError(f"{path}: no folder {str(path.parent)!r}")
            self._file = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
        try:
            with self._told("opened"):
                self._begin()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Results:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def __len__(self) -> int:
        with self._told("read"):
            return int(self._file.execute("SELECT count(*) FROM run").fetchone()[0])

    def __iter__(self) -> Iterator[Kept]:
        """All runs, in the order in which they were added."""
        with self._told("read"):
            yield from (self._kept(number) for (number,) in self._file.execute("SELECT id FROM run ORDER BY id"))

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def add(
        self, conditions: Conditions, outcomes: Iterable[Outcome], bills: Mapping[str, tuple[Bill, Bill]] | None = None
    ) -> None:
        """Add runs, all of them or none; one that is there already stays as it is."""
        when = datetime.now(UTC).isoformat(timespec="seconds")
        with self._told("written"), self._transaction():
            for outcome in outcomes:
                rows.put(self._file, conditions, outcome, bills or {}, when)

    def seeds(self, conditions: Conditions) -> set[int]:
        """The seeds of the runs that are there of some conditions."""
        said = "SELECT seed, key FROM run WHERE text = ? AND prices = ? AND version = ? AND model = ?"
        like = (conditions.text, conditions.prices, conditions.version, conditions.model)
        with self._told("read"):
            return {seed for seed, key in self._file.execute(said, like) if key == conditions.key(seed)}

    def lacking(self, conditions: Conditions, seeds: Iterable[int]) -> list[int]:
        """Those of some seeds that there is no run of."""
        with self._told("read"):
            return [seed for seed in seeds if self._number(conditions, seed) is None]

    def of(self, conditions: Conditions, seeds: Iterable[int]) -> list[Kept]:
        """The runs of some conditions with the given seeds, in their order; those that are not there are left out."""
        with self._told("read"):
            numbers = [self._number(conditions, seed) for seed in seeds]
            return [self._kept(number) for number in numbers if number is not None]

    def frame(self) -> DataFrame:
        """A row for each run and traffic: conditions, settings as columns, counts, rates, percentiles (ns), the bill.

        ResultsError where pandas is not installed.
        """
        try:
            import pandas
        except ImportError:
            raise ResultsError("data frames need pandas: pip install 'simnet-docker[data]'") from None
        return pandas.DataFrame([row for kept in self for row in rows.flat(kept)])

    def parquet(self, path: Path) -> None:
        """Write the frame to a Parquet file, whole or not at all; ResultsError without pyarrow, or where it cannot."""
        if not path.parent.is_dir():
            raise ResultsError(f"{path}: no folder {str(path.parent)!r}")
        frame = self.frame()
        draft = path.with_name(f".{path.name}.draft")
        try:
            frame.to_parquet(draft, engine="pyarrow", index=False)
            draft.replace(path)
        except ImportError:
            raise ResultsError("Parquet files need pyarrow: pip install 'simnet-docker[data]'") from None
        except OSError as error:
            raise ResultsError(f"{path}: cannot be written: {error.strerror or error}") from None
        finally:
            draft.unlink(missing_ok=True)

    def _number(self, conditions: Conditions, seed: int) -> int | None:
        found = self._file.execute("SELECT id FROM run WHERE key = ?", (conditions.key(seed),)).fetchone()
        return found[0] if found is not None else None

    def _kept(self, number: int) -> Kept:
        conditions, outcome, bills, when = rows.get(self._file, number)
        return Kept(conditions, outcome, bills, when)

    def _begin(self) -> None:
        """See whose the file is, and make the tables of a new one."""
        ours, version = (self._file.execute(f"PRAGMA {what}").fetchone()[0]
                         for what in ("application_id", "user_version"))  # fmt: skip
        if ours == _OURS and version != VERSION:
            raise ResultsError(f"{self.path}: results of another version of simnet (tables {version}, not {VERSION}); "
                               "name another file")  # fmt: skip
        if ours != _OURS:
            if ours or self._file.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                raise ResultsError(f"{self.path}: a database, but not of simnet's results; name another file")
            with self._transaction():
                for said in rows.TABLES:
                    self._file.execute(said)
                self._file.execute(f"PRAGMA application_id = {_OURS}")
                self._file.execute(f"PRAGMA user_version = {VERSION}")
        self._file.execute("PRAGMA foreign_keys = ON")
        self._file.execute("PRAGMA synchronous = FULL")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._file.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._file.execute("COMMIT")
        except BaseException:
            if self._file.in_transaction:  # a full disk has rolled it back already
                self._file.execute("ROLLBACK")
            raise

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """Turn what SQLite says into one message."""
        try:
            yield
        except sqlite3.Error as error:
            said = str(error)
            if "not a database" in said:
                said = "not a file of results; name another one"
            elif "locked" in said:
                said = "another process is writing it; try again"
            else:
                said = f"cannot be {what}: {said}; what is in it stays"
            raise ResultsError(f"{self.path}: {said}") from None
