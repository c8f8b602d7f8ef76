"""What a capture on all devices of a place shows: each packet, the device that it crossed, and which way."""

from __future__ import annotations

import socket
from select import select

from simnet.live.host.namespace import NetworkNamespace
from simnet.net.address import ip_text

from .trace import packet_of

_ALL, _IPV4, _ARP = 0x0003, 0x0800, 0x0806
_DIRECTIONS = {0: "In", 1: "B", 2: "M", 3: "P", 4: "Out"}

_SO_RCVBUFFORCE, _BUFFER = 33, 4 << 20
_MORE, _OFFSET = 0x2000, 0x1FFF

# a packet as the rule trace identifies it, or the four words of an ARP packet
Key = tuple[str | int, ...]


class Capture:
    """Listens in one place from when it is made; like tcpdump, it sees a packet on `lo` once, as it comes in."""

    def __init__(self, space: NetworkNamespace, place: str) -> None:
        """Listen from now on, on all devices."""
        self.place = place
        self._socket = space.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ALL))
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
        self._fragmented: dict[bytes, Key] = {}

    def close(self) -> None:
        """Listen no more."""
        self._socket.close()

    def drain(self, quiet: float = 0.0) -> list[tuple[Key, str]]:
        """Pairs of a packet's key and `DEVICE DIRECTION` since the last call, once all is quiet."""
        found = []
        while select([self._socket], [], [], quiet)[0]:
            data, (device, kind, direction, *_) = self._socket.recvfrom(65536)
            if kind not in {_IPV4, _ARP} or (device == "lo" and _DIRECTIONS.get(direction) == "Out"):
                continue
            found.append((arp_key(data) if kind == _ARP else self._key(data), f"{device} {_DIRECTIONS[direction]}"))
        return found

    def _key(self, data: bytes) -> Key:
        """An IPv4 packet; a later fragment counts as the first one, which has the ports.

        They are matched by protocol and number alone: where NAT changes a packet, the kernel may have written the new
        addresses over a later fragment's old ones before it is read here (ip_fraglist_prepare).
        """
        whole = data[4:6] + data[9:10]
        key, place = ip_key(data), int.from_bytes(data[6:8], "big")
        if place & _OFFSET:
            return self._fragmented.get(whole, key)
        if place & _MORE:
            self._fragmented[whole] = key
        return key


def arp_key(data: bytes) -> Key:
    """An ARP packet: `request` or `reply`, and whose address is asked of whom."""
    sender, target = (ip_text(int.from_bytes(data[at : at + 4], "big")) for at in (14, 24))
    return "arp", "request" if data[7] == 1 else "reply", sender, target


def ip_key(data: bytes) -> Key:
    """An IPv4 packet, as the rule trace identifies it."""
    header = (data[0] & 15) * 4
    return packet_of(data[:header], data[header:].ljust(20, b"\0"))
