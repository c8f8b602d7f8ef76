"""IPv4 addresses and prefixes as plain integers, and their text."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv6Address
from typing import NamedTuple

_DOTTED = re.compile(r"(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})")
BROADCAST_MAC = "ff:ff:ff:ff:ff:ff"


class Prefix(NamedTuple):
    """An address block: the bits under `mask` equal `address`.

    `mask` is 32 bits and need not be contiguous (iptables allows such masks).

    Example:
        >>> 0x0A000001 in Prefix.parse("10.0.0.0/8")
        True
    """

    address: int
    mask: int

    @classmethod
    def parse(cls, text: str) -> Prefix:
        """Read `A.B.C.D`, `A.B.C.D/len`, `A.B.C.D/M.M.M.M` or `default`; ValueError when it is none of them.

        Example:
            >>> str(Prefix.parse("10.1.2.3/255.255.0.0"))
            '10.1.0.0/16'
        """
        if text in {"default", "all"}:
            return cls(0, 0)
        host, _, bits = text.partition("/")
        address = parse_ip(host)
        if not bits:
            mask = 0xFFFFFFFF
        elif bits.isdigit() and int(bits) <= 32:
            mask = mask_of(int(bits))
        else:
            mask = parse_ip(bits)
        return cls(address & mask, mask)

    @property
    def length(self) -> int:
        """The number of leading one bits of the mask."""
        return bin(self.mask).count("1")

    def __contains__(self, address: object) -> bool:
        """Whether an integer address lies in the block."""
        return isinstance(address, int) and address & self.mask == self.address

    def __str__(self) -> str:
        """`A.B.C.D/len`, or with a dotted mask where it has gaps."""
        if self.mask == mask_of(self.length):
            return f"{ip_text(self.address)}/{self.length}"
        return f"{ip_text(self.address)}/{ip_text(self.mask)}"


def mask_of(length: int) -> int:
    """The 32-bit mask with `length` leading ones.

    Example:
        >>> hex(mask_of(24))
        '0xffffff00'
    """
    return (0xFFFFFFFF << (32 - length)) & 0xFFFFFFFF


@lru_cache(maxsize=65536)
def parse_ip(text: str) -> int:
    """An address in dotted form as an integer; ValueError when it is not one.

    Example:
        >>> parse_ip("10.0.0.1")
        167772161
    """
    found = _DOTTED.fullmatch(text)
    if not found or any(int(part) > 255 for part in found.groups()):
        raise ValueError(f"not an IPv4 address: {text!r}")
    a, b, c, d = map(int, found.groups())
    return a << 24 | b << 16 | c << 8 | d


@lru_cache(maxsize=65536)
def ip_text(address: int) -> str:
    """An integer address in dotted form.

    Example:
        >>> ip_text(167772161)
        '10.0.0.1'
    """
    return f"{address >> 24}.{address >> 16 & 255}.{address >> 8 & 255}.{address & 255}"


@lru_cache(maxsize=65536)
def ip6_text(address: int) -> str:
    """An integer IPv6 address as RFC 5952 writes it.

    Example:
        >>> ip6_text(1)
        '::1'
    """
    return str(IPv6Address(address))


def multicast_mac(address: int) -> str:
    """The hardware address that a multicast address maps to (RFC 1112).

    Example:
        >>> multicast_mac(parse_ip("224.0.0.1"))
        '01:00:5e:00:00:01'
    """
    return f"01:00:5e:{address >> 16 & 127:02x}:{address >> 8 & 255:02x}:{address & 255:02x}"


def is_loopback(address: int) -> bool:
    """Whether the address is in 127.0.0.0/8."""
    return address >> 24 == 127


def is_multicast(address: int) -> bool:
    """Whether the address is in 224.0.0.0/4."""
    return address >> 28 == 14


def is_zeronet(address: int) -> bool:
    """Whether the address is in 0.0.0.0/8."""
    return address >> 24 == 0
