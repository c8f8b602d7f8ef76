"""What an engine, a network and a container are asked to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv4Network, IPv6Network, ip_network

from simnet.docker.publish import PublishedPort

# the engine's own pools: the default bridge takes the first, user-defined networks the next
DEFAULT_POOLS = (
    ("172.17.0.0/16", 16), ("172.18.0.0/16", 16), ("172.19.0.0/16", 16), ("172.20.0.0/14", 16), ("172.24.0.0/14", 16),
    ("172.28.0.0/14", 16), ("192.168.0.0/16", 20),
)  # fmt: skip
GLOBAL_POOLS = (("10.0.0.0/8", 24),)

_BRIDGE = "com.docker.network.bridge."


@dataclass(frozen=True, slots=True)
class Pool:
    """A block of addresses that networks are cut out of, and the prefix length of each."""

    base: IPv4Network
    size: int


@dataclass(frozen=True, slots=True)
class DaemonOptions:
    """Options of dockerd. `ip6tables` None: as the version has it."""

    userland_proxy: bool = True
    iptables: bool = True
    ip6tables: bool | None = None
    icc: bool = True
    ip_forward: bool = True
    ip_masq: bool = True
    bip: IPv4Interface | None = None
    default_address_pools: tuple[Pool, ...] = tuple(Pool(IPv4Network(base), size) for base, size in DEFAULT_POOLS)
    ip: str = "0.0.0.0"
    mtu: int = 1500
    fixed_cidr: IPv4Network | None = None
    allow_direct_routing: bool = False
    firewall_backend: str = "iptables"
    userns_remap: str = ""


@dataclass(frozen=True, slots=True)
class NetworkOptions:
    """Options of `docker network create`; driver options that simnet knows have fields of their own.

    `told` are all driver options as they were given. `auxiliary` are addresses that no container is given.
    """

    name: str
    driver: str = "bridge"
    subnet: IPv4Network | None = None
    gateway: str = ""
    ip_range: IPv4Network | None = None
    ipv6: bool = False
    subnet6: IPv6Network | None = None
    gateway6: str = ""
    bridge_name: str = ""
    icc: bool = True
    masquerade: bool = True
    host_binding: str = ""
    snat_address: str = ""
    gateway_mode: str = "nat"
    gateway_mode6: str = "nat"
    internal: bool = False
    attachable: bool = False
    mtu: int = 1500
    encrypted: bool = False
    parent: str = ""
    vlan_mode: str = ""
    vlan_flag: str = ""
    trusted: str = ""
    auxiliary: tuple[tuple[str, str], ...] = ()
    told: tuple[tuple[str, str], ...] = ()


# driver options of the bridge, with the field that each sets
DRIVER_OPTIONS: Mapping[str, str] = {
    f"{_BRIDGE}name": "bridge_name",
    f"{_BRIDGE}enable_icc": "icc",
    f"{_BRIDGE}enable_ip_masquerade": "masquerade",
    f"{_BRIDGE}host_binding_ipv4": "host_binding",
    f"{_BRIDGE}trusted_host_interfaces": "trusted",
    f"{_BRIDGE}gateway_mode_ipv4": "gateway_mode",
    f"{_BRIDGE}gateway_mode_ipv6": "gateway_mode6",
    "com.docker.network.host_ipv4": "snat_address",
    "com.docker.network.driver.mtu": "mtu",
    "encrypted": "encrypted",
    "parent": "parent",
    "macvlan_mode": "vlan_mode",
    "ipvlan_mode": "vlan_mode",
    "ipvlan_flag": "vlan_flag",
}
# the words that Go takes for true and false
GO_BOOLS = dict.fromkeys(("1", "t", "T", "true", "TRUE", "True"), True) | dict.fromkeys(
    ("0", "f", "F", "false", "FALSE", "False"), False
)


@dataclass(frozen=True, slots=True)
class Attachment:
    """One network that a container is to join: by name, with a fixed address and a priority as its way out.

    `links` are of that network alone, as `docker network connect --link` makes them: (container, alias).
    `connected`: by `docker network connect`, and not when the container was made.
    """

    network: str
    address: str = ""
    address6: str = ""
    gateway_priority: int = 0
    aliases: tuple[str, ...] = ()
    mac_address: str = ""
    links: tuple[tuple[str, str], ...] = ()
    connected: bool = False


@dataclass(frozen=True, slots=True)
class ContainerOptions:
    """Options of `docker run`: networks in the order given, published and exposed ports, links, namespaces to share.

    `network`, `pid`, `ipc`, `uts`, `userns` are empty, `host`, `private`, … or `container:NAME`, as docker takes them.
    """

    name: str = ""
    image: str = "busybox"
    network: str = "bridge"
    attachments: tuple[Attachment, ...] = (Attachment("bridge"),)
    ports: tuple[PublishedPort, ...] = ()
    exposed: tuple[tuple[int, str], ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    hostname: str = ""
    mac_address: str = ""
    domainname: str = ""
    pid: str = ""
    ipc: str = ""
    uts: str = ""
    userns: str = ""
    dns: tuple[str, ...] = ()
    dns_search: tuple[str, ...] = ()
    dns_options: tuple[str, ...] = ()
    extra_hosts: tuple[str, ...] = ()
    sysctls: tuple[tuple[str, str], ...] = ()
    command: tuple[str, ...] = ()
    publish_all: bool = False


@dataclass(frozen=True, slots=True)
class ServicePort:
    """A port of a service: published by the routing mesh (`ingress`) or by each task's host (`host`)."""

    target: int
    published: int = 0
    proto: str = "tcp"
    mode: str = "ingress"


@dataclass(frozen=True, slots=True)
class ServiceOptions:
    """Options of `docker service create`; `everywhere`: one task on each node (`--mode global`).

    `constraints` are as swarm writes them: `node.hostname==h1`.
    """

    name: str = ""
    image: str = "busybox"
    replicas: int = 1
    ports: tuple[ServicePort, ...] = ()
    networks: tuple[str, ...] = ()
    endpoint_mode: str = "vip"
    everywhere: bool = False
    constraints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ServiceUpdate:
    """What `docker service update` changes: ports to publish, ports (by target and protocol) not to, replicas."""

    publish: tuple[ServicePort, ...] = ()
    unpublish: tuple[tuple[int, str], ...] = ()
    replicas: int | None = None


def subnet_of(text: str) -> IPv4Network | IPv6Network:
    """A subnet as an engine reads it, host bits and all; ValueError where it is none.

    Example:
        >>> subnet_of("192.0.2.0/24")
        IPv4Network('192.0.2.0/24')
    """
    if "/" not in text:
        raise ValueError(f"invalid CIDR block notation: {text}")
    return ip_network(text, strict=False)
