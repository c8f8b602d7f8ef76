"""Published ports of a service: the short syntax made long, and the long one made docker's.

Models: ParsePortConfig of compose-go, convert of compose's create.go.
Leaves out: names and application protocols of ports, which mean nothing to a network.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address

from simnet.docker import publish
from simnet.docker.document import Value
from simnet.docker.publish import PublishedPort

from .tree import Findings, made, mapping_of, text_of


@dataclass(frozen=True, slots=True)
class Port:
    """A port of a service; `published` is empty, a number or a range, `mode` `ingress` or `host` (for a swarm)."""

    target: int
    published: str = ""
    proto: str = "tcp"
    host_ip: str = ""
    mode: str = "ingress"

    def as_published(self) -> PublishedPort:
        """What the engine is asked for; ValueError where the range is none.

        Example:
            >>> str(Port(80, "8000-8009", host_ip="127.0.0.1").as_published())
            '127.0.0.1:8000-8009:80/tcp'
        """
        first, _, last = self.published.partition("-")
        if not self.published:
            return PublishedPort(self.target, self.proto, self.host_ip)
        if not (first.isdecimal() and (last or first).isdecimal() and int(first) <= int(last or first) <= 65535):
            raise ValueError(f"Invalid hostPort: {self.published}")
        return PublishedPort(self.target, self.proto, self.host_ip, int(first), int(last or first))


def long(value: Value, path: str, findings: Findings) -> list[Value]:
    """An entry under `ports` in the long syntax; a range of container ports gives one for each."""
    if isinstance(value.held, float):
        findings.wrong(value, f"{path}: invalid type float64 for port", 'put it in quotes: "80:80"')
        return []
    if not isinstance(value.held, str | int):
        return [value]
    try:
        parsed = publish.parse(text_of(value).removesuffix("/"))
    except ValueError as error:
        message = str(error)
        findings.wrong(value, f"{path}: {message[:1].upper()}{message[1:]}",
                       'the form is "[[address:]host port:]container port[/protocol]"')  # fmt: skip
        return []
    found: list[Value] = []
    for port in parsed:
        keys: dict[str, object] = {"mode": "ingress", "target": port.port, "protocol": port.proto}
        if port.address:
            keys["host_ip"] = port.address
        if port.first:
            keys["published"] = str(port.first) if port.first == port.last else f"{port.first}-{port.last}"
        found.append(made(value, {key: made(value, held) for key, held in keys.items()}))
    return found


def read(value: Value, path: str, findings: Findings) -> Port | None:
    """A port in the long syntax; None where it is wrong, which the findings then tell."""
    found = mapping_of(value)
    target = text_of(found.get("target"))
    if not target.isdecimal() or not int(target):
        findings.wrong(value, f"service ports {path} is missing a target port", "add `target: 80`")
        return None
    address = text_of(found.get("host_ip"))
    proto = text_of(found.get("protocol")) or "tcp"
    port = Port(int(target), text_of(found.get("published")), proto, address, text_of(found.get("mode")) or "ingress")
    try:
        if address:
            ip_address(address)
    except ValueError:
        findings.wrong(found["host_ip"], f"{path}: invalid ip address: {address}")
        return None
    try:
        port.as_published()
    except ValueError as error:
        findings.wrong(found["published"], f"{path}: {error}", "a number, or two joined by '-'")
        return None
    if port.target > 65535:
        findings.wrong(found["target"], f"{path}: Invalid containerPort: {port.target}", "ports end at 65535")
        return None
    if proto not in publish.PROTOCOLS:
        findings.wrong(found["protocol"], f"{path}: Invalid proto: {proto}", "it is tcp, udp or sctp")
        return None
    return port
