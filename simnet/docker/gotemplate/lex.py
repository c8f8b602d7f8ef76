r"""Go's text templates cut into text, actions and tokens.

Models: text/template/parse/lex.go of Go.

Example:
    >>> [part if isinstance(part, str) else part.text for part in parts("a {{- .B -}} c")]
    ['a', '.B', 'c']
    >>> [token.text for token in tokens("{{index .A 0}}", Action(2, "index .A 0"))]
    ['index', ' ', '.A', ' ', '0']
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from simnet.errors import TemplateError

_ACTION = re.compile(r'\{\{(- )?(/\*.*?\*/|(?:"(?:\\.|[^"\\\n])*"|`[^`]*`|(?!\}\}).)*?)( -)?\}\}', re.DOTALL)
_TOKEN = re.compile(
    r'(?P<space>\s+)|(?P<literal>"(?:\\.|[^"\\])*"|`[^`]*`|-?[0-9][0-9_]*(?:\.[0-9]+)?|(?:true|false|nil)\b)'
    r"|(?P<variable>\$\w*)|(?P<field>\.\w+)|(?P<dot>\.)|(?P<name>[^\W\d]\w*)|(?P<mark>:=|[=|(),])",
)


@dataclass(frozen=True, slots=True)
class Action:
    """What stands between `{{` and `}}`, and where it begins in the template."""

    at: int
    text: str


@dataclass(frozen=True, slots=True)
class Token:
    """A token: its kind, its text and where it stands."""

    kind: str
    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Literal:
    """A value that is written out."""

    value: str | int | float | bool | None


def parts(text: str) -> Iterator[str | Action]:
    """Text and actions in turn; comments are left out."""
    at, trim = 0, False
    while at < len(text):
        begin = text.find("{{", at)
        end = len(text) if begin < 0 else begin
        found = _ACTION.match(text, end) if begin >= 0 else None
        if begin >= 0 and found is None:
            raise TemplateError(f"template: :{text.count(chr(10), 0, begin) + 1}: {_unclosed(text[begin + 2 :])}")
        plain = text[at:end]
        if trim:
            plain = plain.lstrip()
        if found is not None and found[1]:
            plain = plain.rstrip()
        if plain:
            yield plain
        if found is None:
            return
        if not found[2].startswith("/*"):
            yield Action(found.start(2), found[2])
        at, trim = found.end(), bool(found[3])


def _unclosed(text: str) -> str:
    """What Go says of an action that does not end: it looks at a lone brace right after a word first."""
    brace = re.search(r"[\w.$](\})", text)
    return f"bad character {_named('}')}" if brace and '"' not in text[: brace.start()] else "unclosed action"


def tokens(text: str, action: Action) -> list[Token]:
    """The tokens of an action, spaces too, since `.A .B` is not `.A.B`."""
    found, at, end = [], action.at, action.at + len(action.text)
    while at < end:
        match = _TOKEN.match(text, at, end)
        if match is None:
            line = text.count("\n", 0, at) + 1
            raise TemplateError(f"template: :{line}: unrecognized character in action: {_named(text[at])}")
        found.append(Token(str(match.lastgroup), match[0], at))
        at = match.end()
    return found


def _named(char: str) -> str:
    """A character as Go's %#U prints it."""
    return f"U+{ord(char):04X} '{char}'"


def value_of(text: str) -> str | int | float | bool | None:
    r"""The value of a literal.

    Example:
        >>> value_of('"a\\tb"'), value_of("`\\t`"), value_of("12"), value_of("nil")
        ('a\tb', '\\t', 12, None)
    """
    if text.startswith('"'):
        return str(json.loads(text, strict=False))
    if text.startswith("`"):
        return text[1:-1]
    if text in {"true", "false", "nil"}:
        return {"true": True, "false": False, "nil": None}[text]
    return float(text) if "." in text else int(text)
