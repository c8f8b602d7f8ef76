"""Receiving: from a device through PREROUTING to the routing decision, and up to this namespace's own protocols.

A protocol registers itself with `protocol` (inet_add_protocol).

Models: net/ipv4/ip_input.c of Linux 6.x.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TypeVar

from ..device import Device
from ..namespace import NetNamespace
from ..netfilter import hooks
from ..packet import DEST_UNREACH, PROT_UNREACH, IPv4
from ..route import BROADCAST, LOCAL, MULTICAST
from ..skb import Skb
from ..step import Drop, HandOver, Step
from . import fragment, input_route, ip_forward, ip_output, link

Protocol = Callable[[NetNamespace, Skb], Generator[Step, None, None]]
L3Receiver = Callable[[Device, Skb], Generator[Step, None, None]]
LocalIn = Callable[[Device, Skb], Device]
Handler = TypeVar("Handler", bound=Protocol)
L3Handler = TypeVar("L3Handler", bound=L3Receiver)
LocalHandler = TypeVar("LocalHandler", bound=LocalIn)

_protocols: dict[int, Protocol] = {}
_l3_receivers: list[L3Receiver] = []
_local_ins: list[LocalIn] = []


def protocol(number: int) -> Callable[[Handler], Handler]:
    """Register what takes in the packets of a protocol."""

    def put(handler: Handler) -> Handler:
        _protocols[number] = handler
        return handler

    return put


def l3_receiver(handler: L3Handler) -> L3Handler:
    """Register what may route a packet that passed PREROUTING, where devices are above its own (l3mdev_l3_rcv)."""
    _l3_receivers.append(handler)
    return handler


def local_in(handler: LocalHandler) -> LocalHandler:
    """Register what says, after INPUT, by which of the devices above a packet's own it counts as received."""
    _local_ins.append(handler)
    return handler


@link.packet_type(IPv4)
def receive(device: Device, skb: Skb) -> Generator[Step, None, None]:
    """Take in a packet from a device (ip_rcv): the PREROUTING hook, then the routing decision."""
    namespace = device.namespace
    if skb.packet_type == "P":
        reason = "addressed to another machine's hardware address"
        yield Drop(namespace.place, skb.serial, skb.packet, reason, other_host=True)
        return
    info = skb.bridge
    if info is not None and info.prerouted and not info.sabotaged:
        info.sabotaged = True  # br_netfilter ran this hook at the bridge's port (ip_sabotage_in)
    else:
        if namespace.tracks_connections and (yield from fragment.defragment(namespace, skb, "prerouting")) is None:
            return
        if not (yield from hooks.run(namespace, hooks.PREROUTING, skb, device, None)):
            return
    for receiver in _l3_receivers if device.uppers else ():
        yield from receiver(device, skb)
    if skb.route is None or skb.out is None:
        decision = yield from input_route.route_input(namespace, skb)
        if not decision.going:
            if decision.code is not None and namespace.forwards and skb.packet_type == "In":
                yield from ip_output.send_error(namespace, skb, DEST_UNREACH, decision.code)
            return
    assert skb.route is not None
    if skb.route.type in {LOCAL, BROADCAST, MULTICAST}:
        yield from deliver(namespace, skb)
    else:
        yield from ip_forward.forward(namespace, skb)


def deliver(namespace: NetNamespace, skb: Skb) -> Generator[Step, None, None]:
    """Hand a packet to own sockets (ip_local_deliver): reassembly, the INPUT hook, the protocol.

    Those are the sockets of this namespace, or of the one that a device took the packet over for.
    """
    if (yield from fragment.defragment(namespace, skb, "deliver")) is None:
        return
    if not (yield from hooks.run(namespace, hooks.INPUT, skb, skb.device, None)):
        return
    if skb.device is not None and skb.device.uppers:
        for taker in _local_ins:
            skb.device = taker(skb.device, skb)
        namespace = skb.device.namespace
    handler = _protocols.get(skb.ip.proto)
    if handler is not None:
        yield from handler(namespace, skb)
        return
    yield Drop(namespace.place, skb.serial, skb.packet, f"nobody here takes protocol {skb.ip.proto}")
    yield from ip_output.send_error(namespace, skb, DEST_UNREACH, PROT_UNREACH)


def wake(namespace: NetNamespace, skb: Skb) -> Generator[Step, None, None]:
    """Note that a process is woken for this packet."""
    yield HandOver(namespace.place, skb.serial, skb.packet, "wake-up")
