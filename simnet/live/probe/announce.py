"""Every container (and load balancer) says where it is, by a gratuitous ARP, as it does itself when it sends anything.

A bridge that has never heard of a container floods what is for it. On most networks the ARP that comes first teaches
it; on an overlay network nobody asks, and the first packet to a container that was silent so far would go another way
than all that follow.
"""

from __future__ import annotations

import json
import socket
import struct

from simnet.live.host.namespace import NetworkNamespace
from simnet.net.address import parse_ip

_ARP, _BROADCAST = 0x0806, b"\xff" * 6


def announce(space: NetworkNamespace) -> None:
    """Send one for each IPv4 address that a namespace has on an Ethernet device."""
    for device in json.loads(space.run(["ip", "-j", "addr"])):
        addresses = [one["local"] for one in device["addr_info"] if one["family"] == "inet"]
        if device["link_type"] == "ether" and "LOWER_UP" in device["flags"]:
            mac = bytes.fromhex(device["address"].replace(":", ""))
            with space.socket(socket.AF_PACKET, socket.SOCK_RAW) as one:
                one.bind((device["ifname"], _ARP))
                for address in addresses:
                    one.send(gratuitous(mac, parse_ip(address)))


def gratuitous(mac: bytes, address: int) -> bytes:
    """The frame: a request of everybody for the sender's own address (RFC 5227).

    Example:
        >>> frame = gratuitous(bytes.fromhex("024200000001"), 0x0A000001)
        >>> len(frame), frame[28:32] == frame[38:42]
        (42, True)
    """
    own = struct.pack("!I", address)
    header = _BROADCAST + mac + struct.pack("!H", _ARP)
    return header + struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + mac + own + bytes(6) + own
