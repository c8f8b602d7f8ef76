"""The names that iptables prints where it is not asked for numbers: protocols, hosts, networks.

Nothing is looked up: the names are those of a plain Debian system (/etc/protocols, /etc/networks, `localhost`).
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network

from ..address import Prefix, ip_text, mask_of

# the names of /etc/protocols
PROTOCOLS = {
    1: "icmp", 2: "igmp", 3: "ggp", 4: "ipencap", 5: "st", 6: "tcp", 8: "egp", 9: "igp", 12: "pup", 17: "udp",
    20: "hmp", 22: "xns-idp", 27: "rdp", 29: "iso-tp4", 33: "dccp", 36: "xtp", 37: "ddp", 38: "idpr-cmtp", 41: "ipv6",
    43: "ipv6-route", 44: "ipv6-frag", 45: "idrp", 46: "rsvp", 47: "gre", 50: "esp", 51: "ah", 57: "skip",
    58: "ipv6-icmp", 59: "ipv6-nonxt", 60: "ipv6-opts", 73: "rspf", 81: "vmtp", 88: "eigrp", 89: "ospf", 93: "ax.25",
    94: "ipip", 97: "etherip", 98: "encap", 103: "pim", 108: "ipcomp", 112: "vrrp", 115: "l2tp", 124: "isis",
    132: "sctp", 133: "fc", 135: "mobility-header", 136: "udplite", 137: "mpls-in-ip", 138: "manet", 139: "hip",
    140: "shim6", 141: "wesp", 142: "rohc", 143: "ethernet",
}  # fmt: skip
_NUMBERS = {name: number for number, name in PROTOCOLS.items()} | {
    "all": 0, "ip": 0, "icmpv6": 58, "icmp6": 58, "ipv6-mh": 135, "mh": 135, "ipv6-crypt": 50, "ipv6-auth": 51,
}  # fmt: skip
_HOSTS = {"127.0.0.1": "localhost", "127.0.0.0": "loopback", "0.0.0.0": "default", "169.254.0.0": "link-local"}


def protocol_number(text: str) -> int:
    """A protocol by number or name; ValueError where there is none.

    Example:
        >>> protocol_number("gre"), protocol_number("6")
        (47, 6)
    """
    if text.isascii() and text.isdigit() and int(text) <= 255:
        return int(text)
    if text.lower() not in _NUMBERS:
        raise ValueError(f"no protocol {text!r}")
    return _NUMBERS[text.lower()]


def protocol_name(number: int) -> str:
    """A protocol's name; its number where it has none.

    Example:
        >>> protocol_name(6), protocol_name(0), protocol_name(200)
        ('tcp', 'all', '200')
    """
    return "all" if number == 0 else PROTOCOLS.get(number, str(number))


@lru_cache(maxsize=65536)
def block_text(text: str, *, numeric: bool = True) -> str:
    """An address block as the columns of `iptables -L` show it.

    Example:
        >>> block_text("10.0.0.1/32"), block_text("0.0.0.0/0", numeric=False), block_text("127.0.0.1/32", numeric=False)
        ('10.0.0.1', 'anywhere', 'localhost')
    """
    if ":" in text:
        return _block6(text, numeric=numeric)
    block = Prefix.parse(text)
    if block.mask == 0 and not numeric:
        return "anywhere"
    address = ip_text(block.address)
    if not numeric:
        address = _HOSTS.get(address, address)
    if block.mask == 0xFFFFFFFF:
        return address
    plain = block.mask == mask_of(block.length)
    return f"{address}/{block.length if plain else ip_text(block.mask)}"


def _block6(text: str, *, numeric: bool) -> str:
    address, mask, length = _split6(text)
    if address == 0 and not numeric:
        return "anywhere"
    shown = ip6_text(address)
    if length == 128:
        return shown
    return f"{shown}/{length if length is not None else ip6_text(mask)}"


def _split6(text: str) -> tuple[int, int, int | None]:
    """(address, mask, length of the mask, None where it has gaps) of an IPv6 block."""
    host, _, bits = text.partition("/")
    if ":" in bits:
        mask = int(IPv6Address(bits))
        ones = bin(mask).count("1")
        length = ones if mask == int(IPv6Network(f"::/{ones}").netmask) else None
    else:
        length = int(bits) if bits else 128
        mask = int(IPv6Network(f"::/{length}").netmask)
    return int(IPv6Address(host)) & mask, mask, length


def ip6_text(address: int) -> str:
    """An IPv6 address as the C library writes it: the last 32 bits dotted where it embeds an IPv4 one.

    Example:
        >>> ip6_text(0xFFFF01020304), ip6_text(1), ip6_text(0x01020304)
        ('::ffff:1.2.3.4', '::1', '::1.2.3.4')
    """
    if address >> 32 == 0xFFFF:
        return f"::ffff:{IPv4Address(address & 0xFFFFFFFF)}"
    if address >> 32 == 0 and address > 0xFFFF:
        return f"::{IPv4Address(address)}"
    return str(IPv6Address(address))


def saved_block(text: str) -> str:
    """An address block as iptables-save writes it.

    Example:
        >>> saved_block("10.0.0.1"), saved_block("10.1.2.3/255.0.0.0"), saved_block("fe80::1")
        ('10.0.0.1/32', '10.0.0.0/8', 'fe80::1/128')
    """
    if ":" not in text:
        return str(Prefix.parse(text))
    address, mask, length = _split6(text)
    return f"{ip6_text(address)}/{length if length is not None else ip6_text(mask)}"
