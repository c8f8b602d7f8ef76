"""A prediction test as plain data, `simnet.prediction/1`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import simnet
from simnet.study.prediction import TARGETS, Compared, verdicts

SCHEMA = "simnet.prediction/1"


def prediction_json(compared: Sequence[Compared], hardware: str) -> dict[str, Any]:
    """Every figure and each group's verdict; errors are shares of what was measured.

    Example:
        >>> found = prediction_json([Compared("rules", "address, nft", "ns a rule", 9.0, 10.0)], "2 CPUs")
        >>> found["figures"][0]["error"], found["groups"][0]["target"]
        (-0.1, 0.15)
    """
    return {
        "schema": SCHEMA,
        "version": simnet.__version__,
        "hardware": hardware,
        "groups": [{"group": one.group, "target": TARGETS.get(one.group), "median_error": round(one.middle, 4),
                    "largest_error": round(one.largest, 4), "hold": one.hold if one.group in TARGETS else None,
                    "of": one.of} for one in verdicts(compared)],
        "figures": [{"group": one.group, "name": one.name, "unit": one.unit, "measured": round(one.measured, 3),
                     "predicted": round(one.predicted, 3), "error": round(one.error, 4), "holds": one.holds}
                    for one in compared],
    }  # fmt: skip
