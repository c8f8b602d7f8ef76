"""Matches on what stands in the IP header: addresses, devices, protocol, TTL, length, DSCP, TOS, ECN."""

from __future__ import annotations

from ...packet import RawPayload, TcpSegment
from .. import values
from ..context import Context
from ..rule import Option, Test
from .module import Module, all_of, bang, each, find, interface_matches, later_fragment, span, within


def _generic(option: Option, _proto: int) -> Test:
    negated = option.negated
    match option.name:
        case "-s":
            address, mask = values.block(option.values[0])
            address &= mask
            return lambda c: (c.ip.src & mask == address) != negated
        case "-d":
            address, mask = values.block(option.values[0])
            address &= mask
            return lambda c: (c.ip.dst & mask == address) != negated
        case "-i":
            pattern = option.values[0]
            return lambda c: interface_matches(pattern, c.iif) != negated
        case "-o":
            pattern = option.values[0]
            return lambda c: interface_matches(pattern, c.oif) != negated
        case "-f":
            return lambda c: later_fragment(c) != negated
        case _:
            proto = values.protocol(option.values[0])
            return lambda c: (not proto or c.ip.proto == proto) != negated


def _comment(options: tuple[Option, ...], _numeric: bool) -> str:
    return f"/* {options[-1].values[0] if options else ''} */"


def _bounds(option: Option) -> tuple[int, int]:
    number = values.number(option.values[0], 255)
    if option.name.endswith("-lt"):
        return 0, number - 1
    return (number + 1, 255) if option.name.endswith("-gt") else (number, number)


def _ttl(option: Option, _proto: int) -> Test:
    low, high = _bounds(option)
    return within(lambda c: c.ip.ttl, low, high, option.negated)


def _show_ttl(word: str, options: tuple[Option, ...]) -> str:
    option = options[-1]
    sign = "<" if option.name.endswith("-lt") else ">" if option.name.endswith("-gt") else "=="
    return f"{word} match {word} {'!=' if option.negated else sign} {values.number(option.values[0], 255)}"


def _length(option: Option, _proto: int) -> Test:
    low, high = values.number_range(option.values[0], 0xFFFF)
    return within(lambda c: c.ip.length, low, high, option.negated)


def _show_length(options: tuple[Option, ...], _numeric: bool) -> str:
    option = options[-1]
    return f"length {bang(option, '!')}{span(*values.number_range(option.values[0], 0xFFFF))}"


def _inner_length(c: Context) -> int | None:
    """The bytes behind a packet's TCP, UDP or ICMP header (xtlength_layer5)."""
    transport = c.ip.transport
    if later_fragment(c) or isinstance(transport, RawPayload):
        return None
    header = 20 + transport.options if isinstance(transport, TcpSegment) else 8
    return c.ip.length - c.ip.header - header


def _length2(options: tuple[Option, ...], _proto: int) -> Test:
    """Of xtables-addons: the length of the whole packet, or of what lies in its headers."""
    option = find(options, "--length")
    if option is None:
        raise ValueError("--length is missing")
    low, high = values.number_range(option.values[0], 0xFFFFFFFF)
    if find(options, "--layer4"):
        return within(lambda c: c.ip.length - c.ip.header, low, high, option.negated)
    if find(options, "--layer5", "--layer7"):
        return within(_inner_length, low, high, option.negated)
    return within(lambda c: c.ip.length, low, high, option.negated)


def _show_length2(options: tuple[Option, ...], _numeric: bool) -> str:
    option = find(options, "--length")
    layer = find(options, "--layer3", "--layer4", "--layer5", "--layer7")
    low, high = values.number_range(option.values[0], 0xFFFFFFFF) if option is not None else (0, 0)
    return f"{layer.name[2:] if layer else 'layer3'} length {bang(option)}{span(low, high, '-')}"


def _dscp_value(option: Option) -> int:
    if option.name == "--dscp-class":
        return values.DSCP_CLASSES[option.values[0].upper()]
    return values.number(option.values[0], 63)


def _dscp(option: Option, _proto: int) -> Test:
    value = _dscp_value(option)
    return within(lambda c: c.ip.tos >> 2, value, value, option.negated)


def _show_dscp(options: tuple[Option, ...], _numeric: bool) -> str:
    return f"DSCP match {bang(options[-1], '!')}0x{_dscp_value(options[-1]):02x}"


def _tos_value(option: Option) -> tuple[int, int]:
    """A value and its mask, or a name, which is looked at under 0x3f."""
    text = option.values[0]
    if text[:1].isdigit():
        return values.value_mask(text, 0xFF)
    named = {name.lower(): number for name, number in values.TOS_NAMES.items()}
    return named[text.lower()], 0x3F


def _tos(option: Option, _proto: int) -> Test:
    value, mask = _tos_value(option)
    negated = option.negated
    return lambda c: (c.ip.tos & mask == value) != negated


def _show_tos(options: tuple[Option, ...], numeric: bool) -> str:
    value, mask = _tos_value(options[-1])
    names = {number: name for name, number in values.TOS_NAMES.items()}
    if not numeric and mask == 0x3F and value in names:
        return f"tos match{bang(options[-1], '!')} {names[value]}"
    return f"tos match{bang(options[-1], '!')}0x{value:02x}/0x{mask:02x}"


def _iprange_bounds(option: Option) -> tuple[int, int]:
    low, found, high = option.values[0].partition("-")
    return values.address(low), values.address(high if found else low)


def _iprange(option: Option, _proto: int) -> Test:
    low, high = _iprange_bounds(option)
    if option.name == "--src-range":
        return within(lambda c: c.ip.src, low, high, option.negated)
    return within(lambda c: c.ip.dst, low, high, option.negated)


def _show_iprange(options: tuple[Option, ...], _numeric: bool) -> str:
    words = []
    for name, word in (("--src-range", "source"), ("--dst-range", "destination")):
        option = find(options, name)
        if option is not None:
            wide = ":" in option.values[0]
            low, high = (values.address_text(number, wide=wide) for number in _iprange_bounds(option))
            words.append(f"{word} IP range {bang(option)}{low}-{high}")
    return " ".join(words)


_ECN_TCP = {"--ecn-tcp-ece": 64, "--ecn-tcp-cwr": 128}


def _ecn(options: tuple[Option, ...], _proto: int) -> Test:
    def make(option: Option) -> Test:
        negated = option.negated
        if option.name == "--ecn-ip-ect":
            wanted = values.number(option.values[0], 3)
            return lambda c: (c.ip.tos & 3 == wanted) != negated
        bit = _ECN_TCP[option.name]

        def flag(c: Context) -> bool:
            segment = c.ip.transport
            return isinstance(segment, TcpSegment) and not later_fragment(c) and bool(segment.flags & bit) != negated

        return flag

    return all_of([make(option) for option in options])


def _show_ecn(options: tuple[Option, ...], _numeric: bool) -> str:
    words = ["ECN match"]
    for name in ("--ecn-tcp-ece", "--ecn-tcp-cwr", "--ecn-ip-ect"):
        option = find(options, name)
        if option is not None:
            text = f"ECT={option.values[0]}" if option.values else name[-3:].upper()
            words.append(bang(option, "!") + text)
    return " ".join(words)


# the rule's own options
GENERIC = Module({"-s": 1, "-d": 1, "-i": 1, "-o": 1, "-p": 1, "-f": 0}, each(_generic))

MODULES = {
    "comment": Module({"--comment": 1}, each(lambda _option, _proto: lambda _c: True), _comment),
    "iprange": Module({"--src-range": 1, "--dst-range": 1}, each(_iprange), _show_iprange),
    "ttl": Module(
        {"--ttl-eq": 1, "--ttl-lt": 1, "--ttl-gt": 1, "--ttl": 1},
        each(_ttl),
        lambda options, _: _show_ttl("TTL", options),
    ),
    "hl": Module(
        {"--hl-eq": 1, "--hl-lt": 1, "--hl-gt": 1, "--hl": 1}, each(_ttl), lambda options, _: _show_ttl("HL", options)
    ),
    "length": Module({"--length": 1}, each(_length), _show_length),
    "length2": Module(
        {"--length": 1, "--layer3": 0, "--layer4": 0, "--layer5": 0, "--layer7": 0}, _length2, _show_length2
    ),
    "dscp": Module({"--dscp": 1, "--dscp-class": 1}, each(_dscp), _show_dscp),
    "tos": Module({"--tos": 1}, each(_tos), _show_tos),
    "ecn": Module({"--ecn-tcp-cwr": 0, "--ecn-tcp-ece": 0, "--ecn-ip-ect": 1}, _ecn, _show_ecn),
}
