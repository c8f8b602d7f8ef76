"""Matches on how the packet came and leaves: hardware addresses, kind of delivery, ports of a bridge, device groups."""

from __future__ import annotations

from .. import values
from ..context import Context
from ..rule import Option, Test
from .module import Module, all_of, bang, each, find, interface_matches


def _mac_text(text: str) -> str:
    """A hardware address with two digits a part; ValueError when it is none."""
    parts = text.split(":")
    if len(parts) != 6 or any(not 1 <= len(part) <= 2 for part in parts):
        raise ValueError(f"no hardware address {text!r}")
    return ":".join(f"{int(part, 16):02x}" for part in parts)


def _mac(option: Option, _proto: int) -> Test:
    wanted = _mac_text(option.values[0])
    negated = option.negated

    def test(c: Context) -> bool:
        device = c.skb.device
        if device is None or device.kind == "loopback" or not c.skb.src_mac or c.skb.local:
            return False
        return (c.skb.src_mac == wanted) != negated

    return test


def _show_mac(options: tuple[Option, ...], _numeric: bool) -> str:
    return f"MAC {bang(options[-1])}{_mac_text(options[-1].values[0])}"


# the name that is printed, and how the walk calls it
_PACKET_TYPES = {
    "unicast": ("unicast", "In"), "host": ("unicast", "In"), "broadcast": ("broadcast", "B"),
    "bcast": ("broadcast", "B"), "multicast": ("multicast", "M"), "mcast": ("multicast", "M"),
    "otherhost": ("otherhost", "P"), "other": ("otherhost", "P"),
}  # fmt: skip


def _pkttype(option: Option, _proto: int) -> Test:
    _, wanted = _PACKET_TYPES[option.values[0].lower()]
    negated = option.negated
    return lambda c: (c.skb.packet_type == wanted) != negated


def _show_pkttype(options: tuple[Option, ...], _numeric: bool) -> str:
    return f"PKTTYPE {bang(options[-1], '!')}= {_PACKET_TYPES[options[-1].values[0].lower()][0]}"


_PHYSDEV = ("--physdev-is-in", "--physdev-in", "--physdev-is-out", "--physdev-out", "--physdev-is-bridged")


def _physdev(options: tuple[Option, ...], _proto: int) -> Test:
    """As physdev_mt: a packet that no bridge carried matches where every option is negated."""
    asked = {option.name: option for option in options}

    def holds(option: Option | None, fact: bool) -> bool:
        return option is None or fact != option.negated

    def test(c: Context) -> bool:
        info = c.skb.bridge
        if info is None:
            return all(option.negated for option in options)
        indev = info.physin.name
        outdev = info.physout.name if info.physout is not None else ""
        if not (
            holds(asked.get("--physdev-is-bridged"), bool(outdev))
            and holds(asked.get("--physdev-is-in"), bool(indev))
            and holds(asked.get("--physdev-is-out"), bool(outdev))
        ):
            return False
        wanted_in, wanted_out = asked.get("--physdev-in"), asked.get("--physdev-out")
        if wanted_in and interface_matches(wanted_in.values[0], indev) == wanted_in.negated:
            return False
        if wanted_out is None:
            return True
        return bool(outdev) and interface_matches(wanted_out.values[0], outdev) != wanted_out.negated

    return test


def _show_physdev(options: tuple[Option, ...], _numeric: bool) -> str:
    words = ["PHYSDEV match"]
    for name in _PHYSDEV:
        option = find(options, name)
        if option is not None:
            words.append(" ".join([f"{bang(option)}{name}", *option.values]))
    return " ".join(words)


def _group(text: str) -> tuple[int, int]:
    """A device group by number, or by the one name that every host knows."""
    return values.value_mask("0" if text == "default" else text)


def _devgroup(options: tuple[Option, ...], _proto: int) -> Test:
    def make(option: Option) -> Test:
        wanted, mask = _group(option.values[0])

        def test(c: Context) -> bool | None:
            device = c.indev if option.name == "--src-group" else c.outdev
            group: int | None = getattr(device, "group", None)
            return None if group is None else (not (group ^ wanted) & mask) != option.negated

        return test

    return all_of([make(option) for option in options])


def _show_devgroup(options: tuple[Option, ...], numeric: bool) -> str:
    words = []
    for name in ("--src-group", "--dst-group"):
        option = find(options, name)
        if option is not None:
            number, mask = _group(option.values[0])
            text = f"0x{number:x}" + ("" if mask == 0xFFFFFFFF else f"/0x{mask:x}")
            words.append(f"{bang(option)}{name[2:]} {'default' if text == '0x0' and not numeric else text}")
    return " ".join(words)


MODULES = {
    "mac": Module({"--mac-source": 1}, each(_mac), _show_mac),
    "pkttype": Module({"--pkt-type": 1}, each(_pkttype), _show_pkttype),
    "physdev": Module(
        {"--physdev-in": 1, "--physdev-out": 1, "--physdev-is-in": 0, "--physdev-is-out": 0,
         "--physdev-is-bridged": 0},
        _physdev,
        _show_physdev,
    ),
    "devgroup": Module(
        {"--src-group": 1, "--dst-group": 1},
        _devgroup,
        _show_devgroup,
        "the group that a device is in is not in a snapshot",
    ),
}  # fmt: skip
