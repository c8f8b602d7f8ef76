"""The swarm's part of an engine: docker_gwbridge, the ingress network, the routing mesh, load balancers.

Models: daemon/cluster, libnetwork/service_linux.go of moby, on a kernel with IPVS (without it an engine installs no
rules of the routing mesh).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simnet.docker import endpoints
from simnet.docker.drivers import DRIVERS
from simnet.docker.objects import Container, Endpoint, Network
from simnet.docker.options import Attachment, NetworkOptions, ServicePort
from simnet.docker.proxy import HeldPort
from simnet.docker.rules import facts
from simnet.docker.sandbox import Sandbox
from simnet.docker.swarm.balancer import LoadBalancer
from simnet.docker.swarm.cluster import Cluster
from simnet.net.address import ip_text
from simnet.net.socket import Listener

if TYPE_CHECKING:
    from simnet.docker.engine import Engine

GATEWAY_BRIDGE = "docker_gwbridge"
INGRESS = "ingress"
# where managers take requests, and where nodes gossip
MANAGER_PORT, GOSSIP_PORT = 2377, 7946
# the first firewall mark of a load balancer
_MARKS = 256


@dataclass(eq=False, slots=True)
class ManagerPort(Listener):
    """The socket of a manager, which other hosts find the swarm by."""

    cluster: Cluster | None = None


class Swarm:
    """What an engine knows of its swarm; `cluster` is None outside one. `mesh`: the routing mesh has its chains."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.cluster: Cluster | None = None
        self.mesh = False
        self.gateway_network: Network | None = None
        self.balancers: dict[str, LoadBalancer] = {}
        self._gate: Endpoint | None = None
        self._ports: list[Listener] = []
        self._last_mark = _MARKS - 1
        self._opened: dict[ServicePort, int] = {}
        self._held: dict[ServicePort, tuple[str, HeldPort]] = {}

    @property
    def ingress(self) -> Sandbox | None:
        """The namespace that the routing mesh runs in."""
        balancer = self.balancers.get(INGRESS)
        return balancer.sandbox if balancer is not None else None

    @property
    def manages(self) -> bool:
        """Whether this node is a manager."""
        return self.cluster is not None and self._engine.name in self.cluster.managers

    def init(self) -> None:
        """`docker swarm init`: the first node of a new swarm, and its ingress network."""
        if self.cluster is not None:
            raise self._engine.refusal("already_in_swarm")
        self.cluster = Cluster()
        self.cluster.pools.rotates = "rotates_pools" in self._engine.layout.features
        self._enter(manager=True)
        self._engine.networks.create(NetworkOptions(INGRESS, driver="overlay"), predefined=True)
        self._set_up()

    def join(self, address: int, *, manager: bool = False) -> None:
        """`docker swarm join`: find the swarm by a manager's address, and take part."""
        engine = self._engine
        if self.cluster is not None:
            raise engine.refusal("already_in_swarm")
        self.cluster = self._found_at(address)
        if self.cluster is None:
            raise engine.refusal("manager_unreachable", address=f"{ip_text(address)}:{MANAGER_PORT}")
        self._enter(manager=manager)
        engine.networks.find(INGRESS).predefined = True
        self._set_up()
        for service in list(self.cluster.services.values()):
            service.reconcile(self.cluster)

    def _found_at(self, address: int) -> Cluster | None:
        for namespace in self._engine.namespace.network.namespaces.values():
            listener = namespace.sockets.listener(address, MANAGER_PORT) if namespace.owns(address) else None
            if isinstance(listener, ManagerPort):
                return listener.cluster
        return None

    def _enter(self, *, manager: bool) -> None:
        engine, cluster = self._engine, self.cluster
        assert cluster is not None
        cluster.nodes[engine.name] = engine
        self._ports = [Listener(0, GOSSIP_PORT, "dockerd")]
        if manager:
            cluster.managers.add(engine.name)
            self._ports.append(ManagerPort(0, MANAGER_PORT, "dockerd", cluster=cluster))
        for port in self._ports:
            engine.namespace.sockets.open(port)

    def _set_up(self) -> None:
        """Make docker_gwbridge, and the namespace that the routing mesh runs in."""
        engine = self._engine
        if GATEWAY_BRIDGE not in engine.networks.by_name:
            engine.networks.create(NetworkOptions(GATEWAY_BRIDGE, bridge_name=GATEWAY_BRIDGE, icc=False))
        self.gateway_network = engine.networks.find(GATEWAY_BRIDGE)
        balancer = LoadBalancer(engine, engine.networks.find(INGRESS), "ingress_sbox")
        self.balancers[INGRESS] = balancer
        self._gate = endpoints.join(engine, balancer.sandbox, self.gateway_network, Attachment(GATEWAY_BRIDGE))
        balancer.sandbox.set_way_out(self._gate)
        balancer.catch_up()

    def balance(self, network: Network) -> None:
        """Make sure that this host has a load balancer on an overlay network."""
        if network.name not in self.balancers:
            self.balancers[network.name] = LoadBalancer(self._engine, network, f"lb_{network.id[:9]}")
            self.balancers[network.name].catch_up()

    def release(self, network: Network) -> None:
        """Once the last container of this host has left an overlay network, so does the host."""
        balancer = self.balancers.get(network.name)
        if network.shared is None or network.name == INGRESS or balancer is None:
            return
        if all(one is balancer.endpoint for one in network.endpoints.values()):
            self.balancers.pop(network.name).remove()
            DRIVERS["overlay"].delete(self._engine, network)
            if not self.manages:
                self._engine.networks.by_name.pop(network.name, None)

    def next_mark(self) -> int:
        """The firewall mark of a service that this node meets on a network."""
        self._last_mark += 1
        return self._last_mark

    def leave(self, *, force: bool = False) -> None:
        """`docker swarm leave`: overlay networks and their namespaces go; docker_gwbridge and its rules stay."""
        engine, cluster = self._engine, self.cluster
        if cluster is None:
            raise engine.refusal("not_in_swarm")
        if self.manages and not force:
            raise engine.refusal("leave_needs_force")
        for service in list(cluster.services.values()):
            service.drop_node(engine)
        for network in [one for one in engine.networks.by_name.values() if one.shared is not None]:
            self._drop_balancer(network.name)
            engine.networks.drop(network)
        for port in self._ports:
            engine.namespace.sockets.close(port)
        cluster.nodes.pop(engine.name, None)
        cluster.managers.discard(engine.name)
        self.cluster, self._gate, self._ports = None, None, []
        for service in list(cluster.services.values()) if cluster.managers else ():
            service.reconcile(cluster)

    def _drop_balancer(self, network: str) -> None:
        """Take this host's load balancer of a network away, from the ingress network with its way out."""
        balancer = self.balancers.pop(network, None)
        if balancer is not None and network == INGRESS and self._gate is not None:
            endpoints.leave(self._engine, self._gate, balancer.sandbox)
        if balancer is not None:
            balancer.remove()

    def owns(self, container: Container) -> bool:
        """Whether a container is a task of a service."""
        return bool(container.service)

    def open(self, name: str, ports: tuple[ServicePort, ...]) -> None:
        """Open a service's ports in the routing mesh; the first one makes the mesh's own chains and rules.

        The engine listens on each, so that no program of the host takes it.
        """
        engine = self._engine
        if not ports or 4 not in engine.firewall.families:
            return
        assert self.gateway_network is not None
        assert self._gate is not None
        assert self._gate.address is not None
        known = engine.facts(4)
        words = facts.network_words(4, self.gateway_network)
        if not self.mesh:
            self.mesh = True
            engine.firewall.set_up({4: known}, "ingress_chains")
            endpoints.install(engine, "ingress", "the routing mesh", 4, known, words)
            engine.namespace.sysctls[f"net.ipv4.conf.{GATEWAY_BRIDGE}.route_localnet"] = "1"
        for port in ports:
            self._opened[port] = self._opened.get(port, 0) + 1
            if self._opened[port] > 1:
                continue
            target = facts.target(self._gate.address, port.published)
            filled = {**words, "proto": port.proto, "host_port": str(port.published), "target": target}
            asked = {**known, "proto": port.proto}
            endpoints.install(engine, "ingress_port", _subject(name, port), 4, asked, filled)
            held = HeldPort(engine.namespace, port.proto, 0, port.published)
            self._held[port] = _subject(name, port), held
            if port.proto != "sctp":
                held.listen()

    def shut(self, ports: tuple[ServicePort, ...]) -> None:
        """Close ports of the routing mesh, which keeps its chains."""
        for port in ports:
            if port not in self._opened:
                continue
            self._opened[port] -= 1
            if not self._opened[port]:
                del self._opened[port]
                subject, held = self._held.pop(port)
                self._engine.firewall.remove(subject)
                held.close()


def _subject(name: str, port: ServicePort) -> str:
    """What a port's rules came with."""
    return f"port {port.published}/{port.proto} of service {name}"
