"""What a layout's tests may ask of a thing, and the words that fill the gaps of its rules."""

from __future__ import annotations

from ipaddress import ip_address

from simnet.docker.host import HostFacts
from simnet.docker.ipam import Address
from simnet.docker.objects import Binding, Endpoint, Network
from simnet.docker.options import DaemonOptions
from simnet.docker.rules.layout import Fact, Layout

Facts = dict[str, Fact]
Words = dict[str, str]


def of_daemon(options: DaemonOptions, host: HostFacts, family: int, *, ingress: bool) -> Facts:
    """Facts of the engine and its host in one family."""
    return {
        "family": family,
        "userland_proxy": options.userland_proxy,
        "ip_forward": options.ip_forward,
        "host_forwards": host.forwards if family == 4 else host.forwards6,
        "allow_direct_routing": options.allow_direct_routing,
        "ingress": ingress,
    }


def of_network(daemon: Facts, layout: Layout, network: Network) -> Facts:
    """Facts of a network, with those of the engine; an engine that knows no gateway modes has `nat`."""
    family = int(daemon["family"])
    mode = network.gateway_mode(family) if "gateway_mode" in layout.features else "nat"
    options = network.options
    return {
        **daemon,
        "icc": options.icc,
        "masquerade": options.masquerade,
        "internal": options.internal,
        "snat": bool(options.snat_address) and family == 4,
        "gateway_mode": mode,
    }


def of_binding(network: Facts, binding: Binding) -> Facts:
    """Facts of one published port."""
    host = ip_address(binding.host)
    return {
        **network,
        "proto": binding.asked.proto,
        "mapped": binding.host_port != 0,
        "one_address": not host.is_unspecified,
        "loopback": host.is_loopback,
    }


def daemon_words(family: int) -> Words:
    """Words that every rule of a family may use.

    Example:
        >>> daemon_words(6)["loopback"]
        '::1/128'
    """
    if family == 4:
        return {"family": "4", "loopback": "127.0.0.0/8", "icmp": "icmp"}
    return {"family": "6", "loopback": "::1/128", "icmp": "ipv6-icmp"}


def network_words(family: int, network: Network) -> Words:
    """Words of a network's rules."""
    subnet = network.subnet(family)
    return {
        **daemon_words(family),
        "bridge": network.bridge,
        "subnet": str(subnet) if subnet is not None else "",
        "snat_address": network.options.snat_address,
    }


def endpoint_words(family: int, endpoint: Endpoint) -> Words:
    """Words of a container's rules on a network."""
    address = endpoint.of(family)
    return {**network_words(family, endpoint.network), "address": block(address) if address is not None else ""}


def binding_words(endpoint: Endpoint, binding: Binding) -> Words:
    """Words of a published port's rules."""
    address = endpoint.of(binding.family)
    assert address is not None
    return {
        **endpoint_words(binding.family, endpoint),
        "host_address": block(ip_address(binding.host)),
        "host_port": str(binding.host_port),
        "port": str(binding.asked.port),
        "proto": binding.asked.proto,
        "target": target(address, binding.asked.port),
    }


def block(address: Address) -> str:
    """An address as a rule holds it: `192.0.2.2/32`."""
    return f"{address}/{address.max_prefixlen}"


def target(address: Address, port: int) -> str:
    """An address and port as DNAT takes them.

    Example:
        >>> target(ip_address("2001:db8::2"), 80)
        '[2001:db8::2]:80'
    """
    return f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"
