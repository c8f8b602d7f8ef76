"""Machines: a Docker host or an outside machine as it boots, before any engine runs.

Example:
    >>> from simnet.net.network import Network
    >>> network = Network()
    >>> lan = Segment("lan")
    >>> host = machine(network, "h1", (IPv4Interface("192.0.2.2/24"),), lan, gateway="192.0.2.1")
    >>> str(host.route_output(0xC6336401))
    '0.0.0.0/0 via 192.0.2.1 dev eth0'
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv4Network

from simnet.net.address import Prefix, parse_ip
from simnet.net.device import InterfaceAddress, Physical, Segment, made_mac
from simnet.net.devinet import add_address, namespace_with_loopback
from simnet.net.namespace import NetNamespace
from simnet.net.network import Network
from simnet.net.route import Route

# what a kernel with br_netfilter starts a namespace with, where it differs from zero
_SYSCTLS = {"net.bridge.bridge-nf-call-iptables": "1"}


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What the host had before the engine started: forwarding per family, and the subnets of its routes."""

    forwards: bool = True
    forwards6: bool = True
    routes: tuple[IPv4Network, ...] = ()

    @classmethod
    def of(cls, namespace: NetNamespace) -> HostFacts:
        """The facts of a host as it is now."""
        routes = (route for route in namespace.fib.routes() if route.table == "main" and route.dst.mask)
        blocks = tuple(IPv4Network((route.dst.address, route.dst.length)) for route in routes)
        return cls(namespace.forwards, bool(namespace.sysctl("net.ipv6.conf.all.forwarding")), blocks)


def boot(namespace: NetNamespace, *, forwards: bool = False) -> NetNamespace:
    """A namespace as a machine or a runtime starts with it: `lo`, the kernel's sysctls, forwarding off or on."""
    namespace_with_loopback(namespace)
    namespace.sysctls.update(_SYSCTLS)
    if forwards:
        namespace.sysctls.update({"net.ipv4.ip_forward": "1", "net.ipv6.conf.all.forwarding": "1"})
    return namespace


def machine(network: Network, name: str, addresses: tuple[IPv4Interface, ...], segment: Segment, *,
            gateway: str = "", forwards: bool = False, mtu: int = 1500) -> NetNamespace:  # fmt: skip
    """A machine with one card, eth0, on a segment; addresses of length 32 stand on `lo`."""
    namespace = boot(network.namespace(f"{name}/host"), forwards=forwards)
    network.aliases[name] = namespace.place
    plug(namespace, "eth0", tuple(one for one in addresses if one.network.prefixlen < 32), segment, mtu)
    for one in addresses:
        if one.network.prefixlen == 32:
            add_address(namespace.devices["lo"], InterfaceAddress(int(one.ip), 32))
    if gateway:
        namespace.fib.add([Route(Prefix(0, 0), "eth0", parse_ip(gateway))])
    return namespace


def plug(namespace: NetNamespace, name: str, addresses: tuple[IPv4Interface, ...], segment: Segment,
         mtu: int = 1500) -> Physical:  # fmt: skip
    """A card with its addresses, on a segment."""
    card = Physical(name, namespace.new_index(), made_mac(f"{namespace.place}:{name}"), mtu, segment=segment)
    segment.devices.append(card)
    namespace.add(card)
    for one in addresses:
        add_address(card, InterfaceAddress(int(one.ip), one.network.prefixlen))
    return card
