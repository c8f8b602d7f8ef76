"""How a packet leaves by a device, and how it is received from one.

What comes above and beside registers itself here, as kernel modules do: `packet_type` (dev_add_pack) for what takes in
a kind of packet, `driver` (ndo_start_xmit) for how a kind of device sends, `rx_handler` for what owns a port.

Models: net/core/dev.c, drivers/net/{loopback,veth}.c, net/ethernet/eth.c of Linux 6.x.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, TypeVar

from ..device import Device, Loopback, Physical, Veth
from ..skb import Skb
from ..step import Crossing, Drop, HandOver, Step

# what is_skb_forwardable allows beyond the MTU
_VLAN_HEADER = 4

Handler = TypeVar("Handler", bound=Callable[..., Generator[Step, None, None]])

_packet_types: dict[type, Callable[..., Generator[Step, None, None]]] = {}
_drivers: dict[type, Callable[..., Generator[Step, None, None]]] = {}
_rx_handlers: dict[type, Callable[..., Generator[Step, None, None]]] = {}


def packet_type(kind: type) -> Callable[[Handler], Handler]:
    """Register what takes in packets of a kind: a function of the device and the packet."""
    return _register(_packet_types, kind)


def driver(kind: type[Device]) -> Callable[[Handler], Handler]:
    """Register how devices of a kind send: a function of the device and the packet."""
    return _register(_drivers, kind)


def rx_handler(kind: type[Device]) -> Callable[[Handler], Handler]:
    """Register what takes in frames at the ports of a kind of master: a function of port, master and packet."""
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
        device.namespace.network.defer(receive(device, skb))
        return
    if not skb.redirected:
        yield Crossing(place, skb.serial, skb.packet, device.name, "Out")
    if type(device) in _drivers:
        yield from _drivers[type(device)](device, skb)
    elif isinstance(device, Veth) and device.peer is not None:
        yield from _arrive(device, device.peer, skb)
    elif isinstance(device, Physical) and device.segment is not None:
        for other in device.segment.devices:
            if other is not device:
                yield from _arrive(device, other, skb.clone())
    else:
        yield Drop(place, skb.serial, skb.packet, f"nothing is known at the other end of {device.name}")


def _arrive(sender: Device, receiver: Device, skb: Skb) -> Generator[Step, None, None]:
    """Put a packet into the backlog of the device at the other end (dev_forward_skb)."""
    if skb.packet.length > receiver.mtu + _VLAN_HEADER:
        why = f"{skb.packet.length} bytes are more than {receiver} at the other end takes (MTU {receiver.mtu})"
        yield Drop(sender.namespace.place, skb.serial, skb.packet, why)
        return
    yield HandOver(sender.namespace.place, skb.serial, skb.packet, "softirq")
    skb.scrub(across=sender.namespace is not receiver.namespace)
    skb.packet_type = receiver.packet_type(skb.dst_mac)
    receiver.namespace.network.defer(receive(receiver, skb))


def receive(device: Device, skb: Skb) -> Generator[Step, None, None]:
    """Take in a packet from a device: to its master if it is a port, else by its kind (__netif_receive_skb_core)."""
    skb.device = device
    namespace = device.namespace
    if not device.up:
        yield Drop(namespace.place, skb.serial, skb.packet, f"{device.name} is down")
        return
    yield Crossing(namespace.place, skb.serial, skb.packet, device.name, skb.packet_type)
    if device.master is not None:
        yield from _rx_handlers[type(device.master)](device, device.master, skb)
    else:
        yield from _packet_types[type(skb.packet)](device, skb)
