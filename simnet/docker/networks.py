"""Networks of an engine: made with the subnet, gateway, bridge and rules that the version gives them, and taken down.

Models: daemon/network.go, libnetwork/network.go and libnetwork/drivers/bridge of moby.
"""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from typing import TYPE_CHECKING

from simnet.docker.drivers import DRIVERS
from simnet.docker.ipam import Address, Addresses, Exhausted, Outside, Pools, Subnet, Taken
from simnet.docker.objects import Network, identity
from simnet.docker.options import NetworkOptions
from simnet.docker.rules import facts
from simnet.docker.rules.firewall import NoChain
from simnet.docker.rules.layout import MODES
from simnet.docker.swarm.cluster import SharedNetwork
from simnet.errors import Refused
from simnet.net.netfilter.ipset import IpSet

if TYPE_CHECKING:
    from simnet.docker.engine import Engine

# drivers whose networks have neither devices nor subnets
_BARE = {"host", "null"}
# the longest name of a device
_LONGEST_NAME = 15


class Networks:
    """The networks of one engine, by name."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        rotates = "rotates_pools" in engine.layout.features
        self.local = Pools(engine.options.default_address_pools, rotates, engine.host.routes)
        self.by_name: dict[str, Network] = {}

    def find(self, name: str) -> Network:
        """A network by its name or the beginning of its id."""
        found = self.by_name.get(name) or self._of_swarm(name)
        if found is None and len(name) >= 4:
            found = next((one for one in self.by_name.values() if one.id.startswith(name)), None)
        if found is None:
            raise self._engine.refusal("network_unknown", network=name)
        return found

    def _of_swarm(self, name: str) -> Network | None:
        """An overlay network that another node made, as this host sees it from its first use on."""
        cluster = self._engine.swarm.cluster
        shared = cluster.networks.get(name) if cluster is not None else None
        return self._local(shared, predefined=False) if shared is not None else None

    def _local(self, shared: SharedNetwork, *, predefined: bool) -> Network:
        network = Network(shared.id, shared.options, addresses=shared.addresses, gateway=shared.gateway,
                          predefined=predefined, shared=shared)  # fmt: skip
        self.by_name[network.name] = network
        return network

    def create(self, options: NetworkOptions, *, predefined: bool = False) -> Network:
        """Make a network, its devices and its rules."""
        engine = self._engine
        if not predefined:
            self._check_own(options)
        if options.name in self.by_name or self._of_swarm(options.name) is not None:
            raise engine.refusal("network_taken", network=options.name)
        self._check(options)
        network = Network(identity("network", options.name, engine.count()), options, predefined=predefined)
        if options.driver == "bridge":
            network.bridge = options.bridge_name or f"br-{network.id[:12]}"
            self._check_bridge(network)
        if options.driver not in _BARE:
            self._address(network)
        if options.driver == "overlay":
            return self._share(network, predefined=predefined)
        if options.driver not in _BARE:
            self._make_devices(network)
        self.by_name[options.name] = network
        if network.bridge:
            self._install(network)
        return network

    def _make_devices(self, network: Network) -> None:
        """Let the driver do its part; where it refuses, the subnet is free again."""
        try:
            DRIVERS[network.options.driver].create(self._engine, network)
        except Refused:
            self._give_back(network)
            raise

    def _share(self, network: Network, *, predefined: bool) -> Network:
        """Let the swarm's managers keep a network."""
        cluster = self._engine.swarm.cluster
        assert cluster is not None
        assert network.addresses is not None
        assert network.gateway is not None
        shared = SharedNetwork(network.id, network.options, cluster.next_vni(), network.addresses, network.gateway)
        cluster.networks[network.name] = shared
        return self._local(shared, predefined=predefined)

    def remove(self, name: str) -> None:
        """Take a network down, with its rules; refused while containers are on it."""
        engine, network = self._engine, self.find(name)
        if network.predefined:
            raise engine.refusal("network_predefined", network=name)
        self._check_swarm(network)
        if network.endpoints:
            shown = ", ".join(f'name:"{one.name}" id:"{one.id[:12]}"' for one in network.endpoints.values())
            raise engine.refusal("network_in_use", network=network.name, id=network.id, endpoints=shown)
        self.drop(network)
        if network.shared is not None and engine.swarm.cluster is not None:
            del engine.swarm.cluster.networks[network.name]
            engine.swarm.cluster.each_node(lambda node: node.networks.drop(network))
            self._give_back(network)

    def _check_swarm(self, network: Network) -> None:
        """An overlay network may go once no service names it, and no container on any node is on it."""
        cluster = self._engine.swarm.cluster
        if network.shared is None or cluster is None:
            return
        for service in cluster.services.values():
            if network.name in service.options.networks:
                raise self._engine.refusal("network_of_service", id=network.id, other=service.id)
        for node in cluster.nodes.values():
            for container in node.containers.values():
                if container.running and network.name in container.endpoints:
                    raise self._engine.refusal("network_of_task", id=network.id, other=container.id[:25])

    def drop(self, network: Network) -> None:
        """Let this host forget a network: its rules, its devices, its subnet."""
        engine = self._engine
        if self.by_name.pop(network.name, None) is None:
            return
        engine.firewall.remove(f"network {network.name}")
        self._fill_sets()
        DRIVERS[network.options.driver].delete(engine, network)
        if network.shared is None:
            self._give_back(network)

    def _check(self, options: NetworkOptions) -> None:
        engine, features = self._engine, self._engine.layout.features
        if options.driver not in DRIVERS and options.driver not in _BARE:
            raise engine.refusal("driver_unknown", name=options.driver)
        if options.driver == "overlay" and not engine.swarm.manages:
            raise engine.refusal("not_a_manager")
        if "gateway_mode" not in features or options.driver != "bridge":
            return
        for mode, name in ((options.gateway_mode, "ipv4"), (options.gateway_mode6, "ipv6")):
            if mode not in MODES:
                option = f"com.docker.network.bridge.gateway_mode_{name}"
                raise engine.refusal("bad_gateway_mode", option=option, value=mode)
            if mode == "isolated" and not options.internal:
                raise engine.refusal("isolated_not_internal", network=options.name)

    def _check_own(self, options: NetworkOptions) -> None:
        """What nobody but the engine itself makes."""
        if options.name in {"bridge", "host", "none"}:
            raise self._engine.refusal("network_reserved", network=options.name)
        if options.driver in _BARE and options.name not in self.by_name:
            raise self._engine.refusal("driver_single", name=options.driver)

    def _check_bridge(self, network: Network) -> None:
        if len(network.bridge) > _LONGEST_NAME:
            raise self._engine.refusal("bridge_name_long")
        for other in self.by_name.values():
            if other.bridge == network.bridge:
                raise self._engine.refusal("bridge_taken", id=network.id, bridge=network.bridge, other=other.id)

    def _address(self, network: Network) -> None:
        """Give the network its subnets and gateways."""
        engine, options = self._engine, network.options
        pools = self._pools(options)
        if options.subnet is not None:
            subnet: Subnet = options.subnet
            try:
                pools.claim(subnet)
            except Taken:
                raise engine.refusal("pool_overlaps") from None
        else:
            try:
                subnet = pools.take()
            except Exhausted:
                raise engine.refusal("pools_exhausted") from None
        network.addresses = Addresses(subnet, options.ip_range, serial=options.driver == "overlay")
        try:
            if options.gateway or not self._without_gateway(options, 4):
                network.gateway = self._gateway(network, network.addresses, options.gateway)
            if options.ipv6 and options.subnet6 is not None:
                pools.claim(options.subnet6)
                network.addresses6 = Addresses(options.subnet6)
                if options.gateway6 or not self._without_gateway(options, 6):
                    network.gateway6 = self._gateway(network, network.addresses6, options.gateway6)
            self._keep_auxiliary(network)
        except Outside as error:
            self._give_back(network)
            raise engine.refusal("gateway_outside", gateway=error) from None
        except Taken:
            self._give_back(network)
            raise engine.refusal("pool_overlaps") from None
        except Exhausted:
            self._give_back(network)
            raise engine.refusal("addresses_exhausted", network=network.name, id=network.id) from None

    def _without_gateway(self, options: NetworkOptions, family: int) -> bool:
        """Whether the bridge has no address of a family, so that containers may have the first one."""
        mode = options.gateway_mode if family == 4 else options.gateway_mode6
        return options.driver == "bridge" and mode == "isolated" and "gateway_mode" in self._engine.layout.features

    def _keep_auxiliary(self, network: Network) -> None:
        """Take the addresses of `--aux-address`, so that no container is given one."""
        for name, address in network.options.auxiliary:
            pool = network.addresses6 if ":" in address else network.addresses
            try:
                if pool is not None:
                    pool.take(address)
            except (Outside, Taken, ValueError) as error:
                self._give_back(network)
                kind = "auxiliary_taken" if isinstance(error, Taken) else "auxiliary_outside"
                raise self._engine.refusal(kind, name=name, address=address) from None

    @staticmethod
    def _gateway(network: Network, pool: Addresses, wanted: str) -> Address:
        """The gateway's address; the first of an ip-range, even the one that ends in .0."""
        within = network.options.ip_range
        if not wanted and within is not None and pool.subnet.version == 4 and within != pool.subnet:
            first = within.network_address
            wanted = str(first if first != pool.subnet.network_address else first + 1)
        if not wanted and network.options.driver == "overlay":
            wanted = str(pool.subnet.network_address + 1)
        return pool.take(str(ip_address(wanted)) if wanted else "")

    def _pools(self, options: NetworkOptions) -> Pools:
        """Where a network's subnet comes from: this host, or all of the swarm."""
        cluster = self._engine.swarm.cluster
        return cluster.pools if options.driver == "overlay" and cluster is not None else self.local

    def _give_back(self, network: Network) -> None:
        pools = self._pools(network.options)
        for pool in (network.addresses, network.addresses6):
            if pool is not None:
                pools.give_back(pool.subnet)

    def _install(self, network: Network) -> None:
        engine = self._engine
        for family in engine.firewall.families:
            asked = facts.of_network(engine.facts(family), engine.layout, network)
            has_subnet = network.subnet(family) is not None
            words = facts.network_words(family, network)
            subject = f"network {network.name}"
            try:
                engine.firewall.install("network", subject, family, asked, words, has_subnet=has_subnet)
            except NoChain as error:
                self.drop(network)
                raise engine.refusal("iptables_failed", reason=error) from None
        self._fill_sets()

    def _fill_sets(self) -> None:
        """Name the subnets of all networks that are not internal in the sets of an engine whose rules ask for them."""
        engine = self._engine
        if "bridges_in_ipset" not in engine.layout.features:
            return
        outward = [network for network in self.by_name.values() if network.bridge and not network.options.internal]
        for family in engine.firewall.families:
            name = f"docker-ext-bridges-v{family}"
            subnets = [network.subnet(family) for network in outward]
            members: list[tuple[str, ...]] = [(str(subnet),) for subnet in subnets if subnet is not None]
            engine.namespace.ipsets[name] = IpSet(name, "hash:net", members)
        engine.namespace.rules_changed()


def default_network(engine: Engine) -> NetworkOptions:
    """The default bridge, as options of the daemon shape it."""
    options = engine.options
    found = NetworkOptions("bridge", bridge_name="docker0", icc=options.icc,
                           masquerade=options.ip_masq and options.iptables, ip_range=options.fixed_cidr,
                           host_binding="" if options.ip == "0.0.0.0" else options.ip, mtu=options.mtu)  # fmt: skip
    if options.bip is not None:
        found = replace(found, subnet=options.bip.network, gateway=str(options.bip.ip))
    elif "fixed_cidr_is_subnet" in engine.layout.features:
        found = replace(found, subnet=options.fixed_cidr)
    return found
