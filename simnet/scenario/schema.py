"""The JSON Schema of scenarios, for editors: made of the same tables that the reader reads by.

Put this on a scenario's first line, and an editor completes and checks it:
`# yaml-language-server: $schema=…/scenario.schema.json`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from simnet.docker.command.commands import DAEMON, NETWORK_CREATE, RUN, SERVICE_CREATE
from simnet.docker.command.flags import SWITCH
from simnet.docker.rules.version import layouts

from . import scenario_file as names
from . import traffic_schema

_SCALAR = {"type": ["string", "integer", "boolean"]}
_TEXT = {"type": "string"}
_WORDS = {"oneOf": [_SCALAR, {"type": "array", "items": _SCALAR}, {"type": "object", "additionalProperties": _SCALAR}]}
_LINES = {"oneOf": [_TEXT, {"type": "array", "items": _TEXT}], "description": "Commands as they are typed"}
_LISTEN = {
    "description": "Where a program listens: tcp/80, udp/53, tcp/127.0.0.1:80",
    "oneOf": [_SCALAR, {"type": "array", "items": _SCALAR}],
}


def schema() -> dict[str, Any]:
    """The schema, draft 2020-12.

    Example:
        >>> schema()["properties"]["hosts"]["additionalProperties"]["properties"]["engine"]["examples"][0]
        '20.10'
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "simnet scenario, format 1",
        **_object({
            "simnet": {"const": 1, "description": "The format of this file"},
            "title": _TEXT, "about": _TEXT, "commands": _LINES,
            "hosts": {"type": "object", "additionalProperties": _host()},
            "machines": {"type": "object", "additionalProperties": _machine()},
            **traffic_schema.sections(),
            "check": {"oneOf": [_claims(), {"type": "array", "items": _claims()}]},
        }),
    }  # fmt: skip


def _host() -> dict[str, Any]:
    engine = {**_TEXT, "description": "The Docker engine's version", "examples": [one.engine for one in layouts()]}
    joined = {"type": ["object", "null"], "properties": dict.fromkeys(names.JOINED, _WORDS),
              "additionalProperties": False}  # fmt: skip
    networks = {"oneOf": [*_WORDS["oneOf"][:2], {"type": "object", "additionalProperties": joined}]}
    container = {**_flags(RUN), "network": networks, "networks": networks, "image": _TEXT, "command": _TEXT,
                 "listen": _LISTEN}  # fmt: skip
    network = {**_flags(NETWORK_CREATE), "options": _WORDS}
    service = {**_flags(SERVICE_CREATE), "image": _TEXT, "command": _TEXT, "listen": _LISTEN}
    swarm = {"oneOf": [{"const": "init"}, _object({"join": _TEXT, "manager": {"type": "boolean"}}, ["join"])]}
    return _nullable(_object({
        "engine": engine, "addresses": {"type": "array", "items": _TEXT}, "gateway": _TEXT, "wire": _TEXT,
        "mtu": {"type": "integer"}, "sysctl": {"type": "object", "additionalProperties": _SCALAR},
        "daemon": _object({**_flags(DAEMON), "default-address-pools": _WORDS}), "swarm": swarm,
        "networks": {"type": "object", "additionalProperties": _nullable(_object(network))},
        "containers": {"type": "object", "additionalProperties": _nullable(_object(container))},
        "services": {"type": "object", "additionalProperties": _nullable(_object(service))},
        "listen": _LISTEN, "commands": _LINES, **traffic_schema.hardware(),
    }))  # fmt: skip


def _machine() -> dict[str, Any]:
    route = _object({"to": _TEXT, "via": _TEXT}, ["to", "via"])
    return _nullable(_object({
        "addresses": {"type": "array", "items": _TEXT}, "gateway": _TEXT, "wire": _TEXT, "listen": _LISTEN,
        "routes": {"type": "array", "items": route}, "commands": _LINES,
        **traffic_schema.hardware(),
    }))  # fmt: skip


def _claims() -> dict[str, Any]:
    sentence = {"oneOf": [_TEXT, {"type": "array", "items": _TEXT}]}
    return {"type": "object", "properties": dict.fromkeys(names.CLAIM, _TEXT), "additionalProperties": sentence}


def _flags(flags: Mapping[str, str]) -> dict[str, Any]:
    """The flags of a docker command as keys, those that people know by another name twice."""
    found: dict[str, Any] = {name: {"type": "boolean"} if kind == SWITCH else _WORDS for name, kind in flags.items()}
    return found | {alias: _WORDS for alias, flag in names.ALIASES.items() if flag in flags}


def _object(properties: dict[str, Any], required: Iterable[str] = ()) -> dict[str, Any]:
    needed = {"required": list(required)} if required else {}
    return {"type": "object", "properties": properties, "additionalProperties": False, **needed}


def _nullable(found: dict[str, Any]) -> dict[str, Any]:
    return {**found, "type": ["object", "null"]}
