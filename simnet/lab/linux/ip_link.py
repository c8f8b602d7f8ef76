"""`ip link`: devices shown, up, down, their MTU and their bridge; and made and deleted.

Models: iplink.c and ipaddress.c (print_linkinfo) of iproute2 6.1.
Leaves out: details (-d), statistics (-s), names and hardware addresses that change, kinds other than bridge and veth
(which print as Docker's do, without qlen).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from simnet.net.device import Bridge, Device, Loopback, Physical, Veth, made_mac
from simnet.net.devinet import bring_up, leave_bridge, remove_device, take_down

from . import link_state
from .ending import Ending, unmodelled
from .ip_words import Form, device, extended, kernel, matches, next_word, number, wrong
from .place import Place

_KINDS = {"veth": Veth, "bridge": Bridge, "physical": Physical}
_LEAST_MTU = 68


def run(place: Place, form: Form, words: list[str]) -> str:
    """`ip link [COMMAND …]`."""
    command = words[0] if words else "show"
    for name, doer in (("add", _add), ("set", _set), ("show", _show), ("delete", _delete), ("list", _show)):
        if (matches(command, name) and len(command) > (command != "s")) or command == name:
            return doer(place, form, words[1:])
    if command in {"lst", "ls", "l", "s"}:
        return _show(place, form, words[1:])
    if command in {"change", "replace", "property", "xstats", "afstats", "help"}:
        raise unmodelled("ip", f"ip link {command}")
    raise Ending(f'Command "{command}" is unknown, try "ip link help".', 255)


def selected(place: Place, words: list[str], taken: dict[str, list[str]] | None = None) -> Iterator[Device]:
    """The devices that the words after `show` ask for; `taken` collects options of another command by their names."""
    found, given = link_state.by_index(place.namespace), list(words)
    while given:
        word = given.pop(0)
        if taken is not None and word in taken:
            taken[word].append(next_word(given))
        elif word == "up":
            found = [one for one in found if one.up]
        elif word == "type":
            kind = next_word(given)
            found = [one for one in found if one.kind == kind and kind != "physical"]
        elif word == "master":
            bridge = device(place.namespace, next_word(given))
            found = [one for one in found if one.master is bridge]
        elif word in {"group", "vrf", "nomaster", "permanent", "dynamic", "secondary", "primary", "tentative"}:
            raise unmodelled("ip", f"ip … show {word}")
        else:
            name = next_word(given) if word == "dev" else word
            found = [one for one in found if one is device(place.namespace, name, shown=True)]
    yield from found


def _show(place: Place, form: Form, words: list[str]) -> str:
    found = list(selected(place, words))
    if form.json:
        return form.dump(brief_entry(one) | tail(one) if form.brief else entry(one, mode=True) for one in found)
    if form.brief:
        return "".join(f"{brief(one)}{one.mac} <{','.join(link_state.flags(one))}> \n" for one in found)
    gap = "\\" if form.oneline else "\n"
    return "".join(f"{head(one, mode=True)}{gap}{hardware(one)}\n" for one in found)


def entry(one: Device, *, mode: bool = False) -> dict[str, Any]:
    """A device as `ip -j` tells of it."""
    found: dict[str, Any] = {"ifindex": one.ifindex}
    if link_state.link_name(one):
        key = "link_index" if link_state.link_namespace(one) is not None else "link"
        found[key] = link_state.link_index(one) if key == "link_index" else link_state.link_name(one)
    found |= {"ifname": one.name, "flags": link_state.flags(one), "mtu": one.mtu, "qdisc": link_state.queue(one)}
    if one.master is not None:
        found["master"] = one.master.name
    found["operstate"] = link_state.operstate(one)
    if mode:
        found["linkmode"] = "DEFAULT"
    found["group"] = "default"
    if link_state.queue_length(one):
        found["txqlen"] = link_state.queue_length(one)
    loopback = isinstance(one, Loopback)
    found |= {"link_type": "loopback" if loopback else "ether", "address": one.mac,
              "broadcast": "00:00:00:00:00:00" if loopback else "ff:ff:ff:ff:ff:ff"}  # fmt: skip
    if link_state.namespace_id(one) >= 0:
        found["link_netnsid"] = link_state.namespace_id(one)
    return found


def brief_entry(one: Device) -> dict[str, Any]:
    """A device as `ip -j -br` begins to tell of it."""
    whole = entry(one)
    return {key: whole[key] for key in ("link_index", "link", "ifname", "operstate") if key in whole}


def tail(one: Device) -> dict[str, Any]:
    """What `ip -j -br link` adds."""
    return {"address": one.mac, "flags": link_state.flags(one)}


def full_name(one: Device) -> str:
    """`eth0@if12`."""
    other = link_state.link_name(one)
    return f"{one.name}@{other}" if other else one.name


def brief(one: Device) -> str:
    """The first two columns of `ip -br`."""
    return f"{full_name(one):<16} {link_state.operstate(one):<14} "


def head(one: Device, *, mode: bool = False) -> str:
    """The first line about a device."""
    master = f"master {one.master.name} " if one.master is not None else ""
    length = link_state.queue_length(one)
    return (
        f"{one.ifindex}: {full_name(one)}: <{','.join(link_state.flags(one))}> mtu {one.mtu} "
        f"qdisc {link_state.queue(one)} {master}state {link_state.operstate(one)} {'mode DEFAULT ' if mode else ''}"
        f"group default {f'qlen {length}' if length else ''}"
    )


def netns(one: Device) -> str:
    """` link-netnsid 0`, or nothing."""
    return f" link-netnsid {link_state.namespace_id(one)}" if link_state.namespace_id(one) >= 0 else ""


def hardware(one: Device) -> str:
    """The second line about a device."""
    whole = entry(one)
    return f"    link/{whole['link_type']} {one.mac} brd {whole['broadcast']}{netns(one)}"


def _set(place: Place, _form: Form, words: list[str]) -> str:
    given, changes = list(words), list[tuple[str, str]]()
    one: Device | None = None
    while given:
        word = given.pop(0)
        if word in {"up", "down", "nomaster"}:
            changes.append((word, ""))
        elif word in {"mtu", "master"}:
            changes.append((word, next_word(given)))
        elif word in {
            "address",
            "name",
            "netns",
            "txqueuelen",
            "promisc",
            "arp",
            "type",
            "alias",
            "group",
            "multicast",
        }:
            raise unmodelled("ip", f"ip link set … {word}")
        elif one is not None:
            raise Ending(f'Error: either "dev" is duplicate, or "{word}" is a garbage.', 255)
        else:
            one = device(place.namespace, next_word(given) if word == "dev" else word)
    if one is None:
        raise Ending('Not enough information: "dev" argument is required.', 255)
    for what, value in changes:
        _change(place, one, what, value)
    return ""


def _change(place: Place, one: Device, what: str, value: str) -> None:
    if what == "up":
        bring_up(one)
    elif what == "down":
        take_down(one)
    elif what == "nomaster":
        leave_bridge(one)
    elif what == "master":
        bridge = place.namespace.devices.get(value)
        if bridge is None:
            raise wrong(value, "Device does not exist\n")
        if not isinstance(bridge, Bridge) or isinstance(one, Loopback | Bridge):
            raise kernel("Operation not supported")
        leave_bridge(one)
        one.master = bridge
        bridge.ports.append(one)
    else:
        size = number("mtu", value)
        if size < _LEAST_MTU and not isinstance(one, Loopback):
            raise extended("mtu less than device minimum.")
        if size > 65535 and not isinstance(one, Loopback):
            raise extended("mtu greater than device maximum.")
        one.mtu = size


def _add(place: Place, _form: Form, words: list[str]) -> str:
    """`ip link add [name] NAME type bridge`, or `… type veth [peer [name] NAME]`."""
    given = [word for word in words if word not in {"name", "dev"}]
    if len(given) < 3 or given[1] != "type":
        raise unmodelled("ip", f"ip link add {' '.join(words)}")
    name, kind, rest = given[0], given[2], given[3:]
    if (
        kind not in {"bridge", "veth"}
        or (kind == "bridge" and rest)
        or (rest and (rest[0] != "peer" or len(rest) != 2))
    ):
        raise unmodelled("ip", f"ip link add … type {' '.join([kind, *rest])}")
    if kind == "bridge":
        _make(place, name, Bridge)
    else:
        other = rest[1] if rest else next(f"veth{n}" for n in range(256) if f"veth{n}" not in place.namespace.devices)
        _make(place, other, Veth)  # the kernel makes the peer first
        _make(place, name, Veth)
        one, two = place.namespace.devices[name], place.namespace.devices[other]
        assert isinstance(one, Veth)
        assert isinstance(two, Veth)
        one.peer, two.peer = two, one
    return ""


def _make(place: Place, name: str, kind: type[Device]) -> None:
    namespace = place.namespace
    if name in namespace.devices:
        raise kernel("File exists")
    seed = f"{namespace.place}:{name} {namespace.network.serial()}"
    namespace.add(kind(name, namespace.new_index(), made_mac(seed), up=False))


def _delete(place: Place, _form: Form, words: list[str]) -> str:
    given = [word for word in words if word != "dev"]
    if not given:
        raise Ending('Not enough information: "dev" argument is required.', 255)
    one = device(place.namespace, given[0])
    if isinstance(one, Loopback | Physical):
        raise kernel("Operation not supported")
    if isinstance(one, Bridge):
        for port in list(one.ports):
            leave_bridge(port)
    if isinstance(one, Veth) and one.peer is not None:
        remove_device(one.peer)
    remove_device(one)
    return ""
