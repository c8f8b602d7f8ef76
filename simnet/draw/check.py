"""Findings as text: one line for each claim, and below a failed one what was seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import click

from simnet.study.check import FAILS, HOLDS, Finding

_SIGNS = {HOLDS: ("✓", "green"), FAILS: ("✗", "red")}


def render(findings: Sequence[Finding]) -> str:
    """Every finding, and the count of each status."""
    lines = []
    for finding in findings:
        sign, colour = _SIGNS.get(finding.status, ("·", "yellow"))
        where = f"{finding.claim.origin.file}:{finding.claim.origin.line}"
        shown = click.style(f"{sign} {finding}", fg=colour)
        lines.append(shown + (click.style(f"  ({where})", dim=True) if finding.status == FAILS else ""))
        if finding.status != HOLDS:
            lines += [f"    {line}" for line in finding.seen]
        if finding.claim.because and finding.status != FAILS:
            lines.append(click.style(f"    {finding.claim.because}", dim=True))
    counts = Counter(finding.status for finding in findings)
    return "\n".join([*lines, "", ", ".join(f"{number} {status}" for status, number in counts.items())])
