"""`ip address`: addresses shown, added, deleted and flushed.

Models: ipaddress.c of iproute2 6.1, and what net/ipv4/devinet.c refuses.
Leaves out: IPv6 addresses, lifetimes, labels and peers.
"""

from __future__ import annotations

from typing import Any

from simnet.net.address import ip_text, mask_of
from simnet.net.device import Device, InterfaceAddress
from simnet.net.devinet import add_address, delete_address
from simnet.net.route import SCOPES

from . import ip_link
from .ending import Ending, unmodelled
from .ip_words import (
    Form,
    address,
    address_and_length,
    device,
    extended,
    kernel,
    matches,
    next_word,
    not_a_prefix,
    prefix,
    wrong,
)
from .place import Place

_FOREVER = "valid_lft forever preferred_lft forever"
_WILDCARD = """\
Warning: Executing wildcard deletion to stay compatible with old scripts.
         Explicitly specify the prefix length ({}/32) to avoid this warning.
         This special behaviour is likely to disappear in further releases,
         fix your scripts!
"""


def run(place: Place, form: Form, words: list[str]) -> str:
    """`ip address [COMMAND …]`."""
    command = words[0] if words else "show"
    if matches(command, "add"):
        return _add(place, words[1:], command)
    if matches(command, "change") or matches(command, "chg") or matches(command, "replace"):
        return _add(place, words[1:], command)
    if matches(command, "delete"):
        return _delete(place, words[1:])
    if command in {"show", "list", "lst", "ls"} or matches(command, "show") or matches(command, "list"):
        return _show(place, form, words[1:])
    if matches(command, "flush"):
        return _flush(place, words[1:])
    if command in {"save", "restore", "showdump", "help"}:
        raise unmodelled("ip", f"ip address {command}")
    raise Ending(f'Command "{command}" is unknown, try "ip address help".', 255)


def _wanted(place: Place, words: list[str]) -> list[tuple[Device, list[InterfaceAddress]]]:
    """Devices with their addresses as far as the words ask for them."""
    asked: dict[str, list[str]] = {"scope": [], "to": []}
    found = []
    for one in list(ip_link.selected(place, words, asked)):
        kept = list(one.addresses)
        for text in asked["to"]:
            block = prefix(text)
            kept = [each for each in kept if each.address & block.mask == block.address & block.mask]
        for text in asked["scope"]:
            kept = [each for each in kept if each.scope == text]
        found.append((one, kept))
    if asked["to"]:
        return [(one, kept) for one, kept in found if kept]
    # a device of whose addresses none is wanted is left out, one that has none is not
    return [(one, kept) for one, kept in found if kept or not one.addresses]


def _show(place: Place, form: Form, words: list[str]) -> str:
    found = _wanted(place, words)
    if form.inet:
        found = [(one, kept) for one, kept in found if kept]
    narrow = form.inet or "to" in words
    if form.json:
        return form.dump(_entry(one, kept, form, narrow=narrow) for one, kept in found)
    if form.brief:
        return "".join(
            f"{ip_link.brief(one)}{''.join(f'{ip_text(each.address)}/{each.length} ' for each in kept)}\n"
            for one, kept in found
        )
    if form.oneline:
        return "".join(
            f"{one.ifindex}: {one.name}{line(one, each)}\\       {_FOREVER}\n" for one, kept in found for each in kept
        )
    text = ""
    for one, kept in found:
        text += ip_link.head(one)
        text += f"{ip_link.netns(one) if form.inet else ''}\n" if narrow else f"\n{ip_link.hardware(one)}\n"
        text += "".join(f"{line(one, each)}\n       {_FOREVER}\n" for each in kept)
    return text


def line(one: Device, each: InterfaceAddress) -> str:
    """One address as `ip` shows it, with the blanks before it."""
    broadcast = f" brd {ip_text(each.broadcast)}" if each.broadcast else ""
    secondary = " secondary" if each.secondary else ""
    return f"    inet {ip_text(each.address)}/{each.length}{broadcast} scope {each.scope}{secondary} {one.name}"


def _entry(one: Device, kept: list[InterfaceAddress], form: Form, *, narrow: bool) -> dict[str, Any]:
    if form.brief:
        short = [{"local": ip_text(each.address), "prefixlen": each.length} for each in kept]
        return ip_link.brief_entry(one) | {"addr_info": short}
    whole = ip_link.entry(one)
    if narrow:
        whole = {key: value for key, value in whole.items() if key not in {"link_type", "address", "broadcast"}}
    return whole | {"addr_info": [_address_entry(one, each) for each in kept]}


def _address_entry(one: Device, each: InterfaceAddress) -> dict[str, Any]:
    found: dict[str, Any] = {"family": "inet", "local": ip_text(each.address), "prefixlen": each.length}
    if each.broadcast:
        found["broadcast"] = ip_text(each.broadcast)
    found["scope"] = each.scope
    if each.secondary:
        found["secondary"] = True
    return found | {"label": one.name, "valid_life_time": 0xFFFFFFFF, "preferred_life_time": 0xFFFFFFFF}


def _typed(place: Place, words: list[str]) -> tuple[Device, InterfaceAddress | None, bool]:
    """The device and address that are to be added or deleted, and whether a length was written."""
    given, name, text, broadcast, scope = list(words), "", "", "", ""
    while given:
        word = given.pop(0)
        if word == "dev":
            name = next_word(given)
        elif word in {"broadcast", "brd"}:
            broadcast = next_word(given)
        elif word == "scope":
            scope = next_word(given)
        elif word in {"label", "peer", "anycast", "metric", "valid_lft", "preferred_lft", "noprefixroute"}:
            raise unmodelled("ip", f"ip address … {word}")
        else:
            text = next_word(given) if word == "local" else word
            try:
                address_and_length(text)
            except ValueError:
                raise not_a_prefix(text) from None
    if not name:
        raise Ending('Not enough information: "dev" argument is required.', 1)
    one = device(place.namespace, name)
    if not text:
        return one, None, False
    own, length = address_and_length(text)
    last = own | ~mask_of(length) & 0xFFFFFFFF
    brd = last if broadcast == "+" and length < 31 else 0 if broadcast in {"", "+", "-"} else address(broadcast)
    if scope and scope not in SCOPES:
        raise wrong(scope, "invalid scope value.\n")
    return one, InterfaceAddress(own, length, brd, scope or ("host" if own >> 24 == 127 else "global")), "/" in text


def _add(place: Place, words: list[str], command: str) -> str:
    one, wanted, _ = _typed(place, words)
    if wanted is None:
        raise kernel("Operation not supported")
    there = next(
        (each for each in one.addresses if (each.address, each.length) == (wanted.address, wanted.length)), None
    )
    if there is None:
        if matches(command, "change"):
            raise extended("ipv4: Address not found.")
        add_address(one, wanted)
    elif matches(command, "add"):
        raise extended("ipv4: Address already assigned.")
    return ""


def _delete(place: Place, words: list[str]) -> str:
    one, wanted, exact = _typed(place, words)
    if wanted is None:
        raise Ending('Not enough information: "dev" argument is required.', 1)
    warning = "" if exact else _WILDCARD.format(ip_text(wanted.address))
    for each in one.addresses:
        if each.address == wanted.address and (not exact or each.length == wanted.length):
            delete_address(one, each)
            if warning:  # it worked, and says so on standard error
                raise Ending(warning.removesuffix("\n"), 0)
            return ""
    raise Ending(f"{warning}Error: ipv4: Address not found.", 2)


def _flush(place: Place, words: list[str]) -> str:
    if not words:
        raise Ending("Flush requires arguments.", 255)
    for one, kept in _wanted(place, words):
        for each in kept:
            if each in one.addresses:
                delete_address(one, each)
    return ""
