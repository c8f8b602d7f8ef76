"""A network sandbox: the namespace that a container's endpoints are in, its way out, and its embedded DNS server.

Models: libnetwork/sandbox.go, osl/namespace_linux.go, resolver_unix.go of moby. A sandbox is also what an overlay
network keeps on each host (the bridge and the tunnel), and what the routing mesh runs in.
"""

from __future__ import annotations

from copy import copy
from functools import cache
from hashlib import blake2s
from typing import TYPE_CHECKING

from simnet.docker.host import boot
from simnet.net.address import Prefix
from simnet.net.device import Device, InterfaceAddress, Ipvlan
from simnet.net.devinet import add_address, remove_device
from simnet.net.namespace import NetNamespace
from simnet.net.netfilter.rule import BASE_CHAINS, Chain, Rule, Table
from simnet.net.netfilter.save import parse_rule
from simnet.net.network import Network as Wires
from simnet.net.program import Server
from simnet.net.route import Route

if TYPE_CHECKING:
    from simnet.docker.engine import Engine
    from simnet.docker.objects import Endpoint

RESOLVER = 0x7F00000B  # 127.0.0.11
_DNS_CHAINS = ("DOCKER_OUTPUT", "DOCKER_POSTROUTING")
_DNS_RULES = (
    ("OUTPUT", "-d 127.0.0.11/32 -j DOCKER_OUTPUT"),
    ("POSTROUTING", "-d 127.0.0.11/32 -j DOCKER_POSTROUTING"),
    ("DOCKER_OUTPUT", "-d 127.0.0.11/32 -p tcp -m tcp --dport 53 -j DNAT --to-destination 127.0.0.11:{tcp}"),
    ("DOCKER_OUTPUT", "-d 127.0.0.11/32 -p udp -m udp --dport 53 -j DNAT --to-destination 127.0.0.11:{udp}"),
    ("DOCKER_POSTROUTING", "-s 127.0.0.11/32 -p tcp -m tcp --sport {tcp} -j SNAT --to-source :53"),
    ("DOCKER_POSTROUTING", "-s 127.0.0.11/32 -p udp -m udp --sport {udp} -j SNAT --to-source :53"),
)


class Sandbox:
    """A namespace that endpoints join; `place` is how it prints (`h1/web`).

    Example:
        >>> from simnet.docker.engine import Engine
        >>> sandbox = Sandbox(Engine("28.5.2"), "web")
        >>> sandbox.namespace.place, sandbox.free_name()
        ('h1/web', 'eth0')
    """

    def __init__(self, engine: Engine, name: str, *, forwards: bool = False) -> None:
        """Make the namespace, with `lo` alone in it."""
        self.name = name
        self._network = engine.namespace.network
        self.namespace: NetNamespace = boot(self._network.namespace(f"{engine.name}/{name}"), forwards=forwards)
        self.has_resolver = False
        # lines of /etc/hosts as the engine told them: `--add-host` and links
        self.told_hosts: list[tuple[str, str]] = []
        self._counts = "counts_interfaces" in engine.layout.features
        self._last = -1

    def free_name(self) -> str:
        """The name that the next interface gets."""
        number = self._last + 1 if self._counts else 0
        while f"eth{number}" in self.namespace.devices:
            number += 1
        self._last = number
        return f"eth{number}"

    def put(self, endpoint: Endpoint, device: Device) -> None:
        """Put an endpoint's interface in, with its address."""
        endpoint.device = device
        self.namespace.add(device)
        pool = endpoint.network.addresses
        if pool is not None and endpoint.address is not None:
            length, last = pool.subnet.prefixlen, int(pool.subnet.broadcast_address)
            add_address(device, InterfaceAddress(int(endpoint.address), length, last))

    def take(self, endpoint: Endpoint) -> None:
        """Take an endpoint's interface out."""
        if endpoint.device is not None:
            remove_device(endpoint.device)
            endpoint.device = None

    def set_way_out(self, endpoint: Endpoint | None) -> None:
        """Make an endpoint's gateway the default one, or have none."""
        fib = self.namespace.fib
        fib.remove(route for route in fib.routes() if route.dst.mask == 0 and route.table == "main")
        if endpoint is not None and endpoint.device is not None:
            routed = isinstance(endpoint.device, Ipvlan) and endpoint.device.noarp
            gateway = int(endpoint.network.gateway) if endpoint.network.gateway is not None and not routed else 0
            scope = "global" if gateway else "link"
            fib.add([Route(Prefix(0, 0), endpoint.device.name, gateway, scope=scope)])

    def start_resolver(self) -> None:
        """Let the embedded DNS server listen at 127.0.0.11, and lead port 53 of it there."""
        if self.has_resolver:
            return
        self.has_resolver = True
        ports = dict(zip(("tcp", "udp"), _resolver_ports(self.namespace.place), strict=True))
        for proto, port in ports.items():
            Server(self.namespace, proto, RESOLVER, port, by="dockerd's resolver").listen()
        for name in _DNS_CHAINS:
            self._table("nat").chains.setdefault(name, Chain(name))
        for rule in _dns_rules(ports["tcp"], ports["udp"]):
            self._table("nat").chains[rule.chain].append(copy(rule))
        self.namespace.rules_changed()

    def append_rule(self, table: str, chain: str, words: str, source: str, *, first: bool = False) -> None:
        """Put a rule at the end of a chain, or at its beginning; `source` says what it came with."""
        found = self._table(table)
        rules = found.chains[chain]
        rules.insert(0 if first else len(rules.rules), parse_rule(found, chain, words, source))
        self.namespace.rules_changed()

    def has_rule(self, table: str, chain: str, words: str) -> bool:
        """Whether a rule stands in a chain."""
        found = self._table(table)
        text = parse_rule(found, chain, words).text
        return any(rule.text == text for rule in found.chains[chain].rules)

    def delete_rule(self, table: str, chain: str, words: str) -> None:
        """Take a rule out of a chain, where it still stands."""
        found = self._table(table)
        text = parse_rule(found, chain, words).text
        rules = found.chains[chain]
        for position in [at for at, rule in enumerate(rules.rules) if rule.text == text][:1]:
            rules.delete(position)
        self.namespace.rules_changed()

    def _table(self, name: str) -> Table:
        made = Table(name, {chain: Chain(chain, "ACCEPT") for chain in BASE_CHAINS[name]})
        return self.namespace.ruleset.tables.setdefault(name, made)

    def remove(self) -> None:
        """The namespace goes, where nobody else is in it."""
        hand_over(self._network, self.namespace.place)


def hand_over(network: Wires, place: str) -> None:
    """Who made a namespace left it: the next one that is in it gives it its place; without one it goes."""
    heirs = [name for name, meant in network.aliases.items() if meant == place]
    namespace = network.namespaces.pop(place)
    for name in heirs:
        del network.aliases[name]
    if heirs:
        namespace.place, *others = heirs
        network.namespaces[namespace.place] = namespace
        network.aliases.update(dict.fromkeys(others, namespace.place))


@cache
def _dns_rules(tcp: int, udp: int) -> tuple[Rule, ...]:
    """The rules of a resolver at two ports; they hold no state, so that copies may share what they are made of."""
    table = Table("nat", {name: Chain(name) for name in (*BASE_CHAINS["nat"], *_DNS_CHAINS)})
    return tuple(parse_rule(table, chain, text.format(tcp=tcp, udp=udp), "embedded DNS") for chain, text in _DNS_RULES)


def _resolver_ports(place: str) -> tuple[int, int]:
    """Ports such as the kernel picks for sockets: one of some hundred pairs, the same one for the same place."""
    number = blake2s(place.encode(), digest_size=1).digest()[0]
    return 34000 + 7 * number, 45000 + 11 * number
