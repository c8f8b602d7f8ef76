"""Packets as the wire carries them: immutable records, one a protocol.

A record is replaced, never changed (`dataclasses.replace`), so a step of a walk can keep the packet as it was there.
Lengths are those of the kernel's own packets: a SYN carries 20 bytes of TCP options, a later segment 12.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .address import ip6_text, ip_text

ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
PROTO_NAMES = {ICMP: "icmp", TCP: "tcp", UDP: "udp", ICMPV6: "ipv6-icmp"}

FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = 1, 2, 4, 8, 16, 32, 64, 128
FLAG_NAMES = {"FIN": FIN, "SYN": SYN, "RST": RST, "PSH": PSH, "ACK": ACK, "URG": URG}
# the order in which the kernel's rule trace names the flags
_TRACE_ORDER = (("SYN", SYN), ("ACK", ACK), ("PSH", PSH), ("FIN", FIN), ("RST", RST), ("URG", URG))

ECHO_REPLY, DEST_UNREACH, REDIRECT, ECHO_REQUEST, TIME_EXCEEDED, PARAM_PROBLEM = 0, 3, 5, 8, 11, 12
ICMP_ERRORS = frozenset({DEST_UNREACH, 4, REDIRECT, TIME_EXCEEDED, PARAM_PROBLEM})
NET_UNREACH, HOST_UNREACH, PROT_UNREACH, PORT_UNREACH, FRAG_NEEDED, PKT_FILTERED = 0, 1, 2, 3, 4, 13

IP_HEADER = 20
# the longest IPv4 packet
LONGEST = 65535


@dataclass(frozen=True, slots=True)
class TcpSegment:
    """A TCP segment: `options` in bytes of length, `data` as it is, `mss` what a SYN announces (0: nothing)."""

    sport: int
    dport: int
    flags: int
    seq: int = 0
    ack: int = 0
    data: bytes = b""
    options: int = 12
    mss: int = 0

    @property
    def length(self) -> int:
        """Bytes of header, options and data."""
        return 20 + self.options + len(self.data)

    def __str__(self) -> str:
        """As the rule trace prints it: `40001>22 SYN`."""
        return f"{self.sport}>{self.dport} {flag_text(self.flags)}"


@dataclass(frozen=True, slots=True)
class UdpDatagram:
    """A UDP datagram; `inner` is the frame that a VXLAN tunnel carries in it."""

    sport: int
    dport: int
    data: bytes = b""
    vni: int | None = None
    inner: Frame | None = None

    @property
    def length(self) -> int:
        """Bytes of header and data (a VXLAN header is 8, an Ethernet header 14)."""
        return 8 + (len(self.data) if self.inner is None else 22 + self.inner.payload.length)

    def __str__(self) -> str:
        """`40001>53`, and the tunnel's id where it is one."""
        return f"{self.sport}>{self.dport}" + (f" vni {self.vni}" if self.inner is not None else "")


@dataclass(frozen=True, slots=True)
class IcmpMessage:
    """An ICMP message; an error quotes the packet that it is about in `quoted`."""

    type: int
    code: int = 0
    ident: int = 0
    seq: int = 0
    size: int = 0
    quoted: IPv4 | None = None
    mtu: int = 0

    @property
    def length(self) -> int:
        """Bytes of header and data, or of the quotation."""
        return 8 + self.size

    def __str__(self) -> str:
        """`type 8 code 0`, in words for the common ones."""
        words = {
            (8, 0): "echo request",
            (0, 0): "echo reply",
            (11, 0): "time exceeded",
            (3, 0): "net unreachable",
            (3, 1): "host unreachable",
            (3, 2): "protocol unreachable",
            (3, 3): "port unreachable",
            (3, 4): "fragmentation needed",
            (3, 9): "net prohibited",
            (3, 10): "host prohibited",
            (3, 13): "administratively prohibited",
        }
        return words.get((self.type, self.code), f"type {self.type} code {self.code}")


@dataclass(frozen=True, slots=True)
class RawPayload:
    """The payload of a protocol that is not modelled, by its length in bytes."""

    length: int = 0

    def __str__(self) -> str:
        """`N bytes`."""
        return f"{self.length} bytes"


Transport = TcpSegment | UdpDatagram | IcmpMessage | RawPayload


@dataclass(frozen=True, slots=True)
class Fragment:
    """Which part of a whole packet's payload this one is: `offset` and `length` in bytes."""

    offset: int
    length: int
    more: bool
    whole: IPv4


@dataclass(frozen=True, slots=True)
class Ip:
    """What IPv4 and IPv6 have in common; addresses are integers, `transport` is the payload (of a first fragment only).

    `ttl` is IPv6's hop limit, `tos` its traffic class.
    """

    header: ClassVar[int] = 0

    src: int
    dst: int
    proto: int
    transport: Transport
    ttl: int = 64
    tos: int = 0
    df: bool = False
    ident: int = 0
    fragment: Fragment | None = None

    @property
    def length(self) -> int:
        """Total bytes, header included."""
        return self.header + (self.transport.length if self.fragment is None else self.fragment.length)

    @property
    def sport(self) -> int:
        """The source port, 0 where there is none."""
        return self.transport.sport if isinstance(self.transport, TcpSegment | UdpDatagram) else 0

    @property
    def dport(self) -> int:
        """The destination port, 0 where there is none."""
        return self.transport.dport if isinstance(self.transport, TcpSegment | UdpDatagram) else 0

    @property
    def flags(self) -> str:
        """TCP flags as the rule trace prints them, empty for other protocols."""
        return flag_text(self.transport.flags) if isinstance(self.transport, TcpSegment) else ""

    @property
    def proto_name(self) -> str:
        """`tcp`, `udp`, `icmp`, or the number."""
        return PROTO_NAMES.get(self.proto, str(self.proto))

    @property
    def is_icmp_error(self) -> bool:
        """Whether it is an ICMP error (and so never answered by another one)."""
        return isinstance(self.transport, IcmpMessage) and self.transport.type in ICMP_ERRORS

    def _text(self, src: str, dst: str, source: str, target: str) -> str:
        """With addresses alone, or `source` and `target` with their ports."""
        name = self.proto_name
        if self.fragment is not None and self.fragment.offset:
            return f"{name} {src}>{dst} fragment at {self.fragment.offset}"
        if isinstance(self.transport, TcpSegment | UdpDatagram):
            return f"{name} {source}:{self.sport}>{target}:{self.dport} {self.flags}".rstrip()
        return f"{name} {src}>{dst} {self.transport}"


@dataclass(frozen=True, slots=True)
class IPv4(Ip):
    """An IPv4 packet."""

    header: ClassVar[int] = IP_HEADER

    def __str__(self) -> str:
        """`tcp 192.0.2.1:40001>192.0.2.2:2222 SYN`."""
        src, dst = ip_text(self.src), ip_text(self.dst)
        return self._text(src, dst, src, dst)


@dataclass(frozen=True, slots=True)
class IPv6(Ip):
    """An IPv6 packet without extension headers; `df` always holds on its way."""

    header: ClassVar[int] = 40

    @property
    def is_icmp_error(self) -> bool:
        """Whether it is an ICMPv6 error: types below 128."""
        return isinstance(self.transport, IcmpMessage) and self.transport.type < 128

    def __str__(self) -> str:
        """`tcp [2001:db8::1]:40001>[2001:db8::2]:80 SYN`."""
        src, dst = ip6_text(self.src), ip6_text(self.dst)
        return self._text(src, dst, f"[{src}]", f"[{dst}]")


@dataclass(frozen=True, slots=True)
class Arp:
    """An ARP request (`op` 1) or reply (2)."""

    op: int
    sender_mac: str
    sender_ip: int
    target_mac: str
    target_ip: int
    length: int = 28

    def __str__(self) -> str:
        """As tcpdump puts it."""
        if self.op == 1:
            return f"arp who-has {ip_text(self.target_ip)} tell {ip_text(self.sender_ip)}"
        return f"arp {ip_text(self.sender_ip)} is-at {self.sender_mac}"


@dataclass(frozen=True, slots=True)
class Frame:
    """An Ethernet frame."""

    src: str
    dst: str
    payload: Ip | Arp


def flag_text(flags: int) -> str:
    """TCP flags as the kernel's rule trace prints them.

    Example:
        >>> flag_text(SYN | ACK)
        'SYN ACK'
    """
    return " ".join(name for name, bit in _TRACE_ORDER if flags & bit)
