"""The machines below the namespaces: CPUs, who runs on which, and the wires between.

Each is a station of a model. A packet from a wire is taken in by the CPU that its flow's hash leads to (RSS); work
that it leads to stays there unless the host steers it (RPS by the hash again, RFS to where the flow was last read).
Where all machines are on one computer (`together`), wires are veth pairs, and a frame goes on where its sender ran.

Models: Documentation/networking/scaling.rst of Linux (RSS, RPS, RFS), net/core/dev.c (enqueue_to_backlog).
Leaves out: interrupts that move, a scheduler that moves processes, preemption, and turbo.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from simnet.errors import UnknownName, UsageError
from simnet.net.device import Device, Physical
from simnet.net.network import Network
from simnet.net.packet import Arp, Ip, IPv4, UdpDatagram

from .prices.costs import Machine
from .queueing.model import Station
from .toeplitz import flow_hash

# net.core.netdev_max_backlog
BACKLOG = 1000
STEERING = ("rss", "rps", "rfs")
# a frame on the wire: header, check sequence, preamble and gap, in bytes
_FRAMING = 14 + 4 + 20
# what each further segment repeats: IP, TCP and its options
_HEADERS = 52
_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Cpus:
    """A machine's CPUs: how many, how packets are steered to them, how many packets wait at each (`backlog`)."""

    count: int = 2
    steering: str = "rss"
    backlog: int = BACKLOG


@dataclass(frozen=True, slots=True)
class Wire:
    """A wire's rate (bit/s, 0: any), delay (ns), queue at each sender (packets, 0: any), and what goes wrong on it.

    `burst` bytes make the sender's queue a token bucket (tbf). `loss` and `reorder` are shares of the packets;
    a reordered one is `reorder_delay` ns late.
    """

    rate: int = 0
    delay: int = 0
    queue: int = 1000
    burst: int = 0
    loss: float = 0.0
    reorder: float = 0.0
    reorder_delay: int = 0

    def service(self, length: int, segments: int = 1) -> int:
        """How long a packet of `length` bytes, cut into some `segments`, keeps the sender's end busy, in ns.

        Example:
            >>> Wire(rate=10_000_000_000).service(1500)
            1231
        """
        length += _FRAMING * segments + _HEADERS * (segments - 1)
        return -(-length * 8 * _SECOND // self.rate) if self.rate else 0

    @property
    def queues(self) -> bool:
        """Whether its senders' ends are stations at all."""
        return bool(self.rate or self.loss or self.reorder)


class Hardware:
    """Stations for a network's machines and wires, made as they are first met.

    Example:
        >>> hardware = Hardware(Machine(cpus=2))
        >>> hardware.cpu("h1", 0), hardware.cpu("h1", 1), hardware.cpu("wan", 0), hardware.cpu("h1", 2)
        (0, 1, 2, 0)
        >>> [station.name for station in hardware.stations]
        ['h1/cpu0', 'h1/cpu1', 'wan/cpu0']
    """

    def __init__(
        self, machine: Machine, cpus: Mapping[str, Cpus] | None = None, wires: Mapping[str, Wire] | None = None
    ) -> None:
        """`cpus` by host or outside machine, `wires` by name, where they differ from the price list's machine."""
        self.machine = machine
        # a machine or wire that a scenario describes is one of its own
        self.together = machine.together and not cpus and not wires
        self._cpus, self._wires = dict(cpus or {}), dict(wires or {})
        self.stations: list[Station] = []
        self._index: dict[str, int] = {}
        self._readers: dict[tuple[str, int], int] = {}

    def install(self, network: Network) -> None:
        """Make a network's stations, in one order whoever asks; UnknownName for CPUs or a wire that it has not."""
        self._check(network)
        for host in sorted({self.host(place) for place in network.namespaces}):
            for number in range(self.cpus(host).count):
                self.cpu(host, number)
        for place in sorted(network.namespaces):
            for device in network.namespaces[place].devices.values():
                if isinstance(device, Physical) and device.segment is not None and not self.together:
                    self.sender(device)

    def _check(self, network: Network) -> None:
        hosts = {place.partition("/")[0] for place in network.namespaces}
        for name in self._cpus:
            if name not in hosts:
                raise UnknownName("host or machine", name, hosts)
        known = {
            device.segment.name for one in network.namespaces.values() for device in one.devices.values()
            if isinstance(device, Physical) and device.segment is not None
        }  # fmt: skip
        for name in self._wires:
            if name not in known:
                raise UnknownName("wire", name, known)

    def host(self, place: str) -> str:
        """The computer that a place is on; empty where all are on one."""
        return "" if self.together else place.partition("/")[0]

    def cpus(self, host: str) -> Cpus:
        """A computer's CPUs."""
        return self._cpus.get(host) or Cpus(self.machine.cpus)

    def cpu(self, host: str, number: int) -> int:
        """The station of a computer's CPU; numbers beyond the last begin anew."""
        number %= self.cpus(host).count
        name = f"{host}/cpu{number}" if host else f"cpu{number}"
        return self._station(Station(name, self.cpus(host).backlog))

    def wire(self, device: Device) -> Wire:
        """The wire that a device is on."""
        segment = device.segment if isinstance(device, Physical) else None
        name = segment.name if segment is not None else ""
        return self._wires.get(name) or Wire(self.machine.rate, self.machine.delay)

    def sender(self, device: Device) -> int:
        """The station of a device's queue towards its wire; -1 where nothing waits there."""
        wire = self.wire(device)
        if not wire.queues:
            return -1
        slack = wire.burst * 8 * _SECOND // wire.rate if wire.rate else 0
        return self._station(
            Station(str(device), wire.queue, slack, wire.loss, wire.reorder, wire.reorder_delay)
        )  # fmt: skip

    def _station(self, station: Station) -> int:
        if station.name not in self._index:
            self._index[station.name] = len(self.stations)
            self.stations.append(station)
        return self._index[station.name]

    def taken_in(self, host: str, packet: Ip | Arp) -> int:
        """The CPU number that takes a packet in from a wire (RSS)."""
        return flow_of(packet) % self.cpus(host).count

    def steered(self, host: str, packet: Ip | Arp, number: int) -> int:
        """The CPU number that goes on with a packet which CPU `number` has received (RPS, RFS)."""
        cpus = self.cpus(host)
        if cpus.steering == "rss":
            return number
        flow = flow_of(packet)
        if cpus.steering == "rfs":
            return self._readers.get((host, flow), flow % cpus.count)
        return flow % cpus.count

    def read_by(self, host: str, packet: Ip | Arp, number: int) -> None:
        """Note which CPU's process reads a flow (rps_sock_flow_table)."""
        if self.cpus(host).steering == "rfs":
            self._readers[host, flow_of(packet)] = number


def flow_of(packet: Ip | Arp) -> int:
    """The hash of a packet's flow, a tunnel's by what it carries (its source port is made of that); 0 for ARP."""
    if not isinstance(packet, IPv4):
        return 0
    transport = packet.transport
    if isinstance(transport, UdpDatagram) and transport.inner is not None:
        return flow_of(transport.inner.payload)
    return flow_hash(packet.src, packet.dst, packet.sport, packet.dport)


def check_steering(word: str) -> str:
    """One of the ways to steer; UsageError for another word."""
    if word not in STEERING:
        raise UsageError(f"no steering {word!r}; there are: {', '.join(STEERING)}")
    return word
