"""The overlay driver: on every host that has a container on the network a sandbox with a bridge and a VXLAN tunnel.

A host knows the far containers from the managers: for each one a neighbour entry (the tunnel's device answers ARP from
it) and an FDB entry that names the other host's address. Nothing is learned by flooding.

Models: libnetwork/drivers/overlay (ov_network.go, joinleave.go, peerdb.go, encryption.go) of moby.
Leaves out: the IPsec of encrypted networks: their MTU is right, but their packets are not wrapped twice, and the host
rules that mark them and let nothing else of the network in are not installed, since they would drop every packet here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simnet.docker.drivers.bridge import plug_in, unplug, veth_pair
from simnet.docker.sandbox import Sandbox
from simnet.docker.swarm.cluster import Peer, SharedNetwork
from simnet.net.device import Bridge, InterfaceAddress, Vxlan, made_mac
from simnet.net.devinet import add_address

if TYPE_CHECKING:
    from simnet.docker.engine import Engine
    from simnet.docker.objects import Endpoint, Network

PORT = 4789
# what VXLAN adds to a frame over IPv4, and what encryption adds beyond it
_VXLAN, _ESP = 50, 26


class OverlayDriver:
    """Networks that span the hosts of a swarm."""

    def create(self, engine: Engine, network: Network) -> None:
        """Nothing: a host makes its sandbox when the first container comes."""

    def delete(self, engine: Engine, network: Network) -> None:
        """Take this host's sandbox away."""
        shared = shared_of(network)
        node = shared.hosts.pop(engine.name, None)
        if node is not None:
            engine.namespace.tunnels.pop((PORT, shared.vni), None)
            node.remove()

    def join(self, engine: Engine, endpoint: Endpoint, sandbox: Sandbox) -> None:
        """Lay a veth pair from the network's sandbox into the container's, and tell every other host."""
        shared = shared_of(endpoint.network)
        node = shared.hosts.get(engine.name) or self._sandbox(engine, endpoint.network, shared)
        bridge = node.namespace.devices["br0"]
        assert isinstance(bridge, Bridge)
        port = veth_pair(engine.namespace, sandbox, endpoint, mtu_of(endpoint.network))
        del engine.namespace.devices[port.name]
        port.name = next(f"veth{number}" for number in range(len(node.namespace.devices) + 1)
                         if f"veth{number}" not in node.namespace.devices)  # fmt: skip
        node.namespace.add(port)
        plug_in(bridge, port)
        if endpoint.address is not None:
            peer = Peer(int(endpoint.address), endpoint.mac, engine.address, engine.name)
            shared.peers[peer.address] = peer
            for name, other in shared.hosts.items():
                if name != engine.name:
                    learn(other, peer)

    def leave(self, engine: Engine, endpoint: Endpoint, sandbox: Sandbox) -> None:
        """Take the pair away, and let every other host forget."""
        shared = shared_of(endpoint.network)
        unplug(endpoint)
        sandbox.take(endpoint)
        peer = shared.peers.pop(int(endpoint.address), None) if endpoint.address is not None else None
        if peer is not None:
            for other in shared.hosts.values():
                forget(other, peer)

    def _sandbox(self, engine: Engine, network: Network, shared: SharedNetwork) -> Sandbox:
        """The network's namespace on this host, with all that other hosts have told."""
        node = Sandbox(engine, f"1-{network.id[:10]}")
        namespace, mtu = node.namespace, mtu_of(network)
        bridge = Bridge("br0", namespace.new_index(), made_mac(f"{namespace.place}:br0"), mtu)
        namespace.add(bridge)
        if network.gateway is not None and network.addresses is not None:
            subnet = network.addresses.subnet
            address = InterfaceAddress(int(network.gateway), subnet.prefixlen, int(subnet.broadcast_address))
            add_address(bridge, address)
        index = engine.namespace.new_index()
        tunnel = Vxlan("vxlan0", index, made_mac(f"{namespace.place}:vxlan0"), mtu, vni=shared.vni, port=PORT,
                       proxy=True, encrypted=network.options.encrypted, underlay=engine.namespace)  # fmt: skip
        namespace.add(tunnel)
        tunnel.master = bridge
        bridge.ports.append(tunnel)
        engine.namespace.tunnels[PORT, shared.vni] = tunnel
        for peer in shared.peers.values():
            if peer.host != engine.name:
                learn(node, peer)
        shared.hosts[engine.name] = node
        return node


def shared_of(network: Network) -> SharedNetwork:
    """What the managers know of an overlay network."""
    assert network.shared is not None
    return network.shared


def mtu_of(network: Network) -> int:
    """The MTU inside an overlay network: what is left of the outer one (maxMTU of ov_network.go).

    Example:
        >>> from simnet.docker.objects import Network
        >>> from simnet.docker.options import NetworkOptions
        >>> mtu_of(Network("1", NetworkOptions("mesh", driver="overlay")))
        1450
        >>> mtu_of(Network("1", NetworkOptions("mesh", driver="overlay", encrypted=True)))
        1424
    """
    mtu = network.options.mtu - _VXLAN
    if network.options.encrypted:
        mtu -= _ESP
        mtu -= mtu % 4
    return mtu


def learn(node: Sandbox, peer: Peer) -> None:
    """Program a far container into a host's tunnel: who has the address, and behind which host."""
    tunnel = node.namespace.devices["vxlan0"]
    assert isinstance(tunnel, Vxlan)
    tunnel.fdb[peer.mac] = peer.ends
    node.namespace.neighbours[peer.key] = peer.mac


def forget(node: Sandbox, peer: Peer) -> None:
    """Take a far container out of a host's tunnel."""
    tunnel = node.namespace.devices["vxlan0"]
    assert isinstance(tunnel, Vxlan)
    tunnel.fdb.pop(peer.mac, None)
    node.namespace.neighbours.pop(peer.key, None)
