"""Services of a swarm: their ports, their virtual addresses, and their tasks, spread over the nodes.

A service takes its virtual addresses first, then its tasks take theirs, then nodes that are new on a network take one
for their load balancer.

Models: manager/orchestrator, manager/scheduler and manager/allocator of swarmkit, libnetwork/service_linux.go of moby.
Leaves out: resources, restarts, preferences, and the time that an update takes: tasks are replaced one after another.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from simnet.docker import endpoints
from simnet.docker.objects import Container, identity
from simnet.docker.options import Attachment, ContainerOptions, ServiceOptions, ServicePort, ServiceUpdate
from simnet.docker.publish import PublishedPort
from simnet.docker.swarm.cluster import Backend
from simnet.docker.swarm.swarm import INGRESS
from simnet.errors import Refused

if TYPE_CHECKING:
    from simnet.docker.engine import Engine
    from simnet.docker.ipam import Address
    from simnet.docker.swarm.cluster import Cluster

# ports that the swarm picks for services
_FIRST_PORT = 30000


@dataclass(eq=False, slots=True)
class Service:
    """A service: its options, its ports with the numbers that they got, its virtual addresses by network, its tasks.

    Each task is on its node, and in its slot (0 where there is one on every node).
    """

    id: str
    name: str
    options: ServiceOptions
    ports: tuple[ServicePort, ...] = ()
    vips: dict[str, Address] = field(default_factory=dict)
    tasks: list[tuple[Engine, Container]] = field(default_factory=list)
    slots: dict[str, int] = field(default_factory=dict)
    _made: int = 0

    @property
    def mesh_ports(self) -> tuple[ServicePort, ...]:
        """The ports that every node opens."""
        return tuple(port for port in self.ports if port.mode == "ingress")

    @property
    def networks(self) -> list[str]:
        """The networks that its tasks join, the ingress network first where it is needed."""
        return [INGRESS] * bool(self.mesh_ports) + list(self.options.networks)

    def reconcile(self, cluster: Cluster) -> None:
        """Have as many tasks as there are to be: stop the youngest ones, or start new ones (orchestrator)."""
        while not self.options.everywhere and len(self.tasks) > self.options.replicas:
            self._stop(cluster, *self.tasks[-1])
        planned = []
        for node, slot in self._missing(cluster):
            planned.append(self._plan(node, slot))
        for node, task in planned:
            self._start(cluster, node, task)

    def _missing(self, cluster: Cluster) -> list[tuple[Engine, int]]:
        """Where tasks are missing, and the slots that they fill."""
        nodes = [node for node in cluster.nodes.values() if self._allows(cluster, node)]
        if self.options.everywhere:
            held = {node.name for node, _ in self.tasks}
            return [(node, 0) for node in nodes if node.name not in held]
        load = {node.name: sum(one is node for one, _ in self.tasks) for node in nodes}
        total = {node.name: sum(one.tasks_on(node) for one in cluster.services.values()) for node in nodes}
        free = (slot for slot in range(1, self.options.replicas + 1) if slot not in self.slots.values())
        found = []
        for slot in list(free) if nodes else ():
            node = min(nodes, key=lambda one: (load[one.name], total[one.name]))
            load[node.name] += 1
            total[node.name] += 1
            found.append((node, slot))
        return found

    def tasks_on(self, node: Engine) -> int:
        """How many of its tasks a node has."""
        return sum(one is node for one, _ in self.tasks)

    def _allows(self, cluster: Cluster, node: Engine) -> bool:
        """Whether the service may run on a node."""
        known = {"node.hostname": node.name, "node.role": "manager" if node.name in cluster.managers else "worker",
                 "node.platform.os": "linux"}  # fmt: skip
        for text in self.options.constraints:
            name, equals, value = text.partition("==")
            if not equals:
                name, equals, value = text.partition("!=")
            if (known.get(name.strip(), "") == value.strip()) != ("==" in text):
                return False
        return True

    def _plan(self, node: Engine, slot: int) -> tuple[Engine, Container]:
        """A new task: its container on the node, and its addresses."""
        self._made += 1
        task = identity("task", self.id, self._made)[:25]
        name = f"{self.name}.{slot or identity('node', node.name, 0)[:25]}.{task}"
        joined = tuple(Attachment(node.networks.find(one).name) for one in self.networks) or (Attachment("bridge"),)
        ports = tuple(PublishedPort(port.target, port.proto, "", port.published, port.published)
                      for port in self.ports if port.mode == "host")  # fmt: skip
        made = node.create(ContainerOptions(name, self.options.image, joined[0].network, joined, ports))
        made.service, made.mesh_ports = self.name, self.mesh_ports
        self.tasks.append((node, made))
        self.slots[name] = slot
        for at in joined:
            network = node.networks.find(at.network)
            address = _address(node, at.network) if network.shared is not None else None
            if address is not None:
                made.held[at.network] = address
        return node, made

    def _start(self, cluster: Cluster, node: Engine, task: Container) -> None:
        """Start a task, and let all nodes know of it; one that cannot run is rejected, and the service stays."""
        with suppress(Refused):
            node.start(task.name)
            for network, address in task.held.items():
                ports = self.mesh_ports if network == INGRESS else ()
                backend = Backend(self.id, self.name, task.name, self.vips.get(network), address, ports)
                cluster.bind(network, backend)

    def _stop(self, cluster: Cluster, node: Engine, task: Container) -> None:
        """Stop a task and take it away."""
        for network in task.held:
            cluster.unbind(network, task.name)
        if not task.running:
            for network, address in task.held.items():
                cluster.networks[network].addresses.give_back(address)
        self.tasks.remove((node, task))
        del self.slots[task.name]
        node.remove(task.name, force=True)

    def drop_node(self, node: Engine) -> None:
        """Stop the tasks of a node."""
        assert node.swarm.cluster is not None
        for one, task in [pair for pair in self.tasks if pair[0] is node]:
            self._stop(node.swarm.cluster, one, task)

    def take_addresses(self, engine: Engine) -> None:
        """Take a virtual address on each of its networks that has none yet, and give back what is not needed."""
        wanted = self.networks if self.options.endpoint_mode == "vip" else []
        for name in wanted:
            address = None if name in self.vips else _address(engine, name)
            if address is not None:
                self.vips[name] = address
        for name in [one for one in self.vips if one not in wanted]:
            self.give_back(engine, name)

    def give_back(self, engine: Engine, network: str) -> None:
        """Give a virtual address back."""
        address = self.vips.pop(network)
        assert engine.swarm.cluster is not None
        engine.swarm.cluster.networks[network].addresses.give_back(address)


def _address(engine: Engine, name: str) -> Address | None:
    """The next address of an overlay network; None on any other one, or where none is left (the task then waits)."""
    network = engine.networks.find(name)
    if network.shared is None:
        return None
    with suppress(Refused):
        return endpoints.take_address(engine, network, network.addresses)
    return None


def create(engine: Engine, options: ServiceOptions) -> Service:
    """`docker service create`: its addresses and ports, then its tasks."""
    cluster = cluster_of(engine)
    number = engine.count()
    name = options.name or f"service{number}"
    networks = tuple(engine.networks.find(network).name for network in options.networks)
    if options.endpoint_mode == "dnsrr" and any(port.mode == "ingress" for port in options.ports):
        raise engine.refusal("dnsrr_ingress")
    if name in cluster.services:
        raise engine.refusal("service_taken", name=name)
    made = Service(identity("service", name, number)[:25], name, replace(options, name=name, networks=networks))
    _set_ports(engine, cluster, made, options.ports)
    cluster.services[name] = made
    made.take_addresses(engine)
    made.reconcile(cluster)
    return made


def scale(engine: Engine, name: str, replicas: int) -> None:
    """`docker service scale`."""
    update(engine, name, ServiceUpdate(replicas=replicas))


def update(engine: Engine, name: str, change: ServiceUpdate) -> None:
    """`docker service update`: where ports change, every task is replaced by a new one, its own slot first stopped."""
    found = _found(engine, name)
    cluster = cluster_of(engine)
    if change.replicas is not None:
        found.options = replace(found.options, replicas=change.replicas)
    kept = tuple(port for port in found.ports if (port.target, port.proto) not in change.unpublish)
    if change.publish or kept != found.ports:
        _set_ports(engine, cluster, found, (*kept, *change.publish))
        found.take_addresses(engine)
        for node, task in list(found.tasks):
            found._stop(cluster, node, task)
            found.reconcile(cluster)
    found.reconcile(cluster)


def remove(engine: Engine, name: str) -> None:
    """`docker service rm`."""
    found = _found(engine, name)
    cluster = cluster_of(engine)
    cluster.each_node(found.drop_node)
    del cluster.services[name]
    for network in list(found.vips):
        found.give_back(engine, network)


def cluster_of(engine: Engine) -> Cluster:
    """The swarm that an engine manages; Refused in the engine's words where it manages none."""
    if engine.swarm.cluster is None:
        raise engine.refusal("not_a_manager")
    if not engine.swarm.manages:
        raise engine.refusal("worker_only")
    return engine.swarm.cluster


def _found(engine: Engine, name: str) -> Service:
    """A service by its name or the beginning of its id."""
    services = cluster_of(engine).services
    found = services.get(name)
    if found is None and len(name) >= 4:
        found = next((one for one in services.values() if one.id.startswith(name)), None)
    if found is None:
        raise engine.refusal("service_unknown", name=name)
    return found


def _set_ports(engine: Engine, cluster: Cluster, service: Service, ports: tuple[ServicePort, ...]) -> None:
    """Give a service its ports: none that another one has, and a number for each that was given none."""
    for port in ports:
        for other in cluster.services.values():
            if port.published and other is not service:
                _check(engine, other, port)
    numbered: list[ServicePort] = []
    for port in ports:
        numbered.append(_numbered(cluster, port, numbered))
    service.ports = tuple(numbered)


def _check(engine: Engine, other: Service, port: ServicePort) -> None:
    """Refuse a port that another service has; several may publish one on their tasks' own hosts."""
    for held in other.ports:
        both_on_hosts = held.mode == "host" and port.mode == "host"
        if (held.published, held.proto) == (port.published, port.proto) and not both_on_hosts:
            how = "an ingress" if held.mode == "ingress" else "a host-published"
            raise engine.refusal("service_port_taken", port=port.published, name=other.name, id=other.id, value=how)


def _numbered(cluster: Cluster, port: ServicePort, others: list[ServicePort]) -> ServicePort:
    """A port with its number on the nodes: the one asked for, or the next of the swarm's own range."""
    if port.published or port.mode != "ingress":
        return port
    everywhere = [*others, *(one for service in cluster.services.values() for one in service.ports)]
    taken = {one.published for one in everywhere if one.proto == port.proto}
    number = next(one for one in range(_FIRST_PORT, 2**15) if one not in taken)
    return replace(port, published=number)
