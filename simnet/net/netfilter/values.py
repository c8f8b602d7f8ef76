"""The words that rules are made of: addresses, protocols, ports, ranges, marks, ICMP types, DSCP classes, sizes."""

from __future__ import annotations

import socket
from functools import lru_cache
from ipaddress import IPv6Address

from ..address import ip_text, parse_ip
from . import services

FULL4, FULL6 = (1 << 32) - 1, (1 << 128) - 1

PROTOCOLS = {
    "all": 0,
    "ip": 0,
    "icmp": 1,
    "igmp": 2,
    "ggp": 3,
    "ipencap": 4,
    "st": 5,
    "tcp": 6,
    "egp": 8,
    "igp": 9,
    "pup": 12,
    "udp": 17,
    "hmp": 20,
    "xns-idp": 22,
    "rdp": 27,
    "iso-tp4": 29,
    "dccp": 33,
    "xtp": 36,
    "ddp": 37,
    "idpr-cmtp": 38,
    "ipv6": 41,
    "ipv6-route": 43,
    "ipv6-frag": 44,
    "idrp": 45,
    "rsvp": 46,
    "gre": 47,
    "esp": 50,
    "ipv6-crypt": 50,
    "ah": 51,
    "ipv6-auth": 51,
    "icmpv6": 58,
    "ipv6-icmp": 58,
    "skip": 57,
    "ipv6-nonxt": 59,
    "ipv6-opts": 60,
    "rspf": 73,
    "vmtp": 81,
    "eigrp": 88,
    "ospf": 89,
    "ax.25": 93,
    "ipip": 94,
    "etherip": 97,
    "encap": 98,
    "pim": 103,
    "ipcomp": 108,
    "vrrp": 112,
    "l2tp": 115,
    "isis": 124,
    "fc": 133,
    "sctp": 132,
    "mobility-header": 135,
    "ipv6-mh": 135,
    "udplite": 136,
    "mh": 135,
    "mpls-in-ip": 137,
    "manet": 138,
    "hip": 139,
    "shim6": 140,
    "wesp": 141,
    "rohc": 142,
    "ethernet": 143,
}

# name: (type, lowest code, highest code), from iptables' extensions/libxt_icmp.h
ICMP_TYPES = {
    "any": (255, 0, 255),
    "echo-reply": (0, 0, 255),
    "pong": (0, 0, 255),
    "destination-unreachable": (3, 0, 255),
    "network-unreachable": (3, 0, 0),
    "host-unreachable": (3, 1, 1),
    "protocol-unreachable": (3, 2, 2),
    "port-unreachable": (3, 3, 3),
    "fragmentation-needed": (3, 4, 4),
    "source-route-failed": (3, 5, 5),
    "network-unknown": (3, 6, 6),
    "host-unknown": (3, 7, 7),
    "network-prohibited": (3, 9, 9),
    "host-prohibited": (3, 10, 10),
    "TOS-network-unreachable": (3, 11, 11),
    "TOS-host-unreachable": (3, 12, 12),
    "communication-prohibited": (3, 13, 13),
    "host-precedence-violation": (3, 14, 14),
    "precedence-cutoff": (3, 15, 15),
    "source-quench": (4, 0, 255),
    "redirect": (5, 0, 255),
    "network-redirect": (5, 0, 0),
    "host-redirect": (5, 1, 1),
    "TOS-network-redirect": (5, 2, 2),
    "TOS-host-redirect": (5, 3, 3),
    "echo-request": (8, 0, 255),
    "ping": (8, 0, 255),
    "router-advertisement": (9, 0, 255),
    "router-solicitation": (10, 0, 255),
    "time-exceeded": (11, 0, 255),
    "ttl-exceeded": (11, 0, 255),
    "ttl-zero-during-transit": (11, 0, 0),
    "ttl-zero-during-reassembly": (11, 1, 1),
    "parameter-problem": (12, 0, 255),
    "ip-header-bad": (12, 0, 0),
    "required-option-missing": (12, 1, 1),
    "timestamp-request": (13, 0, 255),
    "timestamp-reply": (14, 0, 255),
    "address-mask-request": (17, 0, 255),
    "address-mask-reply": (18, 0, 255),
}

# from iptables' extensions/libip6t_icmp6.c
ICMP6_TYPES = {
    "destination-unreachable": (1, 0, 255),
    "no-route": (1, 0, 0),
    "communication-prohibited": (1, 1, 1),
    "beyond-scope": (1, 2, 2),
    "address-unreachable": (1, 3, 3),
    "port-unreachable": (1, 4, 4),
    "failed-policy": (1, 5, 5),
    "reject-route": (1, 6, 6),
    "packet-too-big": (2, 0, 255),
    "time-exceeded": (3, 0, 255),
    "ttl-exceeded": (3, 0, 255),
    "ttl-zero-during-transit": (3, 0, 0),
    "ttl-zero-during-reassembly": (3, 1, 1),
    "parameter-problem": (4, 0, 255),
    "bad-header": (4, 0, 0),
    "unknown-header-type": (4, 1, 1),
    "unknown-option": (4, 2, 2),
    "echo-request": (128, 0, 255),
    "ping": (128, 0, 255),
    "echo-reply": (129, 0, 255),
    "pong": (129, 0, 255),
    "router-solicitation": (133, 0, 255),
    "router-advertisement": (134, 0, 255),
    "neighbour-solicitation": (135, 0, 255),
    "neighbor-solicitation": (135, 0, 255),
    "neighbour-advertisement": (136, 0, 255),
    "neighbor-advertisement": (136, 0, 255),
    "redirect": (137, 0, 255),
}

# names of values of the TOS field, under the mask 0x3f (xtables' tos_values.c)
TOS_NAMES = {
    "Minimize-Delay": 16,
    "Maximize-Throughput": 8,
    "Maximize-Reliability": 4,
    "Minimize-Cost": 2,
    "Normal-Service": 0,
}

# RFC 2474, 2597, 3246
DSCP_CLASSES = {
    "CS0": 0,
    "CS1": 8,
    "CS2": 16,
    "CS3": 24,
    "CS4": 32,
    "CS5": 40,
    "CS6": 48,
    "CS7": 56,
    "BE": 0,
    "AF11": 10,
    "AF12": 12,
    "AF13": 14,
    "AF21": 18,
    "AF22": 20,
    "AF23": 22,
    "AF31": 26,
    "AF32": 28,
    "AF33": 30,
    "AF41": 34,
    "AF42": 36,
    "AF43": 38,
    "EF": 46,
}


def number(text: str, highest: int = 0xFFFFFFFF) -> int:
    """A decimal, octal or hexadecimal number up to `highest`; ValueError otherwise.

    Example:
        >>> number("0x10"), number("12")
        (16, 12)
    """
    sign = text.strip()
    base = 16 if sign.lower().startswith("0x") else 8 if len(sign) > 1 and sign.startswith("0") else 10
    value = int(sign, base)
    if not 0 <= value <= highest:
        raise ValueError(f"{text} is not between 0 and {highest}")
    return value


@lru_cache(maxsize=4096)
def port(text: str, proto: str = "tcp") -> int:
    """A port by number or by service name; ValueError when it is neither.

    Example:
        >>> port("22")
        22
    """
    if text.isdigit():
        return number(text.lstrip("0") or "0", 65535)
    proto = proto if proto in {"tcp", "udp"} else "tcp"
    known = services.number(text, proto)
    if known is not None:
        return known
    try:
        return socket.getservbyname(text, proto)
    except OSError:
        raise ValueError(f"no service {text!r}") from None


def port_range(text: str, proto: str = "tcp", separator: str = ":") -> tuple[int, int]:
    """`80`, `80:90`, `:90` or `80:` as (lowest, highest).

    Example:
        >>> port_range("1024:")
        (1024, 65535)
    """
    low, found, high = text.partition(separator)
    if not found:
        return port(low, proto), port(low, proto)
    return (port(low, proto) if low else 0), (port(high, proto) if high else 65535)


def number_range(text: str, highest: int) -> tuple[int, int]:
    """`5`, `5:9`, `:9` or `5:` as (lowest, highest).

    Example:
        >>> number_range("40:84", 65535)
        (40, 84)
    """
    low, found, high = text.partition(":")
    if not found:
        return number(low, highest), number(low, highest)
    return (number(low, highest) if low else 0), (number(high, highest) if high else highest)


def value_mask(text: str, full: int = 0xFFFFFFFF) -> tuple[int, int]:
    """`0x1` or `0x1/0xff` as (value, mask).

    Example:
        >>> value_mask("0x1/0xff")
        (1, 255)
    """
    value, found, mask = text.partition("/")
    return number(value), number(mask) if found else full


def protocol(text: str) -> int:
    """A protocol by number or by name.

    Example:
        >>> protocol("udp")
        17
    """
    if text.isdigit():
        return number(text.lstrip("0") or "0", 255)
    if text.lower() not in PROTOCOLS:
        raise ValueError(f"no protocol {text!r}")
    return PROTOCOLS[text.lower()]


def icmp_type(text: str, names: dict[str, tuple[int, int, int]] = ICMP_TYPES) -> tuple[int, int, int]:
    """`8`, `3/3` or one of some `names` as (type, lowest code, highest code).

    Example:
        >>> icmp_type("3/1"), icmp_type("echo-request")
        ((3, 1, 1), (8, 0, 255))
    """
    if text[:1].isdigit():
        kind, found, code = text.partition("/")
        if found:
            return number(kind, 255), number(code, 255), number(code, 255)
        return number(kind, 255), 0, 255
    hits = [name for name in names if name.lower().startswith(text.lower())]
    exact = [name for name in hits if name.lower() == text.lower()]
    if len(exact or hits) != 1:
        raise ValueError(f"no ICMP type {text!r}")
    return names[(exact or hits)[0]]


@lru_cache(maxsize=65536)
def address(text: str) -> int:
    """An address of either family as an integer; ValueError when it is none.

    Example:
        >>> address("10.0.0.1"), address("::1")
        (167772161, 1)
    """
    return int(IPv6Address(text)) if ":" in text else parse_ip(text)


def address_text(value: int, *, wide: bool) -> str:
    """An address as it is printed; `wide` is IPv6.

    Example:
        >>> address_text(1, wide=True), address_text(167772161, wide=False)
        ('::1', '10.0.0.1')
    """
    return str(IPv6Address(value)) if wide else ip_text(value)


@lru_cache(maxsize=65536)
def block(text: str) -> tuple[int, int]:
    """A block of either family as (address, mask), the address as it is written; ValueError when it is none.

    Octets that are missing are zero: `10/8`.

    Example:
        >>> [hex(part) for part in block("10.1.0.0/8")]
        ['0xa010000', '0xff000000']
    """
    host, found, bits = text.partition("/")
    width, full = (128, FULL6) if ":" in host else (32, FULL4)
    if ":" not in host:
        host += ".0" * (3 - host.count("."))
    if not found:
        return address(host), full
    if bits.isascii() and bits.isdigit() and int(bits) <= width:
        return address(host), full ^ full >> int(bits)
    return address(host), address(bits)
