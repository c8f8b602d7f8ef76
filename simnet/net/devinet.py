"""Addresses and state of devices, with the routes that the kernel adds and takes away beside them.

Models: net/ipv4/devinet.c and fib_frontend.c (fib_add_ifaddr, fib_del_ifaddr, fib_disable_ip) of Linux 6.x.
Leaves out: the lifetime of addresses, and noprefixroute.
"""

from __future__ import annotations

from dataclasses import replace

from .address import Prefix, mask_of
from .device import Device, InterfaceAddress, Loopback, Upper
from .namespace import NetNamespace
from .route import BROADCAST, LOCAL, SCOPES, Route


def bring_up(device: Device) -> None:
    """`ip link set DEVICE up`: the device works, its addresses get their routes, and `lo` an address if it has none.

    Example:
        >>> from .network import Network
        >>> namespace = Network().namespace("h1/host")
        >>> namespace.add(Loopback("lo", 1, up=False))
        >>> bring_up(namespace.devices["lo"])
        >>> namespace.owns(0x7F010203)
        True
    """
    if device.up:
        return
    device.up = True
    if isinstance(device, Loopback) and not device.addresses:
        add_address(device, InterfaceAddress(0x7F000001, 8, scope="host"))
    for address in device.addresses:
        _install(device, _routes(device, address))


def take_down(device: Device) -> None:
    """`ip link set DEVICE down`: its routes and neighbours go; its addresses stay local until they are deleted."""
    device.up = False
    fib = device.namespace.fib
    # a local route's next hop has the scope "nowhere", which fib_sync_down_dev leaves alone
    fib.remove(route for route in fib.routes() if route.device == device.name and route.type != LOCAL)
    _forget_neighbours(device)
    bridge = device.master
    if bridge is not None:
        bridge.fdb = {mac: port for mac, port in bridge.fdb.items() if port is not device}


def add_address(device: Device, address: InterfaceAddress) -> None:
    """`ip addr add`: the address becomes local; its subnet is reached through the device as soon as that is up.

    A second address of one subnet is secondary, and needs no route of its own. Primary addresses stand before
    secondary ones, those of a wider scope first (__inet_insert_ifa).
    """
    same = any(one.network == address.network for one in device.addresses)
    kept = replace(address, secondary=same)
    limit = SCOPES.get(address.scope, 0)
    wider = [at for at, one in enumerate(device.addresses) if not one.secondary and SCOPES.get(one.scope, 0) <= limit]
    device.addresses.insert(len(device.addresses) if same else max(wider, default=-1) + 1, kept)
    _install(device, _routes(device, kept))


def delete_address(device: Device, address: InterfaceAddress) -> None:
    """`ip addr del`: the address and its routes go, and so do routes that name it as their source.

    With a primary address its secondary ones go too, unless `promote_secondaries` makes the first of them primary. With
    the last address of a device all routes and neighbours through it go (__inet_del_ifa, fib_del_ifaddr).
    """
    namespace = device.namespace
    followers = [one for one in device.addresses if one.secondary and one.network == address.network]
    gone = [address]
    if not address.secondary and not namespace.conf("promote_secondaries", device):
        gone += followers
    before = {one: _routes(device, one) for one in device.addresses}
    device.addresses[:] = [one for one in device.addresses if one not in gone]
    if not address.secondary and followers and len(gone) == 1:
        at = device.addresses.index(followers[0])
        device.addresses[at] = replace(followers[0], secondary=False)
    after = {one: _routes(device, one) for one in device.addresses}
    needed = {route for routes in after.values() for route in routes}
    namespace.fib.remove({route for routes in before.values() for route in routes} - needed)
    for routes in after.values():
        _install(device, routes)
    for one in gone:
        if namespace.fib.address_type(one.address) != LOCAL:
            namespace.fib.remove(route for route in namespace.fib.routes() if route.prefsrc == one.address)
    if not device.addresses:
        namespace.fib.remove(route for route in namespace.fib.routes() if route.device == device.name)
        _forget_neighbours(device)


def _install(device: Device, routes: list[Route]) -> None:
    """Add those routes that are not there yet; a device that is down gets the local ones alone."""
    fib = device.namespace.fib
    there = set(fib.routes())
    wanted = [route for route in routes if device.up or (route.type == LOCAL and route.dst.length == 32)]
    fib.add(dict.fromkeys(route for route in wanted if route not in there))


def _forget_neighbours(device: Device) -> None:
    """Nothing is known any more of who is behind a device (arp_ifdown)."""
    namespace = device.namespace
    namespace.neighbours = {key: mac for key, mac in namespace.neighbours.items() if key[0] != device.name}


def remove_device(device: Device) -> None:
    """`ip link del`: the device goes, with its addresses and every route through it."""
    namespace = device.namespace
    namespace.fib.remove(route for route in namespace.fib.routes() if route.device == device.name)
    if device.master is not None:
        leave_bridge(device)
    if isinstance(device, Upper):
        device.detach()
    del namespace.devices[device.name]
    namespace.neighbours = {key: mac for key, mac in namespace.neighbours.items() if key[0] != device.name}


def leave_bridge(device: Device) -> None:
    """`ip link set DEVICE nomaster`: the bridge forgets the port and what it heard from it."""
    bridge = device.master
    if bridge is not None:
        bridge.ports.remove(device)
        bridge.fdb = {mac: port for mac, port in bridge.fdb.items() if port is not device}
        device.master = None


def _routes(device: Device, address: InterfaceAddress) -> list[Route]:
    """What fib_add_ifaddr adds for one address of a device that is up; a secondary one's source is its primary."""
    net = address.network
    primary = next((one for one in device.addresses if not one.secondary and one.network == net), address)
    source = primary.address if address.secondary else address.address
    found = [_host_route(device, source, address.address, LOCAL)]
    if address.broadcast and address.broadcast != 0xFFFFFFFF:
        found.append(_host_route(device, source, address.broadcast, BROADCAST))
    if address.secondary or net.address >> 24 == 0 or not (address.length < 32 or net.address != address.address):
        return found
    local = isinstance(device, Loopback)
    found.append(Route(net, device.name, prefsrc=source, type=LOCAL if local else "unicast",
                       table="local" if local else "main", scope="host" if local else "link"))  # fmt: skip
    last = net.address | ~mask_of(address.length) & 0xFFFFFFFF
    if address.length < 31 and last != address.broadcast:
        found.append(_host_route(device, source, last, BROADCAST))
    return found


def _host_route(device: Device, source: int, address: int, kind: str) -> Route:
    """The route of one own or broadcast address, in the local table."""
    scope = "host" if kind == LOCAL else "link"
    return Route(Prefix(address, 0xFFFFFFFF), device.name, prefsrc=source, type=kind, table="local", scope=scope)


def namespace_with_loopback(namespace: NetNamespace) -> NetNamespace:
    """Give a namespace its `lo` with 127.0.0.1/8, up, as every program expects it."""
    lo = Loopback("lo", namespace.new_index(), mtu=65536)
    namespace.add(lo)
    add_address(lo, InterfaceAddress(0x7F000001, 8, scope="host"))
    return namespace
