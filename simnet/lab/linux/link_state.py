"""What `ip link` and `ifconfig` read of a device that no packet needs: carrier, flags, operational state, queue.

Models: net/core/link_watch.c (rfc2863_policy), dev_get_flags, and the drivers of each kind, Linux 6.x.
Leaves out: devices that were never up (qdisc noop), and bridges that never had a port, which keep their carrier until
the first one (Docker's lose it at once).
"""

from __future__ import annotations

from simnet.net.device import Bridge, Device, Loopback, Physical, Upper, Veth, Vxlan
from simnet.net.namespace import NetNamespace


def by_index(namespace: NetNamespace) -> list[Device]:
    """The devices in the order in which the kernel lists them."""
    return sorted(namespace.devices.values(), key=lambda device: device.ifindex)


def other_end(device: Device) -> Device | None:
    """The device that one is linked to: a veth's peer, or what a VLAN, macvlan or ipvlan sends through."""
    if isinstance(device, Veth):
        return device.peer
    return device.lower if isinstance(device, Upper) else None


def carrier(device: Device) -> bool:
    """Whether something answers at the other end of the cable: a veth's peer is up, a bridge has a port that works."""
    other = other_end(device)
    if other is not None:
        return device.up and other.up and (isinstance(device, Veth) or carrier(other))
    if isinstance(device, Bridge):
        return any(port_state(port) == "forwarding" for port in device.ports)
    return True


def port_state(port: Device) -> str:
    """A bridge port's state; without STP it forwards as soon as it has a carrier."""
    if not port.up or not carrier(port):
        return "disabled"
    return "forwarding" if port.forwarding else "blocking"


def flags(device: Device) -> list[str]:
    """The words between `<` and `>`.

    Example:
        >>> flags(Loopback("lo", 1))
        ['LOOPBACK', 'UP', 'LOWER_UP']
    """
    found = [] if not device.up or carrier(device) else ["NO-CARRIER"]
    found += ["LOOPBACK"] if isinstance(device, Loopback) else ["BROADCAST", "MULTICAST"]
    found += ["NOARP"] if device.noarp else []
    if device.up:
        found += ["UP", "LOWER_UP"] if carrier(device) else ["UP"]
    other = other_end(device)
    if other is not None and other.namespace is device.namespace and not other.up:
        found.append("M-DOWN")
    return found


def operstate(device: Device) -> str:
    """`UP`, `DOWN`, `UNKNOWN` (kinds that never tell) or `LOWERLAYERDOWN`."""
    if not device.up:
        return "DOWN"
    if not carrier(device):
        # the kernel looks for the other end's index among its own devices, whoever has it
        same = next((one for one in device.namespace.devices.values() if one.ifindex == link_index(device)), None)
        return "LOWERLAYERDOWN" if same is not None and same is not device and not carrier(same) else "DOWN"
    return "UP" if isinstance(device, Veth | Bridge | Physical | Upper) else "UNKNOWN"


def link_index(device: Device) -> int:
    """The index of the device at the other end (dev_get_iflink); 0 where there is none."""
    other = other_end(device)
    return other.ifindex if other is not None else 0


def link_namespace(device: Device) -> NetNamespace | None:
    """The other namespace that a device has an end in."""
    end = other_end(device)
    other = device.underlay if isinstance(device, Vxlan) else end.namespace if end is not None else None
    return other if other is not device.namespace else None


def namespace_id(device: Device) -> int:
    """The number that a namespace has for the one at a device's other end, in order of first meeting; -1 if none."""
    other = link_namespace(device)
    if other is None:
        return -1
    met = dict.fromkeys(link_namespace(one) for one in by_index(device.namespace))
    met.pop(None, None)
    return list(met).index(other)


def link_name(device: Device) -> str:
    """What stands after the `@`: the other end's name, or `if` and its index where it is in another namespace."""
    other = other_end(device)
    if other is None:
        return ""
    return other.name if other.namespace is device.namespace else f"if{other.ifindex}"


def queue(device: Device) -> str:
    """The queueing discipline: virtual devices have none, a card has the default of the namespace."""
    if not isinstance(device, Physical):
        return "noqueue"
    return device.namespace.sysctls.get("net.core.default_qdisc", "pfifo_fast")


def queue_length(device: Device) -> int:
    """Packets that fit in the queue; 0 for the virtual devices that Docker makes."""
    return 1000 if isinstance(device, Loopback | Physical) else 0
