"""Targets that translate addresses: DNAT, SNAT, MASQUERADE, REDIRECT, NETMAP.

Models: net/netfilter/xt_nat.c, xt_MASQUERADE.c, xt_REDIRECT.c, xt_NETMAP.c; text as libxt_NAT.c of iptables 1.8.9.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv6Address, IPv6Network

from ...address import Prefix, parse_ip
from .. import nat, values
from ..context import Context
from ..rule import Word
from .extension import ACCEPT, DROP, Act, Extension, Given, Unknown, flags, listed, value, words

_FLAGS = ("--random", "--random-fully", "--persistent")


def _address(text: str) -> int:
    """An address of either family as a number."""
    return int(IPv6Address(text)) if ":" in text else parse_ip(text)


def split_ends(text: str) -> tuple[str, str]:
    """`ADDR[-ADDR][:PORTS]`, or `[ADDR]:PORTS` where it is IPv6, as (addresses, ports).

    Example:
        >>> split_ends("10.0.0.1-10.0.0.9:80-90"), split_ends("[fe80::1]:80"), split_ends("fe80::1")
        (('10.0.0.1-10.0.0.9', '80-90'), ('fe80::1', '80'), ('fe80::1', ''))
    """
    if text.startswith("["):
        addresses, _, rest = text[1:].partition("]")
        return addresses, rest.removeprefix(":")
    if text.count(":") > 1:
        return text, ""
    addresses, _, ports = text.partition(":")
    return addresses, ports


def _range(text: str, given: Given) -> nat.Range:
    """What --to-destination and --to-source say."""
    addresses, ports = split_ends(text)
    low_ip = high_ip = 0
    if addresses:
        first, ranged, last = addresses.partition("-")
        low_ip = _address(first)
        high_ip = _address(last) if ranged else low_ip
    low, high, base = 0, 0, None
    if ports:
        ports, shifted, base_text = ports.partition("/")
        low, high = values.port_range(ports, separator="-")
        base = values.port(base_text) if shifted else None
        if high < low:
            raise ValueError(f"port range {ports!r} runs backwards")
    elif text.endswith(":") and not addresses.endswith(":"):
        raise ValueError(f"{text!r} lacks the port after its colon")
    return nat.Range(
        low_ip,
        high_ip,
        low,
        high,
        ports_given=bool(ports),
        base=base,
        persistent="--persistent" in given,
        random=_random(given),
    )


def _random(given: Given) -> bool:
    return "--random" in given or "--random-fully" in given


def _nat_to(manip: str, option: str) -> Callable[[Given], Act]:
    def build(given: Given) -> Act:
        text = value(given, option)
        if text is None:
            raise ValueError(f"{manip} needs {option}")
        span = _range(text, given)

        def act(c: Context) -> str:
            nat.setup(c.namespace, c.skb, span, manip)
            return ACCEPT

        return act

    return build


def _to_ports(given: Given) -> nat.Range:
    text = value(given, "--to-ports")
    low, high = values.port_range(text, separator="-") if text else (0, 0)
    return nat.Range(0, 0, low, high, ports_given=text is not None, random=_random(given))


def _masquerade(given: Given) -> Act:
    span = _to_ports(given)
    return lambda c: ACCEPT if nat.masquerade(c, span) else DROP


def _redirect(given: Given) -> Act:
    span = _to_ports(given)
    return lambda c: ACCEPT if nat.redirect(c, span) else DROP


def _netmap(given: Given) -> Act:
    text = value(given, "--to")
    if text is None:
        raise ValueError("NETMAP needs --to")
    if ":" in text:
        return Unknown("NETMAP of IPv6 addresses is not modelled")
    block = Prefix.parse(text)

    def act(c: Context) -> str:
        nat.netmap(c, block)
        return ACCEPT

    return act


def _short(span: str) -> str:
    """A range whose ends are one, by that one alone."""
    low, _, high = span.partition("-")
    return low if low == high else span


def _ports(text: str) -> str:
    """Ports as numbers; a range of one as that one."""
    span, shifted, base = text.partition("/")
    low, high = values.port_range(span, separator="-")
    return (f"{low}" if low == high else f"{low}-{high}") + (f"/{values.port(base)}" if shifted else "")


def ends_text(text: str) -> str:
    """The ends of DNAT and SNAT as iptables prints them.

    Example:
        >>> ends_text("10.0.0.1-10.0.0.1:80-80"), ends_text("[fe80::1]"), ends_text("[fe80::1]:80")
        ('10.0.0.1:80', 'fe80::1', '[fe80::1]:80')
    """
    addresses, ports = split_ends(text)
    addresses = _short(addresses)
    if not ports:
        return addresses
    return f"[{addresses}]:{_ports(ports)}" if ":" in addresses else f"{addresses}:{_ports(ports)}"


def _flag_texts(given: Given) -> list[str]:
    return [name.removeprefix("--") for name in _FLAGS if name in given]


def _nat(manip: str, option: str) -> Extension:
    def show(given: Given, _numeric: bool) -> str:
        return " ".join([f"to:{ends_text(value(given, option) or '')}", *_flag_texts(given)])

    def canon(given: Given) -> list[Word]:
        return words(option, ends_text(value(given, option) or "")) + flags(given, *_FLAGS)

    arity = {option: 1, **dict.fromkeys(_FLAGS, 0)}
    return Extension(arity, _nat_to(manip, option), listed(show), canon)


def _local(build: Callable[[Given], Act], label: str) -> Extension:
    """MASQUERADE and REDIRECT, which choose the address themselves."""

    def show(given: Given, _numeric: bool) -> str:
        text = value(given, "--to-ports")
        return " ".join([*([f"{label} {_ports(text)}"] if text else []), *_flag_texts(given)])

    def canon(given: Given) -> list[Word]:
        text = value(given, "--to-ports")
        return (words("--to-ports", _ports(text)) if text else []) + flags(given, *_FLAGS)

    return Extension({"--to-ports": 1, **dict.fromkeys(_FLAGS, 0)}, build, listed(show), canon)


def _block(given: Given) -> str:
    text = value(given, "--to") or ""
    return str(IPv6Network(text, strict=False)) if ":" in text else str(Prefix.parse(text))


EXTENSIONS = {
    "DNAT": _nat("DNAT", "--to-destination"),
    "SNAT": _nat("SNAT", "--to-source"),
    "MASQUERADE": _local(_masquerade, "masq ports:"),
    "REDIRECT": _local(_redirect, "redir ports"),
    "NETMAP": Extension(
        {"--to": 1},
        _netmap,
        listed(lambda given, _numeric: f"to:{_block(given)}"),
        lambda given: words("--to", _block(given)),
    ),
}
