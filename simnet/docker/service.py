"""Services of a swarm: their ports, their virtual addresses, and their tasks, spread over the nodes.

Models: manager/orchestrator and manager/allocator of swarmkit, libnetwork/service_linux.go of moby.
Leaves out: constraints, resources, restarts, and rolling updates.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from simnet.errors import Refused

from .objects import Container, identity
from .options import Attachment, ContainerOptions, ServiceOptions, ServicePort
from .publish import PublishedPort
from .swarm import INGRESS

if TYPE_CHECKING:
    from .cluster import Cluster
    from .engine import Engine

# ports that the swarm picks for services
_FIRST_PORT = 30000


@dataclass(eq=False, slots=True)
class Service:
    """A service: its options, its ports with the numbers that they got, and its tasks, each on its node."""

    id: str
    name: str
    options: ServiceOptions
    ports: tuple[ServicePort, ...] = ()
    tasks: list[tuple[Engine, Container]] = field(default_factory=list)
    _slots: int = 0

    @property
    def mesh_ports(self) -> list[ServicePort]:
        """The ports that every node opens."""
        return [port for port in self.ports if port.mode == "ingress"]

    def scale(self, cluster: Cluster, replicas: int) -> None:
        """Run as many tasks as there are to be, each new one on the node that has the fewest of them."""
        self.options = replace(self.options, replicas=replicas)
        while len(self.tasks) > replicas:
            node, task = self.tasks.pop()
            node.remove(task.name, force=True)
        while len(self.tasks) < replicas:
            nodes = list(cluster.nodes.values())
            self._run(min(nodes, key=lambda node: sum(one is node for one, _ in self.tasks)))

    def run_everywhere(self, cluster: Cluster) -> None:
        """Run one task on each node that has none."""
        for node in cluster.nodes.values():
            if all(one is not node for one, _ in self.tasks):
                self._run(node)

    def drop_node(self, node: Engine) -> None:
        """Stop the tasks of a node, and close the service's ports there."""
        for one, task in [pair for pair in self.tasks if pair[0] is node]:
            one.remove(task.name, force=True)
            self.tasks.remove((one, task))
        node.swarm.shut(self.name)

    def _run(self, node: Engine) -> None:
        self._slots += 1
        name = f"{self.name}.{self._slots}.{identity('task', self.name, self._slots)[:25]}"
        networks = [INGRESS] * bool(self.mesh_ports) + [node.networks.find(one).name for one in self.options.networks]
        ports = tuple(PublishedPort(port.target, port.proto, "", port.published, port.published)
                      for port in self.ports if port.mode == "host")  # fmt: skip
        joined = tuple(map(Attachment, networks or ["bridge"]))
        task = node.create(ContainerOptions(name, self.options.image, joined[0].network, joined, ports))
        task.service = self.name
        self.tasks.append((node, task))
        # a task that cannot run is rejected; the service stays
        with suppress(Refused):
            node.start(name)


def create(engine: Engine, options: ServiceOptions) -> Service:
    """`docker service create`: open its ports on every node, and run its tasks."""
    cluster = _cluster(engine)
    number = engine.count()
    name = options.name or f"service{number}"
    if name in cluster.services:
        raise engine.refusal("service_taken", name=name)
    for network in options.networks:
        engine.networks.find(network)
    ports = tuple(_numbered(cluster, port) for port in options.ports)
    service = Service(identity("service", name, number), name, options, ports)
    cluster.services[name] = service
    if options.everywhere:
        service.run_everywhere(cluster)
    else:
        service.scale(cluster, options.replicas)
    cluster.each_node(lambda node: node.swarm.open(name, service.mesh_ports))
    return service


def scale(engine: Engine, name: str, replicas: int) -> None:
    """`docker service scale`."""
    _found(engine, name).scale(_cluster(engine), replicas)


def remove(engine: Engine, name: str) -> None:
    """`docker service rm`."""
    service = _found(engine, name)
    cluster = _cluster(engine)
    del cluster.services[name]
    cluster.each_node(service.drop_node)


def _cluster(engine: Engine) -> Cluster:
    """The swarm that an engine manages."""
    if engine.swarm.cluster is None or not engine.swarm.manages:
        raise engine.refusal("not_a_manager")
    return engine.swarm.cluster


def _found(engine: Engine, name: str) -> Service:
    """A service by its name."""
    found = _cluster(engine).services.get(name)
    if found is None:
        raise engine.refusal("service_unknown", name=name)
    return found


def _numbered(cluster: Cluster, port: ServicePort) -> ServicePort:
    """A port with its number on the nodes: the one asked for, or the next of the swarm's own range."""
    if port.published or port.mode != "ingress":
        return port
    taken = {one.published for service in cluster.services.values() for one in service.ports}
    number = next(one for one in range(_FIRST_PORT, 2**15) if one not in taken)
    return replace(port, published=number)
