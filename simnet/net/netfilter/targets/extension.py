"""What a target is, and the pieces that target extensions are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from .. import values
from ..context import Context
from ..rule import Option, Word, quote

ACCEPT, DROP, RETURN, CONTINUE, JUMP = "ACCEPT", "DROP", "RETURN", "CONTINUE", "JUMP"

# does something to the packet and gives the verdict
Act = Callable[[Context], str]
# a target's options by name
Given = dict[str, Option]


@dataclass(frozen=True, slots=True)
class Unknown:
    """What a target does that a snapshot cannot tell: `why` names what would have to be known."""

    why: str

    def __call__(self, _: Context) -> str:
        """As if it had done nothing."""
        return CONTINUE


@dataclass(frozen=True, slots=True)
class Target:
    """A rule's target: its name, its options, what it does (None: the name is a chain's), and why it is undecided."""

    name: str
    options: tuple[Option, ...] = ()
    act: Act | None = None
    why: str = ""

    def __post_init__(self) -> None:
        """Take the reason of an act that nobody can foresee."""
        if isinstance(self.act, Unknown):
            object.__setattr__(self, "why", self.act.why)
            object.__setattr__(self, "act", None)


@dataclass(frozen=True, slots=True)
class Extension:
    """A target extension: the number of values of each option, and the function that makes what it does.

    `show` makes the text by which `iptables -L` lists its options (`numeric` as with -n), without the blank before it.
    `canon` makes the words by which iptables-save writes them; None where they are written as they were given.
    """

    arity: dict[str, int]
    build: Callable[[Given], Act]
    show: Callable[[tuple[Option, ...], bool], str] | None = None
    canon: Callable[[Given], list[Word]] | None = None


def listed(text: Callable[[Given, bool], str]) -> Callable[[tuple[Option, ...], bool], str]:
    """A `show` from a function of the options by name; of an option that is given twice the last one counts."""
    return lambda options, numeric: text({option.name: option for option in options}, numeric)


def value(given: Given, *names: str) -> str | None:
    """The value of the first of these options that is there.

    Example:
        >>> value({"--to": Option("--to", ("10.0.0.0/8",), negated=False, column=1)}, "--to")
        '10.0.0.0/8'
    """
    return next((given[name].values[0] for name in names if name in given), None)


def number(given: Given, name: str, default: int, highest: int = 0xFFFFFFFF) -> int:
    """The number that an option gives, or the default."""
    text = value(given, name)
    return default if text is None else values.number(text, highest)


def words(*texts: object) -> list[Word]:
    """Words that never stand in quotes."""
    return [Word(str(text), 0) for text in texts]


def string(text: str, *, always: bool = False) -> Word:
    """A text that a user chose: in quotes unless it is one plain word (or `always`, where an extension does so).

    Example:
        >>> str(string("a b")), str(string("ab"))
        ('"a b"', 'ab')
    """
    return Word(text, 0, quoted=always or quote(text) != text)


def flags(given: Given, *names: str) -> list[Word]:
    """Those of some options without values that are there, in this order."""
    return words(*(name for name in names if name in given))


def nothing(_given: Given) -> Act:
    """A target that lets the packet go on as it is."""
    return lambda _: CONTINUE


def checked(extension: Extension) -> Extension:
    """The same extension; what could not be printed is refused when it is built."""
    build, canon = extension.build, extension.canon
    if canon is None:
        return extension

    def both(given: Given) -> Act:
        canon(given)
        return build(given)

    return replace(extension, build=both)
