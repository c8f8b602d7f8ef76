"""The swarm's part of an engine: docker_gwbridge, the ingress network, the routing mesh, and tasks of services.

Models: daemon/cluster, libnetwork/service_linux.go of moby; a swarm of one node, on a kernel with IPVS (without it an
engine installs no rules of the routing mesh).
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simnet.errors import Refused

from . import endpoints, facts
from .objects import Container, Endpoint, Network, identity
from .options import Attachment, ContainerOptions, NetworkOptions, ServiceOptions, ServicePort
from .publish import PublishedPort

if TYPE_CHECKING:
    from .engine import Engine

GATEWAY_BRIDGE = "docker_gwbridge"
INGRESS = "ingress"
# ports that the swarm picks for services
_FIRST_PORT = 30000


@dataclass(eq=False, slots=True)
class Service:
    """A service: its options, its ports with the numbers that they got, and its tasks on this host."""

    id: str
    name: str
    options: ServiceOptions
    ports: tuple[ServicePort, ...] = ()
    tasks: list[Container] = field(default_factory=list)


class Swarm:
    """What an engine knows of its swarm; inactive until `init`. `mesh`: the routing mesh has its chains."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.active = False
        self.mesh = False
        self.gateway_network: Network | None = None
        self.services: dict[str, Service] = {}
        self._sandbox: Endpoint | None = None
        self._next_port = _FIRST_PORT

    def init(self) -> None:
        """Make docker_gwbridge and the ingress network, with the namespace that the routing mesh runs in."""
        engine = self._engine
        if self.active:
            raise engine.refusal("already_in_swarm")
        self.active = True
        engine.networks.create(NetworkOptions(INGRESS, driver="overlay"), predefined=True)
        bridge = NetworkOptions(GATEWAY_BRIDGE, bridge_name=GATEWAY_BRIDGE, icc=False)
        self.gateway_network = engine.networks.create(bridge)
        self._sandbox = endpoints.join(engine, "ingress-sbox", self.gateway_network, Attachment(GATEWAY_BRIDGE))

    def owns(self, container: Container) -> bool:
        """Whether a container is a task of a service."""
        return any(container in service.tasks for service in self.services.values())

    def create(self, options: ServiceOptions) -> Service:
        """Make a service: open its ports in the routing mesh, and run its tasks."""
        engine = self._engine
        if not self.active:
            raise engine.refusal("not_a_manager")
        number = engine.count()
        name = options.name or f"service{number}"
        if name in self.services:
            raise engine.refusal("service_taken", name=name)
        networks = [engine.networks.find(network).name for network in options.networks]
        service = Service(identity("service", name, number), name, options, tuple(map(self._numbered, options.ports)))
        self.services[name] = service
        if any(port.mode == "ingress" for port in service.ports):
            networks.insert(0, INGRESS)
        for slot in range(1, options.replicas + 1):
            self._task(service, slot, networks)
        self._open(service)
        return service

    def remove(self, name: str) -> None:
        """Take a service down; the routing mesh keeps its chains."""
        engine = self._engine
        service = self.services.pop(name, None)
        if service is None:
            raise engine.refusal("service_unknown", name=name)
        engine.firewall.remove(f"service {name}")
        for task in service.tasks:
            engine.remove(task.name, force=True)

    def _numbered(self, port: ServicePort) -> ServicePort:
        if port.published or port.mode != "ingress":
            return port
        self._next_port += 1
        return ServicePort(port.target, self._next_port - 1, port.proto, port.mode)

    def _task(self, service: Service, slot: int, networks: list[str]) -> None:
        engine = self._engine
        name = f"{service.name}.{slot}.{identity('task', service.name, slot)[:25]}"
        ports = tuple(PublishedPort(port.target, port.proto, "", port.published, port.published)
                      for port in service.ports if port.mode == "host")  # fmt: skip
        joined = tuple(map(Attachment, networks or ["bridge"]))
        task = engine.create(ContainerOptions(name, service.options.image, joined[0].network, joined, ports))
        service.tasks.append(task)
        # a task that cannot run is rejected; the service stays
        with suppress(Refused):
            engine.start(name)

    def _open(self, service: Service) -> None:
        """Open a service's ports in the routing mesh; the first one makes the mesh's own chains and rules."""
        engine, ports = self._engine, [port for port in service.ports if port.mode == "ingress"]
        if not ports or 4 not in engine.firewall.families:
            return
        assert self.gateway_network is not None
        assert self._sandbox is not None
        assert self._sandbox.address is not None
        known = engine.facts(4)
        words = facts.network_words(4, self.gateway_network)
        if not self.mesh:
            self.mesh = True
            engine.firewall.set_up({4: known}, "ingress_chains")
            engine.firewall.install("ingress", "the routing mesh", 4, known, words)
        for port in ports:
            target = facts.target(self._sandbox.address, port.published)
            filled = {**words, "proto": port.proto, "host_port": str(port.published), "target": target}
            asked = {**known, "proto": port.proto}
            engine.firewall.install("ingress_port", f"service {service.name}", 4, asked, filled)
