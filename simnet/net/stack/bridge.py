"""A bridge at work: learning, forwarding, flooding, and br_netfilter's tour of the IPv4 hooks.

Models: net/bridge/br_{input,forward,device,netfilter_hooks}.c of Linux 6.x.
Leaves out: VLANs, STP, multicast snooping, proxy ARP on ports.
"""

from __future__ import annotations

from collections.abc import Generator

from ..device import Bridge, Device
from ..namespace import NetNamespace
from ..netfilter import hooks
from ..packet import IPv4
from ..skb import BridgeInfo, Skb
from ..step import BridgeStep, Drop, Step
from . import fragment, input_route, link, neighbour


@link.rx_handler(Bridge)
def receive(port: Device, bridge: Bridge, skb: Skb) -> Generator[Step, None, bool]:
    """Take in a frame from a port (br_handle_frame): the PREROUTING hook first, then the decision."""
    namespace = bridge.namespace
    if not port.forwarding:
        yield Drop(namespace.place, skb.serial, skb.packet, f"port {port.name} of {bridge.name} is blocked")
        return False
    if skb.dst_mac == bridge.mac:
        skb.packet_type = "In"
    if isinstance(skb.packet, IPv4) and not skb.vlan and namespace.calls_iptables(bridge):
        decided = yield from _prerouting(port, bridge, skb)
        if decided:
            return False
    yield from _decide(port, bridge, skb)
    return False


def _prerouting(port: Device, bridge: Bridge, skb: Skb) -> Generator[Step, None, bool]:
    """The IPv4 PREROUTING hook for a bridged packet (br_nf_pre_routing); True where the packet's way ends here."""
    namespace = bridge.namespace
    other_host = skb.packet_type == "P"
    if other_host:
        skb.packet_type = "In"
    skb.device = bridge
    whole = yield from fragment.defragment(namespace, skb, "bridge")
    if whole is None:
        return True
    before = skb.ip.dst
    skb.bridge = BridgeInfo(port, prerouted=True)
    if not (yield from hooks.run(namespace, hooks.PREROUTING, skb, bridge, None)):
        return True
    skb.device = port
    if other_host:
        skb.packet_type = "P"
    if skb.ip.dst == before:
        return False
    return (yield from _redirected(bridge, skb))


def _redirected(bridge: Bridge, skb: Skb) -> Generator[Step, None, bool]:
    """DNAT changed the destination of a bridged packet (br_nf_pre_routing_finish): to a neighbour, or up to IP."""
    namespace = bridge.namespace
    skb.device = bridge
    decision = yield from input_route.route_input(namespace, skb)
    skb.device = skb.bridge.physin if skb.bridge else bridge
    if not decision.going:
        return True
    route = skb.route
    if route is not None and route.type == "unicast" and skb.out is bridge:
        mac = namespace.neighbours.get((bridge.name, route.gateway or skb.ip.dst), "")
        skb.route = None
        if mac:
            skb.dst_mac = mac
            return False
        yield from _ask_then_decide(bridge, skb, route.gateway or skb.ip.dst)
        return True
    skb.dst_mac = bridge.mac
    skb.packet_type = "In"
    return False


def _ask_then_decide(bridge: Bridge, skb: Skb, address: int) -> Generator[Step, None, None]:
    """The new destination is on this bridge and its hardware address unknown: ask, then go on with the decision."""
    skb.out, skb.redirected = None, True
    yield from neighbour.resolve(bridge.namespace, bridge, address, skb, _give_up)


def _give_up(_namespace: NetNamespace, _skb: Skb) -> Generator[Step, None, None]:
    """A bridged packet's sender is not told that nobody answered."""
    yield from ()


def _decide(port: Device, bridge: Bridge, skb: Skb) -> Generator[Step, None, None]:
    """Learn the sender, then forward, flood or deliver (br_handle_frame_finish)."""
    namespace = bridge.namespace
    if port.learning and not bridge.is_local(skb.src_mac):
        bridge.fdb[skb.src_mac] = port
    if int(skb.dst_mac[1], 16) & 1:
        skb.packet_type = "B" if skb.dst_mac == "ff:ff:ff:ff:ff:ff" else "M"
        yield from _flood(port, bridge, skb, local=True)
    elif bridge.is_local(skb.dst_mac):
        yield BridgeStep(namespace.place, skb.serial, skb.packet, bridge.name, "local")
        yield from _pass_up(bridge, skb)
    elif skb.dst_mac in bridge.fdb:
        out = bridge.fdb[skb.dst_mac]
        if out is None or not _may_leave(port, out):
            why = f"the destination is behind {out.name if out else bridge.name} itself, which has no hairpin mode"
            yield Drop(namespace.place, skb.serial, skb.packet, why)
            return
        yield BridgeStep(namespace.place, skb.serial, skb.packet, bridge.name, "forward", (out.name,))
        yield from _forward(bridge, out, skb)
    else:
        yield from _flood(port, bridge, skb, local=False)


def _may_leave(came_by: Device, port: Device) -> bool:
    """Whether a frame may leave by a port (should_deliver)."""
    return (
        port.forwarding
        and (port is not came_by or port.hairpin)
        and not (port.isolated and came_by.isolated and port is not came_by)
    )


def _flood(port: Device, bridge: Bridge, skb: Skb, *, local: bool) -> Generator[Step, None, None]:
    # a new port goes to the head of the kernel's list, so the newest is served first
    ports = [other for other in reversed(bridge.ports) if other.up and other.flood and _may_leave(port, other)]
    to = (*(other.name for other in ports), *((bridge.name,) if local else ()))
    yield BridgeStep(bridge.namespace.place, skb.serial, skb.packet, bridge.name, "flood", to)
    for other in ports:
        yield from _forward(bridge, other, skb.clone())
    if local:
        yield from _pass_up(bridge, skb)


def _pass_up(bridge: Bridge, skb: Skb) -> Generator[Step, None, None]:
    """Hand a frame to the bridge's own host (br_pass_frame_up)."""
    yield from link.receive(bridge, skb)


def _forward(bridge: Bridge, out: Device, skb: Skb) -> Generator[Step, None, None]:
    """Send a frame out of a port: the FORWARD and POSTROUTING hooks, in which the bridge itself is the device."""
    namespace = bridge.namespace
    filtered = skb.bridge is not None and isinstance(skb.packet, IPv4) and namespace.calls_iptables(bridge)
    if filtered:
        assert skb.bridge is not None
        skb.bridge.physout = out
        kept, skb.packet_type = skb.packet_type, "In" if skb.packet_type == "P" else skb.packet_type
        if not (yield from hooks.run(namespace, hooks.FORWARD, skb, bridge, bridge)):
            return
        skb.packet_type = kept
        if not (yield from hooks.run(namespace, hooks.POSTROUTING, skb, None, bridge)):
            return
    parts = [skb]
    if skb.defragmented and skb.segment_length > out.mtu:
        parts = yield from fragment.fragment(namespace, skb, min(out.mtu, skb.defragmented))
    for part in parts:
        if part.segment_length > out.mtu:
            why = f"{skb.packet.length} bytes exceed {out.name}'s MTU of {out.mtu}"
            yield Drop(namespace.place, skb.serial, skb.packet, why)
            continue
        yield from link.transmit(out, part)


@link.driver(Bridge)
def transmit(bridge: Bridge, skb: Skb) -> Generator[Step, None, None]:
    """Send a packet by the bridge's device (br_dev_xmit)."""
    namespace = bridge.namespace
    if skb.redirected and skb.bridge is not None:
        # bridged, given a new destination on the same bridge, and held back until its neighbour was known
        skb.redirected = False
        yield from _decide(skb.bridge.physin, bridge, skb)
        return
    skb.bridge = None
    if int(skb.dst_mac[1], 16) & 1 or skb.dst_mac not in bridge.fdb:
        yield from _flood(bridge, bridge, skb, local=False)
        return
    out = bridge.fdb[skb.dst_mac]
    if out is None or not _may_leave(bridge, out):
        yield Drop(namespace.place, skb.serial, skb.packet, f"no port of {bridge.name} leads to {skb.dst_mac}")
        return
    yield BridgeStep(namespace.place, skb.serial, skb.packet, bridge.name, "forward", (out.name,))
    yield from _forward(bridge, out, skb)
