"""A model's network built again in the kernel: namespaces with the same devices, addresses, routes and rules.

What is measured and what the model says of it are so of one network, whatever laid it out. A replica has no names
anywhere; it goes when it is closed or when the process ends, however that came about.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from simnet.errors import HostError
from simnet.live.host.namespace import NetworkNamespace
from simnet.net.address import ip_text
from simnet.net.device import Bridge, Device, Ipvlan, Loopback, Macvlan, Physical, Upper, Veth, Vlan, Vxlan
from simnet.net.namespace import NetNamespace
from simnet.net.netfilter import save
from simnet.net.network import Network
from simnet.net.route import UNICAST

_CALLS = "net.bridge.bridge-nf-call-iptables"
# what the kernel sets by itself in a new namespace, and the model does not
_SYSCTLS = {
    _CALLS: "0",
    "net.ipv4.conf.all.rp_filter": "0",
    "net.ipv4.conf.default.rp_filter": "0",
    "net.ipv4.ip_forward": "0",
    "net.ipv6.conf.all.disable_ipv6": "1",
    "net.ipv6.conf.default.disable_ipv6": "1",
}
# seconds: connections that were asked for once are forgotten before their ports come round again
_FORGETS = {"net.netfilter.nf_conntrack_udp_timeout": "5"}
_KEPT = ("net.ipv4.conf.", "net.ipv4.ip_forward", "net.bridge.")
_PATIENCE, _PAUSE = 10.0, 0.005
_LOCK_SECONDS = "20"


class Replica:
    """The namespaces of some places of a network, in the kernel; `spaces` holds them by place.

    A cable that leads to a place which is not built ends nowhere. Leaves out: IPVS, ipsets, policy routing, and wires
    with more than two ends, for which the model has no device (HostError).
    """

    def __init__(self, network: Network, places: Iterable[str], restore: str) -> None:
        """Build `places`, with rules as the command `restore` (an iptables-restore) loads them.

        HostError without root, and where the kernel refuses a device or a rule.
        """
        self.network = network
        self._open = ExitStack()
        self.spaces: dict[str, NetworkNamespace] = {}
        try:
            for place in sorted(places):
                self.spaces[place] = self._open.enter_context(NetworkNamespace.made(place))
            for place, space in self.spaces.items():
                namespace = network.namespaces[place]
                own = {key: value for key, value in namespace.sysctls.items() if key.startswith(_KEPT)}
                with space.entered():
                    if own.get(_CALLS) == "1" and any(isinstance(one, Bridge) for one in namespace.devices.values()):
                        _demand(_CALLS, "modprobe br_netfilter")
                    _set(_SYSCTLS | own)
            self._build(restore)
            for space in self.spaces.values():
                with space.entered():
                    _set(_FORGETS)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let the namespaces go, with all that is in them."""
        self._open.close()

    def __enter__(self) -> Replica:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def space(self, name: str) -> NetworkNamespace:
        """The namespace of a place, by any of its names."""
        return self.spaces[self.network.find(name).place]

    def socket(self, name: str, kind: socket.SocketKind) -> socket.socket:
        """A socket at a place."""
        return self.space(name).socket(socket.AF_INET, kind)

    def _build(self, restore: str) -> None:
        made: set[Device] = set()
        for place in self.spaces:
            for device in self.network.namespaces[place].devices.values():
                self._make(device, made)
        for place, space in self.spaces.items():
            namespace = self.network.namespaces[place]
            here = [device for device in namespace.devices.values() if device in made]
            space.run(["ip", "-batch", "-"], stdin="\n".join(_settings(here)) + "\n")
            lines = [*_routes(namespace, here), *_neighbours(namespace, here)]
            space.run(["ip", "-batch", "-"], stdin="\n".join(lines) + "\n")
            if ends := [line for device in here if isinstance(device, Vxlan) for line in _ends(device)]:
                space.run(["bridge", "-batch", "-"], stdin="\n".join(ends) + "\n")
        for place, space in self.spaces.items():
            namespace = self.network.namespaces[place]
            _await(space, {device.name for device in made if device.namespace is namespace and _is_cable(device)})
            if namespace.ruleset.tables:
                space.run([restore, "-w", _LOCK_SECONDS], stdin=save.dump(namespace.ruleset, counters=False))

    def _make(self, device: Device, made: set[Device]) -> None:
        """Make a device where it is not there yet, with the one at the other end of its cable."""
        if device in made:
            return
        space = self.spaces[device.namespace.place]
        end = self._far_end(device)
        if isinstance(device, Loopback):
            words: list[str] = []
        elif isinstance(device, Veth | Physical):
            if end is None:
                return
            words = [*_named(device), "type", "veth", "peer", *_named(end),
                     "netns", self.spaces[end.namespace.place].path]  # fmt: skip
            made.add(end)
        elif isinstance(device, Vxlan):
            underlay = device.underlay
            if underlay is None or underlay.place not in self.spaces:
                return
            words = [*_named(device), "netns", space.path, *_tunnel(device)]
            space = self.spaces[underlay.place]
        elif isinstance(device, Upper):
            lower = device.lower
            if lower is None or lower.namespace.place not in self.spaces:
                return
            self._make(lower, made)
            words = ["link", lower.name, *_named(device), "netns", space.path, *_upper(device)]
            space = self.spaces[lower.namespace.place]
        else:
            words = [*_named(device), "type", "bridge" if isinstance(device, Bridge) else "dummy"]
        if words:
            space.run(["ip", "link", "add", *words])
        made.add(device)

    def _far_end(self, device: Device) -> Device | None:
        """What is at the other end of a cable, if it is built; HostError where a wire has more than two ends."""
        if isinstance(device, Veth):
            others: list[Device] = [device.peer] if device.peer is not None else []
        elif isinstance(device, Physical) and device.segment is not None:
            others = [one for one in device.segment.devices if one is not device]
        else:
            return None
        found = [one for one in others if one.namespace.place in self.spaces]
        if len(found) > 1:
            raise HostError(f"the wire of {device} has {len(found) + 1} ends, and a cable has two")
        return found[0] if found else None


def _demand(key: str, hint: str) -> None:
    """HostError where this namespace has no such sysctl."""
    if not Path("/proc/sys", *key.split(".")).exists():
        raise HostError(f"this kernel has no {key}", hint)


def _set(sysctls: Mapping[str, str]) -> None:
    """Set sysctls of the namespace that this thread is in."""
    for key, value in sysctls.items():
        path = Path("/proc/sys", *key.split("."))
        if path.exists():  # a device's own come with it; IPv6, bridges and conntrack may not be there
            path.write_text(value, encoding="ascii")


def _is_cable(device: Device) -> bool:
    return isinstance(device, Veth | Physical)


def _await(space: NetworkNamespace, cables: set[str]) -> None:
    """Wait until cables and bridge ports work: a device follows its cable's state only after a moment (linkwatch)."""
    until = time.monotonic() + _PATIENCE
    while cables:
        links = json.loads(space.run(["ip", "-j", "-d", "link"]))
        waiting = [link["ifname"] for link in links if link["ifname"] in cables and not _works(link)]
        if not waiting:
            return
        if time.monotonic() > until:
            raise HostError(f"{', '.join(waiting)} of {space.name} does not come up in {_PATIENCE:g} s")
        time.sleep(_PAUSE)


def _works(link: dict[str, Any]) -> bool:
    port = link.get("linkinfo", {}).get("info_slave_data", {}).get("state", "forwarding")
    return bool(link["operstate"] == "UP" and port == "forwarding")


def _named(device: Device) -> list[str]:
    return ["name", device.name, "address", device.mac, *(["mtu", str(device.mtu)] if device.mtu else [])]


def _tunnel(device: Vxlan) -> list[str]:
    words = ["type", "vxlan", "id", str(device.vni), "dstport", str(device.port)]
    words += ["local", ip_text(device.local)] if device.local else []
    words += ["ttl", str(device.ttl)] if device.ttl else []
    return words + ["proxy"] * device.proxy + ["nolearning"] * (not device.vxlan_learning)


def _upper(device: Upper) -> list[str]:
    if isinstance(device, Vlan):
        return ["type", "vlan", "id", str(device.vid)]
    if isinstance(device, Macvlan):
        return ["type", "macvlan", "mode", device.mode]
    assert isinstance(device, Ipvlan)
    return ["type", "ipvlan", "mode", device.mode, device.flag]


def _settings(devices: Iterable[Device]) -> Iterator[str]:
    """Lines for `ip -batch`: bridges, addresses, and then everything up."""
    devices = list(devices)
    for device in devices:
        if device.master in devices:
            assert device.master is not None
            yield f"link set {device.name} master {device.master.name}"
            if device.hairpin:
                yield f"link set {device.name} type bridge_slave hairpin on"
        for one in device.addresses:
            if not isinstance(device, Loopback):
                broadcast = f"broadcast {ip_text(one.broadcast)} " if one.broadcast else ""
                yield f"addr add {ip_text(one.address)}/{one.length} {broadcast}dev {device.name} scope {one.scope}"
    for device in devices:
        if device.up:
            yield f"link set {device.name} up"


def _routes(namespace: NetNamespace, devices: Iterable[Device]) -> Iterator[str]:
    """The routes that do not come with an address."""
    names = {device.name for device in devices}
    for route in namespace.fib.routes():
        if route.table == "main" and route.type == UNICAST and route.gateway and route.device in names:
            yield f"route replace {route.dst} via {ip_text(route.gateway)} dev {route.device}"


def _neighbours(namespace: NetNamespace, devices: Iterable[Device]) -> Iterator[str]:
    names = {device.name for device in devices}
    for (device, address), mac in namespace.neighbours.items():
        if device in names:
            yield f"neigh replace {ip_text(address)} lladdr {mac} dev {device} nud permanent"


def _ends(device: Vxlan) -> Iterator[str]:
    """Which tunnel end a hardware address is behind."""
    for mac, ends in device.fdb.items():
        for end in ends:
            yield f"fdb append {mac} dev {device.name} dst {ip_text(end)}"
