"""Which device leads where: veth peers, lower devices, machines on one cable, and the namespace under each tunnel.

A veth end names its peer's index (`link_index`) and a number for the peer's namespace (`link_netnsid`) that only the
own namespace gives meaning to. Ends that name each other are candidates; what is known of namespaces, learned
hardware addresses and subnets settles the rest. What stays open is said, not guessed.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from simnet.net.address import Prefix
from simnet.net.device import Bridge, Device, Physical, Segment, Veth, Vlan, Vxlan
from simnet.net.namespace import NetNamespace
from simnet.net.network import Network

from . import uppers


@dataclass(eq=False, slots=True)
class _End:
    """A veth end that looks for its peer."""

    device: Veth
    peer_index: int
    nsid: int

    @property
    def place(self) -> str:
        return self.device.namespace.place

    @property
    def host(self) -> str:
        return self.place.partition("/")[0]


def connect(network: Network, links: dict[str, list[dict[str, Any]]], notes: list[str]) -> None:
    """Wire all namespaces; `links` holds each place's raw entries of `ip -j -d addr`."""
    uppers.put_above(network, links, _pair(_ends(network, links), notes), notes)
    _join(network, notes)
    for namespace in network.namespaces.values():
        for device in namespace.devices.values():
            if isinstance(device, Vxlan):
                _lay_under(network, namespace, device)
            if isinstance(device, Bridge):
                _hear(device)


def _ends(network: Network, links: dict[str, list[dict[str, Any]]]) -> list[_End]:
    found = []
    for place, entries in links.items():
        for entry in entries:
            device = network.namespaces[place].devices[entry["ifname"]]
            if isinstance(device, Veth) and "link_index" in entry:
                found.append(_End(device, int(entry["link_index"]), int(entry.get("link_netnsid", -1))))
            elif isinstance(device, Veth) and "link" in entry:
                other = network.namespaces[place].devices.get(entry["link"])
                if isinstance(other, Veth):
                    device.peer, other.peer = other, device
    return found


def _pair(ends: list[_End], notes: list[str]) -> dict[tuple[str, int], str]:
    """Join the ends that name each other, the surest first; each joint rules out candidates of others.

    Returns which place each place's numbers for namespaces stand for, as far as it came out.
    """
    by_name: dict[tuple[int, int], list[_End]] = defaultdict(list)
    for end in ends:
        by_name[end.device.ifindex, end.peer_index].append(end)
    spaces: dict[tuple[str, int], str] = {}
    open_ends = [end for end in ends if end.device.peer is None]

    def fits(one: _End, other: _End) -> bool:
        if one is other or other.device.peer is not None:
            return False
        if (one.place == other.place) != (one.nsid < 0):
            return False
        return _may_be(spaces, one, other) and _may_be(spaces, other, one)

    while open_ends:
        ranked = []
        for end in open_ends:
            options = [other for other in by_name[end.peer_index, end.device.ifindex] if fits(end, other)]
            scores = sorted(((_evidence(end, other), other) for other in options), key=lambda pair: -pair[0])
            # what speaks against a pair counts for more than that nothing else is there: its peer may be elsewhere
            if not scores or scores[0][0] < 0:
                continue
            lead = scores[0][0] - (scores[1][0] if len(scores) > 1 else 0)
            sure = 1000 if len(scores) == 1 else 0
            ranked.append((sure + lead, scores[0][0], end, scores[0][1], len(scores) > 1 and not lead))
        if not ranked:
            break
        _, _, end, other, tie = max(ranked, key=lambda row: row[:2])
        if tie:
            notes.append(f"{end.device}: several devices could be its peer; {other.device} is taken")
        end.device.peer, other.device.peer = other.device, end.device
        spaces[end.place, end.nsid] = other.place
        spaces[other.place, other.nsid] = end.place
        open_ends = [one for one in open_ends if one.device.peer is None]
    notes += [f"{end.device}: the other end of this veth is in no namespace of the snapshot" for end in open_ends]
    return spaces


def _may_be(spaces: dict[tuple[str, int], str], one: _End, other: _End) -> bool:
    """Whether the namespace that `one` calls by its number can be `other`'s: a number means one namespace only."""
    own = {nsid: place for (where, nsid), place in spaces.items() if where == one.place}
    if one.nsid in own:
        return own[one.nsid] == other.place
    return other.place not in own.values()


def _evidence(one: _End, other: _End) -> int:
    """How much speaks for two ends being a pair, beyond their indexes."""
    score = 8 if one.host == other.host else 0
    for inner, outer in ((one.device, other.device), (other.device, one.device)):
        bridge = outer.master
        if bridge is None:
            continue
        if bridge.fdb.get(inner.mac) is outer:
            score += 64
        elif inner.mac in bridge.fdb:
            score -= 64
        blocks = [address.network for address in bridge.addresses]
        if any(address.address in block for address in inner.addresses for block in blocks):
            score += 16
        elif inner.addresses and blocks:
            score -= 16
    return score


def _join(network: Network, notes: list[str]) -> None:
    """Put cards without a known other end on a cable with those of other hosts in the same subnet."""
    loose: list[Device] = []
    for namespace in network.namespaces.values():
        for device in namespace.devices.values():
            lost = isinstance(device, Veth) and device.peer is None and namespace.place.endswith("/host")
            if _blocks(device) and device.master is None and (isinstance(device, Physical) or lost):
                loose.append(device)
    segments: dict[Device, Segment] = {}
    cards = {device: _card(device) for device in loose}
    for one, other in combinations(loose, 2):
        shared = _blocks(one) & _blocks(other)
        if not shared or one.namespace.place.split("/")[0] == other.namespace.place.split("/")[0]:
            continue
        segment = segments.get(one) or segments.get(other) or Segment(str(min(shared)))
        for device in (one, other):
            if device not in segments:
                segments[device] = segment
                segment.devices.append(cards[device])
                cards[device].segment = segment
        notes.append(f"{one} and {other} are taken to be on one cable ({min(shared)})")


def _blocks(device: Device) -> set[Prefix]:
    """The subnets that are on a device's cable: its own, and those of devices above it."""
    untagged = [upper for upper in device.uppers if not isinstance(upper, Vlan)]
    return {address.network for one in (device, *untagged) for address in one.addresses}


def _card(device: Device) -> Physical:
    """The device as a network card; a veth whose other end is unknown takes this form."""
    if isinstance(device, Physical):
        return device
    card = Physical(device.name, device.ifindex, device.mac, device.mtu, device.up, device.noarp, device.addresses)
    device.namespace.add(card)
    for upper in list(device.uppers):
        upper.attach(card)
    return card


def _hear(bridge: Bridge) -> None:
    """Let a bridge know who is at its ports, as after the first frame that each of them sends.

    An entry is forgotten after five minutes of silence, so a snapshot of a quiet host lacks what its next packet
    brings.
    """
    for port in bridge.ports:
        if isinstance(port, Veth) and port.peer is not None and port.peer.master is None and port.learning:
            for heard in (port.peer, *port.peer.uppers):
                bridge.fdb.setdefault(heard.mac, port)


def _lay_under(network: Network, namespace: NetNamespace, device: Vxlan) -> None:
    """A tunnel's outer packets leave from the host's own namespace (where Docker makes the device)."""
    host = namespace.place.partition("/")[0]
    underlay = network.namespaces.get(f"{host}/host", namespace)
    device.underlay = underlay
    underlay.tunnels[device.port, device.vni] = device
