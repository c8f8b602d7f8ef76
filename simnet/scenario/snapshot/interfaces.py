"""One namespace from what `ip -j` and `bridge -j` print: devices, routes, policy rules, neighbours, sysctls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from simnet.errors import SnapshotError
from simnet.net.address import Prefix, parse_ip
from simnet.net.device import (
    NO_MAC,
    Bridge,
    Device,
    InterfaceAddress,
    Ipvlan,
    Loopback,
    Macvlan,
    Physical,
    Veth,
    Vlan,
    Vxlan,
)
from simnet.net.namespace import NetNamespace
from simnet.net.route import Fib, PolicyRule, Route

from .files import converted, field, read_list, read_text

_ROUTE_TYPES = {
    "unicast",
    "local",
    "broadcast",
    "multicast",
    "unreachable",
    "prohibit",
    "blackhole",
    "throw",
    "anycast",
}
_PROTOCOLS = {"tcp": 6, "udp": 17, "icmp": 1}
_MAKERS: dict[str, type[Device]] = {
    "veth": Veth,
    "bridge": Bridge,
    "vxlan": Vxlan,
    "dummy": Device,
    "macvlan": Macvlan,
    "ipvlan": Ipvlan,
    "vlan": Vlan,
}
_MACVLAN_MODES = {"bridge", "private", "vepa", "passthru", "source"}


def read_devices(namespace: NetNamespace, path: Path, notes: list[str]) -> list[dict[str, Any]]:
    """The devices of `ip -j -d addr`, put into the namespace; returns the raw entries for the wiring."""
    links = read_list(path, needed=True, notes=notes)
    for link in links:
        namespace.add(_device(link, path))
    for link in links:
        device = namespace.devices[link["ifname"]]
        _enslave(namespace, device, link, path, notes)
    return links


def _device(link: dict[str, Any], path: Path) -> Device:
    name = field(link, "ifname", path, str)
    index = field(link, "ifindex", path, int)
    flags = link.get("flags", [])
    kind = link.get("linkinfo", {}).get("info_kind", "")
    data = link.get("linkinfo", {}).get("info_data", {})
    maker: type[Device] = Loopback if link.get("link_type") == "loopback" else _MAKERS.get(kind, Physical)
    device = maker(name, index, str(link.get("address", NO_MAC)).lower(), int(link.get("mtu", 1500)), "UP" in flags)
    if device.mtu < 0:
        raise SnapshotError(f"{name} has an MTU of {device.mtu}", file=str(path), line=1)
    device.noarp = "NOARP" in flags
    device.addresses = [_address(item, path) for item in link.get("addr_info", []) if item.get("family") == "inet"]
    if isinstance(device, Bridge):
        device.nf_call_iptables = bool(data.get("nf_call_iptables"))
    if isinstance(device, Macvlan | Ipvlan | Vlan):
        _set_upper(device, data, path)
    if isinstance(device, Vxlan):
        device.vni, device.port = int(data.get("id", 0)), int(data.get("port", 4789))
        device.ttl = int(data.get("ttl") or 0)
        device.proxy, device.vxlan_learning = bool(data.get("proxy")), bool(data.get("learning"))
        device.local = converted(data["local"], "local", path, parse_ip) if "local" in data else 0
    return device


def _set_upper(device: Macvlan | Ipvlan | Vlan, data: dict[str, Any], path: Path) -> None:
    """How a device above another works; which one that is, the wiring finds."""
    if isinstance(device, Vlan):
        device.vid = field(data, "id", path, int)
        return
    device.mode = str(data.get("mode", device.mode))
    known = _MACVLAN_MODES if isinstance(device, Macvlan) else {"l2", "l3", "l3s"}
    if device.mode not in known:
        raise SnapshotError(f"{device.name} has the {device.kind} mode {device.mode!r}", file=str(path), line=1)
    if isinstance(device, Ipvlan):
        device.flag = next((flag for flag in ("private", "vepa") if data.get(flag)), "bridge")


def _address(item: dict[str, Any], path: Path) -> InterfaceAddress:
    return InterfaceAddress(
        field(item, "local", path, parse_ip),
        field(item, "prefixlen", path, int),
        converted(item["broadcast"], "broadcast", path, parse_ip) if "broadcast" in item else 0,
        str(item.get("scope", "global")),
        secondary=bool(item.get("secondary")),
    )


def _enslave(namespace: NetNamespace, device: Device, link: dict[str, Any], path: Path, notes: list[str]) -> None:
    master = namespace.devices.get(link.get("master", ""))
    if not isinstance(master, Bridge):
        if link.get("master"):
            notes.append(f"{path}: {device.name} belongs to {link['master']!r}, which is no bridge here")
        return
    slave = link.get("linkinfo", {}).get("info_slave_data", {})
    device.master = master
    master.ports.append(device)
    device.hairpin, device.isolated = bool(slave.get("hairpin")), bool(slave.get("isolated"))
    device.learning, device.flood = bool(slave.get("learning", True)), bool(slave.get("flood", True))
    device.forwarding = slave.get("state", "forwarding") == "forwarding"


def read_fdb(namespace: NetNamespace, path: Path, notes: list[str]) -> None:
    """What bridges and tunnels have learned or been told, from `bridge -j fdb`."""
    for entry in read_list(path, needed=False, notes=notes, without="bridges begin with nothing learned"):
        device = namespace.devices.get(entry.get("ifname", ""))
        mac = str(entry.get("mac", "")).lower()
        if device is None:
            continue
        if isinstance(device, Vxlan) and "dst" in entry:
            device.fdb.setdefault(mac, []).append(converted(entry["dst"], "dst", path, parse_ip))
        elif device.master is not None and "self" not in entry.get("flags", []) and mac != device.mac:
            device.master.fdb[mac] = device


def read_routes(namespace: NetNamespace, path: Path, notes: list[str]) -> None:
    """The routing tables."""
    routes = []
    for item in read_list(path, needed=True, notes=notes):
        dst = field(item, "dst", path, str)
        gateway = str(item.get("gateway", item.get("via", {}).get("host", "0.0.0.0")))
        if ":" in dst or ":" in gateway or (dst == "default" and str(item.get("pref", ""))):
            continue  # IPv6
        hop = item["nexthops"][0] if item.get("nexthops") else item
        if len(item.get("nexthops", [])) > 1:
            notes.append(f"{path}: {dst} has several next hops; the first is used")
        dev = str(hop.get("dev", ""))
        kind = str(item.get("type", "unicast"))
        if kind not in _ROUTE_TYPES:
            notes.append(f"{path}: {dst} is of unknown type {kind!r} and left out")
            continue
        mtu = next((int(m["mtu"]) for m in item.get("metrics", []) if "mtu" in m), 0)
        routes.append(
            Route(
                converted(dst, "dst", path, Prefix.parse),
                dev,
                converted(str(hop.get("gateway", gateway)), "gateway", path, parse_ip),
                converted(item["prefsrc"], "prefsrc", path, parse_ip) if "prefsrc" in item else 0,
                kind,
                str(item.get("table", "main")),
                int(item.get("metric", 0)),
                str(item.get("scope", "global")),
                mtu,
                alive="dead" not in hop.get("flags", []),
            )
        )
    namespace.fib = Fib()
    namespace.fib.add(routes)


def read_rules(namespace: NetNamespace, path: Path, notes: list[str]) -> None:
    """The policy rules that choose among the tables."""
    found = read_list(path, needed=False, notes=notes, without="the three default policy rules are taken")
    if found:
        namespace.fib.rules = sorted((_rule(item, path, notes) for item in found), key=lambda rule: rule.priority)


def _rule(item: dict[str, Any], path: Path, notes: list[str]) -> PolicyRule:
    known = {
        "priority", "src", "srclen", "dst", "dstlen", "table", "fwmark", "fwmask", "iif", "iif_detached", "oif",
        "oif_detached", "not", "action", "ipproto", "suppress_prefixlen", "protocol", "flags", "l3mdev",
    }  # fmt: skip
    strange = sorted(set(item) - known)
    notes += [f"{path}: policy rule {item.get('priority')} has {name!r}, which is not modelled" for name in strange]

    def block(name: str) -> Prefix | None:
        text = str(item.get(name, "all"))
        length = item.get(f"{name}len")
        if text == "all":
            return None
        return converted(f"{text}/{length}" if length is not None else text, name, path, Prefix.parse)

    return PolicyRule(
        field(item, "priority", path, int),
        str(item.get("table", "")),
        block("src"),
        block("dst"),
        converted(str(item["fwmark"]), "fwmark", path, lambda v: int(v, 0)) if "fwmark" in item else None,
        converted(str(item["fwmask"]), "fwmask", path, lambda v: int(v, 0)) if "fwmask" in item else 0xFFFFFFFF,
        str(item.get("iif", "")),
        str(item.get("oif", "")),
        _PROTOCOLS.get(str(item.get("ipproto", "")), 0),
        inverted="not" in item,
        action=str(item.get("action", "lookup")) if item.get("action") in {"unreachable", "prohibit", "blackhole"}
        else "lookup",
        suppress_prefix=int(item.get("suppress_prefixlen", -1)),
    )  # fmt: skip


def read_neighbours(namespace: NetNamespace, path: Path, notes: list[str]) -> None:
    """Hardware addresses that are known already; what had failed is asked for anew."""
    for item in read_list(path, needed=False, notes=notes, without="every neighbour is asked for by ARP"):
        state = item.get("state", [])
        if "lladdr" in item and ":" not in str(item.get("dst", ":")) and "FAILED" not in state:
            key = str(item.get("dev", "")), converted(item["dst"], "dst", path, parse_ip)
            namespace.neighbours[key] = str(item["lladdr"]).lower()


def read_sysctls(namespace: NetNamespace, path: Path, notes: list[str]) -> None:
    """`key=value` lines."""
    text = read_text(path, needed=False, notes=notes, without="the kernel's defaults are taken (no forwarding)")
    for number, line in enumerate((text or "").splitlines(), 1):
        key, found, value = line.partition("=")
        if line.strip() and not found:
            raise SnapshotError(f"{line.strip()!r} is no 'key=value'", file=str(path), line=number, column=1)
        if not value.strip():
            continue  # the kernel has no such key
        if not value.strip().lstrip("-").isdigit():
            raise SnapshotError(f"{key.strip()} is {value.strip()!r}, not a number", file=str(path), line=number,
                                column=line.find("=") + 2)  # fmt: skip
        namespace.sysctls[key.strip()] = value.strip()
