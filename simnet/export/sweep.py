"""A sweep's points as plain data, `simnet.sweep/1`, and as a table; of an interval half its width, null if unknown."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from simnet.study.interval import Mean
from simnet.study.measures import MEASURES
from simnet.study.sweep import Row, Sweep


def as_json(rows: Sequence[Row], sweep: Sweep) -> dict[str, Any]:
    """All rows, schema `simnet.sweep/1`: of each point and traffic, every measure."""
    return {
        "schema": "simnet.sweep/1",
        "source": sweep.source,
        "settings": dict(sweep.settings),
        "varied": [axis.path for axis in sweep.axes],
        "units": {name: measure.unit for name, measure in MEASURES.items()},
        "points": [{"values": dict(row.point), "traffic": row.traffic, "runs": row.runs,
                    "measures": {name: _pair(found) for name, found in row.measures.items()}} for row in rows],
    }  # fmt: skip


def _pair(found: Mean) -> dict[str, float | None]:
    return {"mean": found.value, "ci95": found.half}


def as_csv(rows: Sequence[Row], paths: Sequence[str]) -> str:
    """A line for each point and traffic; `p99 ±` is half the interval's width, empty where one run tells nothing."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*paths, "traffic", "runs", *(f"{name}{sign}" for name in MEASURES for sign in ("", " ±"))])
    for row in rows:
        cells = [_pair(row.measures[name]) for name in MEASURES]
        amounts = [amount for cell in cells for amount in (cell["mean"], cell["ci95"])]
        writer.writerow([*(row.point[path] for path in paths), row.traffic, row.runs, *amounts])
    return text.getvalue()
