"""What an engine keeps of its networks, endpoints and containers."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from simnet.docker.ipam import Address, Addresses, Subnet
from simnet.docker.options import ContainerOptions, NetworkOptions, ServicePort
from simnet.docker.proxy import DockerProxy, HeldPort, ProxyOf6
from simnet.docker.publish import PublishedPort
from simnet.net.device import Device, Veth

if TYPE_CHECKING:
    from simnet.docker.container.namespaces import Space
    from simnet.docker.sandbox import Sandbox
    from simnet.docker.swarm.cluster import SharedNetwork


def identity(kind: str, name: str, number: int) -> str:
    """An id such as docker gives: 64 hexadecimal digits, but the same ones every time.

    Example:
        >>> identity("network", "n1", 1)[:12]
        '9fb8f2a18048'
    """
    return sha256(f"{kind} {name} {number}".encode()).hexdigest()


@dataclass(eq=False, slots=True)
class Network:
    """A network; `bridge` is its interface on the host (empty for drivers that have none)."""

    id: str
    options: NetworkOptions
    bridge: str = ""
    addresses: Addresses | None = None
    addresses6: Addresses | None = None
    gateway: Address | None = None
    gateway6: Address | None = None
    predefined: bool = False
    shared: SharedNetwork | None = field(default=None, repr=False)
    endpoints: dict[str, Endpoint] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        """The name that users know it by."""
        return self.options.name

    @property
    def internal(self) -> bool:
        """Whether it has no way out."""
        return self.options.internal

    def subnet(self, family: int) -> Subnet | None:
        """Its subnet of a family, if it has one."""
        pool = self.addresses if family == 4 else self.addresses6
        return pool.subnet if pool is not None else None

    def gateway_mode(self, family: int) -> str:
        """How its containers reach outside, and are reached."""
        return self.options.gateway_mode if family == 4 else self.options.gateway_mode6


@dataclass(eq=False, slots=True)
class Endpoint:
    """A container's (or the ingress namespace's) place on a network."""

    id: str
    name: str
    network: Network
    address: Address | None = None
    address6: Address | None = None
    priority: int = 0
    mac: str = ""
    aliases: tuple[str, ...] = ()
    device: Device | None = field(default=None, repr=False)
    port: Veth | None = field(default=None, repr=False)

    @property
    def subject(self) -> str:
        """What its rules came with."""
        return f"{self.name} on network {self.network.name}"

    def of(self, family: int) -> Address | None:
        """Its address of a family, if it has one."""
        return self.address if family == 4 else self.address6


@dataclass(frozen=True, slots=True)
class Binding:
    """A published port as it was given out: `host_port` 0 where nothing of the host is mapped (gateway mode routed)."""

    asked: PublishedPort
    family: int
    host: str
    host_port: int


@dataclass(eq=False, slots=True)
class Container:
    """A container: what it was asked to be, the networks it is on, and the way out that its ports are published on.

    `named`: the name is the user's, not made up. While it runs it has a `pid` (the host's number of its first process)
    and its namespaces, by kind, in `spaces`. `hosts` are the lines of its /etc/hosts: address and names.
    A task of a service has addresses that the swarm's managers hold for it, and ports in the routing mesh.
    """

    id: str
    name: str
    options: ContainerOptions
    running: bool = False
    exit_code: int | None = None
    service: str = ""
    named: bool = True
    exited: bool = False
    pid: int = 0
    held: dict[str, Address] = field(default_factory=dict)
    mesh_ports: tuple[ServicePort, ...] = ()
    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    gateway: Endpoint | None = None
    bindings: list[Binding] = field(default_factory=list)
    linked: dict[str, Endpoint] = field(default_factory=dict)
    sandbox: Sandbox | None = field(default=None, repr=False)
    proxies: list[DockerProxy | HeldPort | ProxyOf6] = field(default_factory=list, repr=False)
    spaces: dict[str, Space] = field(default_factory=dict, repr=False)
    hosts: list[tuple[str, str]] = field(default_factory=list, repr=False)

    @property
    def state(self) -> str:
        """In docker's word: `created`, `running` or `exited`."""
        return "running" if self.running else "exited" if self.exited else "created"

    @property
    def subject(self) -> str:
        """What the rules of its ports came with."""
        return f"published ports of {self.name}"

    @property
    def open_ports(self) -> list[tuple[int, str]]:
        """The ports that it exposes or publishes, in order."""
        published = [(port.port, port.proto) for port in self.options.ports]
        return sorted({*self.options.exposed, *published})
