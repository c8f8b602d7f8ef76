"""Matches on which way a packet's addresses lie: the kind of an address, the reverse path, the realm of a route."""

from __future__ import annotations

from ...address import is_multicast, is_zeronet
from ...packet import IPv4
from ...route import LOCAL, ROUTE_ERRORS, UNICAST, RouteQuery
from .. import values
from ..context import Context
from ..rule import Option, Test
from .module import Module, all_of, bang, find, undecided

# in the order of the kernel's bits, which is the order of print
_ADDRESS_TYPES = (
    "UNSPEC", "UNICAST", "LOCAL", "BROADCAST", "ANYCAST", "MULTICAST", "BLACKHOLE", "UNREACHABLE", "PROHIBIT",
    "THROW", "NAT", "XRESOLVE",
)  # fmt: skip


def _kinds(option: Option) -> set[str]:
    kinds = {name.upper() for name in option.values[0].split(",")}
    if not kinds <= set(_ADDRESS_TYPES):
        raise ValueError(f"no address type {min(kinds - set(_ADDRESS_TYPES))!r}")
    return kinds


def _addrtype(options: tuple[Option, ...], _proto: int) -> Test:
    limit = next((option.name for option in options if option.name.startswith("--limit")), "")

    def make(option: Option) -> Test:
        wanted = {kind.lower() for kind in _kinds(option)}
        source, negated = option.name == "--src-type", option.negated

        def test(c: Context) -> bool:
            device = c.iif if limit == "--limit-iface-in" else c.oif if limit == "--limit-iface-out" else ""
            address = c.ip.src if source else c.ip.dst
            return (c.namespace.fib.address_type(address, device) in wanted) != negated

        return test

    return all_of([make(option) for option in options if not option.name.startswith("--limit")])


def _show_addrtype(options: tuple[Option, ...], _numeric: bool) -> str:
    words = ["ADDRTYPE match"]
    for name in ("--src-type", "--dst-type"):
        option = find(options, name)
        if option is not None:
            kinds = _kinds(option)
            words.append(f"{name[2:]} {bang(option, '!')}{','.join(kind for kind in _ADDRESS_TYPES if kind in kinds)}")
    words += [f"limit-{side}" for side in ("in", "out") if find(options, f"--limit-iface-{side}")]
    return " ".join(words)


def _rpfilter(options: tuple[Option, ...], _proto: int) -> Test:
    """Whether the way back to the source leads out by the device that the packet came in by (rpfilter_mt)."""
    loose, mark, accept_local, invert = (
        find(options, f"--{name}") is not None for name in ("loose", "validmark", "accept-local", "invert")
    )

    def reverse(c: Context) -> bool | None:
        device = c.indev
        if device is None or device.kind == "loopback":
            return True
        src, dst = c.ip.src, c.ip.dst
        if not isinstance(c.ip, IPv4):
            return None
        if is_zeronet(src) and (dst == 0xFFFFFFFF or dst >> 8 == 0xE00000):
            return True
        towards = 0 if is_multicast(dst) or dst == 0xFFFFFFFF or is_zeronet(dst) else dst
        route = c.namespace.fib.lookup(RouteQuery(src, towards, c.skb.mark if mark else 0))
        if route is None or route.type in ROUTE_ERRORS:
            return False
        if route.type != UNICAST and not (route.type == LOCAL and accept_local):
            return False
        return loose or route.device == device.name

    def test(c: Context) -> bool | None:
        answer = reverse(c)
        return None if answer is None else answer != invert

    return test


def _show_rpfilter(options: tuple[Option, ...], _numeric: bool) -> str:
    return " ".join(
        ["rpfilter", *(name for name in ("loose", "validmark", "accept-local", "invert") if find(options, f"--{name}"))]
    )


def _realm_value(option: Option) -> tuple[int, int]:
    return values.value_mask("0" if option.values[0] == "cosmos" else option.values[0])


def _realm(options: tuple[Option, ...], _proto: int) -> Test:
    for option in options:
        _realm_value(option)
    return undecided


def _show_realm(options: tuple[Option, ...], numeric: bool) -> str:
    number, mask = _realm_value(options[-1])
    text = f"0x{number:x}" + ("" if mask == 0xFFFFFFFF else f"/0x{mask:x}")
    return f"{bang(options[-1])}realm {'cosmos' if text == '0x0' and not numeric else text}"


MODULES = {
    "addrtype": Module(
        {"--src-type": 1, "--dst-type": 1, "--limit-iface-in": 0, "--limit-iface-out": 0}, _addrtype, _show_addrtype
    ),
    "rpfilter": Module(
        {"--loose": 0, "--validmark": 0, "--accept-local": 0, "--invert": 0},
        _rpfilter,
        _show_rpfilter,
        "IPv6 routes are not modelled",
        sure=lambda _options, _proto: True,
    ),
    "realm": Module({"--realm": 1}, _realm, _show_realm, "the realms of routes are not in a snapshot"),
}
