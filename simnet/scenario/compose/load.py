"""A compose file, with all that belongs to it, read into a `Project`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from simnet.docker.document import Value
from simnet.errors import ScenarioError, SourceError

from . import check, consistency, files
from .layers import Layers
from .networks import network
from .project import Project, ProjectNetwork, Service
from .services import service, started, with_containers
from .tree import Findings, documents, mapping_of

EXTENSION = "x-simnet"


def read(
    path: Path,
    *,
    files: tuple[Path, ...] = (),
    name: str = "",
    profiles: tuple[str, ...] = (),
    environ: Mapping[str, str] | None = None,
) -> Project:
    """Read a project: `path` is its folder or its file, `files` are laid over it, in order.

    `name` and `profiles` are what `-p` and `--profile` give; `environ` is the environment, that of this process unless
    given. Raises ScenarioError, which holds all that is wrong.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     file = Path(folder, "compose.yaml")
        ...     _ = file.write_text("services: {web: {image: nginx, ports: ['${PORT:-8080}:80']}}")
        ...     project = read(file, name="shop", environ={})
        >>> web = project.service("web").containers[0]
        >>> web.name, web.network, [str(port) for port in web.ports]
        ('shop-web-1', 'shop_default', ['8080:80/tcp'])
    """
    try:
        return _Reading(path, files, name, profiles, os.environ if environ is None else environ).project()
    except RecursionError:
        raise ScenarioError([SourceError("files or services extend each other too deep", file=str(path))]) from None


def is_compose(path: Path) -> bool:
    """Whether a YAML file, or a folder, is a compose project: it has `services` at its top, or includes files that do.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     file = Path(folder, "a.yaml")
        ...     _ = file.write_text("hosts: {h1: {}}")
        ...     is_compose(file), is_compose(Path(folder))
        (False, False)
    """
    if path.is_dir():
        return any((path / name).is_file() for name in files.DEFAULT_FILES)
    try:
        tops = documents(files.text_at(path), str(path))
    except SourceError:
        # whoever reads it next tells what is wrong with it; its name says who that is
        return path.name in files.DEFAULT_FILES
    return any(isinstance(top.held, dict) and {"services", "include"} & set(top.held) for top in tops)


class _Reading:
    """One reading, from the files to the project."""

    def __init__(self, path: Path, more: tuple[Path, ...], name: str, profiles: tuple[str, ...],
                 environ: Mapping[str, str]) -> None:  # fmt: skip
        self.findings = Findings()
        self.path, self.name, self.profiles = path, name, profiles
        if not path.exists():
            raise ScenarioError([SourceError("no such file or directory", file=str(path))])
        folder = path if path.is_dir() else path.parent
        if more and path.is_dir():
            folder = more[0].parent
        self.folder = folder
        dotenv = [folder / ".env"] if (folder / ".env").is_file() else []
        self.environ = files.variables(dotenv, environ, self.findings)
        self.files = files.chosen(path, more, self.environ.get, self.findings)

    def project(self) -> Project:
        """The project; ScenarioError with all that is wrong."""
        layers = Layers(self.folder, self.environ, self.findings, (self.files[0],))
        try:
            tops = [top for file in self.files for top in layers.documents(file)]
        except SourceError as error:
            raise ScenarioError([*self.findings.problems, error]) from None
        name = files.project_name(self.name, tops, self.folder, self.environ.get, self.findings)
        layers.environ = self.environ = {**self.environ, "COMPOSE_PROJECT_NAME": name}
        top = layers.load(self.files)
        every = [
            service(key, value, self.findings)
            for key, value in mapping_of(mapping_of(top).get("services")).items()
        ]  # fmt: skip
        on, off = consistency.enabled(every, self._profiles())
        consistency.check(on, off, top, self.findings)
        networks = list(self._networks(name, top, on))
        if self.findings.problems:
            raise ScenarioError(self.findings.problems)
        check.ignored(top, self.findings)
        names = {net.key: net.options.name for net in networks}
        known = {one.name: one for one in on}
        return Project(
            name, tuple(networks), tuple(with_containers(one, name, names, known) for one in started(on)),
            tuple(one.name for one in off), tuple(self.files), tuple(self.findings.notes),
            tuple(self.findings.ignored), dict(_extensions(top, ())),
        )  # fmt: skip

    def _profiles(self) -> Sequence[str]:
        named = self.environ.get("COMPOSE_PROFILES", "")
        return [*self.profiles, *(one.strip() for one in named.split(",") if one.strip())]

    def _networks(self, name: str, top: Value, on: Sequence[Service]) -> Iterator[ProjectNetwork]:
        """The networks that enabled services are on; compose makes no others."""
        declared = mapping_of(mapping_of(top).get("networks"))
        used = {net.key for one in on for net in one.networks}
        if "default" in used and "default" not in declared:
            yield network(name, "default", None, self.findings)
        for key, value in declared.items():
            if key in used:
                yield network(name, key, value, self.findings)


def _extensions(value: Value, path: tuple[str, ...]) -> Iterator[tuple[str, Value]]:
    """What stands under `x-simnet`, by the path of the mapping that has it."""
    for key, item in mapping_of(value).items():
        if key == EXTENSION:
            yield ".".join(path), item
        elif not key.startswith("x-"):
            yield from _extensions(item, (*path, key))
