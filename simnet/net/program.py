"""Programs that hold sockets: a server that answers, and the client whose conversation is traced.

The server tells each client how it saw it, as `PEER>OWN`, and closes; that text is what its packets carry.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .address import ip_text
from .packet import ECHO_REQUEST, ICMP, IP_HEADER, LONGEST, TIME_EXCEEDED, IcmpMessage, IPv4
from .route import BROADCAST
from .skb import Skb
from .socket import DatagramSocket, Listener, Pinger
from .stack import ip_output, udp
from .stack.tcp import Stream
from .step import Step

if TYPE_CHECKING:
    from .namespace import NetNamespace

Endpoint = tuple[int, int]

# what an errno means for the conversation
VERDICTS = {"ECONNREFUSED": "refused", "ECONNRESET": "reset", "ENETUNREACH": "net-unreachable",
            "EHOSTUNREACH": "host-unreachable"}  # fmt: skip


def endpoint_text(end: Endpoint) -> str:
    """`ADDR:PORT`.

    Example:
        >>> endpoint_text((0x7F000001, 80))
        '127.0.0.1:80'
    """
    return f"{ip_text(end[0])}:{end[1]}"


@dataclass(eq=False, slots=True)
class Server:
    """A program that listens in a namespace and answers; `seen` holds each client's end and its own, in order.

    `place` is the place that it was started at, where that goes by another name than the namespace (a shared one).
    """

    namespace: NetNamespace
    proto: str
    address: int
    port: int
    by: str = "server"
    place: str = ""
    seen: list[tuple[Endpoint, Endpoint]] = field(default_factory=list)

    def listen(self) -> None:
        """Open the socket."""
        self.namespace.network.servers.append(self)
        self.namespace.sockets.open(self.socket())

    def socket(self) -> Listener | DatagramSocket:
        """A socket that it would listen at."""
        if self.proto == "tcp":
            return Listener(self.address, self.port, self.by, self._accepted)
        socket = DatagramSocket(self.namespace, self.address, self.port, self.by)
        socket.received = lambda source, port, data, to: self._datagram(socket, source, port, to)
        return socket

    def _accepted(self, stream: Stream) -> None:
        wake = self.namespace.network.wake

        def received(_: bytes) -> None:
            stream.received = lambda _: None  # a longer request has one answer, too
            wake(answer(), self.namespace, self.by)

        def answer() -> Generator[Step, None, None]:
            self.seen.append((stream.remote, stream.local))
            yield from stream.write(f"{endpoint_text(stream.remote)}>{endpoint_text(stream.local)}".encode())
            # what the data leads to on this machine happens before the next system call
            wake(stream.close(), self.namespace, self.by)

        stream.received = received
        stream.ended = lambda: wake(stream.close(), self.namespace, self.by)

    def _datagram(self, socket: DatagramSocket, source: int, port: int, to: int) -> None:
        self.seen.append(((source, port), (to, self.port)))
        text = f"{endpoint_text((source, port))}>:{self.port}".encode()
        self.namespace.network.wake(udp.send(socket, source, port, text), self.namespace, self.by)


@dataclass(eq=False, slots=True)
class Client:
    """A program that asks once and waits: `verdict` stays empty until it knows.

    `errno` is the error that the program got, `source` the address and port that it used.
    """

    namespace: NetNamespace
    proto: str
    to: int
    port: int = 0
    sport: int = 40000
    ttl: int = 64
    size: int = 0
    by: str = "client"
    verdict: str = ""
    errno: str = ""
    source: Endpoint = (0, 0)

    def start(self) -> None:
        """Begin: the first packet leaves when the network runs. The address 0.0.0.0 means this host (127.0.0.1)."""
        self.to = self.to or 0x7F000001
        begin = {"tcp": self._tcp, "udp": self._udp, "icmp": self._ping}[self.proto]
        self._wake(begin())

    def _wake(self, walk: Generator[Step, None, object]) -> None:
        self.namespace.network.wake(walk, self.namespace, self.by)

    @property
    def _data(self) -> bytes:
        return b"h" * self.size if self.size else b"hi"

    def _finish(self, verdict: str, errno: str = "") -> None:
        if not self.verdict:
            self.verdict, self.errno = verdict, errno or self.errno

    def _failed(self, errno: str) -> None:
        self._finish(VERDICTS.get(errno, errno.lower()), errno)

    def _source(self) -> int:
        """The address that the kernel gives an unbound socket, 0 where there is no way (and the client has failed)."""
        route = self.namespace.route_output(self.to)
        if isinstance(route, str):
            # ping knows one error of its own, and waits in vain after any other
            if self.proto == "icmp" and route != "ENETUNREACH":
                self._finish("timeout", route)
            else:
                self._failed(route)
            return 0
        if route.type == BROADCAST and self.proto != "icmp":
            self._failed("EACCES" if self.proto == "udp" else "ENETUNREACH")
            return 0
        source = self.namespace.source_for(route, self.to)
        self.source = source, self.sport
        return source

    def _tcp(self) -> Generator[Step, None, None]:
        source = self._source()
        if not source:
            return
        stream = Stream(self.namespace, (source, self.sport), (self.to, self.port), self.by, self.ttl)
        wake = self._wake

        def received(_: bytes) -> None:
            self._finish("reply")
            wake(stream.close())

        def ended() -> None:
            self._finish("reset", "EOF")
            wake(stream.close())

        def talk() -> Generator[Step, None, None]:
            if stream.soft_error:  # connect() ends with what SO_ERROR says
                self._failed(stream.soft_error)
                yield from stream.close()
            else:
                yield from stream.write(self._data)

        stream.connected = lambda: wake(talk())
        stream.received, stream.ended, stream.failed = received, ended, self._failed
        yield from stream.connect()

    def _udp(self) -> Generator[Step, None, None]:
        source = self._source()
        if not source:
            return
        socket = DatagramSocket(self.namespace, source, self.sport, self.by, peer=(self.to, self.port))
        socket.received = lambda *_: self._finish("reply")
        socket.failed = self._failed
        self.namespace.sockets.datagrams.append(socket)
        errno = yield from udp.send(socket, self.to, self.port, self._data, self.ttl)
        if errno:
            self._failed(errno)

    def _ping(self) -> Generator[Step, None, None]:
        source = self._source()
        if not source:
            return
        route = self.namespace.route_output(self.to)  # a raw socket asks once, before it has a source (raw_sendmsg)
        assert not isinstance(route, str)
        if (self.size or 56) + 8 + IP_HEADER > LONGEST:
            self._finish("timeout", "EMSGSIZE")
            return
        pinger = Pinger(self.sport, self.by, lambda: self._finish("reply"), self._ping_error)
        self.namespace.sockets.pingers.append(pinger)
        message = IcmpMessage(ECHO_REQUEST, ident=self.sport, size=self.size or 56)
        packet = IPv4(source, self.to, ICMP, message, ttl=self.ttl)
        skb = Skb(self.namespace.network.serial(), packet, by=self.by)
        out = self.namespace.output_device(route)
        skb.route, skb.out = route, out
        if packet.length <= (route.mtu or (out.mtu if out is not None else 1500)):
            skb.packet = IPv4(source, self.to, ICMP, message, ttl=self.ttl, df=True)
        errno = yield from ip_output.local_out(self.namespace, skb)
        if errno:
            self._finish("timeout", errno)

    def _ping_error(self, message: IcmpMessage) -> None:
        if message.type == TIME_EXCEEDED:
            self._finish("ttl-exceeded", "ICMP time exceeded")
        elif not self.errno:
            self.errno = f"ICMP {message}"
