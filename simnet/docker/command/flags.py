"""Flags of a command line as docker reads them: `--name value`, `--name=value`, `-p value`, `-pvalue`, `-dit`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# what a flag takes
VALUE, SWITCH = "value", "switch"


class BadFlag(Exception):
    """A flag that is unknown, lacks its value or has a wrong one; the message is docker's.

    `said_by`: `usage` (with the command's usage after it), `client`, or `daemon`.
    """

    def __init__(self, message: str, said_by: str = "usage") -> None:
        """Say what is wrong, and who of docker says it."""
        self.said_by = said_by
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Given:
    """What stood on a line: the values of each flag, in order, and the words that are no flags."""

    flags: Mapping[str, list[str]]
    words: list[str] = field(default_factory=list)

    def all(self, name: str) -> list[str]:
        """Every value of a flag."""
        return self.flags.get(name, [])

    def last(self, name: str, default: str = "") -> str:
        """The last value of a flag, which is the one that counts."""
        return self.flags.get(name, [default])[-1]

    def without(self, *names: str) -> Given:
        """The same line, had these flags not stood on it."""
        return Given({name: values for name, values in self.flags.items() if name not in names}, self.words)

    def on(self, name: str, *, default: bool = False) -> bool:
        """Whether a switch is on."""
        return self.last(name, "true" if default else "false") == "true"


def read(words: list[str], known: Mapping[str, str], short: Mapping[str, str], *, stop: bool = False) -> Given:
    """Read a line; `short` maps letters to names, `stop` ends flags at the first word that is none.

    Example:
        >>> given = read(
        ...     ["-dp", "80:80", "--icc=false", "web"],
        ...     {"detach": SWITCH, "publish": VALUE, "icc": SWITCH},
        ...     {"d": "detach", "p": "publish"},
        ... )
        >>> given.words, given.all("publish"), given.on("detach"), given.on("icc")
        (['web'], ['80:80'], True, False)
    """
    flags: dict[str, list[str]] = {}
    left: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            left += rest
            break
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            if name not in known:
                raise BadFlag(f"unknown flag: --{name}")
            flags.setdefault(name, []).append(_value(known[name], f"--{name}", value if equals else None, rest))
        elif word.startswith("-") and len(word) > 1:
            _letters(word, known, short, flags, rest)
        else:
            left.append(word)
            if stop:
                left += rest
                break
    return Given(flags, left)


def _letters(word: str, known: Mapping[str, str], short: Mapping[str, str], flags: dict[str, list[str]],
             rest: list[str]) -> None:  # fmt: skip
    """One or more short flags in one word."""
    letters = word[1:]
    while letters:
        letter, letters = letters[0], letters[1:]
        name = short.get(letter)
        if name is None:
            raise BadFlag(f"unknown shorthand flag: '{letter}' in {word}")
        if known[name] == SWITCH:
            flags.setdefault(name, []).append("true")
            continue
        flags.setdefault(name, []).append(
            _value(VALUE, f"'{letter}' in {word}", letters.removeprefix("=") or None, rest)
        )
        return


def _value(kind: str, shown: str, value: str | None, rest: list[str]) -> str:
    if kind == SWITCH:
        return "true" if value is None else {"1": "true", "0": "false"}.get(value, value.lower())
    if value is not None:
        return value
    if not rest:
        raise BadFlag(f"flag needs an argument: {shown}")
    return rest.pop(0)
