"""Which device a macvlan, ipvlan or VLAN device is above.

In one namespace `ip` names the lower device (`link`). In another it gives its index there (`link_index`) and a number
for that namespace (`link_netnsid`), which veth ends with the same number give meaning to. Where there is none, the
same hardware address (of an ipvlan device, or a macvlan in mode passthru) and then the host's own namespace are taken,
where Docker makes such devices.
"""

from __future__ import annotations

from typing import Any

from simnet.net.device import Device, Ipvlan, Loopback, Macvlan, Upper
from simnet.net.network import Network


def put_above(
    network: Network, links: dict[str, list[dict[str, Any]]], spaces: dict[tuple[str, int], str], notes: list[str]
) -> None:
    """Attach every upper device of a snapshot; `spaces` says which place a place's namespace numbers stand for.

    Devices are attached in the order of their indexes, in which the kernel made them.
    """
    found: list[tuple[int, Upper, dict[str, Any]]] = []
    for place, entries in links.items():
        for entry in entries:
            device = network.namespaces[place].devices[entry["ifname"]]
            if isinstance(device, Upper):
                found.append((device.ifindex, device, entry))
    for _, device, entry in sorted(found, key=lambda row: row[0]):
        lower = _lower(network, device, entry, spaces)
        if lower is None or _rests_on(lower, device):
            notes.append(f"{device}: its lower device is in no namespace of the snapshot")
        else:
            device.attach(lower)


def _rests_on(one: Device | None, other: Device) -> bool:
    """Whether a device is another, or above it, which no kernel lets be the lower one of that."""
    while one is not None and one is not other:
        one = one.lower if isinstance(one, Upper) else None
    return one is other


def _lower(network: Network, device: Upper, entry: dict[str, Any], spaces: dict[tuple[str, int], str]) -> Device | None:
    place = device.namespace.place
    if "link" in entry:
        return device.namespace.devices.get(str(entry["link"]))
    if "link_index" not in entry:
        return None
    index, nsid = int(entry["link_index"]), int(entry.get("link_netnsid", -1))
    host = place.partition("/")[0]
    options = [
        other
        for where, namespace in network.namespaces.items()
        for other in namespace.devices.values()
        if where.partition("/")[0] == host and where != place and other.ifindex == index
        if not isinstance(other, Loopback) and spaces.get((place, nsid), where) == where
    ]
    shares = isinstance(device, Ipvlan) or (isinstance(device, Macvlan) and device.mode == "passthru")
    if shares:
        options = [other for other in options if other.mac == device.mac]
    own = [other for other in options if other.namespace.place == f"{host}/host"]
    return next(iter(own or options), None)
