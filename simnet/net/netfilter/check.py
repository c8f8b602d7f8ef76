"""What the kernel refuses of a rule set that is spelled right: a target in the wrong table, a jump in a circle.

Models: xt_check_match and xt_check_target of net/netfilter/x_tables.c, and the loop check of nf_tables_api.c.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ...errors import RulesError
from .rule import BASE_CHAINS, Match, Rule, Table
from .targets import Target
from .values import protocol

# targets that the kernel takes in these tables only
_TABLES = {
    "DNAT": "nat", "SNAT": "nat", "MASQUERADE": "nat", "REDIRECT": "nat", "NETMAP": "nat", "REJECT": "filter",
    "TTL": "mangle", "HL": "mangle", "DSCP": "mangle", "TOS": "mangle", "ECN": "mangle", "TPROXY": "mangle",
    "CHECKSUM": "mangle", "CT": "raw", "NOTRACK": "raw",
}  # fmt: skip
# matches that look into one protocol's header
_NEEDS = {
    "tcp": {"tcp"}, "udp": {"udp"}, "icmp": {"icmp"}, "sctp": {"sctp"}, "dccp": {"dccp"}, "udplite": {"udplite"},
    "tcpmss": {"tcp"}, "multiport": {"tcp", "udp", "udplite", "sctp", "dccp"},
}  # fmt: skip
# base chains that a target may stand in
_HOOKS = {
    "DNAT": {"PREROUTING", "OUTPUT"}, "REDIRECT": {"PREROUTING", "OUTPUT"}, "SNAT": {"POSTROUTING", "INPUT"},
    "MASQUERADE": {"POSTROUTING"}, "TPROXY": {"PREROUTING"},
}  # fmt: skip
_NO_INPUT, _NO_OUTPUT = {"OUTPUT", "POSTROUTING"}, {"INPUT", "PREROUTING"}


def rule(
    table: Table,
    chain: str,
    matches: Sequence[Match],
    target: Target | None,
    error: Callable[[str, int, str], RulesError],
) -> None:
    """Refuse a rule that no kernel would hold; `error` makes the exception of a message, a column and a hint."""
    options = [option for match in matches if match.module == "ip" for option in match.options]
    protocols = {protocol(option.values[0]) for option in options if option.name == "-p" and not option.negated}
    for option in options:
        if (option.name == "-i" and chain in _NO_INPUT) or (option.name == "-o" and chain in _NO_OUTPUT):
            raise error(f"{option.name} has no meaning in {chain}", option.column, "")
    for match in matches:
        needed = _NEEDS.get(match.module)
        if needed and not protocols & {protocol(name) for name in needed}:
            column = match.options[0].column if match.options else 0
            raise error(f"match {match.module} needs -p {' or '.join(sorted(needed))}", column, "")
    if target is None:
        return
    column = target.options[0].column if target.options else 0
    if _TABLES.get(target.name, table.name) != table.name and (target.act is not None or target.why):
        raise error(f"target {target.name} belongs in table {_TABLES[target.name]}, not {table.name}", column, "")
    if chain in BASE_CHAINS[table.name] and chain not in _HOOKS.get(target.name, {chain}):
        raise error(f"target {target.name} has no place in {chain}", column, "")
    kinds = [option.values[0] for option in target.options if option.name == "--reject-with"]
    if kinds and kinds[0] in {"tcp-reset", "tcp-rst"} and protocol("tcp") not in protocols:
        raise error(f"{kinds[0]} answers tcp only", column, "add -p tcp")


def _column(found: Rule) -> int:
    name = found.target.name if found.target is not None else ""
    return next((word.column for word in found.words if word.text == name), 0)


def jumps(table: Table, file: str) -> None:
    """Refuse a jump to a base chain and a loop of chains; RulesError names the rule."""
    for rule in table.rules():
        target = rule.target
        if target is not None and target.act is None and not target.why and table.chains[target.name].policy:
            raise RulesError(f"chain {target.name} is a base chain: no rule can jump to it", file=file, line=rule.line,
                             column=_column(rule))  # fmt: skip
    called = {
        name: [rule for rule in chain.rules if rule.target is not None and rule.target.name in table.chains
               and rule.target.act is None]
        for name, chain in table.chains.items()
    }  # fmt: skip
    state: dict[str, int] = {}
    for start in table.chains:
        trail: list[tuple[str, int]] = [(start, 0)]
        while trail:
            name, index = trail[-1]
            state[name] = 1
            if index >= len(called[name]):
                state[name] = 2
                trail.pop()
                continue
            trail[-1] = name, index + 1
            rule = called[name][index]
            assert rule.target is not None
            to = rule.target.name
            if state.get(to) == 1:
                loop = " → ".join([*(one for one, _ in trail), to])
                raise RulesError(
                    f"a loop of chains in table {table.name}: {loop}", file=file, line=rule.line, column=_column(rule)
                )
            if to not in state:
                trail.append((to, 0))
