"""The bridge driver: a bridge on the host that has the gateway's address, and a veth pair for each container.

Models: libnetwork/drivers/bridge (bridge_linux.go, setup_device_linux.go, setup_ipv4_linux.go) of moby.
"""

from __future__ import annotations

from hashlib import blake2s
from typing import TYPE_CHECKING

from simnet.net.device import Bridge, InterfaceAddress, Veth, made_mac
from simnet.net.devinet import add_address, leave_bridge, remove_device
from simnet.net.namespace import NetNamespace

if TYPE_CHECKING:
    from simnet.docker.engine import Engine
    from simnet.docker.objects import Endpoint, Network
    from simnet.docker.sandbox import Sandbox


class BridgeDriver:
    """Bridges on the engine's own host; one that is there already under the wanted name is taken as it is."""

    def create(self, engine: Engine, network: Network) -> None:
        """Make the bridge, give it the gateway's address, and set what it needs."""
        host = engine.namespace
        device = host.devices.get(network.bridge)
        if not isinstance(device, Bridge):
            mac = made_mac(f"{host.place}:{network.bridge}")
            if "mac_from_address" in engine.layout.features:
                mac = "02:42" + mac[5:]
            device = Bridge(network.bridge, host.new_index(), mac, network.options.mtu)
            host.add(device)
        pool = network.addresses
        isolated = "gateway_mode" in engine.layout.features and network.gateway_mode(4) == "isolated"
        if pool is not None and network.gateway is not None and not isolated:
            address = int(network.gateway)
            if all(one.address != address for one in device.addresses):
                last = int(pool.subnet.broadcast_address)
                add_address(device, InterfaceAddress(address, pool.subnet.prefixlen, last))
        if not engine.options.userland_proxy and engine.options.iptables:
            host.sysctls[f"net.ipv4.conf.{network.bridge}.route_localnet"] = "1"

    def delete(self, engine: Engine, network: Network) -> None:
        """Take the bridge down."""
        device = engine.namespace.devices.get(network.bridge)
        if device is not None:
            remove_device(device)
        engine.namespace.sysctls.pop(f"net.ipv4.conf.{network.bridge}.route_localnet", None)

    def join(self, engine: Engine, endpoint: Endpoint, sandbox: Sandbox) -> None:
        """Lay a veth pair from the bridge into the sandbox."""
        bridge = engine.namespace.devices[endpoint.network.bridge]
        assert isinstance(bridge, Bridge)
        straight = "veth_in_sandbox" in engine.layout.features
        port = veth_pair(engine.namespace, sandbox, endpoint, endpoint.network.options.mtu, straight=straight)
        port.hairpin = not engine.options.userland_proxy
        plug_in(bridge, port)

    def leave(self, engine: Engine, endpoint: Endpoint, sandbox: Sandbox) -> None:
        """Take the pair away."""
        unplug(endpoint)
        sandbox.take(endpoint)
        if "veth_in_sandbox" in engine.layout.features:
            engine.namespace.new_index()  # the container's end comes back before it is deleted, under a new index


def veth_pair(home: NetNamespace, sandbox: Sandbox, endpoint: Endpoint, mtu: int, *, straight: bool = False) -> Veth:
    """Make a pair: the container's end in the sandbox, the other one in `home`, not yet plugged in; gives the latter.

    Both ends come to be in `home`, and one of them moves with its index; `straight` where it is made in the sandbox.
    """
    place = sandbox.namespace.place
    inner_index = sandbox.namespace.new_index() if straight else home.new_index()
    if any(device.ifindex == inner_index for device in sandbox.namespace.devices.values()):
        inner_index = sandbox.namespace.new_index()
    inner = Veth(sandbox.free_name(), inner_index, endpoint.mac, mtu)
    name = "veth" + blake2s(f"{place} {endpoint.network.name}".encode()).hexdigest()[:7]
    outer = Veth(name, home.new_index(), made_mac(f"{home.place}:{name}"), mtu, peer=inner)
    inner.peer = outer
    home.add(outer)
    endpoint.port = outer
    sandbox.put(endpoint, inner)
    return outer


def plug_in(bridge: Bridge, port: Veth) -> None:
    """Make a device a port of a bridge, which hears from who is behind it at once (the engine announces addresses)."""
    port.master = bridge
    bridge.ports.append(port)
    if port.peer is not None:
        bridge.fdb[port.peer.mac] = port


def unplug(endpoint: Endpoint) -> None:
    """Take an endpoint's port off its bridge; neighbours that knew the address ask for it anew."""
    port, endpoint.port = endpoint.port, None
    if port is None:
        return
    bridge = port.master
    leave_bridge(port)
    remove_device(port)
    if bridge is None or endpoint.address is None:
        return
    near = [bridge, *(one.peer for one in bridge.ports if isinstance(one, Veth) and one.peer is not None)]
    for device in near:
        device.namespace.neighbours.pop((device.name, int(endpoint.address)), None)
