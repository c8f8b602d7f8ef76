"""Sending: an own packet by its route, a forwarded one by its next hop, an ICMP error about one that cannot go on.

Models: net/ipv4/ip_output.c, icmp.c (icmp_send) and netfilter.c (ip_route_me_harder) of Linux 6.x.
Leaves out: ICMP rate limits (a walk takes no time).
"""

from __future__ import annotations

from collections.abc import Generator

from ..address import BROADCAST_MAC, ip_text, is_multicast, multicast_mac
from ..device import Device, Loopback
from ..namespace import NetNamespace
from ..netfilter import hooks
from ..packet import DEST_UNREACH, FRAG_NEEDED, HOST_UNREACH, ICMP, IP_HEADER, IcmpMessage, IPv4
from ..route import BROADCAST, LOCAL, MULTICAST, UNICAST
from ..skb import RELATED, Skb
from ..step import Drop, Origin, RouteStep, Step
from . import fragment, link, neighbour

_ERROR_TOS = 0xC0  # internetwork control
_LONGEST_ERROR = 576


def local_out(namespace: NetNamespace, skb: Skb) -> Generator[Step, None, str]:
    """Send an own packet whose route is known (ip_local_out); returns the errno that the sender gets, or nothing."""
    yield Origin(namespace.place, skb.serial, skb.packet, skb.by)
    return (yield from leave(namespace, skb))


def leave(namespace: NetNamespace, skb: Skb) -> Generator[Step, None, str]:
    """Take a packet whose route is known through OUTPUT and on; returns the errno that its sender gets, or nothing."""
    skb.local = True
    assert skb.route is not None
    yield RouteStep(namespace.place, skb.serial, skb.packet, skb.route.type, skb.out.name if skb.out else "",
                    skb.route.gateway, skb.route.table)  # fmt: skip
    return (yield from pass_output(namespace, skb))


def pass_output(namespace: NetNamespace, skb: Skb) -> Generator[Step, None, str]:
    """Take a routed packet through the OUTPUT hook and out; returns the errno that its sender gets, or nothing."""
    if not (yield from hooks.run(namespace, hooks.OUTPUT, skb, None, skb.out, reroute)):
        return "" if skb.stolen else skb.errno or "EPERM"
    return (yield from output(namespace, skb))


def reroute(namespace: NetNamespace, skb: Skb) -> Generator[Step, None, bool]:
    """Find the route of an own packet anew after it was changed (ip_route_me_harder)."""
    ip = skb.ip
    source = ip.src if namespace.fib.address_type(ip.src) in {LOCAL, UNICAST} else 0
    route = namespace.route_output(ip.dst, source, skb.mark, any_source=True)
    if isinstance(route, str):
        skb.errno = route
        yield Drop(namespace.place, skb.serial, ip, f"no route after the packet was changed: {route}")
        return False
    skb.route, skb.out = route, namespace.output_device(route)
    name = skb.out.name if skb.out is not None else ""
    yield RouteStep(namespace.place, skb.serial, ip, route.type, name, route.gateway, route.table)
    return True


def output(namespace: NetNamespace, skb: Skb) -> Generator[Step, None, str]:
    """Send a routed packet (ip_output): the POSTROUTING hook, fragments, the next hop's address, the device."""
    out = skb.out
    assert out is not None
    came_by = skb.device
    if skb.local and skb.route is not None and skb.route.type == BROADCAST and not isinstance(out, Loopback):
        yield from _loop_back(namespace, skb.clone(), out)
    if not (yield from hooks.run(namespace, hooks.POSTROUTING, skb, came_by, out)):
        return "EPERM"
    mtu = mtu_of(skb, out)
    parts = [skb]
    if skb.segment_length > mtu:
        if skb.ip.df and not skb.defragmented:
            yield Drop(
                namespace.place, skb.serial, skb.packet, f"{skb.ip.length} bytes exceed the MTU of {mtu} and DF is set"
            )
            yield from send_error(namespace, skb, DEST_UNREACH, FRAG_NEEDED, mtu)
            return "EMSGSIZE"
        parts = yield from fragment.fragment(namespace, skb, min(mtu, skb.defragmented or mtu))
    for part in parts:
        yield from _finish(namespace, part, out)
    return ""


def _loop_back(namespace: NetNamespace, copy: Skb, out: Device) -> Generator[Step, None, None]:
    """An own broadcast is for this host as well: a copy comes in by the device that it leaves by (ip_mc_output)."""
    if (yield from hooks.run(namespace, hooks.POSTROUTING, copy, None, out)):
        yield from link.loop_back(out, copy)


def _finish(namespace: NetNamespace, skb: Skb, out: Device) -> Generator[Step, None, None]:
    assert skb.route is not None
    dst = skb.ip.dst
    if is_multicast(dst) or (not out.noarp and (skb.route.type == BROADCAST or dst == 0xFFFFFFFF)):
        skb.src_mac = out.mac
        skb.dst_mac = multicast_mac(dst) if is_multicast(dst) else BROADCAST_MAC
        yield from link.transmit(out, skb)
        return
    yield from neighbour.resolve(namespace, out, skb.route.gateway or dst, skb, _link_failure)


def _link_failure(namespace: NetNamespace, skb: Skb) -> Generator[Step, None, None]:
    """Nobody answered for the next hop (ipv4_link_failure)."""
    yield from send_error(namespace, skb, DEST_UNREACH, HOST_UNREACH)


def mtu_of(skb: Skb, out: Device) -> int:
    """The largest packet that a packet's route takes, in bytes."""
    return (skb.route.mtu if skb.route is not None else 0) or out.mtu


def send(namespace: NetNamespace, skb: Skb, *, mark_route: bool = True) -> Generator[Step, None, str]:
    """Route an own packet by its addresses and send it; returns the errno that its sender gets, or nothing."""
    route = namespace.route_output(skb.ip.dst, skb.ip.src, skb.mark if mark_route else 0)
    if isinstance(route, str):
        yield Origin(namespace.place, skb.serial, skb.packet, skb.by)
        yield Drop(namespace.place, skb.serial, skb.packet, f"no route to {ip_text(skb.ip.dst)}: {route}")
        return route
    skb.route, skb.out = route, namespace.output_device(route)
    return (yield from local_out(namespace, skb))


def send_error(namespace: NetNamespace, about: Skb, kind: int, code: int, mtu: int = 0) -> Generator[Step, None, None]:
    """Tell the sender of a packet that it could not be delivered (icmp_send), if it may be told at all.

    The message leaves from the namespace of the device that the packet was routed to, not of the one it was in.
    """
    ip = about.ip
    namespace = about.out.namespace if about.out is not None else namespace
    if about.packet_type != "In" or (ip.fragment is not None and ip.fragment.offset) or ip.is_icmp_error:
        return
    if about.route is not None and about.route.type in {BROADCAST, MULTICAST}:
        return
    # the error comes from the address that was asked for, if it is ours, else from the one that leads back
    source = ip.dst if namespace.owns(ip.dst) else 0
    target = ip.src
    route = namespace.route_output(target, source)
    if isinstance(route, str):
        return
    source = source or namespace.source_for(route, target)
    quoted_size = min(ip.length, _LONGEST_ERROR - IP_HEADER - 8)
    message = IcmpMessage(kind, code, size=quoted_size, quoted=ip, mtu=mtu)
    error = Skb(
        namespace.network.serial(), IPv4(source, target, ICMP, message, tos=ip.tos & 0x1E | _ERROR_TOS), by="kernel"
    )
    if about.connection is not None:
        error.connection, error.state, error.reply = about.connection, RELATED, not about.reply
    error.route, error.out = route, namespace.output_device(route)
    yield from local_out(namespace, error)
