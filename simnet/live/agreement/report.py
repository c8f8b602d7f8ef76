"""Findings of a validation as text: the counts, then each difference side by side with the step where the two part."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from itertools import zip_longest

import click

from simnet.live.agreement.agreement import COUNTERS, DEVICES, SERVER_SAW, VERDICT, WALK, Difference, StepAt
from simnet.live.agreement.validate import AGREES, DIFFERS, REFUSED, Finding, statuses, totals

# a side by side view fits a terminal of 100 columns
_COLUMN = 44
_LINE = 92
_NAMES = {VERDICT: "verdicts", SERVER_SAW: "server saw", WALK: "walks", DEVICES: "devices", COUNTERS: "counters"}
_WORDS = {AGREES: ("agrees", "agree"), DIFFERS: ("differs", "differ"), REFUSED: ("refused", "refused")}
_SIGNS = {AGREES: ("✓", "green"), DIFFERS: ("✗", "red"), REFUSED: ("!", "yellow")}
_HERE = "►"


def render(findings: Sequence[Finding], *, everything: bool = False) -> str:
    """The whole report; `everything` names the probes that agree as well.

    Example:
        >>> print(render([]))
        0 probes
        nothing compared
    """
    counts = [f"{_NAMES[kind]} {same}/{compared}" for kind, (same, compared) in totals(findings).items() if compared]
    lines = [summary(findings), " · ".join(counts) or "nothing compared"]
    for finding in findings:
        if everything or finding.status != AGREES:
            lines += _finding(finding)
    return "\n".join(lines)


def summary(findings: Sequence[Finding]) -> str:
    """`48 probes: 47 agree, 1 differs`."""
    found = statuses(findings)
    parts = [f"{found[status]} {words[found[status] != 1]}" for status, words in _WORDS.items() if found[status]]
    return f"{len(findings)} probe{'s' * (len(findings) != 1)}" + (f": {', '.join(parts)}" if parts else "")


def _finding(finding: Finding) -> Iterator[str]:
    sign, colour = _SIGNS[finding.status]
    if finding.status != AGREES:
        yield ""
    probe = finding.probe
    yield click.style(f"{sign} {_plain(probe.name)}", fg=colour) + f"  {_plain(str(probe))}: {_plain(probe.result)}"
    if finding.agreement is None:
        yield f"    simnet gives no answer: {_plain(finding.refused)}"
        return
    shown: set[StepAt | None] = {None}
    for one in finding.agreement.differences:
        lines = [*_difference(one), *(_step(one.step) if one.step is not None and one.step not in shown else ())]
        yield from (f"    {line}".rstrip() for line in lines)
        shown.add(one.step)
    if finding.agreement.differences:
        yield from (f"    undecided, taken not to match: {_plain(rule)}" for rule in finding.undecided)


def _difference(one: Difference) -> Iterator[str]:
    where = f" at {one.place}" if one.place else ""
    what = f": {one.what}" if one.what else ""
    yield from textwrap.wrap(_plain(f"{one.kind}{where}{what}"), _LINE)
    yield click.style(f"  {'the kernel':{_COLUMN}} │ simnet", dim=True)
    for row, (kernel, simnet) in enumerate(zip_longest(one.kernel or ("nothing",), one.simnet or ("nothing",))):
        mark = _HERE if row == one.parting else " "
        for left, right in zip_longest(_cell(kernel), _cell(simnet), fillvalue=""):
            yield f"{mark} {left:{_COLUMN}} │ {right}"
            mark = " "


def _cell(text: str | None) -> list[str]:
    return textwrap.wrap(_plain(text or ""), _COLUMN, subsequent_indent="  ", break_on_hyphens=False) or [""]


def _step(step: StepAt) -> Iterator[str]:
    yield from textwrap.wrap(f"simnet's steps there, of {_plain(step.packet)}:", _LINE)
    for index, text in enumerate(step.steps):
        mark = _HERE if index == step.at else " "
        for line in textwrap.wrap(_plain(text), _LINE - 2, subsequent_indent="    ", break_on_hyphens=False):
            yield click.style(f"{mark} {line}", bold=index == step.at)
            mark = " "


def _plain(text: str) -> str:
    """A text of a file as a terminal may show it: nothing in it moves the cursor."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)
