"""The programs that make traffic: clients that ask, senders that stream, and the servers at the other end.

Each runs over the stack's own sockets. What a program does between two sleeps, and each further system call, is a walk
of its own. A client is told by its `Driver` when to begin an exchange, and tells it when one is done.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from functools import lru_cache

from simnet.net.namespace import NetNamespace
from simnet.net.schedule import Walk
from simnet.net.socket import DatagramSocket, Listener
from simnet.net.stack import udp
from simnet.net.stack.tcp import Stream
from simnet.net.step import Step

# a flow and the number of its exchange
Exchange = tuple[int, int]
SERVER = "server"
CLIENT = "client"


@lru_cache(maxsize=64)
def data(size: int) -> bytes:
    """So many bytes."""
    return b"x" * size


@dataclass(eq=False, slots=True)
class Responder:
    """A server that answers each request of `size` bytes with `reply` bytes; `reply` 0 reads and says nothing.

    It holds a connection until its client closes it.
    """

    namespace: NetNamespace
    proto: str
    address: int
    port: int
    size: int
    reply: int
    read: Callable[[], None] = field(default=lambda: None)

    _socket: Listener | DatagramSocket | None = None

    def listen(self) -> None:
        """Open the socket."""
        if self.proto == "tcp":
            self._socket = Listener(self.address, self.port, SERVER, self._accepted)
        else:
            socket = self._socket = DatagramSocket(self.namespace, self.address, self.port, SERVER)
            socket.received = lambda source, port, _data, _to: self._wake(self._answer(socket, source, port))
        self.namespace.sockets.open(self._socket)

    def close(self) -> None:
        """End: nothing listens any more."""
        if self._socket is not None:
            self.namespace.sockets.close(self._socket)

    def _wake(self, walk: Walk) -> None:
        self.namespace.network.wake(walk, self.namespace, SERVER)

    def _answer(self, socket: DatagramSocket, source: int, port: int) -> Generator[Step, None, None]:
        if self.reply:
            yield from udp.send(socket, source, port, data(self.reply))
        self.read()

    def _accepted(self, stream: Stream) -> None:
        stream.delays_acks = True
        held = 0

        def received(piece: bytes) -> None:
            self._wake(taken(len(piece)))

        def taken(length: int) -> Generator[Step, None, None]:
            nonlocal held
            held += length
            while self.size and held >= self.size:
                held -= self.size
                if self.reply:
                    yield from stream.write(data(self.reply))
                self.read()

        def ended() -> None:
            self._wake(stream.close())

        stream.received, stream.ended = received, ended


@dataclass(eq=False, slots=True)
class End:
    """Where a client runs and whom it asks: `sport` is its own port; `by` is what its packets are sent by."""

    namespace: NetNamespace
    proto: str
    to: int
    port: int
    sport: int

    def source(self) -> int:
        """The address that the kernel chooses."""
        route = self.namespace.route_output(self.to)
        assert not isinstance(route, str), "a flow is tried before it is timed"
        return self.namespace.source_for(route, self.to)

    def wake(self, walk: Walk) -> None:
        """Go on with a walk as the client's process."""
        self.namespace.network.wake(walk, self.namespace, CLIENT)

    def stream(self, sport: int = 0) -> Stream:
        """A connection of its own."""
        stream = Stream(self.namespace, (self.source(), sport or self.sport), (self.to, self.port), CLIENT)
        stream.delays_acks = True
        return stream


class Requester:
    """A client that sends `size` bytes and waits for `reply` bytes, over one socket; `done` is called as they are read.

    The first exchange of a TCP client opens the connection.
    """

    def __init__(self, end: End, size: int, reply: int, done: Callable[[], None]) -> None:
        """Open no socket yet."""
        self.end, self.size, self.reply, self.done = end, size, reply, done
        self.unread: deque[Exchange] = deque()
        self._stream: Stream | None = None
        self._socket: DatagramSocket | None = None
        self._held = 0

    def begin(self) -> Walk:
        """The first walk of an exchange."""
        if self.end.proto == "udp":
            return self._send()
        if self._stream is None:
            stream = self._open()
            stream.connected = lambda: self.end.wake(self._write())
            return stream.connect()
        return self._write()

    def connect(self) -> None:
        """Open the connection before the first exchange, over UDP by one; it is open when the network has run."""
        self.end.wake(self._send() if self.end.proto == "udp" else self._open().connect())

    def _open(self) -> Stream:
        self._stream = self.end.stream()
        self._stream.received = lambda piece: self.end.wake(self._take(len(piece)))
        return self._stream

    def _send(self) -> Generator[Step, None, None]:
        end = self.end
        if self._socket is None:
            self._socket = DatagramSocket(end.namespace, end.source(), end.sport, CLIENT, peer=(end.to, end.port))
            self._socket.received = lambda _source, _port, given, _to: end.wake(self._take(len(given)))
            end.namespace.sockets.datagrams.append(self._socket)
        yield from udp.send(self._socket, end.to, end.port, data(self.size))

    def _write(self) -> Generator[Step, None, None]:
        assert self._stream is not None
        yield from self._stream.write(data(self.size))

    def _take(self, length: int) -> Generator[Step, None, None]:
        """Read; no packet leaves by it."""
        self._held += length
        while self.reply and self._held >= self.reply:
            self._held -= self.reply
            self.done()
        yield from ()


class Sender:
    """A client that streams pieces of `size` bytes; `done` is called when one was acknowledged.

    `largest` bytes go in one packet, which devices cut later (0: a segment).
    """

    def __init__(self, end: End, size: int, largest: int, done: Callable[[], None]) -> None:
        """Open no connection yet."""
        self.end, self.size, self.done = end, size, done
        self.unread: deque[Exchange] = deque()
        self.unacknowledged: deque[Exchange] = deque()
        self.stream = end.stream()
        self.stream.largest = largest
        self.stream.acknowledged = self._acknowledged
        self._end = 0

    def connect(self) -> None:
        """Open the connection; its handshake is over when the network has run."""
        self.end.wake(self.stream.connect())

    def begin(self) -> Walk:
        """Write one piece."""
        return self.stream.write(data(self.size))

    def _acknowledged(self, upto: int) -> None:
        pieces = (upto - 1) // self.size - self._end
        if pieces > 0:
            self._end += pieces
            self.end.wake(self._told(pieces))

    def _told(self, pieces: int) -> Generator[Step, None, None]:
        for _ in range(pieces):
            self.done()
        yield from ()


class Connector:
    """A client that opens a connection for each request and closes it after the reply.

    `answered` is called as the reply is read, `done` when the connection was closed. Its ports follow each other in
    steps of `stride`, so that clients side by side never share one.
    """

    _FIRST, _PORTS = 10_000, 50_000

    def __init__(
        self, end: End, size: int, reply: int, stride: int, answered: Callable[[], None], done: Callable[[], None]
    ) -> None:
        """Begin with the port of `end`."""
        self.end, self.size, self.reply, self.stride = end, size, reply, stride
        self.answered, self.done, self._count = answered, done, 0

    def begin(self) -> Walk:
        """Open the next connection."""
        sport = self._FIRST + (self.end.sport - self._FIRST + self._count * self.stride) % self._PORTS
        self._count += 1
        stream, held = self.end.stream(sport), 0

        def take(length: int) -> Generator[Step, None, None]:
            nonlocal held
            held += length
            if held >= self.reply:
                self.answered()
                self.end.wake(close())
            yield from ()

        def close() -> Generator[Step, None, None]:
            yield from stream.close()
            self.done()

        stream.connected = lambda: self.end.wake(stream.write(data(self.size)))
        stream.received = lambda piece: self.end.wake(take(len(piece)))
        return stream.connect()


class Blaster:
    """A client that sends datagrams of `size` bytes as fast as it can; `done` is called after each call of send()."""

    def __init__(self, end: End, size: int, done: Callable[[], None]) -> None:
        """Open no socket yet."""
        self.end, self.size, self.done = end, size, done
        self._socket = DatagramSocket(end.namespace, end.source(), end.sport, CLIENT, peer=(end.to, end.port))

    def begin(self) -> Walk:
        """Send one."""
        return self._send()

    def _send(self) -> Generator[Step, None, None]:
        yield from udp.send(self._socket, self.end.to, self.end.port, data(self.size))
        self.done()
