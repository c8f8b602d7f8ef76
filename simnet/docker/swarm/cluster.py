"""A swarm as its managers see it: nodes, networks that span them with their addresses and tunnel ends, services.

Models: manager/allocator and the network database of swarmkit and libnetwork.
Leaves out: raft, the loss of managers, and placement (a task goes to the node that has the fewest).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from typing import TYPE_CHECKING

from simnet.docker.ipam import Address, Addresses, Pools
from simnet.docker.options import GLOBAL_POOLS, NetworkOptions, Pool, ServicePort

if TYPE_CHECKING:
    from simnet.docker.engine import Engine
    from simnet.docker.sandbox import Sandbox
    from simnet.docker.swarm.service import Service

_FIRST_VNI = 4096


@dataclass(frozen=True, slots=True)
class Peer:
    """A container on an overlay network as other hosts know it: address, hardware address, its host and its tunnel end.

    `key` and `ends` are what neighbour table and FDB of every other host hold, made once for all of them.
    """

    address: int
    mac: str
    tunnel_end: int
    host: str
    key: tuple[str, int] = field(init=False, repr=False)
    ends: list[int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Make what the tables hold."""
        object.__setattr__(self, "key", ("vxlan0", self.address))
        object.__setattr__(self, "ends", [self.tunnel_end])


@dataclass(frozen=True, slots=True)
class Backend:
    """A task of a service on one network as all nodes there know it; `ports` are those of the routing mesh."""

    service: str
    name: str
    task: str
    vip: Address | None
    address: Address
    ports: tuple[ServicePort, ...] = ()

    @property
    def key(self) -> tuple[str, tuple[ServicePort, ...]]:
        """What tasks share that are balanced together."""
        return self.service, self.ports


@dataclass(eq=False, slots=True)
class SharedNetwork:
    """An overlay network: id, tunnel id, addresses, who is on it where, each host's sandbox, and services' tasks."""

    id: str
    options: NetworkOptions
    vni: int
    addresses: Addresses
    gateway: Address
    peers: dict[int, Peer] = field(default_factory=dict, repr=False)
    hosts: dict[str, Sandbox] = field(default_factory=dict, repr=False)
    backends: list[Backend] = field(default_factory=list, repr=False)

    def resolve(self, name: str) -> list[Address]:
        """What the embedded DNS server answers for a service here: `web`, `tasks.web`, or a task's own name.

        A service with a virtual address is known by that, any other by its tasks.
        """
        tasks = [one for one in self.backends if name in {one.name, f"tasks.{one.name}", one.task}]
        if any(one.name == name and one.vip is not None for one in tasks):
            return list(dict.fromkeys(one.vip for one in tasks if one.vip is not None))
        return [one.address for one in tasks]


@dataclass(eq=False, slots=True)
class Cluster:
    """All that the nodes of one swarm share."""

    pools: Pools = field(
        default_factory=lambda: Pools(tuple(Pool(IPv4Network(base), size) for base, size in GLOBAL_POOLS))
    )
    nodes: dict[str, Engine] = field(default_factory=dict)
    managers: set[str] = field(default_factory=set)
    networks: dict[str, SharedNetwork] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)
    _last_vni: int = _FIRST_VNI - 1

    def next_vni(self) -> int:
        """A tunnel id that no network has."""
        self._last_vni += 1
        return self._last_vni

    def bind(self, network: str, backend: Backend) -> None:
        """Let every node that is on a network know of a task there (addServiceBinding)."""
        self.networks[network].backends.append(backend)
        for node in list(self.nodes.values()):
            balancer = node.swarm.balancers.get(network)
            if balancer is not None:
                balancer.add(backend)

    def unbind(self, network: str, task: str) -> None:
        """Let every node forget a task (rmServiceBinding)."""
        shared = self.networks[network]
        for backend in [one for one in shared.backends if one.task == task]:
            shared.backends.remove(backend)
            for node in list(self.nodes.values()):
                balancer = node.swarm.balancers.get(network)
                if balancer is not None:
                    balancer.drop(backend)

    def each_node(self, act: Callable[[Engine], None]) -> None:
        """Do something on every node, in the order in which they joined."""
        for node in list(self.nodes.values()):
            act(node)
