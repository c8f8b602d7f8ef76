"""Sockets: what a namespace's programs listen on and are connected to, and how an incoming packet finds one.

Models: inet_lookup_listener, inet_lookup_established and udp4_lib_lookup2 of net/ipv4, by address and port alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .address import ip_text
from .packet import IcmpMessage

if TYPE_CHECKING:
    from .namespace import NetNamespace
    from .stack.tcp import Stream


# odd ones of net.ipv4.ip_local_port_range
_FIRST_PORT, _LAST_PORT = 32769, 60999


def _nothing(*_: object) -> None:
    return


@dataclass(eq=False, slots=True)
class Listener:
    """A TCP socket in LISTEN: `accepted` is called with each new connection. `address` 0 is any address."""

    address: int
    port: int
    by: str
    accepted: Callable[[Stream], None] = _nothing

    def __str__(self) -> str:
        """`tcp 0.0.0.0:22`."""
        return f"tcp {ip_text(self.address)}:{self.port}"


@dataclass(eq=False, slots=True)
class DatagramSocket:
    """A UDP socket, bound to an address (0: any) and port, and perhaps connected to a peer.

    `received` is called with the source address, the source port, the data and the address that it came to.
    """

    namespace: NetNamespace = field(repr=False)
    address: int
    port: int
    by: str
    peer: tuple[int, int] | None = None
    received: Callable[[int, int, bytes, int], None] = _nothing
    failed: Callable[[str], None] = _nothing

    @property
    def connected(self) -> bool:
        """Whether it takes packets from one peer only."""
        return self.peer is not None

    def __str__(self) -> str:
        """`udp 0.0.0.0:53`."""
        return f"udp {ip_text(self.address)}:{self.port}"


@dataclass(eq=False, slots=True)
class Pinger:
    """A raw ICMP socket that waits for the echo replies of one identifier."""

    ident: int
    by: str
    replied: Callable[[], None] = _nothing
    errored: Callable[[IcmpMessage], None] = _nothing


@dataclass(slots=True)
class Sockets:
    """All sockets of a namespace."""

    _listeners: dict[Listener, None] = field(default_factory=dict)
    streams: dict[tuple[int, int, int, int], Stream] = field(default_factory=dict)
    datagrams: list[DatagramSocket] = field(default_factory=list)
    # IPv6 listeners as (protocol, address, port): printed, but no IPv6 packet walks yet
    six: list[tuple[str, str, int]] = field(default_factory=list)
    pingers: list[Pinger] = field(default_factory=list)
    next_port: int = 49153
    _by_port: dict[int, list[Listener]] = field(default_factory=dict, repr=False)

    def open(self, socket: Listener | DatagramSocket) -> None:
        """Let a socket take part."""
        if isinstance(socket, Listener):
            self._listeners[socket] = None
            self._by_port.setdefault(socket.port, []).append(socket)
        else:
            self.datagrams.append(socket)

    def close(self, socket: Listener | DatagramSocket) -> None:
        """Close a socket."""
        if isinstance(socket, Listener):
            del self._listeners[socket]
            self._by_port[socket.port].remove(socket)
        else:
            self.datagrams.remove(socket)

    def bound(self, proto: str, address: int, port: int) -> bool:
        """Whether a new socket could not be bound there, since another one has the address or all of them."""
        if proto == "tcp":
            return any(not address or one.address in {0, address} for one in self._listening(port))
        held = (one for one in self.datagrams if one.port == port and one.peer is None)
        return any(not address or one.address in {0, address} for one in held)

    def _listening(self, port: int) -> list[Listener]:
        """The listening sockets of a port."""
        return self._by_port.get(port, [])

    @property
    def listeners(self) -> list[Listener]:
        """Every TCP socket in LISTEN, in the order in which they were opened."""
        return list(self._listeners)

    def listener(self, address: int, port: int) -> Listener | None:
        """The listening socket for a destination; one bound to the very address goes first."""
        fitting = [one for one in self._listening(port) if one.address in {0, address}]
        return max(fitting, key=lambda one: one.address != 0, default=None)

    def stream(self, local: int, local_port: int, remote: int, remote_port: int) -> Stream | None:
        """The TCP connection of four addresses and ports."""
        return self.streams.get((local, local_port, remote, remote_port))

    def datagram(self, local: int, local_port: int, remote: int, remote_port: int) -> DatagramSocket | None:
        """The UDP socket for a packet; the more it pins down, the earlier it is chosen."""
        fitting = [
            one
            for one in self.datagrams
            if one.port == local_port
            and one.address in {0, local}
            and (one.peer is None or one.peer == (remote, remote_port))
        ]
        return max(fitting, key=lambda one: (one.peer is not None) * 2 + (one.address != 0), default=None)

    def pinger(self, ident: int) -> Pinger | None:
        """The raw socket that waits for an echo identifier."""
        return next((one for one in self.pingers if one.ident == ident), None)

    def free_port(self) -> int:
        """A port for a program that asked for none: the next of every second one (ip_local_port_range)."""
        self.next_port = self.next_port + 2 if self.next_port < _LAST_PORT else _FIRST_PORT
        return self.next_port

    def __iter__(self) -> Iterator[Listener | DatagramSocket]:
        """What is listened on."""
        yield from self.listeners
        yield from (one for one in self.datagrams if one.peer is None)
