"""How the options of matches are written by iptables-save: their order, their values, and those that it adds.

Models: the `save` functions of libxt_*.c and libipt_*.c of iptables 1.8.9.
"""

from __future__ import annotations

from collections.abc import Callable

from ..netfilter import values
from ..netfilter.targets.header import TOS_NAMES
from ..packet import FLAG_NAMES
from . import names

# the value of an option, given the protocol's name
Value = Callable[[str, str], str]
ALIASES = {
    "--source-port": "--sport", "--destination-port": "--dport", "--source-ports": "--sports",
    "--destination-ports": "--dports", "--syn": "--tcp-flags", "--ttl": "--ttl-eq", "--dscp-class": "--dscp",
}  # fmt: skip
_STATES = ("INVALID", "NEW", "RELATED", "ESTABLISHED", "UNTRACKED", "SNAT", "DNAT")
_FLAGS = ("FIN", "SYN", "RST", "PSH", "ACK", "URG")
_RATES = (("day", 864_000_000), ("hour", 36_000_000), ("min", 600_000), ("sec", 10_000))


def _ports(text: str, proto: str, between: str = ":") -> str:
    low, high = values.port_range(text, proto)
    return str(low) if low == high else f"{low}{between}{high}"


def _list(text: str, proto: str) -> str:
    return ",".join(_ports(part, proto) for part in text.split(","))


def _flags(text: str, _proto: str) -> str:
    asked = {"ALL": set(FLAG_NAMES), "NONE": set()}.get(text.upper(), {part.upper() for part in text.split(",")})
    return ",".join(name for name in _FLAGS if name in asked) or "NONE"


def _icmp(text: str, _proto: str) -> str:
    kind, low, high = values.icmp_type(text)
    return "any" if kind == 255 else str(kind) if high - low == 255 else f"{kind}/{low}"


def _states(text: str, _proto: str) -> str:
    asked = {part.upper() for part in text.split(",")}
    return ",".join(name for name in _STATES if name in asked)


def _mark(text: str, _proto: str) -> str:
    mark, mask = values.value_mask(text)
    return f"0x{mark:x}" if mask == 0xFFFFFFFF else f"0x{mark:x}/0x{mask:x}"


def rate_text(text: str) -> str:
    """A rate in the largest unit that says it well.

    Example:
        >>> rate_text("10/second"), rate_text("60/hour"), rate_text("7/m")
        ('10/sec', '1/min', '7/min')
    """
    count, _, unit = text.partition("/")
    mult = next((m for name, m in _RATES if name.startswith(unit[:1].lower())), 0) if unit else 10_000
    if not mult or not count.isdigit() or not int(count):
        raise ValueError(f'bad rate "{text}"')
    period = mult // int(count)
    at = 1
    while at < len(_RATES) and not (period > _RATES[at][1] or _RATES[at][1] // period < _RATES[at][1] % period):
        at += 1
    return f"{_RATES[at - 1][1] // period}/{_RATES[at - 1][0]}"


def _span(text: str, _proto: str) -> str:
    return text if "-" in text else f"{text}-{text}"


def _length(text: str, _proto: str) -> str:
    low, high = values.number_range(text, 0xFFFF)
    return str(low) if low == high else f"{low}:{high}"


def _dscp(text: str, _proto: str) -> str:
    number = values.DSCP_CLASSES[text.upper()] if text.upper() in values.DSCP_CLASSES else values.number(text, 63)
    return f"0x{number:02x}"


def _upper(text: str, _proto: str) -> str:
    return text.upper()


def _lower(text: str, _proto: str) -> str:
    return text.lower()


def _number(text: str, _proto: str) -> str:
    return str(values.number(text))


def _proto_number(text: str, _proto: str) -> str:
    return str(names.protocol_number(text))


def _statuses(text: str, _proto: str) -> str:
    asked = {part.upper() for part in text.split(",")}
    return ",".join(one for one in ("NONE", "EXPECTED", "SEEN_REPLY", "ASSURED", "CONFIRMED") if one in asked)


def _tos(text: str, _proto: str) -> str:
    named = {name.lower(): number for number, name in TOS_NAMES.items()}
    tos, mask = (named[text.lower()], 0x3F) if text.lower() in named else values.value_mask(text, 0xFF)
    return f"0x{tos:02x}/0x{mask:02x}"


def _user(text: str, _proto: str) -> str:
    return "0" if text == "root" else text


def _hex(text: str, _proto: str) -> str:
    mark, mask = values.value_mask(text)
    return f"0x{mark:x}" if mask == 0xFFFFFFFF else f"0x{mark:x}/0x{mask:x}"


def _rate(text: str, _proto: str) -> str:
    return text if "b" in text else rate_text(text)


def _chance(text: str, _proto: str) -> str:
    return f"{float(text):.11f}"


def _counted(text: str, _proto: str) -> str:
    return text.removesuffix(":")


# module: its options in the order in which they are written, and how their values are
MODULES: dict[str, dict[str, Value | None]] = {
    "tcp": {"--sport": _ports, "--dport": _ports, "--tcp-option": _number, "--tcp-flags": _flags},
    "udp": {"--sport": _ports, "--dport": _ports},
    "icmp": {"--icmp-type": _icmp},
    "multiport": {"--sports": _list, "--dports": _list, "--ports": _list},
    "state": {"--state": _states},
    "conntrack": {
        "--ctstate": _states,
        "--ctproto": _proto_number,
        "--ctorigsrc": None,
        "--ctorigdst": None,
        "--ctreplsrc": None,
        "--ctrepldst": None,
        "--ctorigsrcport": _ports,
        "--ctorigdstport": _ports,
        "--ctreplsrcport": _ports,
        "--ctrepldstport": _ports,
        "--ctstatus": _statuses,
        "--ctexpire": None,
        "--ctdir": _upper,
    },
    "tos": {"--tos": _tos},
    "string": {"--string": None, "--hex-string": None, "--algo": None, "--from": None, "--to": None, "--icase": None},
    "owner": {"--uid-owner": _user, "--gid-owner": _user},
    "realm": {"--realm": _hex},
    "recent": dict.fromkeys(
        (
            "--set",
            "--rcheck",
            "--update",
            "--remove",
            "--seconds",
            "--reap",
            "--hitcount",
            "--rttl",
            "--name",
            "--mask",
            "--rsource",
            "--rdest",
        )
    ),
    "statistic": {"--mode": None, "--probability": _chance, "--every": _number, "--packet": _number},
    "connlimit": dict.fromkeys(
        ("--connlimit-upto", "--connlimit-above", "--connlimit-mask", "--connlimit-saddr", "--connlimit-daddr")
    ),
    "hashlimit": {
        "--hashlimit-upto": _rate,
        "--hashlimit-above": _rate,
        "--hashlimit-burst": None,
        "--hashlimit-mode": None,
        "--hashlimit-name": None,
        "--hashlimit-htable-size": None,
        "--hashlimit-htable-max": None,
        "--hashlimit-htable-gcinterval": None,
        "--hashlimit-htable-expire": None,
        "--hashlimit-srcmask": None,
        "--hashlimit-dstmask": None,
    },
    "connbytes": {"--connbytes": _counted, "--connbytes-mode": None, "--connbytes-dir": None},
    "mark": {"--mark": _mark},
    "connmark": {"--mark": _mark},
    "limit": {"--limit": _rate, "--limit-burst": _number},
    "addrtype": {"--src-type": _upper, "--dst-type": _upper, "--limit-iface-in": None, "--limit-iface-out": None},
    "ttl": {"--ttl-eq": _number, "--ttl-lt": _number, "--ttl-gt": _number},
    "length": {"--length": _length},
    "dscp": {"--dscp": _dscp},
    "iprange": {"--src-range": _span, "--dst-range": _span},
    "mac": {"--mac-source": _lower},
    "comment": {"--comment": None},
}
# options that say what holds anyway
DEFAULTS = {("limit", "--limit-burst", "5")} | {
    (module, name, "0:65535") for module in ("tcp", "udp") for name in ("--sport", "--dport")
}
STRINGS = {"--comment", "--helper"}
QUOTED = {"--string", "--hex-string", "--u32", "--bytecode"}


# options that stand there though nobody asked: each unless one of these is there
ADDED: dict[str, tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]] = {
    "recent": (
        (("--name",), ("--name", "DEFAULT")),
        (("--mask",), ("--mask", "255.255.255.255")),
        (("--rsource", "--rdest"), ("--rsource",)),
    ),
    "connlimit": (
        (("--connlimit-mask",), ("--connlimit-mask", "32")),
        (("--connlimit-saddr", "--connlimit-daddr"), ("--connlimit-saddr",)),
    ),
    "hashlimit": ((("--hashlimit-burst",), ("--hashlimit-burst", "5")),),
}
