"""Matches on IPv6: the headers between its own and the payload's, and addresses made of a hardware address."""

from __future__ import annotations

from .. import values
from ..context import Context
from ..rule import Option, Test
from .module import Build, Module, Show, bang, find, later_fragment, ranged

# protocols that stand right behind IPv6's own header in the packets that are modelled
_PLAIN = {6, 17, 58}


def _extension(proto: int) -> Build:
    """A packet of TCP, UDP or ICMPv6 is made without further headers; of others nobody knows."""

    def test(c: Context) -> bool | None:
        return False if c.ip.proto in _PLAIN and not later_fragment(c) and c.ip.proto != proto else None

    return lambda _options, _proto: test


def _simple(word: str, *parts: tuple[str, str]) -> Show:
    """A header's text: its name, and each option by its label: `length` → `length:!8`, `id#` → `id:1` or `ids:1:2`."""

    def show(options: tuple[Option, ...], _numeric: bool) -> str:
        words = [word]
        for name, label in parts:
            option = find(options, name)
            if option is None:
                continue
            if not option.values:
                words.append(label)
            elif label.endswith("#"):
                low, high = values.number_range(option.values[0], 0xFFFFFFFF)
                if (low, high) != (0, 0xFFFFFFFF) or option.negated:
                    words.append(ranged(label[:-1], low, high, option.negated))
            elif label in {"opts", "0-addrs"}:
                words.append(f"{label} {_listed(option.values[0], numbers=label == 'opts')}")
            else:
                words.append(f"{label}:{bang(option, '!')}{values.number(option.values[0])}")
        return " ".join(words)

    return show


def _listed(text: str, *, numbers: bool) -> str:
    """A list of addresses, or of option types with their lengths, as it is printed."""
    if numbers:
        return ",".join(":".join(str(values.number(n)) for n in part.split(":")) for part in text.split(","))
    return ",".join(values.address_text(values.address(part), wide=True) for part in text.split(","))


_FRAG = _simple(
    "frag", ("--fragid", "id#"), ("--fraglen", "length"), ("--fragres", "reserved"), ("--fragfirst", "first"),
    ("--fragmore", "more"), ("--fraglast", "last"),
)  # fmt: skip


def _show_frag(options: tuple[Option, ...], numeric: bool) -> str:
    text = _FRAG(options, numeric)
    return text if find(options, "--fragid") else text.replace("frag", "frag ", 1)


_MH_TYPES = {
    "binding-refresh-request": 0, "brr": 0, "home-test-init": 1, "hoti": 1, "careof-test-init": 2, "coti": 2,
    "home-test": 3, "hot": 3, "careof-test": 4, "cot": 4, "binding-update": 5, "bu": 5, "binding-acknowledgement": 6,
    "ba": 6, "binding-error": 7, "be": 7,
}  # fmt: skip


def _mh_range(text: str) -> tuple[int, int]:
    def number(word: str, missing: int) -> int:
        if not word:
            return missing
        return _MH_TYPES[word.lower()] if word.lower() in _MH_TYPES else values.number(word, 255)

    low, found, high = text.partition(":")
    return (number(low, 0), number(high, 255)) if found else (number(low, 0), number(low, 0))


def _show_mh(options: tuple[Option, ...], numeric: bool) -> str:
    option = find(options, "--mh-type")
    if option is None or (_mh_range(option.values[0]) == (0, 255) and not option.negated):
        return "mh"
    names: dict[int, str] = {}
    for name, number in _MH_TYPES.items():
        names.setdefault(number, name)
    low, high = _mh_range(option.values[0])
    texts = [str(n) if numeric else names.get(n, str(n)) for n in ((low,) if low == high else (low, high))]
    return f"mh {bang(option, '!')}{':'.join(texts)}"


# bit, long name, short name and number of each header
_HEADERS = (
    (0x80, "hop-by-hop", "hop", "0"),
    (0x40, "ipv6-opts", "dst", "60"),
    (0x20, "ipv6-route", "route", "43"),
    (0x10, "ipv6-frag", "frag", "44"),
    (0x08, "ah", "auth", "51"),
    (0x04, "esp", "esp", "50"),
    (0x02, "ipv6-nonxt", "none", "59"),
    (0x01, "protocol", "prot", "255"),
)


def _header_bits(text: str) -> int:
    bits = 0
    for word in text.lower().split(","):
        found = next((bit for bit, *names in _HEADERS if word in names), 0)
        if not found:
            raise ValueError(f"no header {word!r}")
        bits |= found
    return bits


def _ipv6header(options: tuple[Option, ...], _proto: int) -> Test:
    option = find(options, "--header")
    if option is None:
        raise ValueError("--header is missing")
    wanted, negated, soft = _header_bits(option.values[0]), option.negated, find(options, "--soft") is not None

    def test(c: Context) -> bool | None:
        if c.ip.proto not in _PLAIN or later_fragment(c):
            return None
        has = 0x01
        if soft:
            return not (has ^ wanted ^ (0xFF if negated else 0)) & wanted
        return (has == wanted) != negated

    return test


def _show_ipv6header(options: tuple[Option, ...], numeric: bool) -> str:
    option = find(options, "--header")
    bits = _header_bits(option.values[0]) if option is not None else 0
    text = f"0x{bits:X}" if numeric else ",".join(name for bit, name, *_ in _HEADERS if bits & bit)
    return f"ipv6header flags:{bang(option, '!')}{text}" + (" soft" if find(options, "--soft") else "")


def _eui64(_options: tuple[Option, ...], _proto: int) -> Test:
    def test(c: Context) -> bool:
        if not c.skb.src_mac or c.skb.local:
            return False
        mac = int(c.skb.src_mac.replace(":", ""), 16)
        return c.ip.src & (1 << 64) - 1 == (mac >> 24 << 40 | 0xFFFE << 24 | mac & 0xFFFFFF) ^ 2 << 56

    return test


_SRH = {
    "--srh-next-hdr": "next-hdr", "--srh-hdr-len-eq": "hdr-len-eq", "--srh-hdr-len-gt": "hdr-len-gt",
    "--srh-hdr-len-lt": "hdr-len-lt", "--srh-segs-left-eq": "segs-left-eq", "--srh-segs-left-gt": "segs-left-gt",
    "--srh-segs-left-lt": "segs-left-lt", "--srh-last-entry-eq": "last-entry-eq",
    "--srh-last-entry-gt": "last-entry-gt", "--srh-last-entry-lt": "last-entry-lt", "--srh-tag": "tag",
}  # fmt: skip
_SIDS = {"--srh-psid": "psid", "--srh-nsid": "nsid", "--srh-lsid": "lsid"}


def _show_srh(options: tuple[Option, ...], numeric: bool) -> str:
    text = _simple("srh", *_SRH.items())(options, numeric)
    for name, label in _SIDS.items():
        option = find(options, name)
        if option is not None:
            address, mask = values.block(option.values[0])
            block = f"{values.address_text(address, wide=True)}/{mask.bit_count()}"
            text += f" {label} {bang(option, '!')} {block}"
    return text


_REASON = "headers between IPv6's own and the payload's are not modelled"


def _header(arity: dict[str, int], show: Show, proto: int = -1) -> Module:
    return Module(arity, _extension(proto), show, _REASON)


MODULES = {
    "frag": _header(
        {"--fragid": 1, "--fraglen": 1, "--fragres": 0, "--fragfirst": 0, "--fragmore": 0, "--fraglast": 0}, _show_frag
    ),
    "dst": _header(
        {"--dst-len": 1, "--dst-opts": 1}, _simple("dst", ("--dst-len", "length"), ("--dst-opts", "opts"))
    ),
    "hbh": _header(
        {"--hbh-len": 1, "--hbh-opts": 1}, _simple("hbh", ("--hbh-len", "length"), ("--hbh-opts", "opts"))
    ),
    "rt": _header(
        {"--rt-type": 1, "--rt-segsleft": 1, "--rt-len": 1, "--rt-0-res": 0, "--rt-0-addrs": 1, "--rt-0-not-strict": 0},
        _simple("rt", ("--rt-type", "type"), ("--rt-segsleft", "segsleft#"), ("--rt-len", "length"),
                ("--rt-0-res", "reserved"), ("--rt-0-addrs", "0-addrs"), ("--rt-0-not-strict", "0-not-strict")),
    ),
    "mh": _header({"--mh-type": 1}, _show_mh, 135),
    "mobility-header": _header({"--mh-type": 1}, _show_mh, 135),
    "ipv6-mh": _header({"--mh-type": 1}, _show_mh, 135),
    "srh": _header(dict.fromkeys({**_SRH, **_SIDS}, 1), _show_srh),
    "ipv6header": Module({"--header": 1, "--soft": 0}, _ipv6header, _show_ipv6header, _REASON),
    "eui64": Module({}, _eui64, lambda _options, _numeric: ""),
}  # fmt: skip
