"""`ip neighbour`: who is behind which hardware address.

Models: ipneigh.c of iproute2 6.1.
Leaves out: the ageing of entries. What is known is REACHABLE (one that was typed, too), what is asked for is
INCOMPLETE, what did not answer is gone.
"""

from __future__ import annotations

import re
from typing import Any

from simnet.net.address import Prefix, ip_text

from .ending import Ending, unmodelled
from .ip_words import Form, address, device, extended, kernel, matches, next_word, prefix
from .place import Place

_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")


def run(place: Place, form: Form, words: list[str]) -> str:
    """`ip neighbour [COMMAND …]`."""
    command, rest = (words[0], words[1:]) if words else ("show", [])
    for name in ("add", "change", "chg", "replace", "delete"):
        if matches(command, name):
            return _change(place, rest, "change" if name == "chg" else name)
    if matches(command, "flush"):
        return _flush(place, rest)
    if any(matches(command, name) for name in ("show", "lst", "list")):
        return _show(place, form, rest)
    if matches(command, "get") or command == "help":
        raise unmodelled("ip", f"ip neigh {command}")
    raise Ending(f'Command "{command}" is unknown, try "ip neigh help".', 255)


def _wanted(place: Place, words: list[str]) -> tuple[list[tuple[tuple[str, int], str]], bool]:
    """The entries (device, address, hardware address or nothing) that a selector means; whether it names a device."""
    namespace = place.namespace
    found = [
        *namespace.neighbours.items(),
        *((key, "") for key in namespace.waiting if key not in namespace.neighbours),
    ]
    given, dev = list(words), ""
    while given:
        word = given.pop(0)
        if word == "dev":
            dev = device(namespace, next_word(given)).name
            found = [one for one in found if one[0][0] == dev]
        elif word == "nud":
            state = next_word(given).upper()
            found = [one for one in found if state in {"ALL", _state(one[1])}]
        elif word == "all":
            continue
        elif word in {"proxy", "unused", "vrf", "nomaster", "master", "protocol"}:
            raise unmodelled("ip", f"ip neigh show {word}")
        else:
            block = prefix(next_word(given) if word == "to" else word)
            block = Prefix(block.address & block.mask, block.mask)
            found = [one for one in found if one[0][1] in block]
    return found, bool(dev)


def _state(mac: str) -> str:
    return "REACHABLE" if mac else "INCOMPLETE"


def _show(place: Place, form: Form, words: list[str]) -> str:
    found, narrow = _wanted(place, words)
    entries: list[dict[str, Any]] = []
    for (dev, own), mac in found:
        entry: dict[str, Any] = {"dst": ip_text(own)}
        entry |= {} if narrow else {"dev": dev}
        entries.append(entry | ({"lladdr": mac} if mac else {}) | {"state": [_state(mac)]})
    if form.json:
        return form.dump(entries)
    return "".join(f"{_line(one)}\n" for one in entries)


def _line(entry: dict[str, Any]) -> str:
    """One entry as `ip neigh` shows it."""
    words = [entry["dst"]]
    words += ["dev", entry["dev"]] if "dev" in entry else []
    words += ["lladdr", entry["lladdr"]] if "lladdr" in entry else []
    return f"{' '.join([*words, *entry['state']])} "


def _change(place: Place, words: list[str], how: str) -> str:
    given, text, dev, mac = list(words), "", "", ""
    while given:
        word = given.pop(0)
        if word == "dev":
            dev = next_word(given)
        elif word == "lladdr":
            mac = next_word(given).lower()
        elif word == "nud":
            if next_word(given) not in {"permanent", "reachable", "stale", "noarp"}:
                raise unmodelled("ip", f"ip neigh {how} … nud")
        elif word in {"proxy", "router", "extern_learn", "protocol", "use", "managed"}:
            raise unmodelled("ip", f"ip neigh {how} {word}")
        else:
            text = next_word(given) if word == "to" else word
    if not text or not dev:
        raise Ending("Device and destination are required arguments.", 255)
    key, known = (device(place.namespace, dev).name, address(text)), place.namespace.neighbours
    if how == "delete":
        if key not in known:
            raise kernel("No such file or directory")
        del known[key]
        return ""
    if mac and not _MAC.fullmatch(mac):
        raise Ending(f'"{mac}" is invalid lladdr.', 1)
    if how == "add" and key in known:
        raise kernel("File exists")
    if how == "change" and key not in known:
        raise kernel("No such file or directory")
    if not mac:
        raise extended("No link layer address given.")
    known[key] = mac
    return ""


def _flush(place: Place, words: list[str]) -> str:
    if not words:
        raise Ending("Flush requires arguments.", 255)
    for key, _ in _wanted(place, words)[0]:
        place.namespace.neighbours.pop(key, None)
    return ""
