r"""The iptables command over a `Ruleset`: its grammar, what it prints, and what it says when it refuses.

Models: iptables/nft.c, xtables.c and xshared.c of iptables 1.8.9 (nf_tables).
Leaves out: names of hosts (nothing is looked up), -h, and ipset's and the modules' own refusals beyond the usual ones.

Example:
    >>> from simnet.net.netfilter.rule import Ruleset
    >>> rules = Ruleset()
    >>> run(rules, ["-A", "INPUT", "-p", "tcp", "--dport", "ssh", "-j", "ACCEPT"]).code
    0
    >>> print(run(rules, ["-S", "INPUT"]).out, end="")
    -P INPUT ACCEPT
    -A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
    >>> print(run(rules, ["-X", "web"]).err, end="")
    iptables: No chain/target/match by that name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

from ...answer import Answer
from ...errors import RulesError
from ..netfilter.rule import BASE_CHAINS, Chain, Rule, Ruleset, Table, Word
from ..netfilter.save import parse_rule
from ..netfilter.targets import EXTENSIONS, UNMODELLED, VERDICTS
from .canonical import canonical, written
from .chains import check_name, loops, renamed
from .listing import Form, chains_in_order, echo_line, listing, references, specification
from .refusals import kernel_refuses, refuse
from .words import BAD_RULE, NO_SUCH, CommandError, Reader, Request, refused

VERSION = "v1.8.9 (nf_tables)"
_NAT_DROP = '\nThe "nat" table is not intended for filtering, the use of DROP is therefore inhibited.\n\n'


def run(ruleset: Ruleset, words: list[str], *, family: int = 4) -> Answer:
    """Do what `iptables WORDS` does; the rule set changes only where the answer's code is 0."""
    name = "iptables" if family == 4 else "ip6tables"
    try:
        if words in (["-V"], ["--version"]):
            return Answer(f"{name} {VERSION}\n")
        if {"4": "-6", "6": "-4"}[str(family)] in words:
            return Answer("", hint(name), 2)
        request = Reader(words).take()
        return Answer(Command(ruleset, request, family).run())
    except CommandError as error:
        return Answer("", said(name, error), error.code)


def said(name: str, error: CommandError) -> str:
    """The error as the command of this name prints it."""
    if error.code == 1 and not error.message.startswith("chain `"):
        return f"{name}: {error.message}{'' if error.message.endswith('.') else '.'}\n"
    text = error.message if error.bare else f"{name} {VERSION}: {error.message}"
    if error.code == 3:
        return f"{text}\nPerhaps iptables or your kernel needs to be upgraded.\n"
    return f"{text}\n" + (hint(name) if error.code == 2 else "")


def hint(name: str) -> str:
    """The line that follows a message of bad usage."""
    return f"Try `{name} -h' or '{name} --help' for more information.\n"


class Command:
    """One command on its way: checks what it asks, then changes or prints."""

    def __init__(self, ruleset: Ruleset, request: Request, family: int = 4, *, loops_later: bool = False) -> None:
        if request.table not in BASE_CHAINS:
            raise CommandError(f"table '{request.table}' does not exist", 3)
        self.ruleset, self.request, self.family, self.loops_later = ruleset, request, family, loops_later
        self.table = ruleset.tables.get(request.table) or Table(request.table)

    def run(self) -> str:
        """Do it, and give what is printed."""
        doers: dict[str, Callable[[], str]] = {
            "-A": self._insert, "-I": self._insert, "-R": self._replace, "-D": self._delete, "-C": self._check,
            "-L": self._list, "-S": self._print, "-F": self._flush, "-Z": self._zero, "-N": self._new,
            "-X": self._remove, "-E": self._rename, "-P": self._policy,
        }  # fmt: skip
        text = doers[self.request.command]()
        if self.request.command not in {"-L", "-S", "-C"}:
            for name in BASE_CHAINS[self.table.name]:
                self.table.chains.setdefault(name, Chain(name, "ACCEPT"))
            self.ruleset.tables.setdefault(self.table.name, self.table)
        return text

    @property
    def _verbose(self) -> bool:
        return "-v" in self.request.flags

    def _known(self, name: str) -> bool:
        return name in self.table.chains or name in BASE_CHAINS[self.table.name]

    def _chain(self, name: str) -> Chain:
        """A chain by name; a base chain is made when it is first asked for."""
        if not self._known(name):
            raise refused(NO_SUCH)
        return self.table.chains.setdefault(name, Chain(name, "ACCEPT"))

    def _rules(self) -> list[Rule]:
        """The rules that the words mean: one for each pair of a source and a destination."""
        request = self.request
        for option, chains in (("-o", {"INPUT", "PREROUTING"}), ("-i", {"OUTPUT", "POSTROUTING"})):
            if option in request.used and request.chain in chains:
                raise CommandError(f"Can't use {option} with {request.chain}\n")
        found = []
        for source, not_source in request.sources or [("", False)]:
            for target, not_target in request.targets or [("", False)]:
                words = _block("-s", source, inverted=not_source) + _block("-d", target, inverted=not_target)
                found.append(self._rule([*words, *request.rule]))
        return found

    def _rule(self, words: list[str]) -> Rule:
        bases = {name: Chain(name, "ACCEPT") for name in BASE_CHAINS[self.table.name]}
        table = Table(self.table.name, bases | self.table.chains)
        self._check_target(words)
        text = " ".join(written(Word(word, 0)) for word in words)
        try:
            rule = canonical(table, parse_rule(table, self.request.chain, text))
        except RulesError as error:
            raise self._as_iptables_says(error, words) from None
        except ValueError as error:
            raise CommandError(str(error)) from None
        if self.request.counters:
            rule.packets, rule.bytes = self.request.counters
        return rule

    def _check_target(self, words: list[str]) -> None:
        """Refuse a target that is not there, and what the kernel does not take where it stands."""
        at = next((place for place, word in enumerate(words) if word in {"-j", "-g"}), -1)
        name, chain = words[at + 1] if at >= 0 else "", self.request.chain
        extension = at >= 0 and words[at] == "-j" and (name in EXTENSIONS or name in UNMODELLED)
        verdict = at < 0 or (words[at] == "-j" and name in VERDICTS)
        if not extension and not verdict and not self._known(name):
            raise CommandError(f"Chain '{name}' does not exist")
        if name == "DROP" and self.table.name == "nat":
            raise CommandError(_NAT_DROP)
        refuse(self.request)
        if not self._known(chain):
            raise refused(BAD_RULE if self.request.command in {"-D", "-C"} else NO_SUCH)
        if kernel_refuses(self.request, self.table.name, name if extension else ""):
            raise self._kernel("Invalid argument")
        if not extension and not verdict and name in BASE_CHAINS[self.table.name]:
            raise self._kernel("Operation not supported")

    def _kernel(self, why: str) -> CommandError:
        what = {"-I": "RULE_INSERT", "-R": "RULE_REPLACE"}.get(self.request.command, "RULE_APPEND")
        return CommandError(f" {what} failed ({why}): rule in chain {self.request.chain}", 4)

    @staticmethod
    def _as_iptables_says(error: RulesError, words: list[str]) -> CommandError:
        """The nearest words of iptables for what the parser found wrong."""
        needs = re.fullmatch(r"match (\w+) needs -p .*", error.message)
        if needs and needs[1] in {"tcp", "udp", "icmp"}:
            return CommandError(f"{needs[1].upper()} match requires '-p {needs[1]}'")
        if needs and needs[1] == "multiport":
            return CommandError("multiport needs `-p tcp', `-p udp', `-p udplite', `-p sctp' or `-p dccp'")
        bad_rate = next((word for before, word in pairwise(words) if before == "--limit"), None)
        return CommandError(f'bad rate "{bad_rate}"\'' if bad_rate and "limit" in error.message else error.message)

    def _insert(self) -> str:
        """-A and -I."""
        rules, chain = self._rules(), self._chain(self.request.chain)
        at = len(chain.rules) if self.request.command == "-A" else int(self.request.extra or 1) - 1
        if at > len(chain.rules):
            raise refused("Index of insertion too big")
        for place, rule in enumerate(rules):
            chain.insert(at + place if self.request.command == "-A" else at, rule)
        self._refuse_loops(lambda: [chain.delete(at) for _ in rules])
        return self._echo(rules)

    def _echo(self, rules: list[Rule]) -> str:
        form = Form(numeric=True, family=self.family)
        return "".join(f"{echo_line(rule, form)}\n" for rule in rules) if self._verbose else ""

    def _refuse_loops(self, undo: Callable[[], object]) -> None:
        """Take a change back if a packet could now go round in a circle."""
        if not self.loops_later and loops(self.table):
            undo()
            raise self._kernel("Too many links")

    def _replace(self) -> str:
        rules, chain = self._rules(), self._chain(self.request.chain)
        if len(rules) != 1:
            raise CommandError("Replacement rule does not specify a unique address")
        at = int(self.request.extra) - 1
        if at >= len(chain.rules):
            raise refused("Index of replacement too big")
        old = self._put(chain, at, rules[0])
        self._refuse_loops(lambda: self._put(chain, at, old))
        return self._echo(rules)

    @staticmethod
    def _put(chain: Chain, at: int, rule: Rule) -> Rule:
        """Put a rule in another's place; gives the other."""
        old = chain.delete(at)
        chain.insert(at, rule)
        return old

    def _delete(self) -> str:
        if self.request.extra:
            chain, at = self._chain(self.request.chain), int(self.request.extra) - 1
            if at >= len(chain.rules):
                raise refused("Index of deletion too big")
            chain.delete(at)
            return ""
        rules = self._rules()
        places: list[int] = []
        for rule in rules:
            places.append(self._find(rule, places))
        for at in sorted(places, reverse=True):
            self._chain(self.request.chain).delete(at)
        return self._echo(rules)

    def _find(self, rule: Rule, taken: list[int]) -> int:
        """The place of a rule that says the same; it need not be written the same."""
        chain = self.table.chains.get(self.request.chain)
        for at, other in enumerate(chain.rules if chain is not None else []):
            if at not in taken and (other.text == rule.text or canonical(self.table, other).text == rule.text):
                return at
        raise refused(BAD_RULE)

    def _check(self) -> str:
        rules = self._rules()
        for rule in rules:
            self._find(rule, [])
        return self._echo(rules)

    def _list(self) -> str:
        request, flags = self.request, self.request.flags
        self._expect(request.chain)
        form = Form("-n" in flags, "-v" in flags, "--line-numbers" in flags, "-x" in flags, self.family)
        text = listing(self.table, form, request.chain, int(request.extra or 0))
        return text + (self._zero() if request.zero else "")

    def _print(self) -> str:
        self._expect(self.request.chain)
        number = int(self.request.extra or 0)
        text = specification(self.table, self.request.chain, number, counters=self._verbose)
        return text + (self._zero() if self.request.zero else "")

    def _expect(self, name: str) -> None:
        if name and not self._known(name):
            raise CommandError(f"chain `{name}' in table `{self.table.name}' is incompatible, use 'nft' tool.", 1)

    def _each(self) -> list[Chain]:
        """The chain that is named, or all."""
        name = self.request.chain
        return [self._chain(name)] if name else chains_in_order(self.table)

    def _flush(self) -> str:
        text = ""
        for chain in self._each():
            while chain.rules:
                chain.delete(len(chain.rules) - 1)
            text += f"Flushing chain `{chain.name}'\n" if self._verbose else ""
        return text

    def _zero(self) -> str:
        number, text = int(self.request.extra or 0), ""
        for chain in self._each():
            if number:
                for rule in chain.rules[number - 1 : number]:
                    rule.packets = rule.bytes = 0
                return ""
            chain.packets = chain.bytes = 0
            for rule in chain.rules:
                rule.packets = rule.bytes = 0
            text += f"Zeroing chain `{chain.name}'\n" if self._verbose else ""
        return text

    def _new(self) -> str:
        name = self.request.chain
        check_name(name)
        if self._known(name):
            raise refused("Chain already exists")
        self.table.chains[name] = Chain(name)
        return ""

    def _remove(self) -> str:
        name, bases = self.request.chain, BASE_CHAINS[self.table.name]
        if name and (name not in self.table.chains or name in bases):
            raise refused(NO_SUCH)
        counts = references(self.table)
        gone = [one for one in self.table.chains if one not in bases and name in {"", one}]
        for one in gone:
            if counts[one] or self.table.chains[one].rules:
                raise CommandError(f" CHAIN_DEL failed (Device or resource busy): chain {one}", 4)
        for one in gone:
            del self.table.chains[one]
        return "".join(f"Deleting chain `{one}'\n" for one in gone) if self._verbose else ""

    def _rename(self) -> str:
        old, new = self.request.chain, self.request.extra
        check_name(new)
        if self._known(new):
            raise refused("File exists")
        if old not in self.table.chains or old in BASE_CHAINS[self.table.name]:
            raise refused(NO_SUCH)
        self.table.chains = {
            new if name == old else name: renamed(chain, old, new) for name, chain in self.table.chains.items()
        }
        return ""

    def _policy(self) -> str:
        name, policy = self.request.chain, self.request.extra
        if self.table.name == "nat" and policy == "DROP":
            raise CommandError(_NAT_DROP)
        if name not in BASE_CHAINS[self.table.name]:
            raise refused("Bad built-in chain name")
        if policy not in {"ACCEPT", "DROP"}:
            raise refused("Bad policy name. Run `dmesg' for more information")
        chain = self._chain(name)
        chain.policy, chain.packets, chain.bytes = policy, 0, 0
        return ""


def _block(option: str, text: str, *, inverted: bool) -> list[str]:
    return [*(["!"] if inverted else []), option, text] if text else []
