"""The macvlan and ipvlan drivers: a container's interface sits on one of the host's own, its parent.

The parent may be a VLAN sub-interface (`eth0.10`), which the driver makes, or is a dummy where none is named.

Models: libnetwork/drivers/macvlan and ipvlan (macvlan_setup.go, ipvlan_joinleave.go) of moby.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simnet.net.device import Device, Ipvlan, Macvlan, Vlan, made_mac
from simnet.net.devinet import remove_device

if TYPE_CHECKING:
    from simnet.docker.engine import Engine
    from simnet.docker.objects import Endpoint, Network
    from simnet.docker.sandbox import Sandbox

# what dummies of both drivers begin with
_DUMMY = {"macvlan": "dm-", "ipvlan": "di-"}
MACVLAN_MODES, IPVLAN_MODES, IPVLAN_FLAGS = ("bridge", "private", "vepa", "passthru"), ("l2", "l3", "l3s"), (
    "bridge", "private", "vepa")  # fmt: skip


class VlanDriver:
    """What both have in common: the parent, made where it is not there."""

    def create(self, engine: Engine, network: Network) -> None:
        """Find the parent, or make a dummy or a VLAN sub-interface."""
        host, name = engine.namespace, parent_of(network)
        self._check_parent(engine, network)
        lower, _, tag = name.rpartition(".")
        if name in host.devices:
            return
        if name == dummy_of(network):
            host.add(Device(name, host.new_index(), made_mac(f"{host.place}:{name}"), network.options.mtu))
        elif lower in host.devices and tag.isdigit() and 1 <= int(tag) < 4095:
            host.add(Vlan(name, host.new_index(), lower=host.devices[lower], vid=int(tag)))
        else:
            raise engine.refusal("parent_unknown", name=name)

    def _check_parent(self, engine: Engine, network: Network) -> None:
        """Refuse a second network of the driver on one parent, where the version does."""
        driver = network.options.driver
        if driver == "macvlan" and "one_network_a_parent" not in engine.layout.features:
            return
        for other in engine.networks.by_name.values():
            if other is not network and other.options.driver == driver and parent_of(other) == parent_of(network):
                raise engine.refusal("parent_taken", name=dummy_of(other), other=parent_of(network))

    def delete(self, engine: Engine, network: Network) -> None:
        """Take the parent down, where the driver made it and nothing else sits on it."""
        device = engine.namespace.devices.get(parent_of(network))
        if device is not None and not device.uppers and (device.name == dummy_of(network) or isinstance(device, Vlan)):
            remove_device(device)

    def leave(self, engine: Engine, endpoint: Endpoint, sandbox: Sandbox) -> None:
        """Take the interface away."""
        sandbox.take(endpoint)


class MacvlanDriver(VlanDriver):
    """Each container has a hardware address of its own on the parent's wire."""

    def join(self, engine: Engine, endpoint: Endpoint, sandbox: Sandbox) -> None:
        """Put a macvlan device into the sandbox."""
        host, network = engine.namespace, endpoint.network
        mode = network.options.vlan_mode or MACVLAN_MODES[0]
        sandbox.put(endpoint, Macvlan(sandbox.free_name(), host.new_index(), endpoint.mac,
                                      lower=host.devices[parent_of(network)], mode=mode))  # fmt: skip


class IpvlanDriver(VlanDriver):
    """All containers share the parent's hardware address."""

    def join(self, engine: Engine, endpoint: Endpoint, sandbox: Sandbox) -> None:
        """Put an ipvlan device into the sandbox."""
        host, options = engine.namespace, endpoint.network.options
        mode, flag = options.vlan_mode or IPVLAN_MODES[0], options.vlan_flag or IPVLAN_FLAGS[0]
        device = Ipvlan(sandbox.free_name(), host.new_index(), lower=host.devices[parent_of(endpoint.network)],
                        mode=mode, flag=flag)  # fmt: skip
        endpoint.mac = device.mac
        sandbox.put(endpoint, device)


def parent_of(network: Network) -> str:
    """The name of the device below."""
    return network.options.parent or dummy_of(network)


def dummy_of(network: Network) -> str:
    """The name of the dummy that stands for a parent, and that the network is called by in a refusal."""
    return f"{_DUMMY[network.options.driver]}{network.id[:12]}"
