"""`bridge`: ports of bridges, and which hardware address is behind which.

Models: bridge/link.c and fdb.c of iproute2 6.1; entries in the order of ports.
Leaves out: multicast groups that devices listen to (33:33:…, 01:00:5e:…), VLANs, and changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from simnet.answer import Answer
from simnet.net.address import ip_text
from simnet.net.device import Bridge, Device, Vxlan
from simnet.net.namespace import NetNamespace

from . import link_state
from .ending import Ending, unmodelled
from .ip_words import Form, device, matches, next_word
from .place import Place

_COST = 2  # of a port of 10 Gbit/s, which a veth says it is


def bridge(place: Place, words: list[str], _stdin: str) -> Answer:
    """`bridge [-j] link|fdb [show …]`."""
    form, rest = Form(), list(words)
    while rest and rest[0].startswith("-"):
        word = rest.pop(0)
        known = {
            "-j": "json",
            "-json": "json",
            "-p": "pretty",
            "-pretty": "pretty",
            "-o": "oneline",
            "-oneline": "oneline",
        }
        if word not in known:
            raise unmodelled("bridge", f"bridge {word}")
        form = form.with_(known[word])
    if not rest:
        raise Ending("Usage: bridge [ OPTIONS ] OBJECT { COMMAND | help }\n"
                     "       bridge [ -force ] -batch filename\n"
                     "where  OBJECT := { link | fdb | mdb | vlan | monitor }", 255)  # fmt: skip
    name, command = rest[0], rest[1] if rest[1:] else "show"
    known_object = next((one for one in ("link", "fdb", "mdb", "vlan", "vni", "monitor") if matches(name, one)), "")
    if not known_object:
        raise Ending(f'Object "{name}" is unknown, try "bridge help".', 255)
    if known_object not in {"link", "fdb"} or not (matches(command, "show") or command in {"list", "lst"}):
        raise unmodelled("bridge", f"bridge {known_object} {command}")
    return Answer((_links if known_object == "link" else _entries)(place.namespace, form, rest[2:]))


def _links(namespace: NetNamespace, form: Form, words: list[str]) -> str:
    found = [one for one in link_state.by_index(namespace) if one.master is not None]
    given = list(words)
    while given:
        word = given.pop(0)
        if word == "master":
            bridge_ = device(namespace, next_word(given))
            found = [one for one in found if one.master is bridge_]
        elif word == "dev":
            wanted = device(namespace, next_word(given))
            found = [one for one in found if one is wanted]
        else:
            raise unmodelled("bridge", f"bridge link show {word}")
    if form.json:
        return form.dump(_link(one) for one in found)
    text = ""
    for one in found:
        told = _link(one)
        other = f"@{told['link']}" if "link" in told else ""
        text += (
            f"{one.ifindex}: {one.name}{other}: <{','.join(told['flags'])}> mtu {one.mtu} master {told['master']} "
            f"state {told['state']} priority 32 cost {_COST} \n"
        )
    return text


def _link(one: Device) -> dict[str, Any]:
    told: dict[str, Any] = {"ifindex": one.ifindex}
    flags = link_state.flags(one)
    index = link_state.link_index(one)
    if index:
        # `bridge` takes the other end's index for one of its own namespace
        same = next((each for each in one.namespace.devices.values() if each.ifindex == index), None)
        told["link"] = f"if{index}" if same is None else same.name
        flags = list(dict.fromkeys([*flags, "M-DOWN"])) if same is not None and not same.up else flags
    assert one.master is not None
    return told | {"ifname": one.name, "flags": flags, "mtu": one.mtu, "master": one.master.name,
                   "state": link_state.port_state(one), "priority": 32, "cost": _COST}  # fmt: skip


def _entries(namespace: NetNamespace, form: Form, words: list[str]) -> str:
    found, hide_dev, given = list(_known(namespace)), False, list(words)
    while given:
        word = given.pop(0)
        if word in {"br", "bridge"}:
            name = next_word(given)
            if not isinstance(namespace.devices.get(name), Bridge):
                raise Ending(f'Cannot find bridge device "{name}"', 255)
            found = [one for one in found if name in {one["ifname"], one.get("master")}]
        elif word in {"dev", "brport"}:
            name, hide_dev = device(namespace, next_word(given)).name, True
            found = [one for one in found if one["ifname"] == name]
        else:
            raise unmodelled("bridge", f"bridge fdb show {word}")
    if form.json:
        return form.dump(
            {key: value for key, value in one.items() if not (hide_dev and key == "ifname")} for one in found
        )
    return "".join(f"{_line(one, hide_dev=hide_dev)}\n" for one in found)


def _line(one: dict[str, Any], *, hide_dev: bool) -> str:
    words = [one["mac"], *([] if hide_dev else ["dev", one["ifname"]])]
    words += ["dst", one["dst"]] if "dst" in one else []
    words += ["self"] if "self" in one["flags"] else []
    words += ["master", one["master"]] if "master" in one else []
    return " ".join([*words, one["state"]])


def _known(namespace: NetNamespace) -> Iterator[dict[str, Any]]:
    """Every entry, device by device: what was learned, then the device's own address."""
    for one in link_state.by_index(namespace):
        bridge_ = one if isinstance(one, Bridge) else one.master
        if bridge_ is not None:
            learned = [mac for mac, port in bridge_.fdb.items() if port is one] if one is not bridge_ else []
            for mac in learned:
                yield {"mac": mac, "ifname": one.name, "flags": [], "master": bridge_.name, "state": ""}
            yield {"mac": one.mac, "ifname": one.name, "flags": [], "master": bridge_.name, "state": "permanent"}
        if isinstance(one, Vxlan):
            for mac, ends in one.fdb.items():
                for end in ends:
                    yield {"mac": mac, "ifname": one.name, "dst": ip_text(end), "flags": ["self"], "state": "permanent"}
