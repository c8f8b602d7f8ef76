"""Published and exposed ports as docker shows them: the map of `inspect`, the column of `ps`, and `docker port`.

Models: daemon/network.go (getPortMapInfo) of moby; formatter/container.go (DisplayablePorts), container/port.go of
docker/cli, which sorts the lines of `docker port`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simnet.docker.command.since import since
from simnet.errors import Refused

if TYPE_CHECKING:
    from simnet.docker.engine import Engine
    from simnet.docker.objects import Binding, Container


@dataclass(frozen=True, slots=True)
class Shown:
    """A port of a container, and the address and port of the host that lead to it; `host` is empty without one.

    `number` is 0 where the host's port is not mapped (gateway mode routed).
    """

    port: int
    proto: str
    host: str = ""
    number: int = 0

    @property
    def key(self) -> str:
        """As maps name it: `80/tcp`."""
        return f"{self.port}/{self.proto}"


def shown(engine: Engine, container: Container) -> list[Shown]:
    """Every port that docker shows of a running container, in the order of `inspect`.

    Example:
        >>> from simnet.docker.command.cli import Session
        >>> session = Session("28.5.2")
        >>> _ = session.run("docker run -d --name web -p 8080:80 --expose 90 busybox")
        >>> [(one.key, one.host, one.number) for one in shown(session.engine, session.engine.find("web"))]
        [('80/tcp', '0.0.0.0', 8080), ('80/tcp', '::', 8080), ('90/tcp', '', 0)]
    """
    way_out = container.gateway
    if not container.running or way_out is None or not way_out.network.bridge or way_out.network.internal:
        return []
    found: dict[str, list[Shown]] = {}
    for binding in container.bindings:
        found.setdefault(f"{binding.asked.port}/{binding.asked.proto}", []).extend(_both(engine, container, binding))
    for asked in container.options.ports:
        if ":" in asked.address and engine.options.userland_proxy and way_out.address6 is None:
            # docker-proxy leads from an IPv6 address to a container without one
            found.setdefault(f"{asked.port}/{asked.proto}", []).append(
                Shown(asked.port, asked.proto, asked.address, asked.first)
            )
    for port, proto in container.open_ports:
        found.setdefault(f"{port}/{proto}", [Shown(port, proto)])
    return [one for key in sorted(found, key=_natural) for one in sorted(found[key], key=lambda one: ":" in one.host)]


def _both(engine: Engine, container: Container, binding: Binding) -> list[Shown]:
    """A binding; and one on the host's IPv6 addresses, where docker-proxy leads from there to an IPv4 container."""
    own = Shown(binding.asked.port, binding.asked.proto, binding.host, binding.host_port)
    six = any(one.asked is binding.asked and one.family == 6 for one in container.bindings)
    if binding.host != "0.0.0.0" or binding.asked.address or six or not engine.options.userland_proxy:
        return [own]
    return [own, Shown(own.port, own.proto, "::", binding.host_port or binding.asked.first)]


def _natural(key: str) -> tuple[int, str]:
    number, _, proto = key.partition("/")
    return int(number), proto


def _numbers_apart(text: str) -> list[tuple[int, str]]:
    """What a line is sorted by: its numbers as numbers, all else as text (sortorder.NaturalLess)."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"([0-9]+)", text) if part]


def as_map(ports: list[Shown]) -> dict[str, list[dict[str, str]] | None]:
    """`NetworkSettings.Ports` of `docker inspect`."""
    found: dict[str, list[dict[str, str]] | None] = {}
    for one in sorted(ports, key=lambda one: one.key):
        if one.host:
            held = found.setdefault(one.key, [])
            assert held is not None
            held.append({"HostIp": one.host, "HostPort": str(one.number or "")})
        else:
            found.setdefault(one.key, None)
    return found


def _at(version: str, host: str, number: str, *, first: int) -> str:
    """Address and port of the host; an IPv6 address stands in brackets from the version `first` on."""
    return f"[{host}]:{number}" if ":" in host and since(version, first) else f"{host}:{number}"


def column(version: str, ports: list[Shown]) -> str:
    """The column PORTS of `docker ps`: neighbouring ports together, mapped ones that differ at the end.

    Example:
        >>> column(
        ...     "28", [Shown(70, "tcp"), Shown(71, "tcp"), Shown(9, "tcp", "::", 9), Shown(80, "tcp", "0.0.0.0", 8080)]
        ... )
        '[::]:9->9/tcp, 70-71/tcp, 0.0.0.0:8080->80/tcp'
    """
    groups: dict[tuple[str, str], list[int]] = {}
    done: list[str] = []
    mapped: list[str] = []

    def say(key: tuple[str, str], first: int, last: int) -> str:
        group = str(first) if first == last else f"{first}-{last}"
        return (f"{_at(version, key[0], group, first=28)}->{group}" if key[0] else group) + f"/{key[1]}"

    for one in sorted(ports, key=lambda one: (one.port, one.host, one.number, one.proto)):
        if one.host and one.number != one.port:
            mapped.append(f"{_at(version, one.host, str(one.number), first=28)}->{one.key}")
            continue
        group = groups.setdefault((one.host, one.proto), [one.port, one.port])
        if one.port == group[1] + 1:
            group[1] = one.port
        elif one.port != group[1]:
            done.append(say((one.host, one.proto), *group))
            groups[one.host, one.proto] = [one.port, one.port]
    return ", ".join([*done, *(say(key, *group) for key, group in groups.items()), *mapped])


def port(engine: Engine, name: str, wanted: str = "") -> str:
    """`docker port NAME [PORT[/PROTO]]`; Refused where there is no such container or no such port.

    Example:
        >>> from simnet.docker.command.cli import Session
        >>> session = Session("28.5.2")
        >>> _ = session.run("docker run -d --name web -p 127.0.0.1:8080:80 busybox")
        >>> print(port(session.engine, "web"), port(session.engine, "web", "80"), end="", sep="")
        80/tcp -> 127.0.0.1:8080
        127.0.0.1:8080
    """
    ports = [one for one in shown(engine, engine.find(name)) if one.host]
    lines = [(one, _at(engine.version, one.host, str(one.number or ""), first=25)) for one in ports]
    if not wanted:
        found = [f"{one.key} -> {line}" for one, line in lines]
        return "".join(f"{line}\n" for line in sorted(found, key=_numbers_apart))
    number, slash, proto = wanted.partition("/")
    key = f"{number}/{proto.lower() if slash else 'tcp'}"
    found = [line for one, line in lines if one.key == key]
    if not found:
        raise Refused("port_unpublished", f"No public port '{key}' published for {name}")
    return "".join(f"{line}\n" for line in found)
