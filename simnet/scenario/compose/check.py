r"""A compose file held against the specification: unknown keys, wrong kinds of values, in compose's words.

Models: the messages of compose-go's schema package.
Where a value fits none of several kinds, the first kind is named, as there.
Leaves out: compose stops at the first thing that is wrong; here everything is told.

Example:
    >>> from .tree import Findings, documents
    >>> findings = Findings()
    >>> check(documents("services:\n  web: {image: a, prots: [80]}\n", "compose.yaml")[0], findings)
    >>> print(findings.problems[0])
    compose.yaml:2:19: services.web additional properties 'prots' not allowed; did you mean 'ports'?
"""

from __future__ import annotations

import re

from simnet.docker.document import Value
from simnet.errors import nearest

from . import spec
from .spec import Items, Keys, Kind, Like, OneOf
from .tree import Findings, items_of, mapping_of, plain

_TYPES: tuple[tuple[str, type], ...] = (("boolean", bool), ("integer", int), ("number", float), ("string", str),
                                        ("array", list), ("mapping", dict))  # fmt: skip


def check(top: Value, findings: Findings) -> None:
    """Hold a file's tree against the specification; what is wrong goes to the findings."""
    _check(top, spec.TOP, "", findings)


def ignored(top: Value, findings: Findings) -> None:
    """Note the keys that are known and mean nothing to a network, by their paths."""
    found = mapping_of(top)
    for key in found:
        _unused(key, key, spec.TOP_USED, findings)
    for name, service in mapping_of(found.get("services")).items():
        for key, value in mapping_of(service).items():
            if key == "deploy":
                for inner in mapping_of(value):
                    _unused(inner, f"services.{name}.deploy.{inner}", spec.DEPLOY_USED, findings)
            _unused(key, f"services.{name}.{key}", spec.SERVICE_USED, findings)
    for name, network in mapping_of(found.get("networks")).items():
        for key in mapping_of(network):
            _unused(key, f"networks.{name}.{key}", spec.NETWORK_USED, findings)


def _unused(key: str, path: str, used: frozenset[str], findings: Findings) -> None:
    if key not in used and not key.startswith("x-"):
        findings.ignored[path] = None


def _type(value: Value) -> str:
    """The kind of a value, as the specification calls it."""
    if value.held is None:
        return "null"
    return next(name for name, kind in _TYPES if isinstance(value.held, kind))


def _fits(value: Value, kind: Kind) -> bool:
    """Whether a value has the outer form of a kind."""
    found = _type(value)
    if isinstance(kind, tuple):
        return any(_fits(value, one) for one in kind)
    if isinstance(kind, Items):
        return found == "array"
    if isinstance(kind, Keys):
        return found == "mapping" or (kind.nullable and found == "null")
    if isinstance(kind, OneOf | Like):
        return found == "string"
    return found in kind.split() or (found == "integer" and "number" in kind.split())


def _wanted(kind: Kind) -> str:
    """The end of `must be a …`."""
    if isinstance(kind, tuple):
        return _wanted(kind[0])
    if isinstance(kind, Items):
        return "array"
    if isinstance(kind, Keys):
        return "mapping or null" if kind.nullable else "mapping"
    if isinstance(kind, OneOf | Like):
        return "string"
    words = sorted(kind.split())
    return f"{', '.join(words[:-1])} or {words[-1]}" if words[1:] else words[0]


def _check(value: Value, kind: Kind, path: str, findings: Findings) -> None:
    if isinstance(kind, tuple):
        fitting = next((one for one in kind if _fits(value, one)), None)
        if fitting is not None:
            _check(value, fitting, path, findings)
            return
    if not _fits(value, kind):
        findings.wrong(value, f"{path or 'top-level object'} must be a {_wanted(kind)}")
    elif isinstance(kind, Keys) and value.held is not None:
        _check_keys(value, kind, path, findings)
    elif isinstance(kind, Items):
        _check_items(value, kind, path, findings)
    elif isinstance(kind, OneOf) and value.held not in kind.words:
        words = ", ".join(f"'{word}'" for word in kind.words)
        findings.wrong(value, f"{path} value must be one of {words}")
    elif isinstance(kind, Like) and not re.search(kind.pattern, str(value.held)):
        findings.wrong(value, f"{path} '{value.held}' does not match pattern '{kind.pattern}'")


def _check_keys(value: Value, kind: Keys, path: str, findings: Findings) -> None:
    found = mapping_of(value)
    for key, item in found.items():
        inner = f"{path}.{key}".lstrip(".")
        if key in kind.known:
            _check(item, kind.known[key], inner, findings)
        elif kind.extensible and key.startswith("x-"):
            continue
        elif kind.others is not None and re.search(kind.names, key):
            _check(item, kind.others, inner, findings)
        elif kind.strict:
            where = f"{path} " if path else ""
            hint = nearest(key, kind.known).removeprefix("; ") if kind.known else "letters, digits, '.', '_' and '-'"
            findings.wrong_key(item, f"{where}additional properties '{key}' not allowed", hint)
    for key in kind.needed:
        if key not in found:
            findings.wrong(value, f"{path} missing property '{key}'")


def _check_items(value: Value, kind: Items, path: str, findings: Findings) -> None:
    seen: list[object] = []
    for number, item in enumerate(items_of(value)):
        _check(item, kind.of, f"{path}.{number}", findings)
        if not kind.unique:
            continue
        held = (_type(item), plain(item))
        if held in seen:
            findings.wrong(item, f"{path} items at {seen.index(held)} and {number} are equal")
        seen.append(held)
