"""Matches on the header of a protocol with ports: TCP, UDP, UDP-Lite, SCTP, DCCP; lists of ports; the TCP MSS."""

from __future__ import annotations

from collections.abc import Callable

from ...packet import FLAG_NAMES, RawPayload, TcpSegment
from .. import services, values
from ..context import Context
from ..rule import Option, Test
from .module import Module, Show, always, bang, each, find, joined, later_fragment, port_of, ranged, span, within

_ALL_PORTS = (0, 65535)
_SOURCE = ("--sport", "--source-port")
_DESTINATION = ("--dport", "--destination-port")
_PORTS = {"--sport": 1, "--source-port": 1, "--dport": 1, "--destination-port": 1}


def _sport(c: Context) -> int | None:
    return port_of(c, source=True)


def _dport(c: Context) -> int | None:
    return port_of(c, source=False)


def _known(test: Test) -> Test:
    """A test that nobody can answer for a packet whose payload is not modelled (SCTP, DCCP, UDP-Lite)."""
    return lambda c: None if isinstance(c.ip.transport, RawPayload) and not later_fragment(c) else test(c)


def _protocol_name(proto: int) -> str:
    return "udp" if proto == values.PROTOCOLS["udp"] else "tcp"


def _ports(option: Option, proto: int) -> Test:
    low, high = values.port_range(option.values[0], _protocol_name(proto))
    return within(_sport if option.name in _SOURCE else _dport, low, high, option.negated)


def _foreign(option: Option, _proto: int) -> Test:
    """Ports and more of a protocol whose header is not modelled."""
    if option.name not in _PORTS:
        return lambda c: False if later_fragment(c) else None
    low, high = values.port_range(option.values[0])
    if (low, high) == _ALL_PORTS and not option.negated:
        return always
    return lambda c: False if later_fragment(c) else None


def _show_ports(options: tuple[Option, ...], name: Callable[[int], str]) -> str:
    words = []
    for names, label in ((_SOURCE, "spt"), (_DESTINATION, "dpt")):
        option = find(options, *names)
        if option is not None:
            low, high = values.port_range(option.values[0])
            if (low, high) != _ALL_PORTS or option.negated:
                words.append(ranged(label, low, high, option.negated, name))
    return " ".join(words)


def _namer(protocol: str, *, numeric: bool) -> Callable[[int], str]:
    return str if numeric else lambda port: services.name(port, protocol)


def _flags(text: str) -> int:
    if text == "ALL":
        return 63
    if text == "NONE":
        return 0
    unknown = [name for name in text.split(",") if name not in {*FLAG_NAMES, "ALL", "NONE"}]
    if unknown:
        raise ValueError(f"no TCP flag {unknown[0]!r}")
    found = 0
    for name in text.split(","):
        found |= 63 if name == "ALL" else FLAG_NAMES.get(name, 0)
    return found


def _flag_values(option: Option) -> tuple[int, int]:
    mask, wanted = option.values or ("FIN,SYN,RST,ACK", "SYN")
    return _flags(mask), _flags(wanted)


def _tcp(option: Option, proto: int) -> Test:
    negated = option.negated
    if option.name in {"--tcp-flags", "--syn"}:
        mask, wanted = _flag_values(option)

        def flags(c: Context) -> bool:
            segment = c.ip.transport
            if not isinstance(segment, TcpSegment) or (c.ip.fragment and c.ip.fragment.offset):
                return False
            return (segment.flags & mask == wanted) != negated

        return flags
    if option.name == "--tcp-option":
        wanted_option = values.number(option.values[0], 255)

        def options(c: Context) -> bool:
            segment = c.ip.transport
            if not isinstance(segment, TcpSegment) or later_fragment(c):
                return False
            # the kernel's SYN carries MSS, SACK, timestamps and a window scale; later segments timestamps alone
            carried = {20: {2, 4, 8, 1, 3}, 12: {1, 8}}.get(segment.options, set())
            return (wanted_option in carried) != negated

        return options
    return _ports(option, proto)


def _flag_text(flags: int, *, numeric: bool) -> str:
    if numeric:
        return f"0x{flags:02X}"
    return ",".join(name for name, bit in FLAG_NAMES.items() if flags & bit) or "NONE"


def _show_tcp(options: tuple[Option, ...], numeric: bool) -> str:
    words = ["tcp", _show_ports(options, _namer("tcp", numeric=numeric))]
    option = find(options, "--tcp-option")
    if option is not None:
        words.append(f"option={bang(option, '!')}{values.number(option.values[0])}")
    option = find(options, "--tcp-flags", "--syn")
    if option is not None and (option.negated or any(_flag_values(option))):
        mask, wanted = (_flag_text(flags, numeric=numeric) for flags in _flag_values(option))
        words.append(f"flags:{bang(option, '!')}{mask}/{wanted}")
    return joined(*words)


def _show_plain(protocol: str) -> Show:
    """The text of a protocol that has ports and nothing else to ask for."""
    return lambda options, numeric: joined(protocol, _show_ports(options, _namer(protocol, numeric=numeric)))


_MULTIPORT = {
    "--sports": "sports", "--source-ports": "sports", "--dports": "dports", "--destination-ports": "dports",
    "--ports": "ports",
}  # fmt: skip


def _multiport(option: Option, proto: int) -> Test:
    ranges = [values.port_range(part, _protocol_name(proto)) for part in option.values[0].split(",")]
    negated = option.negated
    readers = {"sports": [_sport], "dports": [_dport], "ports": [_sport, _dport]}[_MULTIPORT[option.name]]

    def test(c: Context) -> bool:
        ports = [read(c) for read in readers]
        if None in ports:
            return False
        return any(low <= p <= high for p in ports if p is not None for low, high in ranges) != negated

    return test if proto in {values.PROTOCOLS["tcp"], values.PROTOCOLS["udp"]} else _known(test)


def _show_multiport(proto: int) -> Show:
    protocol = {6: "tcp", 17: "udp"}.get(proto, "")

    def show(options: tuple[Option, ...], numeric: bool) -> str:
        name = _namer(protocol, numeric=numeric)
        texts = []
        for option in options:
            ranges = [values.port_range(part, protocol or "tcp") for part in option.values[0].split(",")]
            ports = ",".join(span(low, high, name=name) for low, high in ranges)
            texts.append(f"multiport {_MULTIPORT[option.name]} {bang(option, ' !')}{ports}")
        return " ".join(texts)

    return show


# xt_dccp.c: the types by number; the last six are one name
_DCCP_TYPES = ("REQUEST", "RESPONSE", "DATA", "ACK", "DATAACK", "CLOSEREQ", "CLOSE", "RESET", "SYNC", "SYNCACK",
               "INVALID")  # fmt: skip


def _show_dccp(options: tuple[Option, ...], numeric: bool) -> str:
    words = ["dccp", _show_ports(options, _namer("dccp", numeric=numeric))]
    option = find(options, "--dccp-types")
    if option is not None:
        numbers = sorted(_DCCP_TYPES.index(name.upper()) for name in option.values[0].split(","))
        plain = [str(number) for number in numbers if number < 10] + ["10,11,12,13,14,15"] * (10 in numbers)
        words.append(bang(option) + ",".join(plain if numeric else (_DCCP_TYPES[number] for number in numbers)))
    option = find(options, "--dccp-option")
    if option is not None:
        words.append(f"option={bang(option, '!')}{values.number(option.values[0])}")
    return joined(*words)


_CHUNKS = {
    "DATA": 0, "INIT": 1, "INIT_ACK": 2, "SACK": 3, "HEARTBEAT": 4, "HEARTBEAT_ACK": 5, "ABORT": 6, "SHUTDOWN": 7,
    "SHUTDOWN_ACK": 8, "ERROR": 9, "COOKIE_ECHO": 10, "COOKIE_ACK": 11, "ECN_ECNE": 12, "ECN_CWR": 13,
    "SHUTDOWN_COMPLETE": 14, "I_DATA": 64, "ASCONF_ACK": 128, "RE_CONFIG": 130, "PAD": 132, "FORWARD_TSN": 192,
    "ASCONF": 193, "I_FORWARD_TSN": 194,
}  # fmt: skip


def _show_sctp(options: tuple[Option, ...], numeric: bool) -> str:
    words = ["sctp", _show_ports(options, _namer("sctp", numeric=numeric))]
    option = find(options, "--chunk-types")
    if option is not None:
        kind, text = option.values
        if text.upper() not in {"ALL", "NONE"}:
            numbers = {number: name for name, number in _CHUNKS.items()}
            asked = {}
            for part in text.split(","):
                name, colon, flags = part.partition(":")
                asked[_CHUNKS[name.upper()]] = colon + flags
            text = ",".join((f"0x{n:04X}" if numeric else numbers[n]) + flags for n, flags in sorted(asked.items()))
        words.append(f"{bang(option)}{kind} {text.upper() if ':' not in text and not numeric else text}")
    return joined(*words)


def _tcpmss(option: Option, _proto: int) -> Test:
    low, high = values.number_range(option.values[0], 0xFFFF)
    negated = option.negated

    def test(c: Context) -> bool | None:
        segment = c.ip.transport
        if not isinstance(segment, TcpSegment) or later_fragment(c):
            return False
        # a segment without the option matches where the test is negated
        return (bool(segment.mss) and low <= segment.mss <= high) != negated

    return test


def _show_tcpmss(options: tuple[Option, ...], _numeric: bool) -> str:
    option = options[-1]
    return f"tcpmss match {bang(option, '!')}{span(*values.number_range(option.values[0], 0xFFFF))}"


_FOREIGN = "the header of this protocol's packets is not modelled"

MODULES = {
    "tcp": Module({**_PORTS, "--tcp-flags": 2, "--syn": 0, "--tcp-option": 1}, each(_tcp), _show_tcp),
    "udp": Module(_PORTS, each(_ports), _show_plain("udp")),
    "udplite": Module(_PORTS, each(_foreign), _show_plain("udplite"), _FOREIGN),
    "sctp": Module({**_PORTS, "--chunk-types": 2}, each(_foreign), _show_sctp, _FOREIGN),
    "dccp": Module({**_PORTS, "--dccp-types": 1, "--dccp-option": 1}, each(_foreign), _show_dccp, _FOREIGN),
    "multiport": Module(
        dict.fromkeys(_MULTIPORT, 1),
        each(_multiport),
        _show_multiport(6),
        _FOREIGN,
        _show_multiport,
        sure=lambda _options, proto: proto in {6, 17},
    ),
    "tcpmss": Module({"--mss": 1}, each(_tcpmss), _show_tcpmss),
}
