"""`simnet rules`: print an iptables-save dump in the forms that the iptables command has."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import click

from simnet.errors import SourceError, UnknownName, UsageError
from simnet.net.iptables.listing import Form, listing, specification
from simnet.net.netfilter import save
from simnet.net.netfilter.matches import MODULES
from simnet.net.netfilter.rule import BASE_CHAINS, Match, Rule, Ruleset, Table
from simnet.net.netfilter.values import protocol
from simnet.scenario.plan import Setting
from simnet.scenario.source import is_source, read_source

from .options import ENGINE, SET

FORMS = ("save", "S", "L", "L-n", "L-n-v")
# the first character keeps click from filling the lines
_EXAMPLE = """\b
Example:
  iptables-save -c | simnet rules - --form L-n-v --table nat
  simnet rules scenarios/basics/modes.yaml --why --engine 20.10
"""
_COUNTED = re.compile(r"^\[\d+:\d+\] -A ", re.MULTILINE)


def read(dump: str) -> str:
    """The text of a dump; `-` is standard input."""
    if dump == "-":
        return sys.stdin.buffer.read().decode("utf-8", "surrogateescape")
    try:
        return Path(dump).read_bytes().decode("utf-8", "surrogateescape")
    except OSError as error:
        raise SourceError(
            error.strerror or str(error), file=dump, hint="give a dump, or - for standard input"
        ) from None


def printed(ruleset: Ruleset, form: str, table: str, family: int, *, counters: bool) -> str:
    """A rule set in one of the `FORMS`; `table` is empty for every table (save) or the default one (the others)."""
    if form == "save":
        kept = {name: one for name, one in ruleset.tables.items() if table in {"", name}}
        return save.dump(Ruleset(kept), counters=counters)
    name = table or "filter"
    chosen = ruleset.tables.get(name) or Table(name)
    if form == "S":
        return specification(chosen)
    verbose = form == "L-n-v"
    return listing(chosen, Form(form != "L", verbose, verbose, family=family))


def doubts(table: Table) -> list[tuple[str, int, Rule, str]]:
    """The rules of a table that a snapshot alone does not decide: chain, number, rule, and why."""
    found = []
    for chain in table.chains.values():
        for number, rule in enumerate(chain.rules, 1):
            reasons = [reason for match in rule.matches if (reason := _doubt(match, _protocol(rule)))]
            if rule.target is not None and rule.target.why:
                reasons.append(rule.target.why)
            if reasons:
                found.append((chain.name, number, rule, "; ".join(dict.fromkeys(reasons))))
    return found


def _protocol(rule: Rule) -> int:
    """The protocol that a rule is for, 0 where it is for any."""
    options = (option for match in rule.matches if match.module == "ip" for option in match.options)
    return next((protocol(one.values[0]) for one in options if one.name == "-p" and not one.negated), 0)


def _doubt(match: Match, proto: int) -> str:
    """Why a match may be undecided, or nothing."""
    module = MODULES.get(match.module)
    if match.why or module is None:
        return match.why
    return module.reason if module.may_doubt(match.options, proto) else ""


def summary(ruleset: Ruleset, table: str) -> str:
    """What a person wants to know of a dump first: its tables, chains, modules, and what cannot be decided."""
    lines: list[str] = []
    for one in ruleset.tables.values():
        if table not in {"", one.name}:
            continue
        rules = list(one.rules())
        lines.append(f"table {one.name}: {_count(len(one.chains), 'chain')}, {_count(len(rules), 'rule')}")
        width = max((len(name) for name in one.chains), default=0)
        for chain in one.chains.values():
            kind = f"policy {chain.policy}" if chain.policy else "user chain"
            lines.append(f"  {chain.name:<{width}}  {kind:<13}  {_count(len(chain.rules), 'rule')}")
        for what, used in (("matches", _matches(rules)), ("targets", _targets(rules, one))):
            if used:
                lines.append(f"  {what}: " + ", ".join(f"{name} {times}" for name, times in used.most_common()))
        unsure = doubts(one)
        lines += ["  undecidable from a dump alone:"] if unsure else []
        lines += [f"    {chain} {number}: {reason}\n      {rule}" for chain, number, rule, reason in unsure]
    return "".join(f"{line}\n" for line in lines) or "no rules\n"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _matches(rules: list[Rule]) -> Counter[str]:
    return Counter(match.module for rule in rules for match in rule.matches if match.module != "ip")


def _targets(rules: list[Rule], table: Table) -> Counter[str]:
    names = [rule.target.name for rule in rules if rule.target is not None]
    return Counter(name for name in names if name not in table.chains)


def explained(ruleset: Ruleset, table: str, why: Callable[[str, str], str]) -> str:
    """`iptables -S` of every table (or of one), with what the engine says of each rule of its own behind it."""
    lines = []
    for name, one in ruleset.tables.items():
        if table in {"", name}:
            lines.append(f"*{name}")
            for line in specification(one).splitlines():
                lines.append(line)
                lines += [f"    # {reason}"] if (reason := why(name, line)) else []
    return "".join(f"{line}\n" for line in lines)


@click.command("rules", epilog=_EXAMPLE)
@click.argument("dump", metavar="DUMP|SOURCE")
@click.option("--form", type=click.Choice(FORMS), help="As iptables-save, or iptables -S, -L, … prints it.")
@click.option("--table", default="", metavar="T", help="Which table (save: all; S and L: filter).")
@click.option("--family", type=click.Choice(["4", "6"]), default="4", show_default=True)
@click.option("--place", default="", metavar="PLACE", help="Of a SOURCE: whose rules (the first host's).")
@click.option("--why", is_flag=True, help="Of a SOURCE: say of each rule which option of what caused it.")
@ENGINE
@SET
def command(dump: str, form: str | None, table: str, family: str, place: str, engine: str,
            settings: tuple[str, ...], *, why: bool) -> None:  # fmt: skip
    """Print DUMP (an iptables-save file; `-` is standard input) in another form, or say what is in it.

    Of a SOURCE (a scenario, a compose file, a snapshot folder) it prints the rules of one place.
    """
    if table and table not in BASE_CHAINS:
        raise UnknownName("table", table, BASE_CHAINS)
    text, lab = "", None
    if is_source(dump):
        lab = read_source(dump, engine, [Setting.parse(one) for one in settings]).open()
        place = lab.network.find(place or lab.first).place
        namespace = lab.network.find(place)
        ruleset = namespace.ruleset if family == "4" else namespace.ruleset6
    else:
        if why or place or engine or settings:
            raise UsageError(f"{dump} is a dump; --why, --place, --engine and --set are for a scenario or compose file")
        text = read(dump)
        ruleset = save.parse(text, "standard input" if dump == "-" else dump)
        if not ruleset.tables:
            click.echo("note: the dump holds no table; did the command that should have made it fail?", err=True)
    if why and lab is not None:
        shown = explained(ruleset, table, lambda name, line: lab.why(place, name, line))
    elif form is None:
        shown = summary(ruleset, table)
    else:
        shown = printed(ruleset, form, table, int(family), counters=bool(_COUNTED.search(text)))
    sys.stdout.buffer.write(shown.encode("utf-8", "surrogateescape"))
    sys.stdout.buffer.flush()
