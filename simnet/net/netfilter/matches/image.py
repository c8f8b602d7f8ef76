"""A packet byte by byte, as far as it is known: what `-m u32` and `-m string` look into.

Sequence numbers, checksums, identifiers, windows and time stamps are chance: every host makes its own. What an echo
request carries beyond its header, and what stands in a protocol that is not modelled, is simply not known.
"""

from __future__ import annotations

from ...packet import ACK, SYN, URG, IcmpMessage, Ip, IPv4, TcpSegment, UdpDatagram

KNOWN, CHANCE, UNKNOWN = 0, 1, 2


class Image:
    """The bytes of a packet, and of each whether it is `KNOWN`, a matter of `CHANCE`, or `UNKNOWN`.

    Example:
        >>> from simnet.net.packet import TCP, SYN, TcpSegment
        >>> image = Image(IPv4(1, 2, TCP, TcpSegment(1000, 22, SYN, options=20, mss=1460)))
        >>> image.data[:4].hex(), image.data[20:24].hex(), len(image.data)
        ('4500003c', '03e80016', 60)
    """

    __slots__ = ("data", "kinds")

    def __init__(self, ip: Ip) -> None:
        self.data = bytearray()
        self.kinds = bytearray()
        if isinstance(ip, IPv4):
            self._ip4_header(ip)
        else:
            self._ip6_header(ip)
        fragment = ip.fragment
        if fragment is None:
            self._payload(ip)
        else:
            whole = Image(fragment.whole)
            start = ip.header + fragment.offset
            self._take(whole, start, start + fragment.length)

    def _put(self, data: bytes, kind: int = KNOWN) -> None:
        self.data += data
        self.kinds += bytes([kind]) * len(data)

    def _skip(self, length: int, kind: int = CHANCE) -> None:
        self._put(bytes(length), kind)

    def _take(self, other: Image, start: int, end: int) -> None:
        self.data += other.data[start:end]
        self.kinds += other.kinds[start:end]

    def _ip6_header(self, ip: Ip) -> None:
        self._put(bytes([0x60 | ip.tos >> 4]))
        self._skip(3)
        self._put((ip.length - ip.header).to_bytes(2) + bytes([ip.proto, ip.ttl]))
        self._put(ip.src.to_bytes(16) + ip.dst.to_bytes(16))

    def _ip4_header(self, ip: IPv4) -> None:
        fragment = ip.fragment
        flags = (0x4000 if ip.df else 0) | (0x2000 if fragment and fragment.more else 0)
        self._put(bytes([0x45, ip.tos]) + ip.length.to_bytes(2))
        self._skip(2)
        self._put((flags | (fragment.offset >> 3 if fragment else 0)).to_bytes(2) + bytes([ip.ttl, ip.proto]))
        self._skip(2)
        self._put((ip.src & 0xFFFFFFFF).to_bytes(4) + (ip.dst & 0xFFFFFFFF).to_bytes(4))

    def _payload(self, ip: Ip) -> None:
        transport = ip.transport
        if isinstance(transport, TcpSegment):
            self._tcp(transport)
        elif isinstance(transport, UdpDatagram):
            self._put(transport.sport.to_bytes(2) + transport.dport.to_bytes(2) + transport.length.to_bytes(2))
            self._skip(2)
            if transport.inner is None:
                self._put(transport.data)
            else:
                self._put(b"\x08\0\0\0" + (transport.vni or 0).to_bytes(3) + b"\0")
                self._skip(transport.length - 16, UNKNOWN)
        elif isinstance(transport, IcmpMessage):
            self._icmp(transport)
        else:
            self._skip(transport.length, UNKNOWN)

    def _tcp(self, segment: TcpSegment) -> None:
        self._put(segment.sport.to_bytes(2) + segment.dport.to_bytes(2))
        self._skip(4)
        if segment.flags & ACK:
            self._skip(4)
        else:
            self._put(bytes(4))
        self._put(bytes([(20 + segment.options) << 2, segment.flags]))
        self._skip(4)
        if segment.flags & URG:
            self._skip(2)
        else:
            self._put(bytes(2))
        self._tcp_options(segment)
        self._put(segment.data)

    def _tcp_options(self, segment: TcpSegment) -> None:
        """As the kernel lays them out (tcp_options_write)."""
        if segment.options == 20 and segment.flags & SYN and segment.mss:
            self._put(b"\x02\x04" + segment.mss.to_bytes(2) + b"\x04\x02\x08\x0a")
            self._skip(4)
            if segment.flags & ACK:
                self._skip(4)
            else:
                self._put(bytes(4))
            self._put(b"\x01\x03\x03")
            self._skip(1)
        elif segment.options == 12:
            self._put(b"\x01\x01\x08\x0a")
            self._skip(8)
        else:
            self._skip(segment.options, UNKNOWN)

    def _icmp(self, message: IcmpMessage) -> None:
        self._put(bytes([message.type, message.code]))
        self._skip(2)
        if message.quoted is None:
            self._skip(4)
            self._skip(message.size, UNKNOWN)
            return
        self._put(bytes(2) + message.mtu.to_bytes(2))
        quoted = Image(message.quoted)
        self._take(quoted, 0, message.size)
        self._skip(message.size - min(message.size, len(quoted.data)), UNKNOWN)
