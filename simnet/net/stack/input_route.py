"""The routing decision for a received packet: what may not come in at all, and where the rest goes.

Models: ip_route_input_slow of net/ipv4/route.c and fib_validate_source of net/ipv4/fib_frontend.c, Linux 6.x.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from ..address import Prefix, ip_text, is_loopback, is_multicast, is_zeronet
from ..device import Device
from ..namespace import NetNamespace
from ..packet import HOST_UNREACH, NET_UNREACH, PKT_FILTERED, Arp
from ..route import BROADCAST, LOCAL, MULTICAST, ROUTE_ERRORS, UNICAST, Route, RouteQuery
from ..skb import Skb
from ..step import Drop, RouteStep, Step

# what the sender is told where there is no route, by the kind of failure (ip_error)
_CODES = {"none": NET_UNREACH, "no network": NET_UNREACH, "unreachable": HOST_UNREACH, "prohibit": PKT_FILTERED}


# the group that every host is in
ALL_HOSTS = 0xE0000001


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a packet goes on, and the code of destination unreachable that its sender is owed if it does not."""

    going: bool
    code: int | None = None


def route_input(namespace: NetNamespace, skb: Skb) -> Generator[Step, None, Decision]:
    """Decide where a received packet goes (ip_route_input_slow); sets its `route` and `out` where it may go on."""
    ip, device, place = skb.ip, skb.device, namespace.place
    martian = _martian(namespace, device, ip.src, ip.dst)
    if martian:
        yield Drop(place, skb.serial, ip, martian)
        return Decision(going=False)
    if is_multicast(ip.dst) and ip.dst != ALL_HOSTS:
        yield Drop(place, skb.serial, ip, f"nobody here has joined {ip_text(ip.dst)}")
        return Decision(going=False)
    if ip.dst == 0xFFFFFFFF or is_multicast(ip.dst):
        wrong = "" if is_zeronet(ip.src) else _validate_source(namespace, device, ip.src, 0, skb.mark)
        if wrong:
            yield Drop(place, skb.serial, ip, wrong)
            return Decision(going=False)
        skb.route = Route(dst=_host(ip.dst), type=BROADCAST if ip.dst == 0xFFFFFFFF else MULTICAST, table="local")
        skb.out = namespace.loopback
        return Decision(going=True)
    query = RouteQuery(ip.dst, ip.src, skb.mark, iif=device.name if device is not None else "")
    route = namespace.fib.lookup(query)
    if route is None or route.type in ROUTE_ERRORS:
        kind = route.type if route is not None else "none"
        yield RouteStep(place, skb.serial, ip, kind, "", 0, route.table if route is not None else "")
        why = f" ({kind})" if route is not None else ""
        yield Drop(place, skb.serial, ip, f"no route to {ip_text(ip.dst)}{why}")
        return Decision(going=False, code=_CODES.get(kind))
    if route.type == UNICAST and not namespace.forwards:
        yield RouteStep(place, skb.serial, ip, route.type, route.device, route.gateway, route.table)
        why = f"{ip_text(ip.dst)} is not local and forwarding is off (net.ipv4.ip_forward=0)"
        yield Drop(place, skb.serial, ip, why)
        return Decision(going=False)
    bad_source = _validate_source(namespace, device, ip.src, ip.dst, skb.mark)
    if bad_source:
        yield Drop(place, skb.serial, ip, bad_source)
        return Decision(going=False)
    skb.route, skb.out = route, namespace.output_device(route)
    yield RouteStep(place, skb.serial, ip, route.type, route.device, route.gateway, route.table)
    return Decision(going=True)


def _host(address: int) -> Prefix:
    return Prefix(address, 0xFFFFFFFF)


def refuses(namespace: NetNamespace, device: Device, arp: Arp) -> bool:
    """Whether an ARP request is left unanswered because no packet from its sender would be taken in (arp_process)."""
    return bool(
        _martian(namespace, device, arp.sender_ip, arp.target_ip)
        or _validate_source(namespace, device, arp.sender_ip, arp.target_ip, 0)
    )


def _martian(namespace: NetNamespace, device: Device | None, src: int, dst: int) -> str:
    """Why the addresses of a received packet cannot be, or an empty string."""
    if is_multicast(src) or src == 0xFFFFFFFF or (is_zeronet(src) and dst != 0xFFFFFFFF):
        return f"martian source {ip_text(src)}"
    if is_zeronet(dst):
        return f"martian destination {ip_text(dst)}"
    if device is None or device.kind == "loopback" or namespace.conf("route_localnet", device):
        return ""
    for what, address in (("destination", dst), ("source", src)):
        if is_loopback(address):
            return f"martian {what} {ip_text(address)} on {device.name} (route_localnet=0)"
    return ""


def _validate_source(namespace: NetNamespace, device: Device | None, src: int, dst: int, mark: int) -> str:
    """Why a packet may not come from this source by this device (fib_validate_source), or an empty string."""
    if device is None or device.kind == "loopback":
        return ""
    strictness = namespace.conf("rp_filter", device)
    accept_local = namespace.conf("accept_local", device)
    if not strictness and not namespace.fib.has_custom_rules:
        if namespace.owns(src) and not accept_local:
            return f"martian source: {ip_text(src)} is one of this namespace's own addresses"
        return ""
    query = RouteQuery(src, dst, mark if namespace.conf("src_valid_mark", device) else 0)
    back = namespace.fib.lookup(query)
    if back is None or back.type in ROUTE_ERRORS:
        return f"rp_filter: no route back to {ip_text(src)}" if strictness else ""
    if back.type != UNICAST and not (back.type == LOCAL and accept_local):
        return f"martian source {ip_text(src)} ({back.type})"
    if back.device == device.name or not strictness or (strictness == 2 and device.addresses):
        return ""
    return f"rp_filter: the way back to {ip_text(src)} is {back.device}, not {device.name}"
