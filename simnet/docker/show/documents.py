"""What `docker inspect` prints: a list of documents, or one line of a template for each; and what names were not found.

Models: cli/command/inspect (inspector.go), container/inspect.go and system/inspect.go of docker/cli.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from simnet.answer import Answer
from simnet.docker.gotemplate.functions import NO_VALUE, Map, NilMap, NilSlice, Pointer, Struct
from simnet.docker.gotemplate.template import Template
from simnet.errors import TemplateError

Document = dict[str, Any]
# fields that Go names otherwise than JSON does: a template finds them by Go's name
_GO_NAMES = {
    "ID": "Id", "HostIP": "HostIp", "DNS": "Dns", "DNSOptions": "DnsOptions", "DNSSearch": "DnsSearch",
    "CPUShares": "CpuShares", "NanoCPUs": "NanoCpus", "CPUPeriod": "CpuPeriod", "CPUQuota": "CpuQuota",
    "CPURealtimePeriod": "CpuRealtimePeriod", "CPURealtimeRuntime": "CpuRealtimeRuntime", "CPUCount": "CpuCount",
    "CPUPercent": "CpuPercent",
}  # fmt: skip
# which fields are maps (their values structs, pointers to structs, or plain), and which are pointers
_MAPS = {"Networks", "Ports", "PortBindings", "ExposedPorts", "Labels", "Options", "Containers", "Volumes",
         "DriverOpts", "Sysctls", "Data", "AuxiliaryAddresses"}  # fmt: skip
_TO_POINTERS = {"Networks"}
_POINTERS = {"IPAMConfig", "PidsLimit", "MemorySwappiness", "OomKillDisable"}


class Missing(Exception):
    """There is no such object; the message is docker's (`Error: No such object: web`)."""


def inspect(names: Iterable[str], find: Callable[[str], Document], form: str = "") -> Answer:
    r"""Documents of what `find` finds by name (it raises Missing), as JSON or by the template `form`.

    Example:
        >>> inspect(["a", "b"], {"a": {"Name": "a"}, "b": {"Name": "b"}}.__getitem__, "{{.Name}}").out
        'a\nb\n'
    """
    found: list[Document] = []
    failed: list[str] = []
    for name in names:
        try:
            found.append(find(name))
        except Missing as error:
            failed.append(str(error))
    if form and form != "json":
        answer = _by_template(found, form)
    else:
        answer = Answer(_compact(found) if form else listed(found))
    if answer.code:
        return answer
    return Answer(answer.out, "".join(f"{line}\n" for line in failed), 1 if failed else 0)


def listed(found: list[Document]) -> str:
    """Documents as a JSON list, four spaces a level."""
    return json.dumps(found, indent=4, ensure_ascii=False) + "\n"


def _compact(found: list[Document]) -> str:
    return json.dumps(found, separators=(",", ":"), ensure_ascii=False) + "\n"


def _by_template(found: list[Document], form: str) -> Answer:
    """A line for each document; a template that cannot be read ends with 64, one that fails with 1."""
    try:
        template = Template(form)
    except TemplateError as error:
        return Answer(err=f"template parsing error: {error}\n", code=64)
    try:
        out = "".join(_executed(template, one) + "\n" for one in found)
    except TemplateError as error:
        return Answer("\n", f"template parsing error: {error}\n", 1)
    return Answer(out or ("" if found else "\n"))


def _executed(template: Template, document: Document) -> str:
    """By Go's types first; where that fails, by what JSON has, which is what the client does too."""
    try:
        return template.execute(typed(document))
    except TemplateError:
        return template.execute(untyped(document))


class _Field(Struct):
    """A struct of docker's API."""

    names = _GO_NAMES


class _Block(_Field):
    """A subnet of a network."""

    empty: ClassVar = {"IPRange": "", "Gateway": "", "AuxiliaryAddresses": NilMap()}


class _Config(_Field):
    """What a container was asked to be."""

    empty: ClassVar = {"ExposedPorts": NilMap(), "MacAddress": "", "NetworkDisabled": False, "Healthcheck": None,
                       "StopSignal": "", "StopTimeout": None, "Shell": NilSlice()}  # fmt: skip


class _HostConfig(_Field):
    """What a container was asked to be, as far as its host is concerned."""

    empty: ClassVar = {"Sysctls": NilMap(), "Tmpfs": NilMap(), "StorageOpt": NilMap(), "Mounts": NilSlice(),
                       "Init": None}  # fmt: skip


class _State(_Field):
    """The state of a container, which ends in a health that is not there."""

    empty: ClassVar = {"Health": None}
    nils = 1


# structs that are more than their fields in JSON, by the field that holds them (`[]`: in a list)
_KINDS: dict[str, type[Struct]] = {
    "Config[]": _Block, "Config": _Config, "HostConfig": _HostConfig, "State": _State,
}  # fmt: skip


def typed(value: Any, key: str = "", *, pointer: bool = False) -> Any:
    """A document as the client has it in Go: structs, maps, nil slices.

    Example:
        >>> from simnet.docker.gotemplate.functions import text_of
        >>> text_of(typed({"Ports": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}]}, "Env": None}))
        '{map[80/tcp:[{127.0.0.1 8080}]] []}'
    """
    if isinstance(value, dict) and key in _MAPS:
        return Map({name: typed(one, pointer=key in _TO_POINTERS) for name, one in value.items()})
    if isinstance(value, dict):
        kind = Pointer if pointer else _KINDS.get(key, _Field)
        return kind({name: typed(one, name) for name, one in value.items()})
    if isinstance(value, list):
        return [typed(one, f"{key}[]") for one in value]
    if value is None and key not in _POINTERS:
        return NilMap() if key in _MAPS else NilSlice()
    return value


def untyped(value: Any) -> Any:
    """A document as JSON of unknown types: maps, lists, and nothing for null."""
    if isinstance(value, dict):
        return {key: untyped(one) for key, one in value.items()}
    if isinstance(value, list):
        return [untyped(one) for one in value]
    return NO_VALUE if value is None else value
