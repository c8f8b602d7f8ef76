"""A trace as JSON, schema `simnet.trace/1`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from simnet.net.address import ip_text
from simnet.net.packet import IPv4
from simnet.net.step import ChainWalk, Crossing, Drop, RuleHit, Step
from simnet.scenario.question import Answer, Doubt

# says of a rule at a place, in a table, what caused it
Why = Callable[[str, str, str], str]


def answer_json(answer: Answer, why: Why = lambda _place, _table, _rule: "") -> dict[str, Any]:
    """An answer as plain data: the verdict, every chain walk, the devices, the packets step by step, the totals.

    `why` says of a rule at a place what caused it.
    """
    trace = answer.trace
    probe = trace.probe
    drop = trace.dropped_by()
    return {
        "schema": "simnet.trace/1",
        "probe": {"from": probe.frm, "to": ip_text(probe.to), "port": probe.port, "proto": probe.proto,
                  "sport": probe.sport, "ttl": probe.ttl, "size": probe.size},
        "verdict": trace.verdict,
        "error": trace.errno or None,
        "server_saw": trace.server_saw or None,
        "served_at": trace.served_at or None,
        "certain": answer.certain,
        "dropped_by": _drop(drop) if drop is not None else None,
        "walks": [_walk(walk, why) for walk in trace.walks()],
        "devices": trace.devices(),
        "packets": [_packet(steps) for steps in trace.packets()],
        "totals": asdict(trace.totals()),
        "undecided": [_doubt(doubt) for doubt in answer.doubts],
        "outcomes": [one._asdict() for one in answer.outcomes],
        "notes": list(trace.notes),
    }  # fmt: skip


def _doubt(doubt: Doubt) -> dict[str, Any]:
    return {
        "where": doubt.place,
        **asdict(doubt.rule),
        "if_match": doubt.if_match.verdict,
        "if_no_match": doubt.if_not.verdict,
        "settle": doubt.settle,
        "let": doubt.key,
    }


def _walk(walk: ChainWalk, why: Why) -> dict[str, Any]:
    packet = walk.packet
    assert isinstance(packet, IPv4)
    return {
        "where": walk.place,
        "proto": packet.proto_name,
        "table": walk.table,
        "chain": walk.chain,
        "iif": walk.iif,
        "oif": walk.oif,
        "src": ip_text(packet.src),
        "dst": ip_text(packet.dst),
        "sport": packet.sport,
        "dport": packet.dport,
        "flags": packet.flags,
        "ttl": packet.ttl,
        "length": packet.length,
        "rules": walk.rules,
        "evaluated": walk.evaluated,
        "matched": [_hit(hit) | _reason(why(walk.place, walk.table, hit.text)) for hit in walk.hits],
        "verdict": walk.verdict,
        "packet": walk.serial,
    }


def _reason(why: str) -> dict[str, Any]:
    return {"why": why} if why else {}


def _hit(hit: RuleHit) -> dict[str, Any]:
    return {"chain": hit.chain, "number": hit.number, "rule": hit.text, "verdict": hit.verdict}


def _drop(drop: Drop) -> dict[str, Any]:
    return {
        "where": drop.place,
        "reason": drop.reason,
        "packet": str(drop.packet),
        "rule": _hit(drop.rule) if drop.rule is not None else None,
    }


def _packet(steps: list[Step]) -> dict[str, Any]:
    return {"id": steps[0].serial, "packet": str(steps[0].packet), "steps": [_step(step) for step in steps]}


def _step(step: Step) -> dict[str, Any]:
    row: dict[str, Any] = {"kind": step.kind, "where": step.place, "text": str(step), "packet": str(step.packet)}
    if isinstance(step, Crossing):
        row |= {"device": step.device, "direction": step.direction}
    elif isinstance(step, ChainWalk):
        row |= {"table": step.table, "chain": step.chain, "rules": step.rules, "evaluated": step.evaluated}
    elif isinstance(step, Drop):
        row |= {"reason": step.reason, "rule": _hit(step.rule) if step.rule is not None else None}
    return row
