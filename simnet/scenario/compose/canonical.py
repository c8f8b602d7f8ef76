"""The short forms of a compose file written out: ports in the long syntax, lists of networks as mappings, and so on.

Models: compose-go's transform package.
Leaves out: the long forms of what does not touch the network (volumes, secrets, builds).
"""

from __future__ import annotations

from collections.abc import Mapping

from simnet.docker.document import Value

from . import ports
from .merge import depended, keyed
from .tree import Findings, items_of, made, mapping_of, text_of

_CAST = "error while interpolating {}.{}: failed to cast to expected type"
_TRUE, _FALSE = {"true", "1", "t", "yes", "y", "on"}, {"false", "0", "f", "no", "n", "off"}


def canonical(top: Value, findings: Findings) -> Value:
    """A file's tree with its short forms written out."""
    found = dict(mapping_of(top))
    if "services" in found:
        services = {name: _service(name, one, findings) for name, one in mapping_of(found["services"]).items()}
        found["services"] = made(found["services"], services)
    if "networks" in found:
        networks = {name: _network(name, one, findings) for name, one in mapping_of(found["networks"]).items()}
        found["networks"] = made(found["networks"], networks)
    return made(top, found)


def _service(name: str, value: Value, findings: Findings) -> Value:
    found = dict(mapping_of(value))
    if "networks" in found:
        found["networks"] = keyed(found["networks"])
    if "depends_on" in found:
        found["depends_on"] = depended(found["depends_on"])
    if "ports" in found:
        path = f"services.{name}.ports"
        every = [long for item in items_of(found["ports"]) for long in ports.long(item, path, findings)]
        found["ports"] = made(found["ports"], every)
    for key in ("dns", "dns_search"):
        if key in found and isinstance(found[key].held, str):
            found[key] = made(found[key], [found[key]])
    return made(value, found)


def _network(name: str, value: Value, findings: Findings) -> Value:
    """`external: {name: x}`, the older form, as a name and `external: true`."""
    found = dict(mapping_of(value))
    if "external" not in found or not isinstance(found["external"].held, dict):
        return value
    external = found["external"]
    inner = mapping_of(external)
    found["external"] = made(external, held=True)
    if "name" in inner:
        findings.note(f"networks.{name}: external.name is deprecated. Please set name and external: true")
        if "name" in found and text_of(found["name"]) != text_of(inner["name"]):
            findings.wrong(external, f"networks.{name}: name and external.name conflict; only use name")
        found["name"] = inner["name"]
    return made(value, found)


def flag(found: Mapping[str, Value], key: str, path: str, findings: Findings, *, default: bool = False) -> bool:
    """A key that is true or false, `yes` and `off` among the words for it, as compose reads them.

    Example:
        >>> from .tree import Findings, documents
        >>> top, findings = documents("{internal: yes}", "compose.yaml")[0], Findings()
        >>> flag(top.mapping(), "internal", "networks.back", findings), list(findings.notes)
        (True, ['"yes" for boolean is not supported by YAML 1.2, please use `true`'])
    """
    if key not in found:
        return default
    value = found[key]
    if isinstance(value.held, bool):
        return value.held
    text = text_of(value).lower()
    if text not in _TRUE | _FALSE:
        findings.wrong(value, f"{_CAST.format(path, key)}: invalid boolean: {text_of(value)}", "it is true or false")
        return default
    if text not in {"true", "false"}:
        word = "true" if text in _TRUE else "false"
        findings.note(f'"{text}" for boolean is not supported by YAML 1.2, please use `{word}`')
    return text in _TRUE


def whole(found: Mapping[str, Value], key: str, path: str, findings: Findings, *, default: int = 0) -> int:
    """A key that is a whole number, or text that is one."""
    if key not in found:
        return default
    text = text_of(found[key])
    digits = text.removeprefix("-").removeprefix("+")
    if not (digits.isascii() and digits.isdecimal()):
        findings.wrong(
            found[key],
            f'{_CAST.format(path, key)}: strconv.Atoi: parsing "{text}": invalid syntax',
            "it is a whole number",
        )
        return default
    return int(text)
