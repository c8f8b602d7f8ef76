"""Whether the parts of a project fit together: every name that a service refers to is there, nothing goes in circles.

Models: checkConsistency of compose-go, profiles of compose-go's types.Project, graph.go.
Leaves out: what does not touch the network (volumes, secrets, configs).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from simnet.docker.document import Value
from simnet.errors import nearest

from .project import Service
from .tree import Findings, mapping_of

_INVALID = ": invalid compose project"


def enabled(services: Sequence[Service], profiles: Sequence[str]) -> tuple[list[Service], list[Service]]:
    """The services that the active profiles enable, and the others; `*` is every profile."""
    on = [one for one in services if not one.profiles or "*" in profiles or set(one.profiles) & set(profiles)]
    names = {one.name for one in on}
    return on, [one for one in services if one.name not in names]


def check(on: Sequence[Service], off: Sequence[Service], top: Value, findings: Findings) -> None:
    """Hold the enabled services against each other and against the file's networks."""
    values = mapping_of(mapping_of(top).get("services"))
    networks = {"default", *mapping_of(mapping_of(top).get("networks"))}
    disabled = {one.name: one for one in off}
    known = {one.name for one in on}
    names: dict[str, str] = {}
    for one in on:
        value = values[one.name]
        found = mapping_of(value)
        if not {"image", "build", "provider"} & set(found):
            findings.wrong_key(value, f'service "{one.name}" has neither an image nor a build context specified'
                               f"{_INVALID}", "add `image: NAME`")  # fmt: skip
        if one.network_mode and mapping_of(found.get("networks")):
            findings.wrong(found["networks"], f"service {one.name} declares mutually exclusive `network_mode` and "
                           f"`networks`{_INVALID}", "leave out one of them")  # fmt: skip
        for net in one.networks:
            if net.key not in networks:
                place = mapping_of(found.get("networks")).get(net.key, value)
                findings.wrong_key(place, f'service "{one.name}" refers to undefined network {net.key}{_INVALID}',
                                   _declare(net.key, networks - {"default"}))  # fmt: skip
        _dependencies(one, value, known, disabled, findings)
        if one.container_name:
            other = names.setdefault(one.container_name, one.name)
            if other != one.name:
                message = f'container name "{one.container_name}" is already in use by service "{other}"'
                findings.wrong(found["container_name"], f"services.{one.name}: {message}{_INVALID}")
    _circles(on, values, findings)


def _declare(name: str, known: set[str]) -> str:
    close = nearest(name, sorted(known))
    return (
        close.removeprefix("; ") if "did you mean" in close else f"declare it under the top-level `networks:` ({name}:)"
    )


def _dependencies(one: Service, value: Value, known: set[str], disabled: Mapping[str, Service],
                  findings: Findings) -> None:  # fmt: skip
    found = mapping_of(value)
    for need in one.depends_on:
        off = disabled.get(need.service)
        if need.service in known or (off is not None and not need.required):
            continue
        place = mapping_of(found.get("depends_on")).get(need.service)
        if place is None:
            keys = ("links", "network_mode", "ipc", "pid", "uts", "cgroup", "volumes_from")
            place = next((found[key] for key in keys if key in found and _names(found[key], need.service)), value)
        if off is not None:
            hint = f"it is in a profile that is not active: {', '.join(off.profiles)}"
        else:
            hint = nearest(need.service, sorted(known - {one.name})).removeprefix("; ")
        findings.wrong(place, f'service "{one.name}" depends on undefined service "{need.service}"{_INVALID}', hint)


def _names(value: Value, service: str) -> bool:
    texts = [item.held for item in value.held] if isinstance(value.held, list) else [value.held]
    return any(isinstance(text, str) and service in text.split(":") for text in texts)


def _circles(on: Sequence[Service], values: Mapping[str, Value], findings: Findings) -> None:
    """Say of one way round that services depend on themselves."""
    names = {one.name for one in on}
    needs = {one.name: [need.service for need in one.depends_on if need.service in names] for one in on}
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        # each is needed by the next; told the other way round, and from the first name on
        around = error.args[1][:0:-1]
        first = around.index(min(around))
        circle = [*around[first:], *around[: first + 1]]
        findings.wrong_key(values[circle[0]], f"dependency cycle detected: {' -> '.join(circle)}", "take one away")
