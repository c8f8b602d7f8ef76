"""The JSON Schema of what a scenario says of time, made of the tables that it is read by."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .timing_plan import KINDS, SHAPES
from .traffic_file import ARRIVALS, KEYS, OFFLOAD, PROTOS, RUN, SIMULATORS, STEERING, WIRE
from .units import DURATIONS, PER_SECOND, SIZES, SPEEDS

_TEXT = {"type": "string"}


def _amount(units: Iterable[str], what: str) -> dict[str, Any]:
    return {"type": ["string", "integer"], "description": f"{what}; units: {', '.join(unit for unit in units if unit)}"}


_TIME, _SIZE = _amount(DURATIONS, "A time"), _amount(SIZES, "Bytes")
_RATE, _SPEED = _amount(PER_SECOND, "How many a second"), _amount(SPEEDS, "Bits a second")
_SHARE = {"type": ["string", "integer"], "description": "A share: 0.1%, 0.001"}
_FLAG, _COUNT = {"type": "boolean"}, {"type": "integer", "minimum": 0}
_MANY = {"type": "integer", "minimum": 1}
# by key, whichever mapping it stands in
_KINDS: dict[str, dict[str, Any]] = {
    "clients": _MANY, "connections": _MANY, "flows": _MANY, "size": _SIZE, "reply": _SIZE, "window": _SIZE,
    "think": _TIME, "poll": _FLAG, "offload": _FLAG, "rate": _RATE, "arrivals": {"enum": list(SHAPES)}, "burst": _TIME,
    "pause": _TIME, "times": {**_TEXT, "description": "A CSV of seconds or a pcap file, beside this file"},
}  # fmt: skip
_WIRES = {"rate": _SPEED, "delay": _TIME, "queue": _COUNT, "burst": _SIZE, "loss": _SHARE, "reorder": _SHARE,
          "reorder-delay": _TIME}  # fmt: skip
_RUNS = {"duration": _TIME, "exchanges": _MANY, "warmup": _TIME, "seed": _COUNT, "replications": _MANY,
         "costs": {**_TEXT, "description": "A price list: its name, or a file beside this one"},
         "simulator": {"enum": list(SIMULATORS)}}  # fmt: skip


def sections() -> dict[str, Any]:
    """The properties `traffic`, `wires` and `run` of a scenario.

    Example:
        >>> list(sections()["run"]["properties"])
        ['duration', 'exchanges', 'warmup', 'seed', 'replications', 'costs', 'simulator']
    """
    kinds = {kind: _mapping([*KEYS[kind], *(ARRIVALS if kind == "open" else ())], _KINDS) for kind in KINDS}
    one = {
        **_object({"from": _TEXT, "to": _TEXT, "proto": {"enum": list(PROTOS)}, "timeout": _TIME, **kinds}),
        "required": ["from", "to"],
        "oneOf": [{"required": [kind]} for kind in KINDS],
    }
    return {
        "traffic": {"type": ["object", "null"], "additionalProperties": one, "description": "Who sends what to whom"},
        "wires": {"type": ["object", "null"], "additionalProperties": _mapping(WIRE, _WIRES)},
        "run": {**_mapping(RUN, _RUNS), "type": ["object", "null"], "description": "How long and how often it is run"},
    }


def hardware() -> dict[str, Any]:
    """The properties of a host or machine that say what it is made of."""
    return {
        "cpus": {**_MANY, "description": "How many CPUs it has"},
        "steering": {"enum": list(STEERING), "description": "How packets are led to CPUs"},
        "offload": {**_object(dict.fromkeys(OFFLOAD, _FLAG)), "description": "What its card does by itself"},
    }


def _mapping(keys: Iterable[str], kinds: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {**_object({key: kinds[key] for key in keys}), "type": ["object", "null"]}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}
