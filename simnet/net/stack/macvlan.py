"""Macvlan at work: devices that share a lower device, each with a hardware address of its own.

Siblings in mode `bridge` reach each other without the wire; the lower device's own stack and theirs never do, for what
either sends goes out to the wire and not to the other.

Models: drivers/net/macvlan.c of Linux 6.x.
Leaves out: mode `source` (it takes nothing in), IPv6 and other multicast groups than 224.0.0.1, fragments sent to a
group, and `nopromisc`.
"""

from __future__ import annotations

from collections.abc import Generator

from ..address import BROADCAST_MAC, multicast_mac
from ..device import Device, Macvlan
from ..skb import Skb
from ..step import Drop, HandOver, Step
from . import link
from .input_route import ALL_HOSTS

_EVERY_MODE = ("private", "vepa", "bridge", "passthru")

# hash_64 of include/linux/hash.h, and the buckets of a port's hash table
_GOLDEN_RATIO, _HASH_BITS, _WORD = 0x61C8864680B583EB, 8, (1 << 64) - 1


@link.driver(Macvlan)
def transmit(device: Macvlan, skb: Skb) -> Generator[Step, None, None]:
    """Send a frame (macvlan_queue_xmit): in mode `bridge` to siblings directly, else by the lower device."""
    lower = device.lower
    if lower is None:
        yield Drop(device.namespace.place, skb.serial, skb.packet, f"the lower device of {device.name} is not known")
        return
    if device.mode == "bridge":
        if _is_group(skb.dst_mac):
            for sibling in hearers(lower, device, ("bridge",), skb.dst_mac):
                yield from link.forward(device, sibling, skb.clone())
        elif (found := _at(lower, skb.dst_mac)) is not None and found.mode == "bridge":
            # back into the lower device, so that its captures see the frame
            yield from link.forward(device, lower, skb)
            return
    yield from link.transmit(lower, skb)


@link.rx_handler(Macvlan)
def receive(lower: Device, first: Macvlan, skb: Skb) -> Generator[Step, None, bool]:
    """Take in a frame below macvlan devices (macvlan_handle_frame): to the one that it is for, to all, or to none."""
    if _is_group(skb.dst_mac):
        return (yield from _receive_group(lower, skb))
    found = first if first.mode == "passthru" else _at(lower, skb.dst_mac)
    if found is None or found.mode == "source":
        return True
    skb.packet_type = "In"
    yield from link.receive(found, skb)
    return False


def _receive_group(lower: Device, skb: Skb) -> Generator[Step, None, bool]:
    """Pass a broadcast or multicast frame up, and give copies to the devices above, from a work queue."""
    source = _at(lower, skb.src_mac)
    if source is not None and source.mode not in {"vepa", "bridge"}:
        # the switch sent the frame back to where it came from
        skb.packet_type = "B" if skb.dst_mac == BROADCAST_MAC else "M"
        lower.namespace.network.defer(link.receive(source, skb), source)
        return False
    if source is None:
        modes: tuple[str, ...] = _EVERY_MODE
    else:
        # siblings in mode bridge had the frame on its way out
        modes = ("vepa", "bridge") if source.mode == "vepa" else ("vepa",)
    heard_by = hearers(lower, source, modes, skb.dst_mac)
    if heard_by:
        yield HandOver(lower.namespace.place, skb.serial, skb.packet, "wake-up")
        lower.namespace.network.wake(_spread(lower, heard_by, skb.clone()), lower.namespace, "kworker")
    return True


def _spread(lower: Device, heard_by: list[Macvlan], skb: Skb) -> Generator[Step, None, None]:
    """Hand out a frame that came from outside (macvlan_process_broadcast)."""
    for device in heard_by:
        copy = skb.clone()
        copy.packet_type = "B" if skb.dst_mac == BROADCAST_MAC else "M"
        yield HandOver(lower.namespace.place, copy.serial, copy.packet, "softirq")
        lower.namespace.network.defer(link.receive(device, copy), device)


def _is_group(mac: str) -> bool:
    return bool(int(mac[1], 16) & 1)


def _at(lower: Device, mac: str) -> Macvlan | None:
    """The device that has a hardware address (macvlan_hash_lookup); one that is down is not in the table."""
    for device in lower.uppers:
        if isinstance(device, Macvlan) and device.up and device.mac == mac:
            return device
    return None


def hearers(lower: Device, source: Macvlan | None, modes: tuple[str, ...], mac: str) -> list[Macvlan]:
    """Who gets a frame to a group: who is in one of the modes, did not send it and listens to the group.

    In the order of the kernel's hash table; within a bucket the newest is first.
    """
    if mac not in {BROADCAST_MAC, multicast_mac(ALL_HOSTS)}:
        return []
    found = [
        device
        for device in reversed(lower.uppers)
        if isinstance(device, Macvlan) and device.up and device is not source and device.mode in modes
    ]
    return sorted(found, key=lambda device: _bucket(device.mac))


def _bucket(mac: str) -> int:
    """The bucket of a hardware address (macvlan_eth_hash, on a little-endian machine)."""
    value = int.from_bytes(bytes.fromhex(mac.replace(":", "")), "little") << 16
    return (value * _GOLDEN_RATIO & _WORD) >> (64 - _HASH_BITS)
