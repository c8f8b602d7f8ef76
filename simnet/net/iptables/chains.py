"""What iptables allows of chains: their names, how they may call each other, and what happens when one is renamed."""

from __future__ import annotations

from ..netfilter.rule import BASE_CHAINS, Chain, Rule, Table, Word
from ..netfilter.targets import EXTENSIONS, UNMODELLED, VERDICTS, Target
from .words import CommandError


def check_name(name: str) -> None:
    """Refuse what no chain can be called."""
    if not name or name in VERDICTS or name in EXTENSIONS or name in UNMODELLED:
        raise CommandError("chain name may not clash with target name")
    if name[0] in "-!":
        raise CommandError(f"chain name not allowed to start with `{name[0]}'")
    if len(name) >= 29:
        raise CommandError(f"chain name `{name}' too long (must be under 29 chars)")
    if any(letter.isspace() for letter in name):
        raise CommandError(f"Invalid chain name `{name}'")


def loops(table: Table) -> bool:
    """Whether a packet that enters by a base chain could come by a chain twice on one way."""
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> bool:
        if name in way:
            return True
        if name in done:
            return False
        jumps = (rule.target.name for rule in table.chains[name].rules if rule.target is not None
                 and rule.target.act is None and rule.target.name in table.chains)  # fmt: skip
        looped = any(visit(one, (*way, name)) for one in jumps)
        done.add(name)
        return looped

    return any(visit(name, ()) for name in BASE_CHAINS[table.name] if name in table.chains)


def renamed(chain: Chain, old: str, new: str) -> Chain:
    """A chain whose name, and whose jumps, are changed from one name to another."""
    for at, rule in enumerate(chain.rules):
        target, words = rule.target, rule.words
        if target is not None and target.act is None and not target.why and target.name == old:
            target = Target(new)
            words = tuple(Word(new, 0) if before.text in {"-j", "-g"} else word
                          for before, word in zip((Word("", 0), *words), words, strict=False))  # fmt: skip
        name = new if rule.chain == old else rule.chain
        if target is not rule.target or name != rule.chain:
            chain.rules[at] = Rule(name, words, rule.matches, target, rule.goto, rule.packets, rule.bytes, rule.line)
    chain.index = None
    chain.name = new if chain.name == old else chain.name
    return chain
