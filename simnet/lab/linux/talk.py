"""Conversations that a command holds: a TCP connection, UDP datagrams, echo requests, played over the model.

Time goes by only where a command waits in vain, and costs nothing. What a conversation leaves (conntrack entries,
neighbours, counters) stays in the network; its own sockets are closed, and what is still on its way when a command
ends comes to its end before the next one begins (three seconds, in which an ARP request is given up).
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field

from simnet.net.device import Device
from simnet.net.namespace import NetNamespace
from simnet.net.network import SECOND, Network
from simnet.net.packet import ECHO_REQUEST, ICMP, IP_HEADER, LONGEST, IcmpMessage, IPv4
from simnet.net.route import BROADCAST, ROUTE_ERRORS, Route, RouteQuery
from simnet.net.skb import Skb
from simnet.net.socket import DatagramSocket, Pinger
from simnet.net.stack import ip_output, neighbour, udp
from simnet.net.stack.tcp import Stream
from simnet.net.step import Delivery, Step

# a SYN is sent again five or six times before connect() gives up (net.ipv4.tcp_syn_retries)
CONNECT_PATIENCE = 127
# net.ipv4.ip_local_port_range
_FIRST_PORT, _LAST_PORT = 32768, 60999


@dataclass(slots=True)
class Outcome:
    """What a program saw: `errno` of the call that failed, the data that came, whether the peer closed.

    `steps` is all that happened in the network; `elapsed` the nanoseconds that were waited.
    """

    errno: str = ""
    connected: bool = False
    data: bytes = b""
    ended: bool = False
    elapsed: int = 0
    steps: list[Step] = field(default_factory=list)

    def heard(self, by: str) -> IPv4 | None:
        """The first packet that reached the program."""
        found = (step.packet for step in self.steps if isinstance(step, Delivery) and step.by == by)
        return next((packet for packet in found if isinstance(packet, IPv4)), None)


def fresh_port(namespace: NetNamespace) -> int:
    """A source port, or the identifier of a ping, that nothing here has used lately."""
    port = namespace.sockets.free_port()
    if port > _LAST_PORT:
        namespace.sockets.next_port = _FIRST_PORT
        port = namespace.sockets.free_port()
    return port


def settle(network: Network) -> None:
    """Let everything that is on its way come to its end, as before the next command is typed."""
    for _ in network.run(network.now):
        pass
    for _ in network.run(network.now + neighbour.GIVE_UP):
        pass


def source_of(namespace: NetNamespace, to: int, *, broadcast: str) -> tuple[int, str]:
    """The address that an unbound socket gets towards `to`, or the errno; `broadcast`: that of a broadcast address."""
    route = namespace.route_output(to)
    if isinstance(route, str):
        return 0, route
    if route.type == BROADCAST and broadcast:
        return 0, broadcast
    return namespace.source_for(route, to), ""


def connect(
    namespace: NetNamespace, to: int, port: int, by: str, *, request: bytes | None, patience: int = 0, sport: int = 0
) -> Outcome:
    """Open a TCP connection; send a request and read until the peer closes, or close at once where it is None.

    `patience` in seconds; without it connect() waits as long as the kernel does, and a read for as long again.
    """
    outcome, network = Outcome(), namespace.network
    to = to or 0x7F000001
    source, outcome.errno = source_of(namespace, to, broadcast="ENETUNREACH")
    if outcome.errno:
        return outcome
    stream = Stream(namespace, (source, sport or fresh_port(namespace)), (to, port), by)

    def wake(walk: Generator[Step, None, object]) -> None:
        network.wake(walk, namespace, by)

    def connected() -> None:
        outcome.connected, outcome.errno = True, stream.soft_error
        wake(stream.close() if request is None or outcome.errno else stream.write(request))

    def received(data: bytes) -> None:
        outcome.data += data

    def ended() -> None:
        outcome.ended = True
        wake(stream.close())

    def failed(errno: str) -> None:
        outcome.errno = errno

    stream.connected, stream.received, stream.ended, stream.failed = connected, received, ended, failed
    wake(stream.connect())
    _play(network, outcome, patience or CONNECT_PATIENCE, lambda: bool(outcome.errno or outcome.ended or (
        outcome.connected and request is None)))  # fmt: skip
    if not outcome.connected and not outcome.errno:
        outcome.errno = "ETIMEDOUT"
    if stream.state == "ESTABLISHED":
        wake(stream.close())
    elif stream.state == "SYN_SENT":
        stream.abandon()
    settle(network)
    return outcome


def _play(network: Network, outcome: Outcome, patience: int, done: Callable[[], bool]) -> None:
    """Let the network run until a program knows, or has waited its seconds (less a nanosecond, for it comes first)."""
    begin = network.now
    outcome.steps += network.run(begin + patience * SECOND - 1, done=done)
    outcome.elapsed = network.now - begin


def send(
    namespace: NetNamespace, to: int, port: int, data: bytes, by: str, *, patience: int, ttl: int = 64, sport: int = 0
) -> Outcome:
    """Send a datagram from a connected UDP socket and wait for an answer or an ICMP error."""
    outcome, network = Outcome(), namespace.network
    source, outcome.errno = source_of(namespace, to, broadcast="EACCES")
    if outcome.errno:
        return outcome
    socket = DatagramSocket(namespace, source, sport or fresh_port(namespace), by, peer=(to, port))

    def received(_source: int, _port: int, given: bytes, _to: int) -> None:
        outcome.data, outcome.ended = given, True

    def failed(errno: str) -> None:
        outcome.errno = errno

    socket.received, socket.failed = received, failed
    namespace.sockets.datagrams.append(socket)
    network.wake(_sent(udp.send(socket, to, port, data, ttl), outcome), namespace, by)
    _play(network, outcome, patience, lambda: bool(outcome.ended or outcome.errno or outcome.heard(by)))
    namespace.sockets.datagrams.remove(socket)
    return outcome


def _sent(walk: Generator[Step, None, str], outcome: Outcome) -> Generator[Step, None, None]:
    """A packet's walk, whose errno its sender gets."""
    errno = yield from walk
    outcome.errno = outcome.errno or errno


@dataclass(slots=True)
class Echo:
    """Echo requests of one identifier, sent one after another: by which device and from which address."""

    namespace: NetNamespace
    to: int
    size: int = 56
    ttl: int = 64
    source: int = 0
    device: Device | None = None
    ident: int = 0

    def __post_init__(self) -> None:
        """Take an identifier."""
        self.ident = self.ident or fresh_port(self.namespace)

    def send(self, seq: int, patience: int) -> Outcome:
        """Send one and wait for its reply; `errno` is what sendto() failed with."""
        outcome, network = Outcome(), self.namespace.network
        pinger = Pinger(self.ident, "ping")
        pinger.replied = lambda: setattr(outcome, "ended", True)
        self.namespace.sockets.pingers.append(pinger)
        network.wake(_sent(self._request(seq), outcome), self.namespace, "ping")
        _play(network, outcome, patience, lambda: bool(outcome.ended or outcome.errno))
        self.namespace.sockets.pingers.remove(pinger)
        return outcome

    def _request(self, seq: int) -> Generator[Step, None, str]:
        route = self._route()
        if isinstance(route, str):
            return route
        if self.size + 8 + IP_HEADER > LONGEST:
            return "EMSGSIZE"
        source = self.source or self.namespace.source_for(route, self.to)
        out = self.namespace.output_device(route)
        message = IcmpMessage(ECHO_REQUEST, ident=self.ident, seq=seq, size=self.size)
        fits = self.size + 8 + IP_HEADER <= (route.mtu or (out.mtu if out is not None else 1500))
        packet = IPv4(source, self.to, ICMP, message, ttl=self.ttl, df=fits)
        skb = Skb(self.namespace.network.serial(), packet, by="ping", route=route, out=out)
        return (yield from ip_output.local_out(self.namespace, skb))

    def _route(self) -> Route | str:
        if self.device is None:
            return self.namespace.route_output(self.to, self.source)
        found = self.namespace.fib.lookup(RouteQuery(self.to, self.source, oif=self.device.name))
        if found is None:
            return "ENETUNREACH"
        return ROUTE_ERRORS.get(found.type, found)


def page(data: bytes) -> str:
    r"""What a server of the lab says: how it saw its client, and its own end.

    Example:
        >>> page(b"10.0.0.1:40001>10.0.0.2:80")
        'hello 10.0.0.1:40001, this is 10.0.0.2:80\n'
    """
    peer, _, own = data.decode().partition(">")
    return f"hello {peer}, this is {own.removeprefix(':') if own.startswith(':') else own}\n" if peer else ""
