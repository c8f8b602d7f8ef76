"""A difference as text: the flows that change with the rule responsible on each side, then the rules that differ."""

from __future__ import annotations

from itertools import groupby

import click

from simnet.study.diff import Difference, FlowChange, RuleChange
from simnet.study.flows import Outcome


def render(found: Difference, *, rules: bool = True) -> str:
    """The whole difference; coloured where a terminal shows it."""
    lines = [click.style(f"--- {found.names[0]}", fg="red"), click.style(f"+++ {found.names[1]}", fg="green"), ""]
    lines += _flows(found)
    if rules:
        lines += ["", *_rules(found.rules)]
    return "\n".join(lines)


def _flows(found: Difference) -> list[str]:
    count = len(found.flows)
    said = f"{count or 'no'} flow{'s change' if count > 1 else ' changes'}; {found.tried} were tried on both sides"
    lines = [click.style(said, bold=True)]
    for change in found.flows:
        lines += _flow(change)
    if found.rerouted:
        many = len(found.rerouted) > 1
        said = f"{len(found.rerouted)} flow{'s go' if many else ' goes'} another way, with the same outcome"
        lines += ["", click.style(said, bold=True)]
        lines += [line for change in found.rerouted for line in _flow(change)]
    return lines


def _flow(change: FlowChange) -> list[str]:
    lines = [f"  {change.flow}"]
    for sign, colour, outcome in (("-", "red", change.before), ("+", "green", change.after)):
        if outcome is None:
            lines.append(click.style(f"    {sign} no such flow", fg=colour))
        else:
            lines.append(click.style(f"    {sign} {outcome}", fg=colour))
            lines += _reasons(outcome)
    return lines


def _reasons(outcome: Outcome) -> list[str]:
    return [click.style(f"        {reason}", dim=True) for reason in outcome.because]


def _rules(changes: tuple[RuleChange, ...]) -> list[str]:
    if not changes:
        return [click.style("no rule differs", bold=True)]
    lines = [click.style(f"{len(changes)} lines of `iptables -S` differ", bold=True)]
    for (place, table), group in groupby(changes, lambda change: (change.place, change.table)):
        lines.append(f"  {place} {table}")
        for change in group:
            lines.append(click.style(f"    {change}", fg="red" if change.sign == "-" else "green"))
            if change.why:
                lines.append(click.style(f"        {change.why}", dim=True))
    return lines
