"""A VXLAN tunnel at work: frames into UDP and out of it, and ARP answered on behalf of far neighbours.

Models: drivers/net/vxlan/vxlan_core.c of Linux 6.x.
Leaves out: multicast groups, IPv6 underlays, and the source port (which the kernel hashes from the inner flow).
"""

from __future__ import annotations

from collections.abc import Generator

from ..address import ip_text
from ..device import Vxlan
from ..packet import UDP, Arp, Frame, IPv4, UdpDatagram
from ..skb import Skb
from ..step import Drop, HandOver, Step, Tunnel
from . import ip_output, link

SOURCE_PORT = 49152


@link.driver(Vxlan)
def encapsulate(device: Vxlan, skb: Skb) -> Generator[Step, None, None]:
    """Send a frame through the tunnel (vxlan_xmit): find the remote end, wrap it, send it from the underlay."""
    place = device.namespace.place
    if skb.vlan:
        yield Drop(place, skb.serial, skb.packet, f"VLAN tags inside a tunnel ({device.name}) are not modelled")
        return
    if device.proxy and isinstance(skb.packet, Arp) and skb.packet.op == 1:
        mac = device.namespace.neighbours.get((device.name, skb.packet.target_ip), "")
        if mac:
            question = skb.packet
            answer = Arp(2, mac, question.target_ip, question.sender_mac, question.sender_ip)
            reply = Skb(skb.serial, answer, src_mac=mac, dst_mac=question.sender_mac, by="vxlan")
            reply.packet_type = device.packet_type(reply.dst_mac)
            device.namespace.network.defer(link.receive(device, reply), device)
            return
    remotes = device.fdb.get(skb.dst_mac) or device.fdb.get("00:00:00:00:00:00", [])
    if not remotes:
        yield Drop(place, skb.serial, skb.packet, f"{device.name} knows no tunnel end for {skb.dst_mac}")
        return
    for remote in remotes:
        if device.underlay is not None:
            yield from _send(device, skb, remote)


def _send(device: Vxlan, skb: Skb, remote: int) -> Generator[Step, None, None]:
    underlay = device.underlay
    assert underlay is not None
    route = underlay.route_output(remote, device.local)
    if isinstance(route, str):
        why = f"no route to the tunnel end {ip_text(remote)}: {route}"
        yield Drop(device.namespace.place, skb.serial, skb.packet, why)
        return
    source = device.local or underlay.source_for(route, remote)
    yield Tunnel(device.namespace.place, skb.serial, skb.packet, "encapsulate", device.name, device.vni, remote)
    inner = Frame(skb.src_mac, skb.dst_mac, skb.packet)
    datagram = UdpDatagram(SOURCE_PORT, device.port, vni=device.vni, inner=inner)
    outer = Skb(skb.serial, IPv4(source, remote, UDP, datagram, ttl=device.ttl or 64), device=device, by=skb.by)
    outer.segment, outer.excess = skb.segment, skb.excess
    if underlay is device.namespace:
        outer.mark = skb.mark
    outer.route, outer.out = route, underlay.output_device(route)
    yield from ip_output.local_out(underlay, outer)


def decapsulate(device: Vxlan, skb: Skb, datagram: UdpDatagram) -> Generator[Step, None, None]:
    """Take a frame out of a tunnel packet (vxlan_rcv) and receive it from the tunnel's device."""
    frame = datagram.inner
    assert frame is not None
    place = device.namespace.place
    yield Tunnel(place, skb.serial, frame.payload, "decapsulate", device.name, device.vni, 0)
    if device.vxlan_learning and isinstance(skb.packet, IPv4):
        device.fdb[frame.src] = [skb.packet.src]
    inner = Skb(skb.serial, frame.payload, src_mac=frame.src, dst_mac=frame.dst, by=skb.by)
    inner.packet_type = device.packet_type(frame.dst)
    inner.segment, inner.excess = skb.segment, skb.excess
    yield HandOver(place, skb.serial, frame.payload, "softirq")
    device.namespace.network.defer(link.receive(device, inner), device)
