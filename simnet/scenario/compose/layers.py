"""Compose files, read one over the other into a single tree: `extends` and `include` followed, variables put in.

Each file goes through the same steps: read, interpolate, extend services, bring in what it includes, lay it over the
files before it, hold the result against the specification, write short forms out.

Models: loadYamlModel, ApplyExtends and ApplyInclude of compose-go.
Leaves out: includes and bases from the network (`https://…`, `oci://…`), and env_file of services.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from simnet.docker.document import Value
from simnet.errors import ScenarioError, SourceError, nearest

from . import check
from .canonical import canonical
from .files import text_at, variables
from .interpolate import interpolate
from .merge import merge, settled, unique
from .tree import Findings, documents, items_of, made, mapping_of, plain, text_of

_SHARED = ("services", "volumes", "networks", "secrets", "configs", "models")


@dataclass(slots=True)
class Layers:
    """A reading of files: the project's folder, its variables, and what was found; `open` are the files included."""

    folder: Path
    environ: Mapping[str, str]
    findings: Findings
    open: tuple[Path, ...] = ()
    read: dict[Path, list[Value]] = field(default_factory=dict)

    def documents(self, path: Path) -> list[Value]:
        """The documents of a file, read once; SourceError where it cannot be read or is empty."""
        key = path.resolve()
        if key not in self.read:
            found = documents(text_at(path), str(path))
            if not found:
                raise SourceError("empty compose file", file=str(path), hint="a compose file has a `services` key")
            self.read[key] = found
        return self.read[key]

    def load(self, paths: Sequence[Path]) -> Value:
        """Read files one over the other. ScenarioError where nothing can be made of them."""
        top: Value | None = None
        for path in paths:
            try:
                tops = self.documents(path)
            except SourceError as error:
                raise ScenarioError([*self.findings.problems, error]) from None
            for one in tops:
                top = self._layer(top, one, path)
        assert top is not None, "a caller gives one file at least"
        return top

    def _layer(self, below: Value | None, raw: Value, path: Path) -> Value:
        if not isinstance(raw.held, dict):
            raise ScenarioError([*self.findings.problems, raw.error("top-level object must be a mapping")])
        before = len(self.findings.problems)
        here = interpolate(raw, self.environ.get, self.findings)
        here = self._extended(here, path)
        here = self._included(here)
        top = settled(here) if below is None else merge(below, here, self.findings)
        top = unique(top)
        check.check(top, self.findings)
        if "version" in mapping_of(top):
            self.findings.note(f"{path}: the attribute `version` is obsolete, it will be ignored, please remove it to "
                               "avoid potential confusion")  # fmt: skip
            top = made(top, {key: value for key, value in mapping_of(top).items() if key != "version"})
        if len(self.findings.problems) > before:
            # what does not fit the specification cannot be laid under another file
            raise ScenarioError(self.findings.problems)
        top = unique(canonical(top, self.findings))
        if len(self.findings.problems) > before:
            raise ScenarioError(self.findings.problems)
        return top

    def _extended(self, top: Value, path: Path) -> Value:
        services = dict(mapping_of(mapping_of(top).get("services")))
        if not any("extends" in mapping_of(service) for service in services.values()):
            return top
        for name in list(services):
            try:
                services[name] = self._extend(name, services, path, self.folder)
            except SourceError as error:
                self.findings.problems.append(error)
                services[name] = _without(services[name], "extends")
        return _with(top, "services", services)

    def _extend(self, name: str, services: dict[str, Value], path: Path, folder: Path,
                chain: tuple[tuple[str, Path], ...] = ()) -> Value:  # fmt: skip
        """A service over the one that it extends, and that over the next; files are told from `folder` on."""
        service = services[name]
        extends = mapping_of(service).get("extends")
        if extends is None:
            return service
        found = mapping_of(extends)
        if found and not isinstance(found.get("service", extends).held, str):
            raise extends.error(f"extends.{name}.service is required", "say which service: `service: NAME`")
        base = text_of(found.get("service", extends))
        file = text_of(found.get("file"))
        if (name, path) in chain:
            raise extends.error(_circle((*chain, (name, path))))
        there, others = path, services
        if file:
            there = folder / file
            folder = there.parent
            if not there.is_file():
                raise extends.error(f"open {there}: no such file or directory")
            others = self._services(there)
        if base not in others:
            shown = f" in {file}" if file else ""
            message = f'cannot extend service "{name}" in {path}: service "{base}" not found{shown}'
            raise extends.error(message, nearest(base, sorted(set(others) - {name})).removeprefix("; "))
        below = self._extend(base, dict(others), there, folder, (*chain, (name, path)))
        merged = merge(settled(below), service, self.findings, ("services", name))
        return _without(merged, "extends")

    def _services(self, path: Path) -> dict[str, Value]:
        """The services of another file, interpolated."""
        found: dict[str, Value] = {}
        for raw in self.documents(path):
            found |= mapping_of(mapping_of(interpolate(raw, self.environ.get, self.findings)).get("services"))
        return found

    def _included(self, top: Value) -> Value:
        included = mapping_of(top).get("include")
        if included is None:
            return top
        if not isinstance(included.held, list):
            self.findings.wrong(included, f"`include` must be a list, got {text_of(included)}")
        for one in items_of(included):
            try:
                top = self._brought(top, one)
            except ScenarioError:
                raise
            except SourceError as error:
                self.findings.problems.append(error)
        return _without(top, "include")

    def _brought(self, top: Value, one: Value) -> Value:
        """A file's tree with what one of its includes holds."""
        found = mapping_of(one) or {"path": one}
        names = [text_of(item) for item in _listed(found.get("path"))]
        if not names:
            raise one.error("include: path is required", "say which file: `path: FILE`")
        paths = [self.folder / name for name in names]
        folder = paths[0].parent
        if "project_directory" in found:
            folder = self.folder / text_of(found["project_directory"])
        if any(path.resolve() == other.resolve() for path in paths[:1] for other in self.open):
            way = "\n include ".join(str(path) for path in (*self.open, paths[0]))
            raise one.error(f"include cycle detected: {way}".replace("\n", ""))
        files = [self.folder / text_of(item) for item in _listed(found.get("env_file"))]
        if not files and (folder / ".env").is_file():
            files = [folder / ".env"]
        environ = variables(files, self.environ, self.findings)
        inner = replace(self, folder=folder, environ=environ, open=(*self.open, paths[0]))
        for path in paths:
            if not path.is_file():
                raise one.error(f"open {path}: no such file or directory")
        return self._import(top, inner.load(paths))

    def _import(self, top: Value, other: Value) -> Value:
        for key in _SHARED:
            theirs = mapping_of(mapping_of(other).get(key))
            if not theirs:
                continue
            mine = dict(mapping_of(mapping_of(top).get(key)))
            for name, value in theirs.items():
                if name in mine and plain(mine[name]) != plain(value):
                    self.findings.wrong_key(mine[name], f"{key}.{name} conflicts with imported resource",
                                            f"it is in {value.file}, line {value.line}, too")  # fmt: skip
                mine.setdefault(name, value)
            top = _with(top, key, mine)
        return top


def _circle(chain: tuple[tuple[str, Path], ...]) -> str:
    (name, path), *rest = chain
    return f"Circular reference: {name} in {path}" + "".join(f" extends {one} in {file}" for one, file in rest)


def _listed(value: Value | None) -> list[Value]:
    if value is None:
        return []
    return value.held if isinstance(value.held, list) else [value]


def _with(top: Value, key: str, held: dict[str, Value]) -> Value:
    found = mapping_of(top)
    return made(top, {**found, key: made(found.get(key, top), held)})


def _without(value: Value, key: str) -> Value:
    return made(value, {name: item for name, item in mapping_of(value).items() if name != key})
