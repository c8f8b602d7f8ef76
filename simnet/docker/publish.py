"""The short syntax of `-p`: `[[address:][host port[-last]]:]port[-last][/proto]`.

Models: nat.ParsePortSpec of go-connections.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import ip_address

PROTOCOLS = ("tcp", "udp", "sctp")


@dataclass(frozen=True, slots=True)
class PublishedPort:
    """One port of a container and the ports of the host that lead to it.

    `address` is empty for all of the host's addresses. `first`, `last` are 0 for a port that the engine picks; where
    they differ, it picks the first free one between them.
    """

    port: int
    proto: str = "tcp"
    address: str = ""
    first: int = 0
    last: int = 0

    def __str__(self) -> str:
        """As `-p` takes it."""
        host = str(self.first) if self.first == self.last else f"{self.first}-{self.last}"
        address = f"[{self.address}]" if ":" in self.address else self.address
        before = (f"{address}:" if address else "") + (
            f"{host if self.first else ''}:" if self.first or address else ""
        )
        return f"{before}{self.port}/{self.proto}"


def parse(text: str) -> list[PublishedPort]:
    """Read one `-p`; ValueError in docker's words where it is wrong.

    Example:
        >>> [str(port) for port in parse("127.0.0.1:7000-7001:80-81")]
        ['127.0.0.1:7000:80/tcp', '127.0.0.1:7001:81/tcp']
        >>> [str(port) for port in parse("53/udp")], [str(port) for port in parse("[::1]:8000-8009:80")]
        (['53/udp'], ['[::1]:8000-8009:80/tcp'])
        >>> parse("80-82:80-81")
        Traceback (most recent call last):
        ...
        ValueError: invalid ranges specified for container and host Ports: 80-81 and 80-82
    """
    address, host, container = _split(text)
    container, slash, proto = container.partition("/")
    proto = proto.lower() if slash else "tcp"
    if not container:
        raise ValueError(f"no port specified: {text}<empty>")
    first, last = _range(container, "containerPort")
    if host:
        host_first, host_last = _range(host, "hostPort")
        if last - first != host_last - host_first and last != first:
            raise ValueError(f"invalid ranges specified for container and host Ports: {container} and {host}")
    else:
        host_first = host_last = 0
    if proto not in PROTOCOLS:
        raise ValueError(f"invalid proto: {proto}")
    one = PublishedPort(first, proto, address, host_first, host_last)
    if first == last:
        return [one]
    return [
        replace(one, port=first + step, first=host_first + step if host else 0, last=host_first + step if host else 0)
        for step in range(last - first + 1)
    ]


def _split(text: str) -> tuple[str, str, str]:
    """Address, host part, container part."""
    if text.startswith("["):
        inner, closed, rest = text[1:].partition("]")
        if not closed:
            raise ValueError(f"invalid IP address: {text}")
        _checked(inner, inner)
        parts = rest.removeprefix(":").split(":")
        return inner, parts[0] if len(parts) > 1 else "", parts[-1]
    parts = text.split(":")
    if len(parts) == 1:
        return "", "", parts[0]
    if len(parts) == 2:
        return "", parts[0], parts[1]
    address = ":".join(parts[:-2])
    if address:
        _checked(address, address)
    return address, parts[-2], parts[-1]


def _checked(address: str, shown: str) -> None:
    try:
        ip_address(address)
    except ValueError:
        raise ValueError(f"invalid IP address: {shown}") from None


def _range(text: str, what: str) -> tuple[int, int]:
    begin, dash, end = text.partition("-")
    numbers = [begin, end] if dash else [begin]
    if not all(number.isascii() and number.isdigit() and int(number) <= 65535 for number in numbers):
        raise ValueError(f"invalid {what}: {text}")
    first, last = int(numbers[0]), int(numbers[-1])
    if last < first:
        raise ValueError(f"invalid {what}: {text}")
    return first, last
