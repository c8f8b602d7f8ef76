"""A packet in the kernel's hands: the record on the wire, and what the kernel notes about it on its way.

Models: struct sk_buff, as far as a walk reads it.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .packet import Arp, Ip, IPv4

if TYPE_CHECKING:
    from .device import Device
    from .netfilter.conntrack import Connection
    from .route import Route

# how a packet relates to its connection (enum ip_conntrack_info)
NEW, ESTABLISHED, RELATED, UNTRACKED, INVALID = "NEW", "ESTABLISHED", "RELATED", "UNTRACKED", "INVALID"


@dataclass(eq=False, slots=True)
class BridgeInfo:
    """What br_netfilter notes about a bridged packet: its ports, and which hooks are over (struct nf_bridge_info)."""

    physin: Device
    physout: Device | None = None
    prerouted: bool = False
    sabotaged: bool = False


@dataclass(eq=False, slots=True)
class Skb:
    """A packet on its way: `packet` is replaced where NAT, TTL or TOS change it; the rest is the kernel's notes.

    `ipvs`: IPVS has handled it here; `stolen`: it went on by another way than the one that a hook was called on.
    `segment`: bytes of data in each segment that a large packet is to be cut into (gso_size), `excess`: those beyond
    one.
    """

    serial: int
    packet: Ip | Arp
    device: Device | None = None
    src_mac: str = ""
    dst_mac: str = ""
    packet_type: str = "In"
    mark: int = 0
    connection: Connection | None = None
    state: str = INVALID
    reply: bool = False
    untracked: bool = False
    traced: bool = False
    route: Route | None = None
    out: Device | None = None
    bridge: BridgeInfo | None = None
    socket: object = None
    by: str = ""
    local: bool = False
    redirected: bool = False
    ipvs: bool = False
    stolen: bool = False
    errno: str = ""
    defragmented: int = 0
    vlan: int = 0
    segment: int = 0
    excess: int = 0

    @property
    def segment_length(self) -> int:
        """Bytes of the packet, or of the largest one that it will be cut into (skb_gso_network_seglen)."""
        return self.packet.length - self.excess

    @property
    def ip(self) -> IPv4:
        """The IPv4 packet; ARP never comes where this is asked for."""
        assert isinstance(self.packet, IPv4)
        return self.packet

    def scrub(self, *, across: bool) -> None:
        """Forget what the kernel noted when the packet leaves through a veth (skb_scrub_packet).

        The connection and the route go always, the mark and that IPVS had it only `across` namespaces.
        """
        self.connection, self.state, self.reply, self.untracked = None, INVALID, False, False
        self.route, self.out, self.bridge, self.socket, self.traced = None, None, None, None, False
        self.local = self.redirected = self.stolen = False
        self.defragmented = 0
        if across:
            self.mark = 0
            self.ipvs = False

    def clone(self) -> Skb:
        """A copy for another port of a bridge (skb_clone), with the same serial number."""
        other = Skb.__new__(Skb)
        for name in Skb.__slots__:
            setattr(other, name, getattr(self, name))
        if self.bridge is not None:
            other.bridge = copy(self.bridge)
        return other
