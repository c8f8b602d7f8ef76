"""Findings as text: a line for each claim, below a failed one what was seen, and below the others why they are so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import click

from simnet.study.check import FAILS, HOLDS, Finding

_SIGNS = {HOLDS: ("✓", "green"), FAILS: ("✗", "red")}


def render(findings: Sequence[Finding]) -> str:
    """Every finding, and the count of each status."""
    lines = []
    for finding, after in zip(findings, [*findings[1:], None], strict=True):
        sign, colour = _SIGNS.get(finding.status, ("·", "yellow"))
        where = f"{finding.claim.origin.file}:{finding.claim.origin.line}"
        shown = click.style(f"{sign} {finding}", fg=colour)
        lines.append(shown + (click.style(f"  ({where})", dim=True) if finding.status == FAILS else ""))
        if finding.status != HOLDS:
            lines += [f"    {line}" for line in finding.seen]
        reason = _reason(finding)
        if reason and finding.status != FAILS and (after is None or reason != _reason(after)):
            lines.append(click.style(f"    {reason}", dim=True))
    counts = Counter(finding.status for finding in findings)
    return "\n".join([*lines, "", ", ".join(f"{number} {status}" for status, number in counts.items())])


def _reason(finding: Finding) -> str:
    """Why a claim is made; of one that another engine decides, what holds there."""
    claim = finding.claim
    if claim.because and finding.sentence != claim.text:
        return f"engines {claim.engine}: {claim.text}, as {claim.because}"
    return claim.because
