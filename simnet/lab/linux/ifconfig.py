"""`ifconfig`: devices in the old form.

Models: busybox 1.35.
Leaves out: traffic counters (a device of the model does not count; they print as 0), changes (use `ip`), IPv6.
"""

from __future__ import annotations

from simnet.answer import Answer
from simnet.net.address import ip_text, mask_of
from simnet.net.device import Device, Loopback

from . import link_state
from .ending import Ending, unmodelled
from .place import Place

_COUNTERS = """\
          RX packets:0 errors:0 dropped:0 overruns:0 frame:0
          TX packets:0 errors:0 dropped:0 overruns:0 carrier:0
          collisions:0 txqueuelen:{} 
          RX bytes:0 (0.0 B)  TX bytes:0 (0.0 B)

"""  # noqa: W291 - busybox ends the line so


def ifconfig(place: Place, words: list[str], _stdin: str) -> Answer:
    """`ifconfig [-a] [DEVICE]`: those that are up, in order of their names, or one."""
    devices = place.namespace.devices
    names = [word for word in words if word != "-a"]
    if len(names) > 1 or any(name.startswith("-") for name in names):
        raise unmodelled("ifconfig", f"ifconfig {' '.join(words)}")
    if names:
        if names[0] not in devices:
            raise Ending(f"ifconfig: {names[0]}: error fetching interface information: Device not found")
        return Answer(_shown(devices[names[0]]))
    found = [device for name, device in sorted(devices.items()) if device.up or "-a" in words]
    return Answer("".join(_shown(device) for device in found))


def _shown(device: Device) -> str:
    loopback = isinstance(device, Loopback)
    kind = "Local Loopback" if loopback else f"Ethernet  HWaddr {device.mac.upper()}"
    text = f"{device.name:<9} Link encap:{kind}  \n"
    for one in device.addresses[:1]:
        broadcast = "" if loopback else f"  Bcast:{ip_text(one.broadcast)}"
        text += f"          inet addr:{ip_text(one.address)}{broadcast}  Mask:{ip_text(mask_of(one.length))}\n"
    running = device.up and link_state.carrier(device)
    names = ["UP"] if device.up else []
    names += ["LOOPBACK"] if loopback else ["BROADCAST"]
    names += ["RUNNING"] if running else []
    names += ["NOARP"] if device.noarp else []
    names += [] if loopback else ["MULTICAST"]
    text += f"          {' '.join(names)}  MTU:{device.mtu}  Metric:1\n"
    return text + _COUNTERS.format(link_state.queue_length(device))
