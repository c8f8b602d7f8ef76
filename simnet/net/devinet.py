"""Addresses and state of devices, with the routes that the kernel adds and takes away beside them.

Models: net/ipv4/devinet.c and fib_frontend.c (fib_add_ifaddr, fib_del_ifaddr, fib_sync_up, fib_disable_ip), Linux 6.x.
Leaves out: promotion of secondary addresses, and the lifetime of addresses.
"""

from __future__ import annotations

from dataclasses import replace

from .address import Prefix, is_loopback, mask_of
from .device import Device, InterfaceAddress, Upper
from .namespace import NetNamespace
from .route import BROADCAST, LOCAL, Route


def bring_up(device: Device) -> None:
    """`ip link set DEVICE up`: the device works, and its addresses get their routes.

    Example:
        >>> from .device import Loopback
        >>> from .network import Network
        >>> namespace = Network().namespace("h1/host")
        >>> namespace.add(Loopback("lo", 1, up=False))
        >>> bring_up(namespace.devices["lo"])
        >>> add_address(namespace.devices["lo"], InterfaceAddress(0x7F000001, 8, scope="host"))
        >>> namespace.owns(0x7F010203)
        True
    """
    if not device.up:
        device.up = True
        for address in device.addresses:
            device.namespace.fib.add(_routes(device, address))


def take_down(device: Device) -> None:
    """`ip link set DEVICE down`: every route through it goes; its own addresses stay local until they are deleted."""
    device.up = False
    fib = device.namespace.fib
    fib.remove(route for route in fib.routes() if route.device == device.name and route.type != LOCAL)


def add_address(device: Device, address: InterfaceAddress) -> None:
    """`ip addr add`: the address becomes local; its subnet is reached through the device as soon as that is up.

    A second address of one subnet is secondary, and needs no route of its own.
    """
    same = any(one.network == address.network and not one.secondary for one in device.addresses)
    kept = replace(address, secondary=same)
    device.addresses.append(kept)
    if device.up:
        device.namespace.fib.add(_routes(device, kept))


def delete_address(device: Device, address: InterfaceAddress) -> None:
    """`ip addr del`: the address and its routes go, and so do routes that name it as their source."""
    device.addresses.remove(address)
    fib = device.namespace.fib
    own = set(_routes(device, address))
    fib.remove(route for route in fib.routes() if route in own or route.prefsrc == address.address)


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
    """What fib_add_ifaddr adds for one address of a device that is up.

    Routes of a secondary address name the subnet's first address as their source.
    """
    same = (one for one in device.addresses if one.network == address.network and not one.secondary)
    source = next(same, address).address if address.secondary else address.address
    net, last = address.network, address.network.address | ~mask_of(address.length) & 0xFFFFFFFF
    found = [Route(Prefix(address.address, 0xFFFFFFFF), device.name, prefsrc=source, type=LOCAL, table="local",
                   scope="host")]  # fmt: skip
    if address.broadcast and address.broadcast != 0xFFFFFFFF:
        found.append(_broadcast(device, source, address.broadcast))
    if address.secondary or net.address >> 24 == 0 or not (address.length < 32 or net.address != address.address):
        return found
    local = is_loopback(net.address)
    found.append(Route(net, device.name, prefsrc=source, type=LOCAL if local else "unicast",
                       table="local" if local else "main", scope="host" if local else "link"))  # fmt: skip
    if address.length < 31 and last != address.broadcast:
        found.append(_broadcast(device, source, last))
    return found


def _broadcast(device: Device, source: int, last: int) -> Route:
    return Route(Prefix(last, 0xFFFFFFFF), device.name, prefsrc=source, type=BROADCAST, table="local", scope="link")


def namespace_with_loopback(namespace: NetNamespace) -> NetNamespace:
    """Give a namespace its `lo` with 127.0.0.1/8, up, as every program expects it."""
    from .device import Loopback

    lo = Loopback("lo", namespace.new_index(), mtu=65536)
    namespace.add(lo)
    add_address(lo, InterfaceAddress(0x7F000001, 8, scope="host"))
    return namespace
