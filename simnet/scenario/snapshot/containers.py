"""What `docker inspect` says of a host: other names of its namespaces, and the docker-proxies of published ports."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from simnet.docker.proxy import DockerProxy, HeldPort
from simnet.net.address import parse_ip
from simnet.net.device import Bridge
from simnet.net.namespace import NetNamespace
from simnet.net.netfilter.rule import Rule
from simnet.net.network import Network
from simnet.net.program import Server

from .files import read_list, read_text

_LISTEN = re.compile(r"(tcp|udp)\s+\S+\s+\d+\s+\d+\s+(\S+):(\d+)\s")
_VERSION = re.compile(r'"Name":\s*"Engine",\s*"Version":\s*"(\d+)\.(\d+)')


def read_containers(network: Network, folder: Path, notes: list[str]) -> None:
    """Name the containers of a host, and start its docker-proxies and whatever else listens there."""
    host = folder.name
    network.aliases[host] = f"{host}/host"
    inspect = folder / "docker-inspect.json"
    containers = read_list(inspect, needed=False, notes=[]) if inspect.exists() else []
    names = {str(one.get("Id", "")): _name_of(one) for one in containers}
    modes = {_name_of(one): str(one.get("HostConfig", {}).get("NetworkMode", "")) for one in containers}
    for name, mode in modes.items():
        if mode == "host" or mode.startswith("container:"):
            _name(network, host, name, modes, names, notes)
    version = _engine_version(folder)
    for place, namespace in network.namespaces.items():
        if place.startswith(f"{host}/"):
            own = containers if place == f"{host}/host" else []
            _listen(namespace, folder / place.partition("/")[2] / "listen", own, version, notes)


def _name_of(one: dict[str, Any]) -> str:
    return str(one.get("Name", "")).lstrip("/")


def _name(network: Network, host: str, name: str, modes: dict[str, str], names: dict[str, str],
          notes: list[str]) -> None:  # fmt: skip
    """A container in host mode or in another's namespace has no folder of its own: it goes by another place.

    That other one may itself be in somebody else's namespace, and be listed before or after it.
    """
    owner, seen = name, {name}
    while (mode := modes.get(owner, "")).startswith("container:"):
        asked = mode.partition(":")[2]
        owner = names.get(asked, asked)
        if owner in seen or owner not in modes:
            break
        seen.add(owner)
    place = f"{host}/host" if mode == "host" else f"{host}/{owner}"
    if mode == "host" or (owner != name and place in network.namespaces):
        network.aliases[f"{host}/{name}"] = place
    else:
        notes.append(f"{host}/{name} shares the namespace of {owner!r}, which is not in the snapshot")


def _engine_version(folder: Path) -> tuple[int, int]:
    text = read_text(folder / "docker-version.json", needed=False, notes=[]) or ""
    found = _VERSION.search(text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _listen(
    namespace: NetNamespace, path: Path, containers: list[dict[str, Any]], version: tuple[int, int], notes: list[str]
) -> None:
    """Open every socket of `ss -Hlntu`: a published port's is docker-proxy's, a tunnel's the kernel's."""
    text = read_text(path, needed=False, notes=notes, without="nothing is taken to listen there")
    for row, line in enumerate((text or "").splitlines(), 1):
        found = _LISTEN.match(line)
        if found is None:
            if line.strip() and line.split()[0] in {"tcp", "udp"}:
                notes.append(f"{path}:{row}: not a line of 'ss -Hlntu', left out: {line.strip()!r}")
            continue
        proto, where, number = found.groups()
        if where.startswith("[") or (proto == "udp" and int(number) in {port for port, _ in namespace.tunnels}):
            continue
        port = int(number)
        address = 0 if where == "*" else parse_ip(where.partition("%")[0])
        target = _published(namespace, containers, proto, address, port)
        if target is not None and _without_proxy(namespace):
            HeldPort(namespace, proto, address, port).listen()
        elif target is not None:
            DockerProxy(namespace, proto, address, port, target, version >= (28, 0)).listen()
        else:
            Server(namespace, proto, address, port, by="a program of the host").listen()


def _without_proxy(namespace: NetNamespace) -> bool:
    """Whether the engine runs without userland proxy: then its bridges' ports are in hairpin mode."""
    bridges = [device for device in namespace.devices.values() if isinstance(device, Bridge)]
    return any(port.hairpin for bridge in bridges for port in bridge.ports)


class Published(NamedTuple):
    """A published port: the protocol, the container's port, the host's address (0: any) and port."""

    proto: str
    inner: int
    host: int
    outer: int


def published(one: dict[str, Any]) -> Iterator[Published]:
    """The published ports of a container that `docker inspect` tells of, without those of IPv6.

    Example:
        >>> ports = {"22/tcp": [{"HostIp": "0.0.0.0", "HostPort": "2222"}, {"HostIp": "::", "HostPort": "2222"}]}
        >>> list(published({"NetworkSettings": {"Ports": ports}}))
        [Published(proto='tcp', inner=22, host=0, outer=2222)]
    """
    for inner, bindings in (one.get("NetworkSettings", {}).get("Ports") or {}).items():
        number, _, proto = inner.partition("/")
        for binding in bindings or []:
            host = str(binding.get("HostIp", ""))
            if ":" not in host:
                yield Published(proto, int(number), parse_ip(host or "0.0.0.0"), int(binding.get("HostPort") or 0))


def _published(
    namespace: NetNamespace, containers: list[dict[str, Any]], proto: str, address: int, port: int
) -> tuple[int, int] | None:
    """The container's address and port behind a published port of the host."""
    for one in containers:
        for found in published(one):
            if (found.proto, found.host, found.outer) == (proto, address, port):
                container = _dnat_target(namespace, proto, port, found.inner)
                container = container or _own_address(one.get("NetworkSettings", {}))
                return (container, found.inner) if container else None
    return None


def _dnat_target(namespace: NetNamespace, proto: str, port: int, inner: int) -> int:
    """The container's address as the rule that publishes the port has it."""
    table = namespace.ruleset.tables.get("nat")
    for rule in table.chains["DOCKER"].rules if table is not None and "DOCKER" in table.chains else ():
        to = _option(rule, "--to-destination")
        if to.endswith(f":{inner}") and _option(rule, "--dport") == str(port) and _option(rule, "-p") == proto:
            return parse_ip(to.partition(":")[0])
    return 0


def _option(rule: Rule, name: str) -> str:
    words = [word.text for word in rule.words]
    return words[words.index(name) + 1] if name in words[:-1] else ""


def _own_address(settings: dict[str, Any]) -> int:
    for network in (settings.get("Networks") or {}).values():
        if network.get("IPAddress") and network.get("Gateway"):
            return parse_ip(network["IPAddress"])
    return 0
