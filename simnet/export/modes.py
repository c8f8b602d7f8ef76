"""A comparison of modes as JSON (schema `simnet.compare/2`) and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from simnet.study.modes import Comparison, ModeResult, Timing

_COUNTS = ("hops", "namespaces", "hooks", "rules_evaluated", "conntrack_lookups")
_PERCENTILES = {"p50": 50, "p90": 90, "p99": 99, "p99.9": 99.9}
_TIMES = (
    "round_trip_first_ns",
    "round_trip_later_ns",
    "round_trip_relative",
    "stream_packets_per_s",
    "stream_relative",
)


def document(compared: Iterable[Comparison]) -> dict[str, Any]:
    """Every comparison: times are ns, rates a second, `relative` multiples of the host mode's."""
    return {"schema": "simnet.compare/2", "comparisons": [_comparison(one) for one in compared]}


def _comparison(one: Comparison) -> dict[str, Any]:
    question, relative = one.question, one.relative()
    conditions = None if question is None else {
        "costs": question.costs.name, "costs_digest": question.costs.digest, "backend": question.costs.backend,
        "exchanges": question.exchanges, "rules": question.rules, "accept_established": question.accepted,
        "polls": question.polls, "proto": question.proto, "size": question.size, "seed": question.seed,
    }  # fmt: skip
    modes = [_mode(result, relative.get(result.mode.name)) for result in one.results]
    return {"engine": one.engine, "conditions": conditions, "modes": modes}


def _mode(result: ModeResult, relative: tuple[float, float] | None) -> dict[str, Any]:
    mode = result.mode
    found = {
        "mode": mode.name,
        "question": mode.title,
        "from": mode.frm,
        "to": f"{mode.to}:{mode.port}",
        "verdict": result.trace.verdict,
        "server_saw": result.trace.server_saw or None,
        "request": {"first": asdict(result.request.first), "later": asdict(result.request.later)},
        "reply": {"first": asdict(result.reply.first), "later": asdict(result.reply.later)},
    }
    return found | (_timing(result.timing, relative) if result.timing is not None else {})


def _timing(timing: Timing, relative: tuple[float, float] | None) -> dict[str, Any]:
    trip, stream = relative or (None, None)
    first, later = timing.bills
    spread = {name: timing.later.percentile(percent) for name, percent in _PERCENTILES.items()}
    return {
        "round_trip": {"first_ns": timing.first, "later_ns": {"mean": timing.later.mean, **spread}, "relative": trip},
        "stream": {"packets_per_s": timing.packets, "bits_per_s": timing.bits, "relative": stream},
        "bill_ns": {"first": dict(first.headings), "later": dict(later.headings)},
    }


def as_csv(compared: Iterable[Comparison]) -> str:
    """A line for each mode, way and packet; times stand on the lines of the request."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["engine", "costs", "rules", "mode", "verdict", "way", "packet", *_COUNTS, *_TIMES])
    for comparison in compared:
        relative = comparison.relative()
        question = comparison.question
        head = [comparison.engine, *((question.costs.name, question.rules) if question is not None else ("", ""))]
        for one in comparison.results:
            for way, counts in (("request", one.request), ("reply", one.reply)):
                for packet, totals in (("first", counts.first), ("later", counts.later)):
                    values = [getattr(totals, name) for name in _COUNTS]
                    times = (
                        _columns(one.timing, relative.get(one.mode.name)) if way == "request" else [""] * len(_TIMES)
                    )
                    writer.writerow([*head, one.mode.name, one.trace.verdict, way, packet, *values, *times])
    return text.getvalue()


def _columns(timing: Timing | None, relative: tuple[float, float] | None) -> list[Any]:
    if timing is None:
        return [""] * len(_TIMES)
    trip, stream = relative or ("", "")
    return [timing.first, timing.later.mean, trip, timing.packets, stream]
