"""Rules, chains and tables: what iptables-save holds, parsed, and nothing that depends on a packet.

A `Rule` keeps the words that it was written in, so that it prints as it was read, and the matches and the target
that were made of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .context import Context
    from .flowcache import FlowCache
    from .index import ChainIndex
    from .targets import Target

# a test answers for one packet: True, False, or None where a snapshot cannot tell
Test = Callable[["Context"], bool | None]

# the base chains of each table, in the order in which iptables-save prints them
BASE_CHAINS = {
    "raw": ("PREROUTING", "OUTPUT"),
    "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
    "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
    "security": ("INPUT", "FORWARD", "OUTPUT"),
}


class Word(NamedTuple):
    """One word of a rule: its text without quotes, the column (from 1) where it began, and whether it is quoted.

    `written` is how it stood in a file, quotes and all, so that it is printed back as it was read.
    """

    text: str
    column: int
    quoted: bool = False
    written: str = ""

    def __str__(self) -> str:
        """As iptables-save writes it."""
        return self.written or (in_quotes(self.text) if self.quoted else self.text)


class Option(NamedTuple):
    """One option of a match or target: `--dport` with its values, and whether a `!` stood before it."""

    name: str
    values: tuple[str, ...]
    negated: bool
    column: int


@dataclass(frozen=True, slots=True)
class Match:
    """One match of a rule: the module's name (`ip` for -s -d -i -o -p), its options, and the test made of them.

    `why` says why a test is undecided where it always is (a module that is not modelled).
    """

    module: str
    options: tuple[Option, ...]
    test: Test
    why: str = ""


@dataclass(slots=True)
class Rule:
    """One rule: its words after `-A CHAIN`, its matches in order, its target, its counters, its line in the file."""

    chain: str
    words: tuple[Word, ...]
    matches: tuple[Match, ...]
    target: Target | None
    goto: bool = False
    packets: int = 0
    bytes: int = 0
    line: int = 0
    text: str = field(init=False)

    def __post_init__(self) -> None:
        """Write the rule once; it is what steps and traces show."""
        self.text = " ".join([f"-A {self.chain}", *(str(word) for word in self.words)])

    def __str__(self) -> str:
        """As iptables-save writes it, without counters."""
        return self.text


@dataclass(slots=True)
class Chain:
    """A chain: a base chain has a policy (`ACCEPT`, `DROP`), a user's chain has an empty one."""

    name: str
    policy: str = ""
    rules: list[Rule] = field(default_factory=list)
    packets: int = 0
    bytes: int = 0
    line: int = 0
    version: int = field(default=0, repr=False, compare=False)
    index: ChainIndex | None = field(default=None, repr=False, compare=False)
    cache: FlowCache | None = field(default=None, repr=False, compare=False)

    def insert(self, position: int, rule: Rule) -> None:
        """Put a rule at a position (from 0), and keep the index, if there is one, in step."""
        self.version += 1
        self.rules.insert(position, rule)
        if self.index is not None and not self.index.insert(position, rule):
            self.index = None

    def append(self, rule: Rule) -> None:
        """Put a rule at the end."""
        self.insert(len(self.rules), rule)

    def delete(self, position: int) -> Rule:
        """Take out the rule at a position (from 0)."""
        self.version += 1
        if self.index is not None and not self.index.delete(position):
            self.index = None
        return self.rules.pop(position)


@dataclass(slots=True)
class Table:
    """A table: its chains by name, in the order in which they were declared."""

    name: str
    chains: dict[str, Chain] = field(default_factory=dict)

    def rules(self) -> Iterator[Rule]:
        """Every rule, chain by chain."""
        for chain in self.chains.values():
            yield from chain.rules


@dataclass(slots=True)
class Ruleset:
    """The tables of one namespace and family, in the order in which they were read."""

    tables: dict[str, Table] = field(default_factory=dict)

    def rules(self) -> Iterator[Rule]:
        """Every rule of every table."""
        for table in self.tables.values():
            yield from table.rules()

    @property
    def needs_conntrack(self) -> bool:
        """Whether the kernel would track connections here: a rule translates addresses or asks about connections.

        A nat table without such rules does not make it (nf_ct_netns_get is called for a target, not for a chain).
        """
        modules = {"conntrack", "state", "connmark", "connlabel", "connbytes", "connlimit", "helper", "cluster"}
        targets = {
            "CONNMARK", "CT", "NOTRACK", "CONNSECMARK", "SYNPROXY", "DNAT", "SNAT", "MASQUERADE", "REDIRECT", "NETMAP",
        }  # fmt: skip
        return any(
            (rule.target is not None and rule.target.name in targets)
            or any(match.module in modules for match in rule.matches)
            for rule in self.rules()
        )


# what iptables-save leaves without quotes where it writes a string (xtables_save_string)
_PLAIN = re.compile(r"[\w-]+", re.ASCII)


def quote(word: str) -> str:
    """A string as iptables-save writes it (a comment, a log prefix): in quotes unless it is one plain word.

    Example:
        >>> quote("a b"), quote("tcp"), quote("a.b")
        ('"a b"', 'tcp', '"a.b"')
    """
    if _PLAIN.fullmatch(word):
        return word
    return in_quotes(word)


def in_quotes(text: str) -> str:
    """A string in quotes, with a backslash before what would end it.

    Example:
        >>> in_quotes("tcp")
        '"tcp"'
    """
    escaped = "".join("\\" + letter if letter in "\"\\'" else letter for letter in text)
    return f'"{escaped}"'
