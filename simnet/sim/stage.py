"""A network made ready for traffic: flows tried, neighbours known, servers and clients in their places.

What is timed afterwards begins on a host that has run a while (addresses are learned) and that has seen none of these
connections (conntrack knows of the flows that were tried, from another port); streams and open traffic are connected.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from simnet.errors import UsageError
from simnet.net.address import ip_text
from simnet.net.conversation import Probe, Trace, converse
from simnet.net.device import Physical
from simnet.net.namespace import NetNamespace
from simnet.net.network import Network
from simnet.net.program import Server
from simnet.net.schedule import AtOnce, Walk
from simnet.net.socket import DatagramSocket

from .hardware import Cpus, Hardware, Wire
from .prices.costs import Costs
from .prices.pricing import Pricing
from .programs import Blaster, Connector, End, Requester, Responder, Sender
from .queueing.model import Arrivals
from .traffic import CONNECTIONS, OPEN, REQUESTS, STREAM, Traffic
from .work import Mark, Placement, Seat, Work

_FIRST_PORT, _TRIED_FROM = 20_000, 40_000
# what goes in one packet with offload (GSO), and how many segments a piece of a stream has without
_LARGEST, _SEGMENTS = 62_000, 2
_ETHERNET_DATAGRAM = 1472


class Client(Protocol):
    """A program that begins exchanges."""

    def begin(self) -> Walk:
        """The first walk of the next exchange."""


@dataclass(eq=False, slots=True)
class Lane:
    """One flow of the model: the traffic that it is part of, its client, the CPU that it begins with.

    An exchange is released by `releases` events, and moves `payload` bytes of data; `arrivals` where it waits for none.
    """

    traffic: Traffic
    client: Client
    namespace: NetNamespace
    seat: int
    releases: int = 1
    payload: int = 0
    arrivals: Arrivals | None = None


@dataclass(eq=False, slots=True)
class Stage:
    """A network with prices and hardware, and the lanes of all traffic; `traces` are the flows as they were tried."""

    network: Network
    pricing: Pricing
    hardware: Hardware
    lanes: list[Lane] = field(default_factory=list)
    traces: dict[str, Trace] = field(default_factory=dict)
    replaced: list[tuple[Responder, Server]] = field(default_factory=list)
    ungrouped: list[Physical] = field(default_factory=list)

    def cut_where_frames_are_lost(self) -> None:
        """Let large packets be cut on a wire that loses or reorders, since it does so frame by frame."""
        for namespace in self.network.namespaces.values():
            for device in namespace.devices.values():
                if isinstance(device, Physical) and device.gro and not self.hardware.together:
                    wire = self.hardware.wire(device)
                    if wire.loss or wire.reorder:
                        device.gro = False
                        self.ungrouped.append(device)

    @property
    def seats(self) -> list[Seat]:
        """The seat of each lane; who streams is busy, and has no time to sleep."""
        return [Seat(lane.seat, polls=lane.traffic.polls or lane.traffic.kind == STREAM) for lane in self.lanes]

    @property
    def _timed(self) -> Work | None:
        """The work that runs now; None while the network is made ready."""
        schedule = self.network.schedule
        return schedule.current if isinstance(schedule, Placement) else None

    def leave(self) -> None:
        """Give the network back: its own servers listen again, and what was under way is forgotten."""
        network = self.network
        network.schedule, network.counts_conditions, network.largest = AtOnce(), False, 0
        for device in self.ungrouped:
            device.gro = True
        for responder, server in self.replaced:
            responder.close()
            server.namespace.sockets.open(server.socket())
        network.forget_connections()

    def begin(self, flow: int, exchange: int) -> Walk:
        """The first walk of a lane's exchange; what answers come in the order of the questions, is kept in order."""
        client = self.lanes[flow].client
        if isinstance(client, Sender | Requester) and client.end.proto == "tcp":
            client.unread.append((flow, exchange))
            if isinstance(client, Sender):
                client.unacknowledged.append((flow, exchange))
        return client.begin()

    def release(self) -> None:
        """What runs now is one of the events that release its exchange."""
        self._mark(record=False, release=True)

    def record(self) -> None:
        """What runs now ends a measurement."""
        self._mark(record=True, release=False)

    def settle(self) -> None:
        """What runs now ends a measurement, and is one of the events that release its exchange."""
        self._mark(record=True, release=True)

    def _mark(self, *, record: bool, release: bool) -> None:
        """Mark the end of what runs now; a stream's pieces are read and acknowledged in the order of their sending."""
        work = self._timed
        if work is None:
            return
        flow, exchange = work.flow, work.exchange
        client = self.lanes[flow].client
        if isinstance(client, Sender) and not record:
            flow, exchange = client.unacknowledged.popleft()
        elif isinstance(client, Sender | Requester) and client.end.proto == "tcp":
            flow, exchange = client.unread.popleft()
        work.marks.append(Mark(flow, exchange, record, release))


def ready(
    network: Network,
    traffic: Iterable[Traffic],
    costs: Costs,
    cpus: Mapping[str, Cpus] | None = None,
    wires: Mapping[str, Wire] | None = None,
) -> Stage:
    """Make a network ready; UsageError where a flow leads nowhere, with what became of it.

    What cannot be made ready is left as it was found.
    """
    network.forget_connections()
    hardware = Hardware(costs.machine, cpus, wires)
    hardware.install(network)
    stage = Stage(network, Pricing(network, costs, together=hardware.together), hardware)
    asked = [one.checked() for one in traffic]
    if not asked:
        raise UsageError("there is no traffic to play")
    try:
        _prepare(stage, asked)
    except BaseException:
        stage.leave()
        raise
    return stage


def _prepare(stage: Stage, asked: Sequence[Traffic]) -> None:
    """Try every flow, put servers and clients in their places, open connections."""
    network = stage.network
    network.largest = _LARGEST if any(one.offload for one in asked) else 0
    stage.cut_where_frames_are_lost()
    servers = {one.name: _try(stage, one, _TRIED_FROM + number) for number, one in enumerate(asked)}
    answering: dict[tuple[NetNamespace, str, int, int], Responder] = {}
    responders = {one.name: _take_over(stage, one, servers[one.name], answering) for one in asked}
    for one in asked:
        _populate(stage, one)
    _connect(stage, responders)
    network.counts_conditions = True


def _try(stage: Stage, traffic: Traffic, sport: int) -> Server:
    """Play the conversation once from a port of its own, so that addresses are learned; the server that answered."""
    network = stage.network
    before = {id(server): len(server.seen) for server in network.servers}
    trace = converse(network, Probe(traffic.frm, traffic.to, traffic.port, traffic.proto, sport))
    stage.traces[traffic.name] = trace
    answered = [server for server in network.servers if len(server.seen) > before[id(server)]]
    if trace.verdict == "reply" and answered:
        return answered[0]
    drop = trace.dropped_by()
    why = f" ({drop.place}: {drop.reason})" if drop is not None else ""
    raise UsageError(f"traffic {traffic.name}: {trace.probe} ends in {trace.verdict}{why}; see `simnet trace`")


def _take_over(
    stage: Stage, traffic: Traffic, server: Server, answering: dict[tuple[NetNamespace, str, int, int], Responder]
) -> Responder:
    """Put a server that answers with the right size in the place of the one that was tried."""
    key = server.namespace, server.proto, server.address, server.port
    size, reply = (0, 0) if traffic.kind == STREAM else (traffic.size, traffic.reply)
    if key in answering:
        if (answering[key].size, answering[key].reply) != (size, reply):
            raise UsageError(f"traffic {traffic.name}: other traffic asks {ip_text(traffic.to)}:{traffic.port} "
                             "for another size; give them ports of their own")  # fmt: skip
        return answering[key]
    sockets = server.namespace.sockets
    for socket in list(sockets):
        proto = "udp" if isinstance(socket, DatagramSocket) else "tcp"
        if (proto, socket.address, socket.port) == key[1:] and socket.by == server.by:
            sockets.close(socket)
    responder = Responder(server.namespace, server.proto, server.address, server.port, size, reply)
    if traffic.kind == STREAM or not reply:
        responder.read = stage.record if _sends_blindly(traffic) else stage.settle
    responder.listen()
    stage.replaced.append((responder, server))
    answering[key] = responder
    return responder


def _sends_blindly(traffic: Traffic) -> bool:
    """Whether nothing comes back to the sender."""
    return traffic.proto == "udp" and traffic.kind == STREAM


def _populate(stage: Stage, traffic: Traffic) -> None:
    """The clients of some traffic, each in a lane; a stream has as many lanes as pieces under way."""
    namespace = stage.network.find(traffic.frm)
    for number in range(traffic.parallel):
        seat = len({id(lane.client) for lane in stage.lanes})
        end = End(namespace, traffic.proto, traffic.to or 0x7F000001, traffic.port, _FIRST_PORT + seat)
        if traffic.kind == CONNECTIONS:
            client: Client = Connector(end, traffic.size, traffic.reply, traffic.parallel, stage.record, stage.release)
            stage.lanes.append(Lane(traffic, client, namespace, seat, 1, traffic.size + traffic.reply))
        elif traffic.kind in {REQUESTS, OPEN}:
            client = Requester(end, traffic.size, traffic.reply, stage.settle)
            moved, arrivals = traffic.size + traffic.reply, traffic.arrivals_of(number)
            stage.lanes.append(Lane(traffic, client, namespace, seat, 1, moved, arrivals))
        elif traffic.proto == "udp":
            size = traffic.size or _ETHERNET_DATAGRAM
            stage.lanes.append(Lane(traffic, Blaster(end, size, stage.release), namespace, seat, 1, size))
        else:
            sender = Sender(end, 1, 0, stage.release)
            stage.lanes.append(Lane(traffic, sender, namespace, seat, 2))


def _connect(stage: Stage, responders: Mapping[str, Responder]) -> None:
    """Open the connections of streams and of open traffic; a stream has as many lanes as pieces fit its window."""
    network = stage.network
    assert isinstance(network.schedule, AtOnce)
    senders = [lane for lane in stage.lanes if isinstance(lane.client, Sender)]
    for lane in stage.lanes:
        if isinstance(lane.client, Sender) or (isinstance(lane.client, Requester) and lane.traffic.kind == OPEN):
            lane.client.connect()
    for _ in network.run(network.now):
        pass
    for lane in senders:
        sender = lane.client
        assert isinstance(sender, Sender)
        segment = sender.stream.segment_size
        whole = max(_LARGEST // segment if lane.traffic.offload else 0, _SEGMENTS) * segment
        sender.size = lane.payload = max(min(whole, lane.traffic.window // segment * segment), _SEGMENTS * segment)
        responders[lane.traffic.name].size = sender.size
        sender.stream.largest = sender.size if lane.traffic.offload and sender.size <= _LARGEST else 0
        for _ in range(lane.traffic.window // sender.size - 1):
            stage.lanes.append(Lane(lane.traffic, sender, lane.namespace, lane.seat, 2, sender.size))
