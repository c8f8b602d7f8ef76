"""What the files of `ip` share: the form of the output, abbreviations, prefixes, and the kernel's refusals.

Models: lib/utils.c and lib/libnetlink.c of iproute2 6.1.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from simnet.net.address import Prefix, parse_ip
from simnet.net.device import Device
from simnet.net.namespace import NetNamespace

from .ending import Ending


@dataclass(frozen=True, slots=True)
class Form:
    """How to print: the options before the object."""

    inet: bool = False
    link: bool = False
    brief: bool = False
    oneline: bool = False
    json: bool = False
    pretty: bool = False
    version: bool = False

    def with_(self, name: str) -> Form:
        """The same with one more option."""
        return replace(self, **{name: True})

    def dump(self, entries: Iterable[dict[str, Any]]) -> str:
        """JSON as `ip -j` writes it, `-p` on several lines."""
        found = list(entries)
        if self.pretty:
            return json.dumps(found, indent=4) + "\n"
        return json.dumps(found, separators=(",", ":")) + "\n"


def matches(word: str, name: str) -> bool:
    """Whether a word is a name or its beginning.

    Example:
        >>> matches("addr", "address"), matches("addrs", "address")
        (True, False)
    """
    return bool(word) and name.startswith(word)


def kernel(what: str) -> Ending:
    """A refusal by the kernel that has no words of its own: the errno's."""
    return Ending(f"RTNETLINK answers: {what}", 2)


def extended(what: str) -> Ending:
    """A refusal by the kernel in its own words (extended acknowledgement)."""
    return Ending(f"Error: {what}", 2)


def next_word(words: list[str]) -> str:
    """The next word (NEXT_ARG)."""
    if not words:
        raise Ending('Command line is not complete. Try option "help"', 255)
    return words.pop(0)


def prefix(text: str) -> Prefix:
    """A block as `ip` reads it: `default`, an address, with or without a length; bits beyond the length stay."""
    if text in {"default", "any", "all"}:
        return Prefix(0, 0)
    try:
        address, length = address_and_length(text)
    except ValueError:
        raise not_a_prefix(text) from None
    return Prefix(address, Prefix.parse(f"0.0.0.0/{length}").mask)


def address_and_length(text: str) -> tuple[int, int]:
    """`10.0.0.1/24` as its parts; a short address (`10/8`) is filled with zeros; ValueError if it is none."""
    host, slash, bits = text.partition("/")
    if slash and (not bits.isdigit() or int(bits) > 32):
        raise ValueError(text)
    parts = host.split(".")
    full = ".".join([*parts, *["0"] * (4 - len(parts))]) if slash else host
    return parse_ip(full), int(bits) if slash else 32


def not_a_prefix(text: str) -> Ending:
    """What is said of a word that is no prefix."""
    return Ending(f'Error: any valid prefix is expected rather than "{text}".', 1)


def address(text: str) -> int:
    """An address."""
    try:
        return parse_ip(text)
    except ValueError:
        raise Ending(f'Error: any valid address is expected rather than "{text}".', 1) from None


def number(name: str, text: str) -> int:
    """A number, in any base."""
    try:
        return int(text, 0)
    except ValueError:
        raise wrong(text, f'Invalid "{name}" value\n' if name == "mtu" else f"{name} value is invalid\n") from None


def wrong(text: str, why: str) -> Ending:
    """A word that is not what it should be (invarg)."""
    return Ending(f'Error: argument "{text}" is wrong: {why}', 255)


def device(namespace: NetNamespace, name: str, *, shown: bool = False) -> Device:
    """A device by name; `shown` says it in the words of `ip … show`."""
    found = namespace.devices.get(name)
    if found is None:
        raise Ending(f'Device "{name}" does not exist.' if shown else f'Cannot find device "{name}"', 1)
    return found
