"""Targets that change the packet's header: TTL HL DSCP TOS ECN TCPMSS TCPOPTSTRIP CHECKSUM.

Models: net/netfilter/xt_DSCP.c, xt_HL.c, xt_TCPMSS.c, xt_TCPOPTSTRIP.c, net/ipv4/netfilter/ipt_ECN.c.
Leaves out: the ECE and CWR bits, the MSS that TCPMSS writes, and the options that TCPOPTSTRIP takes out of a segment;
no walk depends on them.
"""

from __future__ import annotations

from dataclasses import replace

from .. import values
from ..context import Context
from ..rule import Word
from .extension import CONTINUE, Act, Extension, Given, listed, nothing, number, value, words


def _hops(prefix: str) -> Extension:
    """TTL and HL, which differ in their names alone."""
    names = {f"--{prefix}-set": "set to", f"--{prefix}-dec": "decrement by", f"--{prefix}-inc": "increment by"}

    def build(given: Given) -> Act:
        if not given:
            raise ValueError(f"needs one of {', '.join(names)}")
        name, option = next(iter(given.items()))
        amount = values.number(option.values[0], 255)

        def act(c: Context) -> str:
            old = c.ip.ttl
            new = amount if name.endswith("set") else old - amount if name.endswith("dec") else old + amount
            c.ip = c.skb.packet = replace(c.ip, ttl=min(max(new, 0), 255))
            return CONTINUE

        return act

    def show(given: Given, _numeric: bool) -> str:
        name, option = next(iter(given.items()))
        return f"{prefix.upper()} {names[name]} {values.number(option.values[0], 255)}"

    def canon(given: Given) -> list[Word]:
        name, option = next(iter(given.items()))
        return words(name, values.number(option.values[0], 255))

    return Extension(dict.fromkeys(names, 1), build, listed(show), canon)


def _dscp_value(given: Given) -> int:
    if (name := value(given, "--set-dscp-class")) is not None:
        return values.DSCP_CLASSES[name.upper()]
    if (text := value(given, "--set-dscp")) is None:
        raise ValueError("DSCP needs --set-dscp or --set-dscp-class")
    return values.number(text, 63)


def _dscp(given: Given) -> Act:
    dscp = _dscp_value(given)

    def act(c: Context) -> str:
        c.ip = c.skb.packet = replace(c.ip, tos=(c.ip.tos & 3) | dscp << 2)
        return CONTINUE

    return act


# names of a TOS, under the mask 0x3f
TOS_NAMES = {
    0x10: "Minimize-Delay", 0x08: "Maximize-Throughput", 0x04: "Maximize-Reliability", 0x02: "Minimize-Cost",
    0x00: "Normal-Service",
}  # fmt: skip


def _tos_change(given: Given) -> tuple[int, int]:
    """(bits to clear, bits to flip) of the type of service."""
    if (text := value(given, "--set-tos", "--set-xtos")) is not None:
        named = [tos for tos, name in TOS_NAMES.items() if name.lower() == text.lower()]
        tos, mask = (named[0], 0x3F) if named else values.value_mask(text, 0xFF)
        if tos > 0xFF or mask > 0xFF:
            raise ValueError(f"{text} is no type of service")
        return mask, tos
    if (text := value(given, "--and-tos")) is not None:
        return ~values.number(text, 255) & 0xFF, 0
    if (text := value(given, "--or-tos")) is not None:
        return values.number(text, 255), values.number(text, 255)
    if (text := value(given, "--xor-tos")) is not None:
        return 0, values.number(text, 255)
    raise ValueError("TOS needs --set-tos or the like")


def _tos(given: Given) -> Act:
    clear, flip = _tos_change(given)

    def act(c: Context) -> str:
        c.ip = c.skb.packet = replace(c.ip, tos=(c.ip.tos & ~clear & 0xFF) ^ flip)
        return CONTINUE

    return act


def _tos_text(given: Given, numeric: bool) -> str:
    clear, flip = _tos_change(given)
    if numeric:
        return f"TOS set 0x{flip:02x}/0x{clear:02x}"
    if clear == 0x3F and flip in TOS_NAMES:
        return f" TOS set{TOS_NAMES[flip]}"  # the blanks stand as iptables prints them
    if flip == 0:
        return f"TOS and 0x{~clear & 0xFF:02x}"
    if flip == clear:
        return f"TOS or 0x{flip:02x}"
    return f"TOS set 0x{flip:02x}/0x{clear:02x}" if clear else f"TOS xor 0x{flip:02x}"


def _tos_words(given: Given) -> list[Word]:
    clear, flip = _tos_change(given)
    return words("--set-tos", f"0x{flip:02x}/0x{clear:02x}")


def _ecn_bits(given: Given) -> dict[str, int]:
    """What ECN sets: the bits of TCP, and the codepoint of IP."""
    found = {"ECE": 0, "CWR": 0} if "--ecn-tcp-remove" in given else {}
    for name, option, highest in (("ECE", "--ecn-tcp-ece", 1), ("CWR", "--ecn-tcp-cwr", 1), ("ECT", "--ecn-ip-ect", 3)):
        if option in given:
            found[name] = number(given, option, 0, highest)
    if not found:
        raise ValueError("ECN needs an option that says what to change")
    return found


def _ecn(given: Given) -> Act:
    codepoint = _ecn_bits(given).get("ECT")
    if codepoint is None:
        return lambda _: CONTINUE

    def act(c: Context) -> str:
        c.ip = c.skb.packet = replace(c.ip, tos=(c.ip.tos & ~3) | codepoint)
        return CONTINUE

    return act


def _ecn_text(given: Given, _numeric: bool) -> str:
    bits = _ecn_bits(given)
    if bits == {"ECE": 0, "CWR": 0}:
        return "ECN TCP remove"
    parts = [f"{name}={bits[name]}" for name in ("ECE", "CWR") if name in bits]
    return " ".join(["ECN", *parts, *([f"ECT codepoint={bits['ECT']}"] if "ECT" in bits else [])])


def _ecn_words(given: Given) -> list[Word]:
    bits = _ecn_bits(given)
    if bits == {"ECE": 0, "CWR": 0}:
        return words("--ecn-tcp-remove")
    names = {"ECE": "--ecn-tcp-ece", "CWR": "--ecn-tcp-cwr", "ECT": "--ecn-ip-ect"}
    return [word for name, option in names.items() if name in bits for word in words(option, bits[name])]


def _mss_text(given: Given, _numeric: bool) -> str:
    if "--clamp-mss-to-pmtu" in given:
        return "TCPMSS clamp to PMTU"
    return f"TCPMSS set {number(given, '--set-mss', 0, 65535)}"


def _mss_words(given: Given) -> list[Word]:
    if "--clamp-mss-to-pmtu" in given:
        return words("--clamp-mss-to-pmtu")
    return words("--set-mss", number(given, "--set-mss", 0, 65535))


TCP_OPTIONS = {"mss": 2, "wscale": 3, "sack-permitted": 4, "sack": 5, "timestamp": 8, "md5": 19}


def _stripped(given: Given) -> list[int]:
    parts = (value(given, "--strip-options") or "").split(",")
    return sorted({TCP_OPTIONS[part] if part in TCP_OPTIONS else values.number(part, 255) for part in parts})


def _strip_text(given: Given, numeric: bool) -> str:
    names = {} if numeric else {kind: name for name, kind in TCP_OPTIONS.items()}
    return "TCPOPTSTRIP options " + ",".join(names.get(kind, str(kind)) for kind in _stripped(given))


EXTENSIONS = {
    "TTL": _hops("ttl"),
    "HL": _hops("hl"),
    "DSCP": Extension(
        {"--set-dscp": 1, "--set-dscp-class": 1}, _dscp,
        listed(lambda given, _numeric: f"DSCP set 0x{_dscp_value(given):02x}"),
        lambda given: words("--set-dscp", f"0x{_dscp_value(given):02x}"),
    ),
    "TOS": Extension(
        {"--set-tos": 1, "--set-xtos": 1, "--and-tos": 1, "--or-tos": 1, "--xor-tos": 1},
        _tos, listed(_tos_text), _tos_words,
    ),
    "ECN": Extension(
        {"--ecn-tcp-remove": 0, "--ecn-tcp-cwr": 1, "--ecn-tcp-ece": 1, "--ecn-ip-ect": 1},
        _ecn, listed(_ecn_text), _ecn_words,
    ),
    "TCPMSS": Extension({"--set-mss": 1, "--clamp-mss-to-pmtu": 0}, nothing, listed(_mss_text), _mss_words),
    "TCPOPTSTRIP": Extension(
        {"--strip-options": 1}, nothing, listed(_strip_text),
        lambda given: words("--strip-options", ",".join(map(str, _stripped(given)))),
    ),
    "CHECKSUM": Extension(
        {"--checksum-fill": 0}, nothing, listed(lambda given, _numeric: "CHECKSUM fill" if given else "CHECKSUM"),
        lambda given: words(*given),
    ),
}  # fmt: skip
