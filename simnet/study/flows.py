"""Who can be asked what: every place, every listening port with all addresses that lead to it, and what comes of it.

A destination is told by where its address stands (`h1:eth0 port 2222`), not by the address, so that the same one is
found again in another source, or under another engine that gives other addresses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from simnet.docker.objects import Binding
from simnet.docker.sandbox import RESOLVER
from simnet.lab.lab import Lab
from simnet.net.address import ip_text, is_loopback
from simnet.net.conversation import Probe, Trace, converse
from simnet.net.device import Bridge, Veth
from simnet.net.namespace import NetNamespace
from simnet.net.packet import SYN, IPv4, TcpSegment
from simnet.net.program import Server
from simnet.net.step import ChainWalk, Origin, Step
from simnet.scenario.source import Source

# matches and targets that remember packets, so that one conversation would tell on the next
_REMEMBERS = {"limit", "hashlimit", "recent", "quota", "connlimit", "statistic", "nfacct"}
_NAT = {"DNAT", "SNAT", "MASQUERADE", "REDIRECT", "NETMAP"}


@dataclass(frozen=True, slots=True)
class Target:
    """One way to ask a server: the server's place and port, and the address and port to send to.

    `via` is empty for an address of the server's own, else it says whose port leads there (`published on h1:eth0`).
    `stand_ins` are places that may answer as well: the other tasks of a service.
    """

    place: str
    proto: str
    port: int
    address: int = field(compare=False)
    dport: int
    at: str
    via: str = ""
    local: bool = field(default=False, compare=False)
    stand_ins: tuple[str, ...] = field(default=(), compare=False)

    def __str__(self) -> str:
        """`h1/web:22/tcp at 192.0.2.2:2222`, or `h1/web by ping of 172.17.0.2`."""
        if self.proto == "icmp":
            return f"{self.place} by ping of {ip_text(self.address)}"
        return f"{self.place}:{self.port}/{self.proto} at {ip_text(self.address)}:{self.dport}"


@dataclass(frozen=True, slots=True)
class Flow:
    """A question: from a place to a target."""

    frm: str
    target: Target

    def __str__(self) -> str:
        """`wan → h1/web:22/tcp at 192.0.2.2:2222`."""
        return f"{self.frm} → {self.target}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a flow: the verdict, whom the server saw, and the rules (or reasons) that made it so.

    `evaluated` counts the rules compared, `hops` the devices gone into or out of. `certain` is False where a rule was
    met that the source alone does not decide. `other` is the place that answered where it is not the one that was
    asked: two hosts may give the same address to containers of theirs. (Of a ping nobody tells.)
    """

    verdict: str
    server_saw: str
    because: tuple[str, ...]
    evaluated: int
    certain: bool = True
    hops: int = 0
    other: str = ""

    @classmethod
    def of(cls, trace: Trace, other: str = "") -> Outcome:
        """What came of a conversation."""
        totals = trace.totals()
        certain = not any(walk.undecided for walk in trace.walks())
        return cls(trace.verdict, trace.server_saw, because(trace), totals.rules_evaluated, certain, totals.hops,
                   other)  # fmt: skip

    @property
    def answered(self) -> bool:
        """Whether the client got its answer, from the place that it asked."""
        return self.verdict == "reply" and not self.other

    @property
    def proxied(self) -> bool:
        """Whether docker-proxy carried it."""
        return any(reason.endswith(": docker-proxy") for reason in self.because)

    @property
    def saw(self) -> str:
        """The client's address as the server saw it, without the port."""
        return self.server_saw.rpartition(":")[0]

    def __str__(self) -> str:
        """`reply, the server saw 172.17.0.1`."""
        by = f" of {self.other}, which that address leads to" if self.other else ""
        return self.verdict + by + (f", the server saw {self.saw}" if self.saw else "")


class Study:
    """Flows tried over one source, one after the other, each as if it were the first."""

    def __init__(self, source: Source) -> None:
        """Open the source."""
        self.source = source
        self.lab = self._opened()
        self._fresh = any(_remembers(namespace) for namespace in self.lab.network.namespaces.values())
        self._sport = 40000

    def _opened(self) -> Lab:
        lab = self.source.open()
        acquaint(lab)
        return lab

    def places(self) -> list[str]:
        """Every place that can ask, by the name that people know it by: hosts, their containers, outside machines."""
        return places(self.lab)

    def targets(self, to: str = "") -> list[Target]:
        """Every way to every server, or to those of one place."""
        return [target for place in ([to] if to else self.places()) for target in targets(self.lab, place)]

    def flows(self, frm: str = "", to: str = "") -> Iterator[Flow]:
        """Every place with every target that can be meant from there; `frm` and `to` leave one place on that side."""
        found = self.targets(to)
        for place in [frm] if frm else self.places():
            own = self.lab.network.find(place)
            for target in found:
                if not target.local or self.lab.network.find(target.at.partition(":")[0]) is own:
                    yield Flow(place, target)

    def ask(self, flow: Flow, size: int = 0) -> Outcome:
        """Try one flow; `size` is how many bytes of data are sent (0: what a probe sends by itself)."""
        trace = self._converse(flow, size)
        servers = self.lab.network.servers
        answered = {_place(server) for server in servers if server.seen}
        asked = flow.target.place
        stranger = not answered & {asked, *flow.target.stand_ins} and asked in map(_place, servers)
        self.lab.network.forget_connections()
        return Outcome.of(trace, next(iter(answered), "") if stranger else "")

    def trace(self, flow: Flow) -> Trace:
        """The whole conversation of a flow, up to its answer."""
        trace = self._converse(flow)
        self.lab.network.forget_connections()
        return trace

    def _converse(self, flow: Flow, size: int = 0) -> Trace:
        if self._fresh:
            self.lab = self._opened()
        self._sport = self._sport + 1 if self._sport < 49000 else 40001
        probe = Probe(flow.frm, flow.target.address, flow.target.dport, flow.target.proto, self._sport, size=size)
        return converse(self.lab.network, probe, until_answered=True)


def acquaint(lab: Lab) -> None:
    """Let the containers of each bridge know each other's hardware addresses, as on a host that has run for a while."""
    for namespace in lab.network.namespaces.values():
        for bridge in namespace.devices.values():
            if not isinstance(bridge, Bridge):
                continue
            ends = [bridge, *(port.peer for port in bridge.ports if isinstance(port, Veth) and port.peer is not None)]
            known = [(one.address, end.mac) for end in ends for one in end.addresses]
            for end in ends:
                for address, mac in known:
                    if mac != end.mac:
                        end.namespace.neighbours.setdefault((end.name, address), mac)


def _remembers(namespace: NetNamespace) -> bool:
    return any(match.module in _REMEMBERS for rule in namespace.ruleset.rules() for match in rule.matches)


def places(lab: Lab) -> list[str]:
    """Every place by its shortest name; a container that shares a namespace stands for itself."""
    network = lab.network
    found = dict.fromkeys(place.removesuffix("/host") for place in network.namespaces if not inner(place))
    for name in network.aliases:
        if "/" in name:
            found.setdefault(name)
    hosts = dict.fromkeys(name.partition("/")[0] for name in found)
    return [name for host in hosts for name in found if name.partition("/")[0] == host]


def inner(place: str) -> bool:
    """Whether a namespace is one of the engine's own: an overlay network's, a load balancer's."""
    name = place.partition("/")[2]
    return name.startswith(("1-", "lb_")) or name == "ingress_sbox"


def _place(server: Server) -> str:
    """Where a server runs, by the name that people know the place by."""
    return server.place or server.namespace.place.removesuffix("/host")


def targets(lab: Lab, place: str) -> Iterator[Target]:
    """Every way to the servers of a place: its own addresses, and the published ports that lead there."""
    for server in lab.network.servers:
        namespace = server.namespace
        if lab.network.namespaces.get(namespace.place) is not namespace:
            continue  # its container is gone
        if _place(server) != place or server.address == RESOLVER:
            continue
        for at, address in addresses(namespace, namespace.place.removesuffix("/host")):
            if server.address in {0, address}:
                yield Target(place, server.proto, server.port, address, server.port, at, local=is_loopback(address))
        yield from _published(lab, place, server)
        yield from _mesh(lab, place, server)


def addresses(namespace: NetNamespace, place: str) -> Iterator[tuple[str, int]]:
    """Each address of a namespace, and where it stands (`h1:eth0`, a second one `h1:eth0 2`)."""
    for device in namespace.devices.values():
        for number, one in enumerate(device.addresses, 1):
            yield f"{place}:{device.name}" + (f" {number}" if number > 1 else ""), one.address


def _published(lab: Lab, place: str, server: Server) -> Iterator[Target]:
    """The ports of a host that lead to a container's server."""
    host = place.partition("/")[0]
    container = lab.container(server.namespace.place)
    if container is None:
        return
    outside = lab.network.find(host)
    for binding in container.bindings:
        if binding.family == 4 and binding.host_port and _is_for(binding, server):
            for at, address in addresses(outside, host):
                if binding.host in {"0.0.0.0", ip_text(address)}:
                    yield Target(place, server.proto, server.port, address, binding.host_port, at,
                                 f"published on {at}", is_loopback(address))  # fmt: skip


def _mesh(lab: Lab, place: str, server: Server) -> Iterator[Target]:
    """The ports of every node that lead to a service's task, or to another one of the same service."""
    task = lab.container(server.namespace.place)
    engine = lab.sessions[place.partition("/")[0]].engine if task is not None and task.service else None
    cluster = engine.swarm.cluster if engine is not None else None
    if task is None or cluster is None or task.service not in cluster.services:
        return
    service = cluster.services[task.service]
    tasks = tuple(f"{node.name}/{one.name}" for node, one in service.tasks)
    for port in service.mesh_ports:
        if (port.target, port.proto) == (server.port, server.proto):
            for node in cluster.nodes.values():
                at = next(name for name, address in addresses(node.namespace, node.name) if address == node.address)
                yield Target(place, server.proto, server.port, node.address, port.published, at,
                             f"routing mesh on {node.name}", stand_ins=tasks)  # fmt: skip


def _is_for(binding: Binding, server: Server) -> bool:
    return binding.asked.port == server.port and binding.asked.proto == server.proto


def because(trace: Trace) -> tuple[str, ...]:
    """What made a conversation come out as it did: what dropped it, or let in and rewrote its start."""
    drop = trace.dropped_by()
    if drop is not None:
        rule = f"{drop.rule.text}" if drop.rule is not None else drop.reason
        return (f"{drop.place}: {rule}",)
    found: dict[str, None] = {}
    for step in trace.steps:
        if isinstance(step, ChainWalk) and _first(step):
            hits = [hit for hit in step.hits if hit.verdict in _NAT]
            if step.table == "filter" and step.hits and step.hits[-1].verdict in {"ACCEPT", "REJECT"}:
                hits.append(step.hits[-1])
            for hit in hits:
                found.setdefault(f"{step.place}: {hit.text}")
        elif isinstance(step, Origin) and step.by == "docker-proxy":
            found.setdefault(f"{step.place}: docker-proxy")
    return tuple(found)


def _first(step: Step) -> bool:
    """Whether a step is of a connection's first packet."""
    transport = step.packet.transport if isinstance(step.packet, IPv4) else None
    return not isinstance(transport, TcpSegment) or transport.flags == SYN
