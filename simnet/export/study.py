"""Studies as plain data: `simnet.diff/1`, `simnet.matrix/1`, `simnet.check/1`."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from simnet.net.address import ip_text
from simnet.study.check import Finding
from simnet.study.diff import Difference
from simnet.study.flows import Flow, Outcome
from simnet.study.matrix import Matrix


def flow_json(flow: Flow) -> dict[str, Any]:
    """A flow: who asks whom, at which address."""
    target = flow.target
    return {"from": flow.frm, "to": target.place, "proto": target.proto, "port": target.port,
            "address": ip_text(target.address), "dport": target.dport, "at": target.at,
            "via": target.via or None}  # fmt: skip


def outcome_json(outcome: Outcome | None) -> dict[str, Any] | None:
    """An outcome, or None where there is no such flow."""
    if outcome is None:
        return None
    return {"verdict": outcome.verdict, "server_saw": outcome.server_saw or None,
            "answered_by_other": outcome.other or None, "because": list(outcome.because),
            "rules_evaluated": outcome.evaluated, "certain": outcome.certain}  # fmt: skip


def diff_json(found: Difference) -> dict[str, Any]:
    """A difference, schema `simnet.diff/1`."""
    return {
        "schema": "simnet.diff/1",
        "before": found.names[0],
        "after": found.names[1],
        "flows_tried": found.tried,
        "flows": [{"flow": flow_json(one.flow), "before": outcome_json(one.before), "after": outcome_json(one.after)}
                  for one in found.flows],
        "rerouted": [{"flow": flow_json(one.flow), "before": outcome_json(one.before), "after": outcome_json(one.after)}
                     for one in found.rerouted],
        "rules": [{"where": one.place, "table": one.table, "sign": one.sign, "line": one.line, "why": one.why or None}
                  for one in found.rules],
    }  # fmt: skip


def matrix_json(found: Matrix) -> dict[str, Any]:
    """A matrix, schema `simnet.matrix/1`: one entry for each pair."""
    return {
        "schema": "simnet.matrix/1",
        "places": list(found.places),
        "servers": [str(server) for server in found.servers],
        "pairs": [{"from": place, "server": str(server), "way": cell.way, "flow": flow_json(cell.flow),
                   "outcome": outcome_json(cell.outcome)} for (place, server), cell in found.cells.items()],
    }  # fmt: skip


def matrix_csv(found: Matrix) -> str:
    """A matrix as a table: a row for each place, a column for each server."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["from", *map(str, found.servers)])
    for place in found.places:
        cells = (found.cells.get((place, server)) for server in found.servers)
        writer.writerow([place, *(cell.way if cell is not None else "" for cell in cells)])
    return text.getvalue()


def check_json(source: str, findings: Sequence[Finding]) -> dict[str, Any]:
    """Findings, schema `simnet.check/1`."""
    return {
        "schema": "simnet.check/1",
        "source": source,
        "findings": [{"subject": one.claim.subject, "claim": one.claim.text, "tried": one.sentence,
                      "status": one.status, "seen": list(one.seen), "because": one.claim.because or None,
                      "file": one.claim.origin.file, "line": one.claim.origin.line} for one in findings],
    }  # fmt: skip
