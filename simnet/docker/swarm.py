"""The swarm's part of an engine: docker_gwbridge, the ingress network, the routing mesh, load balancers.

Models: daemon/cluster, libnetwork/service_linux.go of moby, on a kernel with IPVS (without it an engine installs no
rules of the routing mesh).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simnet.net.address import ip_text
from simnet.net.socket import Listener

from . import endpoints, facts
from .cluster import Cluster
from .objects import Container, Endpoint, Network
from .options import Attachment, NetworkOptions, ServicePort
from .sandbox import Sandbox

if TYPE_CHECKING:
    from .engine import Engine

GATEWAY_BRIDGE = "docker_gwbridge"
INGRESS = "ingress"
# where managers take requests, and where nodes gossip
MANAGER_PORT, GOSSIP_PORT = 2377, 7946


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
        self.ingress: Sandbox | None = None
        self._gate: Endpoint | None = None
        self._sandboxes: dict[str, tuple[Sandbox, list[Endpoint]]] = {}
        self._ports: list[Listener] = []

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
        self.ingress = self._balancer(engine.networks.find(INGRESS), "ingress_sbox")
        self._gate = endpoints.join(engine, self.ingress, self.gateway_network, Attachment(GATEWAY_BRIDGE))
        self._sandboxes[INGRESS][1].append(self._gate)
        self.ingress.set_way_out(self._gate)

    def balance(self, network: Network) -> None:
        """Make sure that this host has a load balancer on an overlay network."""
        if network.name not in self._sandboxes:
            self._balancer(network, f"lb_{network.id[:9]}")

    def _balancer(self, network: Network, name: str) -> Sandbox:
        sandbox = Sandbox(self._engine, name)
        endpoint = endpoints.join(self._engine, sandbox, network, Attachment(network.name))
        sandbox.start_resolver()
        self._sandboxes[network.name] = sandbox, [endpoint]
        return sandbox

    def drop_balancer(self, network: str) -> None:
        """Take this host's load balancer of a network away."""
        sandbox, joined = self._sandboxes.pop(network, (None, []))
        for endpoint in joined if sandbox is not None else ():
            assert sandbox is not None
            endpoints.leave(self._engine, endpoint, sandbox)
        if sandbox is not None:
            sandbox.remove()

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
            self.drop_balancer(network.name)
            engine.networks.drop(network)
        for port in self._ports:
            engine.namespace.sockets.close(port)
        cluster.nodes.pop(engine.name, None)
        cluster.managers.discard(engine.name)
        self.cluster, self.ingress, self._gate, self._ports = None, None, None, []

    def owns(self, container: Container) -> bool:
        """Whether a container is a task of a service."""
        return bool(container.service)

    def open(self, name: str, ports: list[ServicePort]) -> None:
        """Open a service's ports in the routing mesh; the first one makes the mesh's own chains and rules."""
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
        for port in ports:
            target = facts.target(self._gate.address, port.published)
            filled = {**words, "proto": port.proto, "host_port": str(port.published), "target": target}
            asked = {**known, "proto": port.proto}
            endpoints.install(engine, "ingress_port", f"service {name}", 4, asked, filled)

    def shut(self, name: str) -> None:
        """Close a service's ports; the routing mesh keeps its chains."""
        self._engine.firewall.remove(f"service {name}")
