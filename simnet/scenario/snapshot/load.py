"""A snapshot folder read whole: every host and outside machine, every namespace, wired together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from simnet.errors import SnapshotError
from simnet.net import ipvs
from simnet.net.device import Bridge
from simnet.net.namespace import NetNamespace
from simnet.net.netfilter import ipset, save
from simnet.net.network import Network

from . import containers, interfaces, wiring
from .files import read_text, understood

# rules beside those that `iptables-save` printed: the other back end's, and tables of nft's own
_OTHER_RULES = ("iptables-legacy-save", "nft-tables")


def load(folder: Path) -> Network:
    """The network of a snapshot folder (`HOST/NAMESPACE/…`); SnapshotError or RulesError where it cannot be read.

    What was missing and could be done without stands in the network's `notes`.
    """
    if not folder.is_dir():
        raise SnapshotError(
            "no such folder", file=str(folder), hint="name a folder that holds HOST/NAMESPACE/ip-addr.json"
        )
    try:
        hosts = sorted(path for path in folder.iterdir() if path.is_dir())
        places = [(host, space) for host in hosts for space in sorted(host.iterdir()) if space.is_dir()]
    except OSError as error:
        raise SnapshotError(f"cannot be read: {error.strerror}", file=str(error.filename)) from None
    if not places:
        raise SnapshotError("no snapshot: it holds no HOST/NAMESPACE folders", file=str(folder))
    network = Network()
    links: dict[str, list[dict[str, Any]]] = {}
    for host, space in places:
        namespace = network.namespace(f"{host.name}/{space.name}")
        links[namespace.place] = _read(namespace, space, network.notes)
    with understood(folder, "ip -j -d addr"):
        wiring.connect(network, links, network.notes)
    for host in hosts:
        with understood(host / "docker-inspect.json", "docker inspect"):
            containers.read_containers(network, host, network.notes)
    for namespace in network.namespaces.values():
        _hairpin_sysctls(namespace, network.notes)
    return network


def _read(namespace: NetNamespace, folder: Path, notes: list[str]) -> list[dict[str, Any]]:
    """One namespace's folder; returns its raw links for the wiring."""
    addresses = folder / "ip-addr.json"
    with understood(addresses, "ip -j -d addr"):
        links = interfaces.read_devices(namespace, addresses, notes)
    fdb = folder / "bridge-fdb.json"
    with understood(fdb, "bridge -j fdb"):
        interfaces.read_fdb(namespace, fdb, notes)
    routes = folder / "ip-route.json"
    with understood(routes, "ip -j route show table all"):
        interfaces.read_routes(namespace, routes, notes)
    policy = folder / "ip-rule.json"
    with understood(policy, "ip -j rule"):
        interfaces.read_rules(namespace, policy, notes)
    neighbours = folder / "ip-neigh.json"
    with understood(neighbours, "ip -j neigh"):
        interfaces.read_neighbours(namespace, neighbours, notes)
    interfaces.read_sysctls(namespace, folder / "sysctl", notes)
    rules = folder / "iptables-save"
    text = read_text(rules, needed=True, notes=notes) or ""
    namespace.load_rules(save.parse(text, str(rules)))
    notes += [f"{folder / name}: the host has these rules too; they are not followed"
              for name in _OTHER_RULES if (folder / name).exists()]  # fmt: skip
    sets = folder / "ipset"
    if sets.exists():
        namespace.ipsets = ipset.parse(read_text(sets, needed=False, notes=notes) or "")
    _read_ipvs(namespace, folder / "ipvs", notes)
    return links


def _read_ipvs(namespace: NetNamespace, path: Path, notes: list[str]) -> None:
    """Read /proc/net/ip_vs where it was kept; conclude net.ipv4.vs.conntrack from a rule that needs it.

    An engine sets it together with the rule that gives IPVS's packets a source address; it is not in a snapshot.
    """
    text = read_text(path, needed=False, notes=notes) if path.exists() else None
    services = ipvs.parse(text or "", str(path))
    for service in services:
        namespace.ipvs.add(service)
    notes += [f"{path}: {what}" for what in ipvs.unmodelled(services)]
    namespace.rules_changed()
    key, table = "net.ipv4.vs.conntrack", namespace.ruleset.tables.get("nat")
    asks = table is not None and any(match.module == "ipvs" for rule in table.rules() for match in rule.matches)
    if services and asks and key not in namespace.sysctls:
        namespace.sysctls[key] = "1"
        notes.append(f"{namespace.place}: a rule of the nat table asks about IPVS, so {key}=1 is taken as well")


def _hairpin_sysctls(namespace: NetNamespace, notes: list[str]) -> None:
    """Conclude route_localnet of a bridge from its ports' hairpin mode.

    An engine without userland proxy sets both; only the ports' mode is in a snapshot.
    """
    for device in namespace.devices.values():
        key = f"net.ipv4.conf.{device.name}.route_localnet"
        if not isinstance(device, Bridge) or key in namespace.sysctls or not any(port.hairpin for port in device.ports):
            continue
        namespace.sysctls[key] = "1"
        notes.append(f"{namespace.place}: {device.name} has ports in hairpin mode, so {key}=1 is taken as well")
