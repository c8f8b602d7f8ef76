"""Which ports of the host are given to containers.

Models: libnetwork/portallocator of moby: one port for one address, protocol and time; random ones from 32768 upwards.
"""

from __future__ import annotations

from dataclasses import dataclass, field

# net.ipv4.ip_local_port_range of a kernel as it comes
FIRST, LAST = 32768, 60999
ANY = "0.0.0.0"


class PortTaken(Exception):
    """The port is in use (`port`) at an address (`held`), or all ports are (0)."""

    def __init__(self, port: int, held: str = "") -> None:
        """Say which port, and where it is in use."""
        self.port, self.held = port, held
        super().__init__(port)


@dataclass(slots=True)
class Ports:
    """The ports of the host that are given out.

    Example:
        >>> ports = Ports()
        >>> ports.take("0.0.0.0", "tcp", 8080, 8080), ports.take("127.0.0.1", "tcp", 0, 0)
        (8080, 32768)
        >>> ports.take("127.0.0.1", "tcp", 8080, 8080)
        Traceback (most recent call last):
        ...
        simnet.docker.ports.PortTaken: 8080
    """

    _used: dict[tuple[str, int], set[str]] = field(default_factory=dict)
    _next: dict[str, int] = field(default_factory=dict)

    def free(self, address: str, proto: str, port: int) -> bool:
        """Whether nobody holds the port on that address; one held on all addresses is held on each."""
        held = self._used.get((proto, port))
        return not held or (address != ANY and address not in held and ANY not in held)

    def take(self, address: str, proto: str, first: int, last: int) -> int:
        """Take a port between `first` and `last`; where they are 0, the next one of the kernel's own range."""
        address = address or ANY
        if first:
            tried = range(first, last + 1)
        else:
            start = self._next.get(proto, FIRST)
            tried = (*range(start, LAST + 1), *range(FIRST, start))  # type: ignore[assignment]
        for port in tried:
            if self.free(address, proto, port):
                self._used.setdefault((proto, port), set()).add(address)
                if not first:
                    self._next[proto] = port + 1 if port < LAST else FIRST
                return port
        held = self._used.get((proto, first), set())
        raise PortTaken(first if first == last else 0, ANY if ANY in held else address)

    def give_back(self, address: str, proto: str, port: int) -> None:
        """The port is free again."""
        held = self._used.get((proto, port))
        if held is not None:
            held.discard(address or ANY)
            if not held:
                del self._used[(proto, port)]
