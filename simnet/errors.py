"""Every exception that simnet raises on purpose.

    SimnetError
    ├── UsageError            the caller asked for something that cannot be (exit code 2)
    │   ├── UnknownPlace      no such host, container or namespace in the source
    │   ├── UnknownName       any other name that is not there (a table, a device, a format …)
    │   ├── Refused           what a Docker engine does not do, in its own words
    │   └── TemplateError     a Go template (`--format`) that docker does not take, in its words
    ├── SourceError           what was read cannot be understood (exit code 3)
    │   ├── RulesError        an iptables-save dump
    │   ├── SnapshotError     a snapshot folder
    │   └── ScenarioError     a scenario or a compose file
    └── HostError             this machine lacks what was asked of it: root, a tool, a kernel's feature (exit code 4)

A message says what is wrong, where (file:line:column) and the next step.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches


class SimnetError(Exception):
    """The root of the tree; `exit_code` is what a command ends with.

    Example:
        >>> SimnetError("no route").exit_code
        1
    """

    exit_code = 1


class UsageError(SimnetError):
    """A request that cannot be met as it was put: a bad option, an impossible port."""

    exit_code = 2


class UnknownName(UsageError):
    """A name that is not among those that exist; the message offers the nearest one.

    Example:
        >>> print(UnknownName("table", "fliter", ["filter", "nat"]))
        no table 'fliter'; did you mean 'filter'?
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        """Say which `kind` of thing `name` was to be, and what is `known`."""
        self.kind, self.name, self.known = kind, name, sorted(known)
        super().__init__(f"no {kind} {name!r}{nearest(name, self.known)}")


class UnknownPlace(UnknownName):
    """A place (`h1`, `h1/web`, `wan`) that the source does not hold."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        """Say which place was asked for, and which there are."""
        super().__init__("place", name, known)


class Refused(UsageError):
    """A Docker engine refused; the message is its own (`Error response from daemon: …` stands before it in a terminal).

    Example:
        >>> print(Refused("network_unknown", "network n1 not found"))
        network n1 not found
    """

    def __init__(self, kind: str, message: str) -> None:
        """Say which `kind` of refusal it is (the key of the message in the layout), and the message."""
        self.kind = kind
        super().__init__(message)


class TemplateError(UsageError):
    """A Go template that cannot be read or run; the message is Go's own.

    Example:
        >>> print(TemplateError("template: :1: unclosed action"))
        template: :1: unclosed action
    """


class SourceError(SimnetError):
    """Something that was read is wrong: where it is, what is wrong, and what to do.

    Example:
        >>> print(SourceError("truncated JSON", file="ip-addr.json", line=3, column=7, hint="take the snapshot again"))
        ip-addr.json:3:7: truncated JSON; take the snapshot again
    """

    exit_code = 3

    def __init__(self, message: str, *, file: str = "", line: int = 0, column: int = 0, hint: str = "") -> None:
        """Place the `message` at `file:line:column`; `hint` is the next step."""
        self.message, self.file, self.line, self.column, self.hint = message, file, line, column, hint
        super().__init__(message)

    def __str__(self) -> str:
        """One line: where, what, next step."""
        where = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        return (f"{where}: " if where else "") + self.message + (f"; {self.hint}" if self.hint else "")


class RulesError(SourceError):
    """An iptables-save dump that cannot be loaded."""


class SnapshotError(SourceError):
    """A snapshot folder that lacks something or holds something unreadable."""


class ScenarioError(SourceError):
    """A scenario or a compose file; all that was found wrong in it, one line each.

    Example:
        >>> wrong = SourceError("services.web must be a mapping", file="compose.yaml", line=2)
        >>> print(ScenarioError([wrong, SourceError("no such file", file="db.yaml")]))
        compose.yaml:2: services.web must be a mapping
        db.yaml: no such file
    """

    def __init__(self, problems: Sequence[SourceError]) -> None:
        """Take the `problems`, one at least; the first gives the message and the place."""
        self.problems = tuple(problems)
        first = self.problems[0]
        super().__init__(first.message, file=first.file, line=first.line, column=first.column, hint=first.hint)

    def __str__(self) -> str:
        """One line for each problem."""
        return "\n".join(map(str, self.problems))


class HostError(SimnetError):
    """What a real host does not allow or lacks: what it is, and the next step.

    Example:
        >>> print(HostError("the command 'nft' is missing", "install it: apt-get install nftables"))
        the command 'nft' is missing; install it: apt-get install nftables
    """

    exit_code = 4

    def __init__(self, message: str, hint: str = "") -> None:
        """Say what is missing, and the next step."""
        self.message, self.hint = message, hint
        super().__init__(message + (f"; {hint}" if hint else ""))


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of a message: the nearest right spelling, or what there is.

    Example:
        >>> nearest("h1/wbe", ["h1/web", "wan/host"])
        "; did you mean 'h1/web'?"
    """
    names = list(known)
    close = get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; there are: {', '.join(names[:12])}{' …' if len(names) > 12 else ''}" if names else ""
