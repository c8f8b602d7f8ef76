"""Findings of a validation as plain data, schema `simnet.validate/1`, and as cases of a JUnit report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from simnet.export.junit import FAILURE, Case
from simnet.live.agreement.agreement import Difference
from simnet.live.agreement.validate import AGREES, REFUSED, Finding, statuses, totals


def validate_json(recording: str, findings: Sequence[Finding]) -> dict[str, Any]:
    """The counts, and each probe with its differences.

    Example:
        >>> validate_json("rec", [])["agree"]
        0
    """
    found = statuses(findings)
    return {
        "schema": "simnet.validate/1",
        "recording": recording,
        "probes": len(findings),
        **{word: found[status] for word, status in (("agree", AGREES), ("refused", REFUSED))},
        "compared": {kind: {"agreed": same, "of": number} for kind, (same, number) in totals(findings).items()},
        "findings": [_finding(finding) for finding in findings],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    differences = finding.agreement.differences if finding.agreement is not None else ()
    return {
        "probe": finding.probe.name,
        "asked": str(finding.probe),
        "result": finding.probe.result,
        "status": finding.status,
        "differences": [_difference(one) for one in differences],
        "refused": finding.refused or None,
        "undecided": list(finding.undecided),
    }


def _difference(one: Difference) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "where": one.place or None,
        "what": one.what or None,
        "kernel": list(one.kernel),
        "simnet": list(one.simnet),
        "parting": one.parting,
        "step": None if one.step is None else {**one.step._asdict(), "steps": list(one.step.steps)},
    }


def cases(recording: str, findings: Sequence[Finding]) -> Iterator[Case]:
    """A case of a JUnit report for each probe."""
    for one in findings:
        said = tuple(map(str, one.agreement.differences)) if one.agreement is not None else (one.refused,)
        yield Case(one.probe.name, recording, "" if one.status == AGREES else FAILURE, said)
