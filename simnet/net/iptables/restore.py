r"""The iptables-restore command over a `Ruleset`.

Models: iptables/xtables-restore.c of iptables 1.8.9 (nf_tables): each COMMIT takes effect as a whole or not at all.

Example:
    >>> from simnet.net.netfilter.rule import Ruleset
    >>> restore(Ruleset(), "*filter\n-A INPUT -j nowhere\nCOMMIT\n").err.splitlines()[0]
    "iptables-restore v1.8.9 (nf_tables): Chain 'nowhere' does not exist"
"""

from __future__ import annotations

import re

from ...answer import Answer
from ..netfilter.rule import BASE_CHAINS, Chain, Ruleset, Table
from ..netfilter.save import split_words
from .chains import check_name, loops
from .command import VERSION, Command
from .words import CommandError, Reader

_COUNTERS = re.compile(r"\[(\d+):(\d+)\]")


def restore(ruleset: Ruleset, text: str, *, noflush: bool = False, counters: bool = False, family: int = 4) -> Answer:
    """Do what `iptables-restore` does with a text; `noflush` as -n, `counters` as -c."""
    name = "iptables-restore" if family == 4 else "ip6tables-restore"
    job = _Restore(ruleset, noflush=noflush, counters=counters, family=family)
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        try:
            job.line(line)
        except CommandError as error:
            return Answer("".join(job.out), _said(name, error, _line_of(error, lines, number)), error.code)
    if job.table is not None:
        return Answer("".join(job.out), f"{name}: COMMIT expected at line {len(lines) + 1}\n", 1)
    return Answer("".join(job.out))


def _line_of(error: CommandError, lines: list[str], number: int) -> int:
    """The line that the command names: a chain that is missing is missed at COMMIT."""
    if error.message.startswith("Chain '"):
        return next((at for at, line in enumerate(lines, 1) if at > number and line == "COMMIT"), number)
    return number


def _said(name: str, error: CommandError, number: int) -> str:
    if error.code == 1:
        return f"{name}: line {number} failed{f': {error.message}.' if error.message else ''}\n"
    if error.code == 4:
        return f"{name} {VERSION}: \nline {number}:{error.message}\n"
    text = error.message if error.bare else f"{name} {VERSION}: {error.message}"
    if error.message.startswith("line "):
        text = f"{name} {VERSION}: {name}: {error.message.replace('line', f'line {number}', 1)}"
    return f"{text}\nError occurred at line: {number}\nTry `{name} -h' or '{name} --help' for more information.\n"


class _Restore:
    """A restore on its way: between tables (`table` is None), or inside the draft of one."""

    def __init__(self, ruleset: Ruleset, *, noflush: bool, counters: bool, family: int) -> None:
        self.ruleset, self.noflush, self.counters, self.family = ruleset, noflush, counters, family
        self.table: Table | None = None
        self.out: list[str] = []

    def line(self, line: str) -> None:
        """Take one line."""
        if not line or line.startswith("#"):
            return
        if self.table is None:
            if not line.startswith("*"):
                raise CommandError("", 1)
            self._open(line[1:].strip())
        elif line == "COMMIT":
            if loops(self.table):
                raise CommandError(" RULE_APPEND failed (Too many links)", 4)
            self.ruleset.tables[self.table.name] = self.table
            self.table = None
        elif line.startswith(":"):
            self._declare(self.table, line[1:])
        else:
            self._command(self.table, line)

    def _open(self, name: str) -> None:
        if name not in BASE_CHAINS:
            raise CommandError(f"line table name '{name}' invalid")
        old = self.ruleset.tables.get(name)
        kept = old.chains.values() if old is not None and self.noflush else []
        chains = {one.name: Chain(one.name, one.policy, list(one.rules), one.packets, one.bytes) for one in kept}
        bases = {base: Chain(base, "ACCEPT") for base in BASE_CHAINS[name]}
        self.table = Table(name, bases | chains)

    def _declare(self, table: Table, line: str) -> None:
        words = line.split()
        if len(words) < 2:
            raise CommandError("line policy invalid")
        name, policy = words[0], words[1]
        found = _COUNTERS.fullmatch(words[2]) if len(words) > 2 and self.counters else None
        if self.counters and found is None and policy != "-":
            raise CommandError(f"invalid policy counters for chain '{name}'\n")
        if name not in BASE_CHAINS[table.name]:
            check_name(name)
            table.chains[name] = Chain(name)
            return
        if policy not in {"ACCEPT", "DROP", "-"}:
            raise CommandError("Bad policy name", 1)
        chain = table.chains[name]
        chain.policy = chain.policy if policy == "-" else policy
        chain.packets, chain.bytes = (int(found[1]), int(found[2])) if found is not None else (0, 0)

    def _command(self, table: Table, line: str) -> None:
        try:
            words = [word.text for word in split_words(line)]
        except ValueError:
            words = [word.text for word in split_words(line.replace('"', ""))]  # as the real one, which ends it there
        found = _COUNTERS.fullmatch(words[0]) if words else None
        if words and words[0].startswith("["):
            words = words[1:]
        if "-t" in words or "--table" in words:
            raise CommandError("The -t option cannot be used in iptables-restore.\n")
        request = Reader(words).take()
        request.table = table.name
        if found is not None and self.counters:
            request.counters = int(found[1]), int(found[2])
        self.out.append(Command(Ruleset({table.name: table}), request, self.family, loops_later=True).run())
