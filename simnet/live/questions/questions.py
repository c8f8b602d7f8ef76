"""Every question that is worth asking on the hosts of a snapshot: who asks, where to, and who must listen for it.

The kinds: a published port by every address that one reaches it at; a container's own address and port; an overlay
network's, from another host; a server in a shared namespace or in the host's; outside machines from inside; pings; and
ports at which nobody listens.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from simnet.errors import UnknownPlace
from simnet.lab.lab import Lab
from simnet.net.address import ip_text, is_loopback, parse_ip
from simnet.net.device import Loopback, Veth
from simnet.net.namespace import NetNamespace
from simnet.net.network import Network
from simnet.scenario import snapshot
from simnet.scenario.question import Listen
from simnet.scenario.snapshot.containers import Published, published
from simnet.scenario.snapshot.files import read_list, understood
from simnet.study import flows

PUBLISHED, DIRECT, OVERLAY, SHARED = "published", "direct", "overlay", "shared"
HOST_MODE, OUT, PING, CLOSED = "host mode", "out", "ping", "closed"
LOCALHOST = 0x7F000001
# where servers of our own listen, and where nobody is to; the next free port above is taken
_SERVED, _CLOSED = 8000, 9


class Question(NamedTuple):
    """What is to be asked: the kind, from which place, what the target is called, where to, and who must listen.

    `args` are the client's options, as of a recorded probe.
    """

    kind: str
    frm: str
    to: str
    proto: str
    dst: int
    dport: int = 0
    servers: tuple[Listen, ...] = ()
    args: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[object, ...]:
        """What makes it another question than others: nobody asks the same twice."""
        return self.frm, self.proto, self.dst, self.dport, bool(self.servers), self.args


class Container(NamedTuple):
    """A container that runs: its place, its published ports, and the ports (protocol, number) that it serves."""

    place: str
    published: tuple[Published, ...]
    serves: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Hosts:
    """The hosts of a snapshot: their network, the containers that run there, the engines' gateways by host."""

    network: Network
    places: tuple[str, ...]
    containers: tuple[Container, ...]
    gateways: Mapping[str, frozenset[int]]

    @classmethod
    def read(cls, folder: Path) -> Hosts:
        """Read a snapshot folder; SnapshotError where it cannot be read."""
        network = snapshot.load(folder)
        places = tuple(flows.places(Lab.around(network)))
        containers, gateways = [], {}
        for path in sorted(folder.glob("*/docker-inspect.json")):
            host = path.parent.name
            with understood(path, "docker inspect"):
                inspected = read_list(path, needed=False, notes=[])
                found = [_container(host, one) for one in inspected]
            networks = path.with_name("docker-network-inspect.json")
            with understood(networks, "docker network inspect"):
                gateways[host] = frozenset(_gateways(inspected, read_list(networks, needed=False, notes=[])))
            containers += [one for one in found if one.place in places]
        return cls(network, places, tuple(containers), gateways)

    @cached_property
    def clients(self) -> tuple[str, ...]:
        """One place for each namespace."""
        return tuple({id(self.network.find(place)): place for place in reversed(self.places)}.values())[::-1]

    @property
    def outside(self) -> tuple[str, ...]:
        """The machines without an engine."""
        return tuple(place for place in self.places if "/" not in place and place not in self.gateways)

    def own(self, place: str) -> Iterator[tuple[str, int]]:
        """The addresses that a place is reached at from elsewhere, each with its name; a host's without its gateways.

        The first goes by the place's own name.
        """
        engine = self.gateways.get(place, frozenset())
        devices = self.network.find(place).devices.values()
        ordered = sorted(devices, key=lambda device: isinstance(device, Loopback))  # what others are on comes first
        found = [one.address for device in ordered for one in device.addresses]
        outer = [address for address in found if not is_loopback(address) and address not in engine]
        for number, address in enumerate(outer):
            yield f"{place} {ip_text(address)}" if number else place, address

    def at_host(self, frm: str, host: str, bound: int = 0) -> Iterator[tuple[str, int]]:
        """The addresses at which a port of a host is reached from a place: of those that it is bound to (0: all)."""
        client, own = self.network.find(frm), self.network.find(host)
        if bound:
            if client is own or not is_loopback(bound):
                yield f"{host} localhost" if bound == LOCALHOST else f"{host} {ip_text(bound)}", bound
            return
        yield from self.own(host)
        if client is own:
            yield f"{host} localhost", LOCALHOST
        elif frm.startswith(f"{host}/"):
            yield from self.gateways_of(frm)

    def gateways_of(self, place: str) -> Iterator[tuple[str, int]]:
        """The addresses of a container's host on the bridges that the container is at."""
        host = place.partition("/")[0]
        own = self.network.find(place)
        blocks = [one.network for device in own.devices.values() for one in device.addresses]
        found = [address for address in sorted(self.gateways.get(host, ()))
                 if self.network.find(host).owns(address) and any(address in block for block in blocks)]  # fmt: skip
        for number, address in enumerate(found):
            yield f"{host} gateway {ip_text(address)}" if number else f"{host} gateway", address

    def knows(self, place: str) -> bool:
        """Whether there is such a place."""
        try:
            return bool(self.network.find(place).place)
        except UnknownPlace:
            return False

    def held(self, place: str, proto: str, port: int) -> bool:
        """Whether somebody has a port of a place, at whatever address."""
        return self.network.find(place).sockets.bound(proto, 0, port)

    def listened(self, port: int) -> bool:
        """Whether somebody has a port in any namespace."""
        spaces = self.network.namespaces.values()
        return any(space.sockets.bound(proto, 0, port) for space in spaces for proto in ("tcp", "udp"))

    def free_port(self, place: str, proto: str, wanted: int) -> int:
        """The first port from `wanted` on that nobody has at a place, and that no container publishes or serves."""
        known = {port for one in self.containers for _, port in one.serves}
        known |= {port.outer for one in self.containers for port in one.published}
        return next(port for port in count(wanted) if port not in known and not self.held(place, proto, port))


def _container(host: str, one: dict[str, Any]) -> Container:
    ports = tuple(port for port in published(one) if port.outer and port.proto in {"tcp", "udp"})
    exposed = (text.partition("/") for text in (one.get("Config") or {}).get("ExposedPorts") or {})
    serves = [(port.proto, port.inner) for port in ports]
    serves += [(proto, int(number)) for number, _, proto in exposed if proto in {"tcp", "udp"}]
    return Container(f"{host}/{str(one.get('Name', '')).lstrip('/')}", ports, tuple(dict.fromkeys(serves)))


def _gateways(containers: list[dict[str, Any]], networks: list[dict[str, Any]]) -> Iterator[int]:
    """Every gateway that an engine tells of, be the address the host's own or not."""
    texts = [one.get("Gateway") for container in containers
             for one in (container.get("NetworkSettings", {}).get("Networks") or {}).values()]  # fmt: skip
    texts += [one.get("Gateway") for network in networks for one in (network.get("IPAM") or {}).get("Config") or []]
    for text in texts:
        if text and ":" not in text:
            yield parse_ip(text.partition("/")[0])


def questions(hosts: Hosts) -> Iterator[Question]:
    """Every question, kind by kind; the same for the same snapshot."""
    yield from _published(hosts)
    yield from _direct(hosts)
    yield from _shared(hosts)
    yield from _host_mode(hosts)
    yield from _out(hosts)
    yield from _pings(hosts)
    yield from _closed(hosts)


def _published(hosts: Hosts) -> Iterator[Question]:
    for one in hosts.containers:
        host = one.place.partition("/")[0]
        for port in one.published:
            servers = (Listen(one.place, port.proto, 0, port.inner),)
            for frm in hosts.places:
                for to, address in hosts.at_host(frm, host, port.host):
                    yield Question(PUBLISHED, frm, to, port.proto, address, port.outer, servers)


def _direct(hosts: Hosts) -> Iterator[Question]:
    for one in hosts.containers:
        own = hosts.network.find(one.place)
        if one.place != own.place:
            continue  # it shares another's namespace
        for proto, port in one.serves or (("tcp", 80),):
            for to, address in hosts.own(one.place):
                for frm in hosts.clients:
                    if hosts.network.find(frm) is not own:
                        kind = OVERLAY if _over(hosts, frm, own, address) else DIRECT
                        yield Question(kind, frm, to, proto, address, port, (Listen(one.place, proto, 0, port),))


def _over(hosts: Hosts, frm: str, own: NetNamespace, address: int) -> bool:
    """Whether an address is reached over an overlay network that both are on, from another host."""
    client = hosts.network.find(frm)
    device = next(one for one in own.devices.values() if any(held.address == address for held in one.addresses))
    peer = device.peer if isinstance(device, Veth) else None
    shared = any(address in held.network for one in client.devices.values() for held in one.addresses)
    elsewhere = frm.partition("/")[0] != own.place.partition("/")[0]
    return peer is not None and flows.inner(peer.namespace.place) and shared and elsewhere


def _sharing(hosts: Hosts) -> Iterator[tuple[Container, NetNamespace]]:
    """The containers that have no namespace of their own, and the one that they are in."""
    for one in hosts.containers:
        namespace = hosts.network.find(one.place)
        if namespace.place != one.place:
            yield one, namespace


def _shared(hosts: Hosts) -> Iterator[Question]:
    for one, namespace in _sharing(hosts):
        if namespace.place.endswith("/host"):
            continue
        port = hosts.free_port(one.place, "tcp", _SERVED)
        for frm, at in ((one.place, namespace.place), (namespace.place, one.place)):
            yield Question(SHARED, frm, f"{at} localhost", "tcp", LOCALHOST, port, (Listen(at, "tcp", 0, port),))


def _host_mode(hosts: Hosts) -> Iterator[Question]:
    for one, namespace in _sharing(hosts):
        host = namespace.place.removesuffix("/host")
        if host == namespace.place:
            continue
        for proto, port in one.serves or (("tcp", hosts.free_port(host, "tcp", _SERVED)),):
            for frm in hosts.clients:
                for to, address in hosts.at_host(frm, host):
                    yield Question(HOST_MODE, frm, to, proto, address, port, (Listen(one.place, proto, 0, port),))


def _out(hosts: Hosts) -> Iterator[Question]:
    for machine in hosts.outside:
        for to, address in list(hosts.own(machine))[:1]:
            for frm in hosts.places:
                for proto in ("tcp", "udp") if frm not in hosts.outside else ():
                    port = hosts.free_port(machine, proto, _SERVED)
                    yield Question(OUT, frm, to, proto, address, port, (Listen(machine, proto, 0, port),))


def _pings(hosts: Hosts) -> Iterator[Question]:
    for frm in hosts.clients:
        for place in hosts.clients:
            if place != frm:
                yield from (Question(PING, frm, to, "icmp", address) for to, address in hosts.own(place))
        if "/" in frm:
            yield from (Question(PING, frm, to, "icmp", address) for to, address in hosts.gateways_of(frm))


def _closed(hosts: Hosts) -> Iterator[Question]:
    for frm in hosts.clients:
        for place in hosts.clients:
            for to, address in list(hosts.own(place))[:1] if place != frm else ():
                for proto in ("tcp",) if "/" in place else ("tcp", "udp"):
                    yield Question(CLOSED, frm, to, proto, address, hosts.free_port(place, proto, _CLOSED))
    for one in hosts.containers:
        host = one.place.partition("/")[0]
        for port in one.published:
            if not hosts.held(one.place, port.proto, port.inner):
                for frm in (host, *hosts.outside):
                    for _, address in list(hosts.at_host(frm, host, port.host))[:1]:
                        yield Question(CLOSED, frm, f"{host} unserved", port.proto, address, port.outer)
