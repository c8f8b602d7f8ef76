"""Network drivers: what a network and its endpoints are made of in devices.

bridge.py    a bridge on the host, and a veth pair for each container
overlay.py   a bridge and a tunnel in a sandbox on every host that has a container there
vlan.py      macvlan and ipvlan: devices on top of one of the host's own

`host` and `null` networks have no devices.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from simnet.docker.drivers import bridge, overlay, vlan

if TYPE_CHECKING:
    from simnet.docker.engine import Engine
    from simnet.docker.objects import Endpoint, Network
    from simnet.docker.sandbox import Sandbox


class Driver(Protocol):
    """What an engine asks of a driver (libnetwork's driverapi)."""

    def create(self, engine: Engine, network: Network) -> None:
        """Make what a new network needs on the host."""

    def delete(self, engine: Engine, network: Network) -> None:
        """Take it down again."""

    def join(self, engine: Engine, endpoint: Endpoint, sandbox: Sandbox) -> None:
        """Connect a sandbox, and put the interface into it."""

    def leave(self, engine: Engine, endpoint: Endpoint, sandbox: Sandbox) -> None:
        """Disconnect a sandbox."""


DRIVERS: Mapping[str, Driver] = {
    "bridge": bridge.BridgeDriver(),
    "overlay": overlay.OverlayDriver(),
    "macvlan": vlan.MacvlanDriver(),
    "ipvlan": vlan.IpvlanDriver(),
}
