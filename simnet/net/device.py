"""Network devices: what each kind is made of. How a packet moves through them is in `link`, `bridge` and `vxlan`.

Models: drivers/net/{loopback,veth}.c, drivers/net/vxlan, net/bridge of Linux 6.x.
Leaves out: queueing disciplines, VLAN filtering and STP (a blocked port is honoured), multicast snooping.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2s
from typing import TYPE_CHECKING

from .address import BROADCAST_MAC, Prefix

if TYPE_CHECKING:
    from .namespace import NetNamespace


def made_mac(seed: str) -> str:
    """A hardware address such as the kernel makes up (eth_hw_addr_random), but the same one for the same seed.

    Example:
        >>> made_mac("h1/host:docker0")
        'fa:a4:8b:5a:38:47'
    """
    digits = blake2s(seed.encode(), digest_size=6).digest()
    first = digits[0] & 0xFE | 0x02
    return ":".join(f"{byte:02x}" for byte in (first, *digits[1:]))


@dataclass(frozen=True, slots=True)
class InterfaceAddress:
    """An address on a device: the address itself, its prefix length, broadcast address (0: none) and scope."""

    address: int
    length: int
    broadcast: int = 0
    scope: str = "global"
    secondary: bool = False

    @property
    def network(self) -> Prefix:
        """The block that the address lies in."""
        mask = (0xFFFFFFFF << (32 - self.length)) & 0xFFFFFFFF
        return Prefix(self.address & mask, mask)


@dataclass(eq=False, slots=True)
class Device:
    """A device of one namespace, of a kind that only has an end here (a dummy, or a cable that leads nowhere)."""

    name: str
    ifindex: int
    mac: str = "00:00:00:00:00:00"
    mtu: int = 1500
    up: bool = True
    noarp: bool = False
    addresses: list[InterfaceAddress] = field(default_factory=list)
    master: Bridge | None = None
    hairpin: bool = False
    isolated: bool = False
    learning: bool = True
    flood: bool = True
    forwarding: bool = True
    namespace: NetNamespace = field(init=False, repr=False)

    kind = "device"

    def packet_type(self, dst_mac: str) -> str:
        """How a received frame counts (eth_type_trans): `In` for this device, `B`, `M`, or `P` for another machine."""
        if dst_mac == self.mac:
            return "In"
        if dst_mac == BROADCAST_MAC:
            return "B"
        return "M" if int(dst_mac[1], 16) & 1 else "P"

    def __str__(self) -> str:
        """`h1/web:eth0`."""
        return f"{self.namespace.place}:{self.name}"


@dataclass(eq=False, slots=True)
class Loopback(Device):
    """`lo`: what is sent comes back in."""

    kind = "loopback"


@dataclass(eq=False, slots=True)
class Veth(Device):
    """One end of a pair; what is sent comes in at `peer`."""

    peer: Veth | None = field(default=None, repr=False)

    kind = "veth"


@dataclass(eq=False, slots=True)
class Physical(Device):
    """A network card on a cable or switch that other machines are on as well."""

    segment: Segment | None = field(default=None, repr=False)

    kind = "physical"


@dataclass(eq=False, slots=True)
class Segment:
    """An Ethernet segment: every frame that one of its devices sends reaches the others."""

    name: str
    devices: list[Physical] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Bridge(Device):
    """A learning switch with a device of its own; `fdb` maps a hardware address to a port (None: the bridge itself)."""

    ports: list[Device] = field(default_factory=list, repr=False)
    fdb: dict[str, Device | None] = field(default_factory=dict, repr=False)
    nf_call_iptables: bool = False

    kind = "bridge"

    def is_local(self, mac: str) -> bool:
        """Whether frames for `mac` are for the bridge's own host (br_fdb local entries: its own and its ports')."""
        return mac == self.mac or any(port.mac == mac for port in self.ports)


@dataclass(eq=False, slots=True)
class Vxlan(Device):
    """A VXLAN tunnel end: frames leave as UDP from the `underlay` namespace.

    `fdb` maps a hardware address to remote tunnel ends; `proxy` answers ARP from the namespace's neighbour table.
    """

    vni: int = 0
    port: int = 4789
    local: int = 0
    ttl: int = 0
    vxlan_learning: bool = True
    proxy: bool = False
    fdb: dict[str, list[int]] = field(default_factory=dict, repr=False)
    underlay: NetNamespace | None = field(default=None, repr=False)

    kind = "vxlan"
