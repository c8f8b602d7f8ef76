"""A source by its path: a snapshot folder, a scenario or a compose file, as a lab, under given conditions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from simnet.bundled import bundled
from simnet.errors import SourceError, UsageError
from simnet.lab.lab import Lab
from simnet.net.network import Network

from . import snapshot
from .default_files import DEFAULT_FILES
from .plan import Claim, Plan, Setting, changed


@dataclass(frozen=True, slots=True)
class Source:
    """A source that has been read: `open` makes a fresh lab of it each time; `plan` is None for a snapshot."""

    name: str
    open: Callable[[], Lab] = field(repr=False)
    plan: Plan | None = field(default=None, repr=False)

    @property
    def notes(self) -> tuple[str, ...]:
        """What there is to say of a scenario or compose file: warnings, what was ignored or taken for granted."""
        return self.plan.notes if self.plan is not None else ()

    @property
    def claims(self) -> tuple[Claim, ...]:
        """What the source says must hold."""
        return self.plan.claims if self.plan is not None else ()


def read_source(name: str, engine: str = "", settings: Iterable[Setting] = ()) -> Source:
    """Read a source; `engine` replaces every host's version, `settings` change single things.

    Raises SourceError (or one of its kinds) where there is none or it cannot be read.
    """
    asked = ([Setting("*", "engine", "", engine)] if engine else []) + list(settings)
    path = Path(name)
    if not path.exists():
        path = bundled(name) or path
    if path.is_dir() and not any((path / name).is_file() for name in DEFAULT_FILES):
        if asked:
            raise UsageError(f"{name} is a snapshot; its engine and settings are as they were taken")
        return Source(name, lambda: Lab.around(snapshot.load(path)))
    from .build import build  # engines and commands, which a snapshot does not need

    plan = changed(_plan(path, name), asked)
    return Source(name, lambda: build(plan), plan)


def is_source(name: str) -> bool:
    """Whether a name is that of a source, by what it is: a folder or a YAML file."""
    path = Path(name)
    path = path if path.exists() else bundled(name) or path
    return path.is_dir() or path.suffix in {".yaml", ".yml"}


def _plan(path: Path, name: str) -> Plan:
    if not path.exists():
        raise SourceError("no such file or folder", file=name,
                          hint="a source is a snapshot folder, a scenario or a compose file")  # fmt: skip
    from simnet.docker import document

    from . import compose, compose_plan, scenario_file

    if path.is_dir():
        return compose_plan.read(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(getattr(error, "strerror", None) or "not UTF-8 text", file=name) from None
    if compose.is_compose(path):
        return compose_plan.read(path)
    if scenario_file.is_scenario(document.read(text, name)):
        return scenario_file.read(text, name)
    raise SourceError("neither a scenario (with `hosts`) nor a compose file (with `services`)", file=name, line=1)


def open_source(name: str) -> Network:
    """The network of a source (see `read_source`), once."""
    return read_source(name).open().network
