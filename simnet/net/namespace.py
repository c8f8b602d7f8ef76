"""A network namespace: its devices, routes, neighbours, sysctls, rules, connections and sockets.

Models: struct net, as far as a walk reads it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .address import is_loopback
from .device import Bridge, Device, Loopback, Vxlan
from .netfilter.conntrack import Conntrack
from .netfilter.ipset import IpSet
from .netfilter.rule import Ruleset
from .route import LOCAL, ROUTE_ERRORS, SCOPES, Fib, Route, RouteQuery
from .skb import Skb
from .socket import Sockets

if TYPE_CHECKING:
    from .network import Network


@dataclass(eq=False, slots=True)
class NetNamespace:
    """One namespace; `place` is how it prints (`h1/host`, `h1/web`).

    `ruleset6` is kept and printed; no IPv6 packet walks it yet.
    `sysctls` holds what differs from the kernel's defaults, by full key (`net.ipv4.ip_forward`). A key for one device
    (`net.ipv4.conf.docker0.rp_filter`) counts beside the one for `all`, as in the kernel: the larger one holds.
    """

    place: str
    network: Network = field(repr=False)
    devices: dict[str, Device] = field(default_factory=dict)
    fib: Fib = field(default_factory=Fib, repr=False)
    neighbours: dict[tuple[str, int], str] = field(default_factory=dict, repr=False)
    waiting: dict[tuple[str, int], list[Skb]] = field(default_factory=dict, repr=False)
    sysctls: dict[str, str] = field(default_factory=dict, repr=False)
    ruleset: Ruleset = field(default_factory=Ruleset, repr=False)
    ruleset6: Ruleset = field(default_factory=Ruleset, repr=False)
    conntrack: Conntrack = field(default_factory=Conntrack, repr=False)
    ipsets: dict[str, IpSet] = field(default_factory=dict, repr=False)
    sockets: Sockets = field(default_factory=Sockets, repr=False)
    tunnels: dict[tuple[int, int], Vxlan] = field(default_factory=dict, repr=False)
    reassembly: dict[tuple[int, int, int, int], list[Skb]] = field(default_factory=dict, repr=False)
    tracks_connections: bool = False
    filters_packets: bool = False
    _last_index: int = 0

    def new_index(self) -> int:
        """The next interface index, which no device here has (dev_new_index)."""
        taken = {device.ifindex for device in self.devices.values()}
        self._last_index += 1
        while self._last_index in taken:
            self._last_index += 1
        return self._last_index

    def forget_connections(self) -> None:
        """Forget tracked connections, fragments, packets that wait for a neighbour, and sockets that have a peer."""
        if len(self.conntrack):
            self.conntrack = Conntrack(self.conntrack.maximum)
        self.reassembly.clear()
        self.waiting.clear()
        self.sockets.streams.clear()
        self.sockets.pingers.clear()
        self.sockets.datagrams = [one for one in self.sockets.datagrams if one.peer is None]

    def add(self, device: Device) -> None:
        """Put a device into the namespace."""
        device.namespace = self
        self.devices[device.name] = device

    def load_rules(self, ruleset: Ruleset) -> None:
        """Take a rule set."""
        self.ruleset = ruleset
        self.rules_changed()

    def rules_changed(self) -> None:
        """After rules came or went: conntrack runs only where a rule needs it, as in the kernel (nf_ct_netns_get)."""
        self.filters_packets = any(table.chains for table in self.ruleset.tables.values())
        self.tracks_connections = self.ruleset.needs_conntrack

    @property
    def loopback(self) -> Device | None:
        """`lo`."""
        return next((device for device in self.devices.values() if isinstance(device, Loopback)), None)

    def seen(self, device: Device | None) -> str:
        """How the rule trace names a device: by its index here, so a foreign one is another's name or `(null)`."""
        if device is None:
            return ""
        if device.namespace is self:
            return device.name
        return next((own.name for own in self.devices.values() if own.ifindex == device.ifindex), "(null)")

    def sysctl(self, key: str, default: int = 0) -> int:
        """A number from the sysctls."""
        text = self.sysctls.get(key, "")
        return int(text) if text.lstrip("-").isdigit() else default

    def conf(self, name: str, device: Device | None) -> int:
        """`net.ipv4.conf.*.NAME` for a device: the larger of `all` and its own (IN_DEV_MAXCONF)."""
        own = self.sysctl(f"net.ipv4.conf.{device.name}.{name}") if device is not None else 0
        return max(self.sysctl(f"net.ipv4.conf.all.{name}"), own)

    @property
    def forwards(self) -> bool:
        """Whether the namespace routes for others."""
        return bool(self.sysctl("net.ipv4.ip_forward"))

    def calls_iptables(self, bridge: Bridge) -> bool:
        """Whether bridged packets go through the IPv4 hooks (br_netfilter)."""
        return bool(self.sysctl("net.bridge.bridge-nf-call-iptables")) or bridge.nf_call_iptables

    def owns(self, address: int) -> bool:
        """Whether the address is one of this namespace's own."""
        return self.fib.address_type(address) == LOCAL

    def select_address(self, device: Device, towards: int, scope: str = "global") -> int:
        """The source address for a device and a next hop (inet_select_addr); 0 when there is none."""
        limit = SCOPES[scope]
        usable = [a for a in device.addresses if SCOPES.get(a.scope, 0) <= limit]
        primary = [a for a in usable if not a.secondary]
        for address in primary:
            if towards and towards in address.network:
                return address.address
        if primary:
            return primary[0].address
        for other in self.devices.values():
            for address in other.addresses:
                if SCOPES.get(address.scope, 0) <= min(limit, SCOPES["link"] - 1) and not address.secondary:
                    return address.address
        return 0

    def route_output(self, dst: int, src: int = 0, mark: int = 0, *, any_source: bool = False) -> Route | str:
        """The route of an own packet, or the errno that its sender gets (ip_route_output_key).

        `any_source`: the source need not be one of the namespace's own (a rerouted or forwarded packet).
        """
        if src and not any_source and not self.owns(src):
            return "EINVAL"
        route = self.fib.lookup(RouteQuery(dst, src, mark))
        if route is None:
            return "ENETUNREACH"
        if route.type in ROUTE_ERRORS:
            return ROUTE_ERRORS[route.type]
        device = self.output_device(route)
        if device is None or not device.up:
            return "ENETUNREACH"
        if src and is_loopback(src) and device.kind != "loopback" and not self.conf("route_localnet", device):
            return "EINVAL"
        return route

    def output_device(self, route: Route) -> Device | None:
        """The device that a route leads to; what is local goes through `lo`."""
        return self.loopback if route.type == LOCAL else self.devices.get(route.device)

    def source_for(self, route: Route, dst: int) -> int:
        """The source address that a route implies for an unbound socket."""
        if route.prefsrc:
            return route.prefsrc
        if route.type == LOCAL:
            return dst
        device = self.devices.get(route.device)
        if device is None:
            return 0
        return self.select_address(device, route.gateway or dst, "link" if route.scope == "link" else "global")
