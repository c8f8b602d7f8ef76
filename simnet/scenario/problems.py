"""All that is wrong in a file, collected, so that it can be said at once."""

from __future__ import annotations

from types import TracebackType

from simnet.errors import ScenarioError, SourceError


class Problems:
    """What was found wrong so far.

    Example:
        >>> problems = Problems()
        >>> with problems.caught():
        ...     raise SourceError("no such key", file="a.yaml", line=1)
        >>> problems.found[0].line
        1
    """

    def __init__(self) -> None:
        """None yet."""
        self.found: list[SourceError] = []

    def caught(self) -> Caught:
        """Keep the error that what is done inside raises, and go on after it."""
        return Caught(self)

    def settle(self) -> None:
        """Raise all of them as one ScenarioError, in the order of their lines."""
        if self.found:
            raise ScenarioError(sorted(self.found, key=lambda one: (one.file, one.line, one.column)))


class Caught:
    """Keeps a SourceError that is raised inside it; any other error goes on."""

    def __init__(self, problems: Problems) -> None:
        """Keep it among these."""
        self._problems = problems

    def __enter__(self) -> None:
        """Nothing to do."""

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _t: TracebackType | None
    ) -> bool:
        """Keep the error, if it is one of the file's."""
        if isinstance(error, ScenarioError):
            self._problems.found += error.problems
        elif isinstance(error, SourceError):
            self._problems.found.append(error)
        return isinstance(error, SourceError)
