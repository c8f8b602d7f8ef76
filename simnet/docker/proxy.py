"""docker-proxy: a process on the host that listens on a published port and opens a second connection to the container.

Models: cmd/docker-proxy of moby (tcp_proxy_linux.go, udp_proxy_linux.go).
Leaves out: SCTP, and the 90 s after which an idle UDP client is forgotten.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field

from simnet.net.namespace import NetNamespace
from simnet.net.socket import DatagramSocket, Listener
from simnet.net.stack import udp
from simnet.net.stack.tcp import Stream
from simnet.net.step import Step

NAME = "docker-proxy"


@dataclass(eq=False, slots=True)
class DockerProxy:
    """One docker-proxy: it listens at `address:port` of the host and dials `target` (the container's address, port).

    `answers_from_asked_address`: a UDP answer leaves from the address that the client asked (engine 28 and later), not
    from the one that the route back implies.
    """

    namespace: NetNamespace
    proto: str
    address: int
    port: int
    target: tuple[int, int]
    answers_from_asked_address: bool = False
    _backends: dict[tuple[int, int], DatagramSocket] = field(default_factory=dict)
    _socket: Listener | DatagramSocket | None = None

    def listen(self) -> None:
        """Open the listening socket."""
        if self.proto == "tcp":
            self._socket = Listener(self.address, self.port, NAME, self._accepted)
        else:
            socket = DatagramSocket(self.namespace, self.address, self.port, NAME)
            socket.received = lambda source, port, data, to: self._datagram(socket, (source, port), data, to)
            self._socket = socket
        self.namespace.sockets.open(self._socket)

    def close(self) -> None:
        """End: nothing listens any more."""
        if self._socket is not None:
            self.namespace.sockets.close(self._socket)

    def _wake(self, walk: Generator[Step, None, object]) -> None:
        self.namespace.network.wake(walk, self.namespace, NAME)

    def _accepted(self, front: Stream) -> None:
        """A client connected: dial the container, then copy both ways."""
        wake = self._wake
        held: list[bytes] = []
        ready = False
        back_route = self.namespace.route_output(self.target[0])
        front.unread = False

        def from_client(data: bytes) -> None:
            if ready:
                wake(back.write(data))
            else:
                held.append(data)
                front.unread = True

        def dialled() -> None:
            nonlocal ready
            ready = True
            front.unread = False
            for data in held:
                wake(back.write(data))

        front.received = from_client
        if isinstance(back_route, str):
            wake(front.close())
            return
        source = self.namespace.source_for(back_route, self.target[0])
        back = Stream(self.namespace, (source, self.namespace.sockets.free_port()), self.target, NAME)
        back.connected = dialled
        back.received = lambda data: wake(front.write(data))
        back.failed = lambda _errno: wake(front.close())
        back.ended = lambda: wake(front.close())
        front.ended = lambda: wake(back.close())
        wake(back.connect())

    def _datagram(self, front: DatagramSocket, client: tuple[int, int], data: bytes, to: int) -> None:
        """A datagram came: pass it on by the client's own backend socket."""
        backend = self._backends.get(client)
        if backend is None or backend not in self.namespace.sockets.datagrams:
            route = self.namespace.route_output(self.target[0])
            if isinstance(route, str):
                return
            source = self.namespace.source_for(route, self.target[0])
            backend = DatagramSocket(self.namespace, source, self.namespace.sockets.free_port(), NAME, peer=self.target)
            own = to if self.answers_from_asked_address else 0

            def answered(_source: int, _port: int, answer: bytes, _to: int) -> None:
                self._wake(self._answer(front, client, answer, own))

            backend.received = answered
            self.namespace.sockets.datagrams.append(backend)
            self._backends[client] = backend
        self._wake(udp.send(backend, *self.target, data))

    @staticmethod
    def _answer(front: DatagramSocket, client: tuple[int, int], data: bytes, own: int) -> Generator[Step, None, None]:
        yield from udp.send(front, *client, data, source=own)


@dataclass(eq=False, slots=True)
class HeldPort:
    """A port that dockerd holds itself where it runs without docker-proxy: it listens and never answers."""

    namespace: NetNamespace
    proto: str
    address: int
    port: int
    _socket: Listener | DatagramSocket | None = None

    def listen(self) -> None:
        """Open the listening socket."""
        if self.proto == "tcp":
            self._socket = Listener(self.address, self.port, "dockerd")
        else:
            self._socket = DatagramSocket(self.namespace, self.address, self.port, "dockerd")
        self.namespace.sockets.open(self._socket)

    def close(self) -> None:
        """Let the port go."""
        if self._socket is not None:
            self.namespace.sockets.close(self._socket)


@dataclass(eq=False, slots=True)
class ProxyOf6:
    """A docker-proxy on an IPv6 address: it is listed among what listens, and no packet reaches it yet."""

    namespace: NetNamespace
    proto: str
    address: str
    port: int

    def listen(self) -> None:
        """Open the listening socket."""
        self.namespace.sockets.six.append((self.proto, self.address, self.port))

    def close(self) -> None:
        """End."""
        self.namespace.sockets.six.remove((self.proto, self.address, self.port))
