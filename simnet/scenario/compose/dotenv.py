r"""The `.env` file beside a compose file: names and values for interpolation.

Single quotes keep everything; double quotes and bare values may hold variables, of the environment or of lines above;
double quotes know `\n` and its like; ` #` ends a bare value. A name without `=` takes the environment's value. What the
environment has wins over the file.

Models: compose-go's dotenv package.

Example:
    >>> parse('TAG=1.2 # the newest\nexport APP="web:${TAG}"\nHOME\n', {"HOME": "/root"}.get)
    {'TAG': '1.2', 'APP': 'web:1.2', 'HOME': '/root'}
"""

from __future__ import annotations

import re
from collections.abc import Callable

from .interpolate import Lookup, substitute

_BLANK = " \t\v\f\r\x85\xa0"
_KEY = re.compile(r"[\w.\-\[\]" + _BLANK + r"]*")
_BARE = re.compile(r"[^\n]*")
_ESCAPE = re.compile(r"\\([abfnrtv$\"\\]|0[0-7]{0,3})", re.ASCII)
_ESCAPED = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
    '"': '"',
    "$": "$$",
}


def _escaped(found: re.Match[str]) -> str:
    name = found.group(1)
    return _ESCAPED[name] if name in _ESCAPED else chr(int(name, 8))


class BadLine(ValueError):
    """A line that cannot be read; `line` is its number."""

    def __init__(self, message: str, line: int) -> None:
        """Say what is wrong in which line."""
        self.line = line
        super().__init__(message)


def parse(text: str, environ: Lookup, unset: Callable[[str], object] = lambda name: None) -> dict[str, str]:
    """Read a file's text; `environ` gives what the environment has, `unset` is told of variables without a value.

    Raises BadLine, and what `substitute` raises.

    Example:
        >>> parse("A B=1", {}.get)
        Traceback (most recent call last):
        ...
        simnet.scenario.compose.dotenv.BadLine: key cannot contain a space
    """
    return _File(text.removeprefix("\ufeff"), environ, unset).read()


class _File:
    """The text, and how far it has been read."""

    def __init__(self, text: str, environ: Lookup, unset: Callable[[str], object]) -> None:
        self.text, self.at, self.environ, self.unset = text, 0, environ, unset
        self.found: dict[str, str] = {}

    def read(self) -> dict[str, str]:
        while self.at < len(self.text):
            letter = self.text[self.at]
            if letter.isspace():
                self.at += 1
            elif letter == "#":
                self.skip(_BARE)
            else:
                self.statement()
        return self.found

    def skip(self, pattern: re.Pattern[str]) -> str:
        """What the pattern takes from here on."""
        match = pattern.match(self.text, self.at)
        taken = match.group() if match else ""
        self.at += len(taken)
        return taken

    def statement(self) -> None:
        if re.match(rf"export[{_BLANK}]", self.text[self.at : self.at + 7]):
            self.at += 7
        key = self.skip(_KEY).strip(_BLANK)
        if " " in key:
            raise self.bad("key cannot contain a space")
        separator = self.text[self.at : self.at + 1]
        if separator not in {"=", ":", "\n", ""}:
            raise self.bad(f'unexpected character "{separator}" in variable name')
        self.at += 1
        if separator in {"\n", ""}:
            value = self.environ(key)
            if value is not None:
                self.found[key] = value
            return
        value = self.value()
        own = self.environ(key)
        self.found[key] = value if own is None else own

    def value(self) -> str:
        while self.text[self.at : self.at + 1] in {*_BLANK}:
            self.at += 1
        quote = self.text[self.at : self.at + 1]
        if quote not in {"'", '"'}:
            bare = self.skip(_BARE)
            return self.expanded(re.split(r"\s#", bare, maxsplit=1)[0].rstrip())
        match = re.compile(rf"{quote}((?:[^{quote}\\]|\\.)*){quote}", re.DOTALL).match(self.text, self.at)
        if match is None:
            raise self.bad(f"unterminated quoted value {self.skip(_BARE)}")
        self.at = match.end()
        inside = match.group(1)
        if quote == "'":
            return inside.replace("\\'", "'")
        return self.expanded(_ESCAPE.sub(_escaped, inside))

    def expanded(self, value: str) -> str:
        def lookup(name: str) -> str | None:
            own = self.environ(name)
            return self.found.get(name) if own is None else own

        return substitute(value, lookup, self.unset)

    def bad(self, message: str) -> BadLine:
        return BadLine(message, self.text.count("\n", 0, self.at) + 1)
