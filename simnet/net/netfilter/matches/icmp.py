"""Matches on the kind of an ICMP or ICMPv6 message."""

from __future__ import annotations

from ...packet import IcmpMessage
from .. import values
from ..context import Context
from ..rule import Option, Test
from .module import Module, bang, each, later_fragment

_Names = dict[str, tuple[int, int, int]]
_FAMILIES: dict[str, tuple[str, _Names]] = {
    "--icmp-type": ("icmp", values.ICMP_TYPES),
    "--icmpv6-type": ("ipv6-icmp", values.ICMP6_TYPES),
}


def _kind(option: Option) -> tuple[int, int, int]:
    return values.icmp_type(option.values[0], _FAMILIES[option.name][1])


def _icmp(option: Option, _proto: int) -> Test:
    kind, low, high = _kind(option)
    negated = option.negated

    def test(c: Context) -> bool:
        message = c.ip.transport
        if not isinstance(message, IcmpMessage) or later_fragment(c):
            return False
        anything = kind == 255 and option.name == "--icmp-type"
        return (anything or (message.type == kind and low <= message.code <= high)) != negated

    return test


def _show_icmp(options: tuple[Option, ...], numeric: bool) -> str:
    option = options[-1]
    kind, low, high = _kind(option)
    word, names = _FAMILIES[option.name]
    name = next((name for name, asked in names.items() if asked == (kind, low, high)), "")
    if name and not numeric:
        return f"{word} {bang(option, '!')}{name}"
    code = "" if (low, high) == (0, 255) else f" code {low}" if low == high else f" codes {low}-{high}"
    return f"{word} !type {kind}{code}" if option.negated else f"{word}type {kind}{code}"


_ICMP6 = Module({"--icmpv6-type": 1}, each(_icmp), _show_icmp)

# an extension of IPv6 goes by three names
MODULES = {
    "icmp": Module({"--icmp-type": 1}, each(_icmp), _show_icmp),
    "icmp6": _ICMP6,
    "icmpv6": _ICMP6,
    "ipv6-icmp": _ICMP6,
}
