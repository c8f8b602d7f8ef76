"""Network devices: what each kind is made of. How a packet moves through them is in `link` and each kind's driver.

Models: drivers/net/{loopback,veth,macvlan}.c, drivers/net/{vxlan,ipvlan}, net/{bridge,8021q} of Linux 6.x.
Leaves out: queueing disciplines, VLAN filtering of bridges, tags inside tags and STP (a blocked port is honoured),
multicast snooping.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2s
from typing import TYPE_CHECKING

from .address import BROADCAST_MAC, Prefix

if TYPE_CHECKING:
    from .namespace import NetNamespace


NO_MAC = "00:00:00:00:00:00"


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
    mac: str = NO_MAC
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
    uppers: list[Upper] = field(default_factory=list, repr=False)
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
    """A network card on a cable or switch that other machines are on as well.

    `tso`: it cuts large packets by itself; `gro`: what it receives is put together again; `checksums`: it makes them.
    """

    segment: Segment | None = field(default=None, repr=False)
    tso: bool = True
    gro: bool = True
    checksums: bool = True

    kind = "physical"


@dataclass(eq=False, slots=True)
class Segment:
    """An Ethernet switch: a frame reaches the device that its destination was last heard from, else all others.

    `fdb` maps a hardware address to that device.
    """

    name: str
    devices: list[Physical] = field(default_factory=list)
    fdb: dict[str, Physical] = field(default_factory=dict, repr=False)

    def ports(self, sender: Physical, src_mac: str, dst_mac: str) -> list[Physical]:
        """Learn the sender's address; the devices that a frame reaches."""
        self.fdb[src_mac] = sender
        known = self.fdb.get(dst_mac)
        if known is not None and known in self.devices:
            return [known] if known is not sender else []
        return [device for device in self.devices if device is not sender]


@dataclass(eq=False, slots=True)
class Bridge(Device):
    """A learning switch with a device of its own; `fdb` maps a hardware address to a port (None: the bridge itself)."""

    ports: list[Device] = field(default_factory=list, repr=False)
    fdb: dict[str, Device | None] = field(default_factory=dict, repr=False)
    nf_call_iptables: bool = False
    _known: list[Device] = field(default_factory=list, repr=False)
    _macs: frozenset[str] = field(default=frozenset(), repr=False)

    kind = "bridge"

    def is_local(self, mac: str) -> bool:
        """Whether frames for `mac` are for the bridge's own host (br_fdb local entries: its own and its ports')."""
        if self._known != self.ports:
            self._known, self._macs = list(self.ports), frozenset(port.mac for port in self.ports)
        return mac == self.mac or mac in self._macs


@dataclass(eq=False, slots=True)
class Upper(Device):
    """A device that sends and receives through another, its `lower` one (`parent`, to Docker).

    The two may be in different namespaces. `mtu` 0 means that of the lower device.
    """

    mtu: int = 0
    lower: Device | None = field(default=None, repr=False)

    kind = "upper"

    def __post_init__(self) -> None:
        """Take the place above the lower device, where one is named."""
        lower, self.lower = self.lower, None
        if lower is not None:
            self.attach(lower)

    def attach(self, lower: Device) -> None:
        """Be above a device from now on (netdev_upper_dev_link)."""
        self.detach()
        self.lower = lower
        lower.uppers.append(self)
        self.mtu = self.mtu or lower.mtu

    def detach(self) -> None:
        """Let go of the lower device, as when this one is deleted."""
        if self.lower is not None:
            self.lower.uppers.remove(self)
            self.lower = None


@dataclass(eq=False, slots=True)
class Vlan(Upper):
    """A VLAN sub-interface (`eth0.10`): what it sends leaves by its lower device with the tag `vid`, 1 to 4094.

    Its hardware address is the lower device's where none is given.

    Example:
        >>> eth0 = Physical("eth0", 2, "02:42:c0:00:02:02")
        >>> Vlan("eth0.10", 5, lower=eth0, vid=10).mac
        '02:42:c0:00:02:02'
    """

    vid: int = 0

    kind = "vlan"

    def attach(self, lower: Device) -> None:
        """Be above a device."""
        Upper.attach(self, lower)
        self.noarp = lower.noarp
        if self.mac == NO_MAC:
            self.mac = lower.mac


@dataclass(eq=False, slots=True)
class Macvlan(Upper):
    """A device with a hardware address of its own on its lower device's network.

    `mode`: `bridge` talks to its siblings directly; `vepa` and `private` leave all to the switch outside, and `private`
    takes no sibling's broadcasts back from it; `passthru` is alone, has the lower device's address and all its frames.

    Example:
        >>> eth0 = Physical("eth0", 2, "02:42:c0:00:02:02", mtu=9000)
        >>> web = Macvlan("eth0", 5, "02:42:c0:00:02:0a", lower=eth0)
        >>> web.mode, web.mtu, eth0.uppers == [web]
        ('bridge', 9000, True)
    """

    mode: str = "bridge"

    kind = "macvlan"

    def attach(self, lower: Device) -> None:
        """Be above a device; in mode `passthru` with its hardware address (eth_hw_addr_inherit)."""
        Upper.attach(self, lower)
        if self.mode == "passthru":
            self.mac = lower.mac


@dataclass(eq=False, slots=True)
class Ipvlan(Upper):
    """A device with IP addresses of its own and the hardware address of its lower device.

    `mode` `l2` answers ARP; `l3` and `l3s` do not, and leave routing to the lower device's namespace, whose
    hooks `l3s` passes on the way in as well. `flag`: as `bridge`, devices on one lower device reach each other; as
    `private` never; as `vepa` through a switch outside. Both hold for all devices on one lower device, the latest
    setting for all of them.

    Example:
        >>> eth0 = Physical("eth0", 2, "02:42:c0:00:02:02")
        >>> web = Ipvlan("eth0", 5, lower=eth0, mode="l3")
        >>> web.mac == eth0.mac, web.noarp
        (True, True)
    """

    mode: str = "l2"
    flag: str = "bridge"

    kind = "ipvlan"

    def attach(self, lower: Device) -> None:
        """Be above a device, with its hardware address; the devices already there take this one's mode and flag."""
        Upper.attach(self, lower)
        self.mac = lower.mac
        for one in lower.uppers:
            if isinstance(one, Ipvlan):
                one.mode, one.flag, one.noarp = self.mode, self.flag, self.mode != "l2"


@dataclass(eq=False, slots=True)
class Vxlan(Device):
    """A VXLAN tunnel end: frames leave as UDP from the `underlay` namespace.

    `fdb` maps a hardware address to remote tunnel ends; `proxy` answers ARP from the namespace's neighbour table.
    `encrypted` says that the host wraps its packets into IPsec, which changes what they cost and not their way.
    """

    vni: int = 0
    port: int = 4789
    local: int = 0
    ttl: int = 0
    vxlan_learning: bool = True
    proxy: bool = False
    encrypted: bool = False
    fdb: dict[str, list[int]] = field(default_factory=dict, repr=False)
    underlay: NetNamespace | None = field(default=None, repr=False)

    kind = "vxlan"
