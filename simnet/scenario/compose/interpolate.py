"""Variables in a compose file's values: `$NAME`, `${NAME}`, `${NAME:-default}` and the other forms; `$$` is a dollar.

Models: compose-go's template package.
Leaves out: nothing known; a `$` before anything else than a name or a brace stays as it is, as there.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from simnet.docker.document import Value

from .tree import Findings

Lookup = Callable[[str], str | None]
_NAME = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*", re.ASCII)
_FORMS = (":-", ":?", ":+", "-", "?", "+")


class InvalidTemplate(ValueError):
    """A `${` that is none of the forms; the message is the whole template."""


class MissingVariable(ValueError):
    """A variable that must be set (`${NAME:?why}`) and is not."""


def substitute(template: str, lookup: Lookup, unset: Callable[[str], object] = lambda name: None) -> str:
    """A text with its variables put in; `unset` is told of each that has no value.

    Raises InvalidTemplate, MissingVariable.

    Example:
        >>> words = {"TAG": "1.2", "EMPTY": ""}.get
        >>> substitute("app:${TAG}-${EMPTY:-slim}-$$x", words), substitute("${NO-${EMPTY-a}}${TAG:+!}", words)
        ('app:1.2-slim-$x', '!')
        >>> substitute("${NO:?set NO}", words)
        Traceback (most recent call last):
        ...
        simnet.scenario.compose.interpolate.MissingVariable: required variable NO is missing a value: set NO
    """
    done: list[str] = []
    rest = template
    while True:
        before, dollar, rest = rest.partition("$")
        done.append(before)
        if not dollar:
            return "".join(done)
        name = _NAME.match(rest)
        if rest.startswith("$"):
            done.append("$")
            rest = rest[1:]
        elif name is not None:
            done.append(_value(name.group(), lookup, unset))
            rest = rest[name.end() :]
        elif rest.startswith("{"):
            end = _closing(rest)
            if end < 0:
                raise InvalidTemplate(template)
            done.append(_braced(rest[1:end], template, lookup, unset))
            rest = rest[end + 1 :]
        else:
            done.append("$")


def _value(name: str, lookup: Lookup, unset: Callable[[str], object]) -> str:
    value = lookup(name)
    if value is None:
        unset(name)
    return value or ""


def _closing(text: str) -> int:
    """Where the brace that opens `text` closes; only `${` opens another one."""
    depth, at = 1, 1
    while at < len(text):
        if text[at] == "}":
            depth -= 1
            if not depth:
                return at
        elif text.startswith("${", at):
            depth, at = depth + 1, at + 1
        at += 1
    return -1


def _braced(inside: str, template: str, lookup: Lookup, unset: Callable[[str], object]) -> str:
    found = _NAME.match(inside)
    if found is None or "\n" in inside:
        raise InvalidTemplate(template)
    name, rest = found.group(), inside[found.end() :]
    if not rest:
        return _value(name, lookup, unset)
    form = next((one for one in _FORMS if rest.startswith(one)), None)
    if form is None:
        raise InvalidTemplate(template)
    # the default is worked out whether it is needed or not, so what is wrong in it shows
    other = substitute(rest[len(form) :], lookup, unset)
    value = lookup(name)
    given = value is not None and (value != "" or ":" not in form)
    if form.endswith("-"):
        return value or "" if given else other
    if form.endswith("+"):
        return other if given else ""
    if not given:
        raise MissingVariable(f"required variable {name} is missing a value{f': {other}' if other else ''}")
    return value or ""


def interpolate(value: Value, lookup: Lookup, findings: Findings, path: str = "") -> Value:
    """A tree with all its text interpolated; what is wrong goes to the findings, and that text stays as it was."""
    if isinstance(value.held, dict):
        inner = {
            key: interpolate(item, lookup, findings, f"{path}.{key}".lstrip(".")) for key, item in value.held.items()
        }
        return _with(value, inner)
    if isinstance(value.held, list):
        return _with(value, [interpolate(item, lookup, findings, f"{path}.[]") for item in value.held])
    if not isinstance(value.held, str) or "$" not in value.held:
        return value

    def unset(name: str) -> None:
        findings.note(f'The "{name}" variable is not set. Defaulting to a blank string.')

    try:
        return _with(value, substitute(value.held, lookup, unset))
    except InvalidTemplate as error:
        findings.wrong(value, f"invalid interpolation format for {path}: {error}",
                       "you may need to escape any $ with another $")  # fmt: skip
    except MissingVariable as error:
        findings.wrong(value, f"error while interpolating {path}: {error}", "set it in .env or in the environment")
    return value


def _with(value: Value, held: object) -> Value:
    """The same place and mark, something else held."""
    from dataclasses import replace

    return replace(value, held=held)  # type: ignore[arg-type] # one of the kinds that a value holds
