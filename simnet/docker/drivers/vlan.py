"""The macvlan and ipvlan drivers: a container's interface sits on one of the host's own, or on a dummy.

Models: libnetwork/drivers/macvlan and ipvlan of moby.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simnet.net.device import Device, made_mac
from simnet.net.devinet import remove_device

if TYPE_CHECKING:
    from simnet.docker.engine import Engine
    from simnet.docker.objects import Endpoint, Network
    from simnet.docker.sandbox import Sandbox


class VlanDriver:
    """What both have in common: the parent, made where it is not there."""

    def create(self, engine: Engine, network: Network) -> None:
        """Find the parent, or make one: a dummy where none was named, or where the network is internal."""
        host, name = engine.namespace, self.parent(network)
        if name in host.devices:
            return
        if network.options.parent and not network.internal and "." not in network.options.parent:
            raise engine.refusal("parent_unknown", name=network.options.parent)
        host.add(Device(name, host.new_index(), made_mac(f"{host.place}:{name}"), network.options.mtu))

    def delete(self, engine: Engine, network: Network) -> None:
        """Take the dummy down, where one was made."""
        device = engine.namespace.devices.get(self.parent(network))
        if device is not None and device.name.startswith("dm-"):
            remove_device(device)

    @staticmethod
    def parent(network: Network) -> str:
        """The name of the device below."""
        if network.options.parent and not network.internal:
            return network.options.parent
        return f"dm-{network.id[:12]}"

    def leave(self, engine: Engine, endpoint: Endpoint, sandbox: Sandbox) -> None:
        """Take the interface away."""
        sandbox.take(endpoint)


class MacvlanDriver(VlanDriver):
    """Each container has a hardware address of its own on the parent's wire."""

    def join(self, engine: Engine, endpoint: Endpoint, sandbox: Sandbox) -> None:
        """Put a macvlan device into the sandbox."""
        raise NotImplementedError


class IpvlanDriver(VlanDriver):
    """All containers share the parent's hardware address."""

    def join(self, engine: Engine, endpoint: Endpoint, sandbox: Sandbox) -> None:
        """Put an ipvlan device into the sandbox."""
        raise NotImplementedError
