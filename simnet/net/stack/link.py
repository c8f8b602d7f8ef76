"""How a packet leaves by a device, and how it is received from one.

What comes above and beside registers itself here, as kernel modules do: `packet_type` (dev_add_pack) for what takes in
a kind of packet, `driver` (ndo_start_xmit) for how a kind of device sends, `rx_handler` for what owns a port.

Models: net/core/dev.c, drivers/net/{loopback,veth}.c, net/ethernet/eth.c of Linux 6.x.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, TypeVar

from ..device import Device, Loopback, Physical, Veth, Vlan
from ..skb import Skb
from ..step import Crossing, Drop, HandOver, Step
from . import segmentation

# what is_skb_forwardable allows beyond the MTU
_VLAN_HEADER = 4

Handler = TypeVar("Handler", bound=Callable[..., Generator[Step, None, object]])

_packet_types: dict[type, Callable[..., Generator[Step, None, None]]] = {}
_drivers: dict[type, Callable[..., Generator[Step, None, None]]] = {}
_rx_handlers: dict[type, Callable[..., Generator[Step, None, bool]]] = {}


def packet_type(kind: type) -> Callable[[Handler], Handler]:
    """Register what takes in packets of a kind: a function of the device and the packet."""
    return _register(_packet_types, kind)


def driver(kind: type[Device]) -> Callable[[Handler], Handler]:
    """Register how devices of a kind send: a function of the device and the packet."""
    return _register(_drivers, kind)


def rx_handler(kind: type[Device]) -> Callable[[Handler], Handler]:
    """Register what takes in frames at a port of a kind of master, or below a kind of upper device.

    A function of the device, that master or upper device, and the packet. Returns whether the device's own stack is
    to take the packet in (RX_HANDLER_PASS).
    """
    return _register(_rx_handlers, kind)


def _register(table: dict[type, Any], kind: type) -> Callable[[Handler], Handler]:
    def put(handler: Handler) -> Handler:
        table[kind] = handler
        return handler

    return put


def transmit(device: Device, skb: Skb) -> Generator[Step, None, None]:
    """Send a packet by a device (dev_queue_xmit).

    A capture on all devices sees it leave, except on lo, where it only sees it arrive.
    """
    place = device.namespace.place
    skb.device = device
    if not device.up:
        yield Drop(place, skb.serial, skb.packet, f"{device.name} is down")
        return
    if isinstance(device, Loopback):
        skb.packet_type, skb.local = "In", False
        yield HandOver(place, skb.serial, skb.packet, "softirq")
        device.namespace.network.defer(receive(device, skb), device)
        return
    if not skb.redirected:
        yield Crossing(place, skb.serial, skb.packet, device.name, "Out")
    if type(device) in _drivers:
        yield from _drivers[type(device)](device, skb)
    elif isinstance(device, Veth) and device.peer is not None:
        yield from forward(device, device.peer, skb)
    elif isinstance(device, Physical) and device.segment is not None:
        for other in device.segment.ports(device, skb.src_mac, skb.dst_mac):
            yield from forward(device, other, skb.clone())
    else:
        yield Drop(place, skb.serial, skb.packet, f"nothing is known at the other end of {device.name}")


def loop_back(device: Device, skb: Skb) -> Generator[Step, None, None]:
    """Take in a copy of an own packet at the device that it leaves by (dev_loopback_xmit); no capture sees it."""
    skb.device, skb.packet_type, skb.local = device, "B", False
    yield HandOver(device.namespace.place, skb.serial, skb.packet, "softirq")
    device.namespace.network.defer(_packet_types[type(skb.packet)](device, skb), device)


def forward(sender: Device, receiver: Device, skb: Skb) -> Generator[Step, None, None]:
    """Put a packet into the backlog of another device, as if it came in there (dev_forward_skb)."""
    if skb.segment_length > receiver.mtu + _VLAN_HEADER:
        why = f"{skb.packet.length} bytes are more than {receiver} at the other end takes (MTU {receiver.mtu})"
        yield Drop(sender.namespace.place, skb.serial, skb.packet, why)
        return
    yield HandOver(sender.namespace.place, skb.serial, skb.packet, "softirq")
    skb.scrub(across=sender.namespace is not receiver.namespace)
    skb.packet_type = receiver.packet_type(skb.dst_mac)
    network = receiver.namespace.network
    if isinstance(sender, Physical) and isinstance(receiver, Physical):
        for piece in (skb,) if receiver.gro or not skb.segment else segmentation.pieces(skb):
            network.carry(receive(receiver, piece), sender, receiver, piece)
    else:
        network.defer(receive(receiver, skb), receiver)


def receive(device: Device, skb: Skb) -> Generator[Step, None, None]:
    """Take in a packet from a device (__netif_receive_skb_core).

    It goes to the device's master or to the devices above it, where there are any, else to what takes in its kind.
    """
    skb.device = device
    namespace = device.namespace
    if not device.up:
        yield Drop(namespace.place, skb.serial, skb.packet, f"{device.name} is down")
        return
    yield Crossing(namespace.place, skb.serial, skb.packet, device.name, skb.packet_type)
    inner = _vlan(device, skb)
    if inner is not None:
        yield from receive(inner, skb)
        return
    owner = device.master or next((upper for upper in device.uppers if type(upper) in _rx_handlers), None)
    if owner is not None and not (yield from _rx_handlers[type(owner)](device, owner, skb)):
        return
    if skb.vlan:
        skb.packet_type, skb.vlan = "P", 0  # nobody here is in that VLAN
    yield from _packet_types[type(skb.packet)](device, skb)


def _vlan(device: Device, skb: Skb) -> Vlan | None:
    """The sub-interface that a tagged packet is for; the tag is taken off (vlan_do_receive)."""
    for upper in device.uppers if skb.vlan else ():
        if isinstance(upper, Vlan) and upper.vid == skb.vlan:
            skb.vlan = 0
            if skb.packet_type == "P" and skb.dst_mac == upper.mac:
                skb.packet_type = "In"
            return upper
    return None


@driver(Vlan)
def _tag(device: Vlan, skb: Skb) -> Generator[Step, None, None]:
    """Send a packet by a sub-interface (vlan_dev_hard_start_xmit)."""
    if device.lower is None:
        yield Drop(device.namespace.place, skb.serial, skb.packet, f"the lower device of {device.name} is not known")
        return
    skb.vlan = device.vid
    yield from transmit(device.lower, skb)
