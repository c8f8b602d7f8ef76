"""Neighbours: the hardware address of a next hop, asked for by ARP where it is not known.

Models: net/ipv4/arp.c and net/core/neighbour.c of Linux 6.x.
Leaves out: ageing, and the probes by which an old entry is confirmed.
"""

from __future__ import annotations

from collections.abc import Callable, Generator

from ..address import BROADCAST_MAC, ip_text
from ..device import Device, Loopback
from ..namespace import NetNamespace
from ..packet import Arp
from ..skb import Skb
from ..step import Drop, NeighbourStep, Step
from . import input_route, link

# tells a packet's sender that its next hop did not answer
LinkFailure = Callable[[NetNamespace, Skb], Generator[Step, None, None]]

# three requests, one second apart (net.ipv4.neigh.default.mcast_solicit, retrans_time_ms)
GIVE_UP = 3_000_000_000


def resolve(
    namespace: NetNamespace, device: Device, address: int, skb: Skb, failed: LinkFailure
) -> Generator[Step, None, None]:
    """Send a packet to a next hop; where its hardware address is unknown the packet waits for the ARP reply.

    `failed` is called with the packet when none comes.
    """
    place = namespace.place
    skb.src_mac = device.mac
    if isinstance(device, Loopback) or device.noarp:
        skb.dst_mac = device.mac
        yield from link.transmit(device, skb)
        return
    key = device.name, address
    mac = namespace.neighbours.get(key, "")
    yield NeighbourStep(place, skb.serial, skb.packet, address, device.name, mac)
    if mac:
        skb.dst_mac = mac
        yield from link.transmit(device, skb)
        return
    asked = key in namespace.waiting
    namespace.waiting.setdefault(key, []).append(skb)
    if not asked:
        namespace.network.after(GIVE_UP, lambda: _fail(namespace, device, address, failed))
        yield from _solicit(namespace, device, address, skb)


def _solicit(namespace: NetNamespace, device: Device, address: int, skb: Skb) -> Generator[Step, None, None]:
    source = skb.ip.src if namespace.owns(skb.ip.src) else namespace.select_address(device, address, "link")
    request = Arp(1, device.mac, source, "00:00:00:00:00:00", address)
    question = Skb(namespace.network.serial(), request, src_mac=device.mac, dst_mac=BROADCAST_MAC, by="arp")
    yield from link.transmit(device, question)


def _fail(
    namespace: NetNamespace, device: Device, address: int, failed: LinkFailure
) -> Generator[Step, None, None] | None:
    """Give up: what waited is dropped, and its sender told that the host is unreachable (arp_error_report)."""
    waiting = namespace.waiting.pop((device.name, address), [])
    if not waiting:
        return None

    def walk() -> Generator[Step, None, None]:
        for skb in waiting:
            yield Drop(namespace.place, skb.serial, skb.packet, no_answer(address, device))
            yield from failed(namespace, skb)

    return walk()


def no_answer(address: int, device: Device) -> str:
    """Why a packet died whose next hop nobody answers for."""
    return f"nobody answers ARP for {ip_text(address)} on {device.name}"


@link.packet_type(Arp)
def receive(device: Device, skb: Skb) -> Generator[Step, None, None]:
    """Take in an ARP packet: learn its sender, answer for own addresses (arp_process)."""
    namespace, arp = device.namespace, skb.packet
    assert isinstance(arp, Arp)
    if skb.packet_type == "P" or device.noarp:
        return
    key = device.name, arp.sender_ip
    known = key in namespace.neighbours or key in namespace.waiting
    for_me = namespace.owns(arp.target_ip) and (arp.op == 2 or not input_route.refuses(namespace, device, arp))
    if arp.op == 1 and for_me:
        namespace.neighbours[key] = arp.sender_mac
        answer = Arp(2, device.mac, arp.target_ip, arp.sender_mac, arp.sender_ip)
        reply = Skb(namespace.network.serial(), answer, src_mac=device.mac, dst_mac=arp.sender_mac, by="arp")
        yield from link.transmit(device, reply)
    elif known or (arp.op == 2 and for_me):
        namespace.neighbours[key] = arp.sender_mac
    for waiting in namespace.waiting.pop(key, []):
        waiting.dst_mac = arp.sender_mac
        yield from link.transmit(device, waiting)
