"""Ipvlan at work: devices that share their lower device's hardware address and are told apart by IP address.

In mode l2 they answer ARP, as macvlan devices do. In modes l3 and l3s the lower device's namespace routes for them:
what they send passes its OUTPUT and POSTROUTING hooks, with no look at its TTL; what comes for them is, in mode l3,
theirs before any hook, and in mode l3s passes PREROUTING and INPUT of the lower device's namespace, and none of theirs.

Models: drivers/net/ipvlan/ipvlan_{core,l3s,main}.c of Linux 6.x.
Leaves out: IPv6, and other multicast groups than 224.0.0.1.
"""

from __future__ import annotations

from collections.abc import Generator

from ..address import BROADCAST_MAC, Prefix, ip_text, is_loopback, is_multicast, is_zeronet, multicast_mac
from ..device import Device, Ipvlan
from ..namespace import NetNamespace
from ..packet import Arp, IPv4
from ..route import LOCAL, ROUTE_ERRORS, UNICAST, Route, RouteQuery
from ..skb import Skb
from ..step import Drop, HandOver, Step
from . import input_route, ip_input, ip_output, link


@link.driver(Ipvlan)
def transmit(device: Ipvlan, skb: Skb) -> Generator[Step, None, None]:
    """Send a packet (ipvlan_queue_xmit): to a sibling directly, else by the lower device or its namespace's routing."""
    lower = device.lower
    if lower is None:
        yield Drop(device.namespace.place, skb.serial, skb.packet, f"the lower device of {device.name} is not known")
    elif device.mode == "l2":
        yield from _transmit_l2(device, lower, skb)
    elif not (yield from _to_sibling(device, lower, skb)):
        yield from _outbound(device, lower, skb)


def _transmit_l2(device: Ipvlan, lower: Device, skb: Skb) -> Generator[Step, None, None]:
    """Send a frame in mode l2 (ipvlan_xmit_mode_l2)."""
    if device.flag != "vepa" and skb.dst_mac == skb.src_mac:
        if not (yield from _to_sibling(device, lower, skb)):
            yield from link.forward(device, lower, skb)
    elif int(skb.dst_mac[1], 16) & 1:
        skb.scrub(across=True)
        yield HandOver(device.namespace.place, skb.serial, skb.packet, "wake-up")
        device.namespace.network.wake(_spread(lower, device, skb), device.namespace, "kworker")
    else:
        yield from link.transmit(lower, skb)


def _to_sibling(device: Ipvlan, lower: Device, skb: Skb) -> Generator[Step, None, bool]:
    """Hand a packet to the sibling that has its destination address; returns whether there was one."""
    sibling = _owner(lower, _destination(skb)) if device.flag != "vepa" else None
    if sibling is None:
        return False
    if device.flag == "private":
        why = f"{device.name} and {sibling} are private, they do not reach each other"
        yield Drop(device.namespace.place, skb.serial, skb.packet, why)
    else:
        yield from link.forward(device, sibling, skb)
    return True


def _outbound(device: Ipvlan, lower: Device, skb: Skb) -> Generator[Step, None, None]:
    """Let the lower device's namespace route and send a packet as if its own (ipvlan_process_outbound)."""
    namespace = lower.namespace
    skb.scrub(across=namespace is not device.namespace)
    if not isinstance(skb.packet, IPv4) or int(skb.dst_mac[1], 16) & 1:
        yield Drop(device.namespace.place, skb.serial, skb.packet, f"in mode {device.mode} nothing is sent to groups")
        return
    route = _route(namespace, lower, skb.ip, skb.mark)
    if isinstance(route, str):
        yield Drop(namespace.place, skb.serial, skb.packet, route)
        return
    skb.device, skb.route, skb.out = lower, route, namespace.output_device(route)
    yield from ip_output.leave(namespace, skb)


def _route(namespace: NetNamespace, lower: Device, ip: IPv4, mark: int) -> Route | str:
    """The route of a packet out of the lower device, or why it has none (ip_route_output_key_hash with an oif).

    Where the tables have no route by that device, the kernel takes the destination to be on its link.
    """
    if not lower.up:
        return f"{lower.name} is down"
    if is_multicast(ip.src) or ip.src == 0xFFFFFFFF or (ip.src and is_zeronet(ip.src)):
        return f"{ip_text(ip.src)} is no source address"
    if is_loopback(ip.src) and not namespace.conf("route_localnet", lower):
        return f"{ip_text(ip.src)} does not leave by {lower.name} (route_localnet=0)"
    if is_multicast(ip.dst) or ip.dst == 0xFFFFFFFF:
        return f"{ip_text(ip.dst)} is no address of one machine"
    found = namespace.fib.lookup(RouteQuery(ip.dst, ip.src, mark, oif=lower.name))
    if found is None or found.type in ROUTE_ERRORS:
        return Route(Prefix(ip.dst, 0xFFFFFFFF), lower.name, scope="link", table="")
    if found.type not in {UNICAST, LOCAL}:
        return f"{ip_text(ip.dst)} is a {found.type} address in {namespace.place}"
    return found


@link.rx_handler(Ipvlan)
def receive(lower: Device, first: Ipvlan, skb: Skb) -> Generator[Step, None, bool]:
    """Take in a packet below ipvlan devices (ipvlan_handle_frame): to the one with its destination address."""
    if first.mode == "l3s":
        return True
    if first.mode == "l2" and int(skb.dst_mac[1], 16) & 1:
        own = skb.src_mac == lower.mac and _owner(lower, _source(skb)) is not None
        if not own:
            copy = skb.clone()
            copy.scrub(across=True)
            yield HandOver(lower.namespace.place, skb.serial, skb.packet, "wake-up")
            lower.namespace.network.wake(_spread(lower, None, copy), lower.namespace, "kworker")
        return True
    found = _owner(lower, _destination(skb))
    if found is None:
        return True
    yield from link.receive(found, skb)
    return False


def _spread(lower: Device, sender: Ipvlan | None, skb: Skb) -> Generator[Step, None, None]:
    """Hand out a frame to a group, and send it on if it came from above (ipvlan_process_multicast)."""
    place, network = (sender or lower).namespace.place, lower.namespace.network
    hears = skb.dst_mac in {BROADCAST_MAC, multicast_mac(input_route.ALL_HOSTS)}
    for device in lower.uppers if hears else ():
        if not isinstance(device, Ipvlan) or device is sender or not device.up:
            continue
        copy = skb.clone()
        if sender is not None:
            yield from link.forward(sender, device, copy)
            continue
        copy.packet_type = "B" if skb.dst_mac == BROADCAST_MAC else "M"
        yield HandOver(place, copy.serial, copy.packet, "softirq")
        network.defer(link.receive(device, copy), device)
    if sender is not None:
        yield from link.transmit(lower, skb)


@ip_input.l3_receiver
def receive_l3(device: Device, skb: Skb) -> Generator[Step, None, None]:
    """After PREROUTING in mode l3s: route a packet to the device that it is for, by that one's tables (ipvlan_l3_rcv).

    Where those refuse it, the lower device's namespace routes it as any other.
    """
    found = _l3s(device, skb)
    if found is None:
        return
    skb.device = found
    steps = list(input_route.route_input(found.namespace, skb))
    skb.device = device
    if skb.route is not None:
        yield from steps


@ip_input.local_in
def take_over(device: Device, skb: Skb) -> Device:
    """At the end of INPUT in mode l3s: the device whose sockets a packet is for (ipvlan_nf_input)."""
    return _l3s(device, skb) or device


def _l3s(lower: Device, skb: Skb) -> Ipvlan | None:
    first = next(iter(lower.uppers), None)
    return _owner(lower, skb.ip.dst) if isinstance(first, Ipvlan) and first.mode == "l3s" else None


def _owner(lower: Device, address: int) -> Ipvlan | None:
    """The device that has an address (ipvlan_addr_lookup); those of one that is down are not in the table."""
    for device in lower.uppers:
        if isinstance(device, Ipvlan) and device.up and any(own.address == address for own in device.addresses):
            return device
    return None


def _destination(skb: Skb) -> int:
    """The address that a packet is for: of an ARP packet the target's; 0 for IPv6, which no device has here."""
    if isinstance(skb.packet, Arp):
        return skb.packet.target_ip
    return skb.packet.dst if isinstance(skb.packet, IPv4) else 0


def _source(skb: Skb) -> int:
    if isinstance(skb.packet, Arp):
        return skb.packet.sender_ip
    return skb.packet.src if isinstance(skb.packet, IPv4) else 0
