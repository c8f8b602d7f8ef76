"""The top-level `networks` of a compose file, as docker is to create them.

Models: compose's create.go (resolveOrCreateNetwork). Compose makes networks in no particular order; here it is
that of the file, the implicit `default` first.
Leaves out: labels; more than one subnet of a family in the engine's options (they are all in `subnets`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simnet.docker.document import Value
from simnet.docker.options import DRIVER_OPTIONS, GO_BOOLS, NetworkOptions, subnet_of

from .canonical import flag
from .project import ProjectNetwork
from .tree import Findings, is_address, items_of, mapping_of, text_of


def network(project: str, key: str, value: Value | None, findings: Findings) -> ProjectNetwork:
    """A network of a project; what an engine would refuse in it goes to the findings."""
    found = mapping_of(value)
    path = f"networks.{key}"
    external = flag(found, "external", path, findings)
    name = text_of(found.get("name")) or (key if external else f"{project}_{key}")
    asked: dict[str, Any] = {
        "driver": text_of(found.get("driver")) or "bridge",
        "ipv6": flag(found, "enable_ipv6", path, findings),
        "internal": flag(found, "internal", path, findings),
        "attachable": flag(found, "attachable", path, findings),
    }
    asked |= _driver_options(mapping_of(found.get("driver_opts")), findings)
    ipam = mapping_of(found.get("ipam"))
    blocks = items_of(ipam.get("config"))
    auxiliary: list[tuple[str, str]] = []
    for block in blocks:
        asked |= {name: held for name, held in _block(mapping_of(block), findings).items() if name not in asked}
        auxiliary += [(host, text_of(one)) for host, one in mapping_of(mapping_of(block).get("aux_addresses")).items()]
    options = NetworkOptions(name, auxiliary=tuple(auxiliary), **asked)
    return ProjectNetwork(
        key, options, external, flag(found, "enable_ipv4", path, findings, default=True),
        text_of(ipam.get("driver")), tuple(text_of(mapping_of(block).get("subnet")) for block in blocks),
        tuple(auxiliary), value,
    )  # fmt: skip


def _driver_options(found: Mapping[str, Value], findings: Findings) -> dict[str, Any]:
    asked: dict[str, Any] = {}
    told: list[tuple[str, str]] = []
    for name, value in sorted(found.items()):
        option, text = DRIVER_OPTIONS.get(name), text_of(value)
        if option in {"icc", "masquerade"}:
            if text not in GO_BOOLS:
                findings.wrong(value, f"invalid value {text!r} for {name}", "it is true or false")
            asked[option] = GO_BOOLS.get(text, True)
        elif option == "mtu":
            if not text.isdecimal():
                findings.wrong(value, f"invalid value {text!r} for {name}", "it is a number of bytes")
            asked[option] = int(text) if text.isdecimal() else 1500
        elif option == "encrypted":
            # an option of the overlay driver that is on as soon as it is there, unless it says no
            asked[option] = GO_BOOLS.get(text, True)
        elif option is not None:
            asked[option] = text
        told.append((name, text))
    return {**asked, "told": tuple(told)}


def _block(found: Mapping[str, Value], findings: Findings) -> dict[str, Any]:
    """One block of addresses: the engine's options of its family."""
    asked: dict[str, Any] = {}
    subnet, within, gateway = (text_of(found.get(key)) for key in ("subnet", "ip_range", "gateway"))
    six = ":" in (subnet or within or gateway)
    for key, text in (("subnet", subnet), ("ip_range", within)):
        if not text:
            continue
        try:
            block = subnet_of(text)
        except ValueError:
            findings.wrong(found[key], f"invalid CIDR address: {text}", "the form is 172.28.0.0/16")
            continue
        if key == "subnet" or not six:
            asked["subnet6" if key == "subnet" and six else key] = block
    others = mapping_of(found.get("aux_addresses")).values()
    for value in (*((found["gateway"],) if gateway else ()), *others):
        if not is_address(text_of(value)):
            findings.wrong(value, f"invalid IP address: {text_of(value)}")
    if gateway:
        asked["gateway6" if six else "gateway"] = gateway
    return asked
