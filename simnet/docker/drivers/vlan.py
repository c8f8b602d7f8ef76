"""The macvlan and ipvlan drivers: a container's interface sits on one of the host's own, its parent.

The parent may be a VLAN sub-interface (`eth0.10`), which the driver makes, or is a dummy where none is named.

Models: libnetwork/drivers/macvlan and ipvlan (macvlan_setup.go, ipvlan_joinleave.go) of moby.
Leaves out: the refusal of some versions to let two networks have one parent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simnet.net.device import Device, Ipvlan, Macvlan, Vlan, made_mac
from simnet.net.devinet import remove_device

if TYPE_CHECKING:
    from simnet.docker.engine import Engine
    from simnet.docker.objects import Endpoint, Network
    from simnet.docker.sandbox import Sandbox

_DUMMY = "dm-"
MACVLAN_MODES, IPVLAN_MODES, IPVLAN_FLAGS = ("bridge", "private", "vepa", "passthru"), ("l2", "l3", "l3s"), (
    "bridge", "private", "vepa")  # fmt: skip


class VlanDriver:
    """What both have in common: the parent, made where it is not there."""

    def create(self, engine: Engine, network: Network) -> None:
        """Find the parent, or make a dummy or a VLAN sub-interface."""
        host, name = engine.namespace, parent_of(network)
        lower, _, tag = name.rpartition(".")
        if name in host.devices:
            return
        if name.startswith(_DUMMY):
            host.add(Device(name, host.new_index(), made_mac(f"{host.place}:{name}"), network.options.mtu))
        elif lower in host.devices and tag.isdigit() and 1 <= int(tag) < 4095:
            host.add(Vlan(name, host.new_index(), lower=host.devices[lower], vid=int(tag)))
        else:
            raise engine.refusal("parent_unknown", name=name)

    def delete(self, engine: Engine, network: Network) -> None:
        """Take the parent down, where the driver made it and nothing else sits on it."""
        device = engine.namespace.devices.get(parent_of(network))
        if device is not None and not device.uppers and (device.name.startswith(_DUMMY) or isinstance(device, Vlan)):
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
    return network.options.parent or f"{_DUMMY}{network.id[:12]}"
