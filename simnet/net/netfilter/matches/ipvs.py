"""Matches about IPVS: whether it handled the packet, and what its connection is.

Models: net/netfilter/xt_ipvs.c of Linux 6.x.
"""

from __future__ import annotations

from collections.abc import Callable

from ...ipvs import MASQ, Flow, IpvsConnection
from .. import values
from ..context import Context
from ..rule import Option, Test
from .module import Module, bang, find, later_fragment, port_of, span
from .state import block_text

# the words of --vmethod, and what a real server has
_METHODS = {"GATE": "Route", "IPIP": "Tunnel", "MASQ": MASQ}

Condition = Callable[[Context, IpvsConnection], bool]


def _connection(c: Context) -> IpvsConnection | None:
    """The connection of a packet that goes to a real server (conn_out_get, both ends exchanged)."""
    if later_fragment(c):
        return None
    sport, dport = port_of(c, source=True), port_of(c, source=False)
    if sport is None or dport is None:
        return None
    return c.namespace.ipvs.outgoing(Flow(c.ip.proto, c.ip.dst, dport, c.ip.src, sport))


def _build(options: tuple[Option, ...], _proto: int) -> Test:
    only = find(options, "--ipvs")
    if only is not None and len(options) == 1:
        negated = only.negated
        return lambda c: c.skb.ipvs != negated
    conditions = [(_condition(option), option.negated) for option in options if option.name != "--ipvs"]

    def test(c: Context) -> bool:
        connection = _connection(c) if c.skb.ipvs else None
        return connection is not None and all(holds(c, connection) != negated for holds, negated in conditions)

    return test


def _condition(option: Option) -> Condition:
    """One condition about the packet's connection."""
    text = option.values[0]
    if option.name == "--vproto":
        proto = values.protocol(text)
        return lambda c, _: c.ip.proto == proto
    if option.name == "--vaddr":
        address, mask = values.block(text)
        return lambda _, connection: connection.virtual[0] & mask == address
    if option.name == "--vport":
        low, _high = values.port_range(text)
        return lambda _, connection: connection.virtual[1] == low
    if option.name == "--vdir":
        reply = (text.upper() == "REPLY") != option.negated
        return lambda c, _: (c.skb.connection is not None and c.skb.reply == reply) != option.negated
    if option.name == "--vmethod":
        return lambda _, connection: connection.server.method == _METHODS.get(text.upper(), text)
    # --vportctl asks for the connection that controls this one (FTP's), which none has here
    return lambda _, __: False


def _show(options: tuple[Option, ...], numeric: bool) -> str:
    words = []
    only = find(options, "--ipvs")
    if only is not None and len(options) == 1:
        words.append(f"{bang(only)}ipvs")
    for name in ("--vproto", "--vaddr", "--vport", "--vdir", "--vmethod", "--vportctl"):
        option, label = find(options, name), name[2:]
        if option is None:
            continue
        text = option.values[0]
        if name == "--vdir":
            words.append(f"vdir {'REPLY' if (text.upper() == 'REPLY') != option.negated else 'ORIGINAL'}")
            continue
        if name == "--vproto":
            label, text = "proto", str(values.protocol(text))
        elif name == "--vaddr":
            text = block_text(text, numeric=numeric)
        elif name != "--vmethod":
            text = span(*values.port_range(text))
        words.append(f"{bang(option)}{label} {text.upper() if name == '--vmethod' else text}")
    return " ".join(words)


MODULES = {
    "ipvs": Module(
        {"--ipvs": 0, "--vproto": 1, "--vaddr": 1, "--vport": 1, "--vdir": 1, "--vmethod": 1, "--vportctl": 1},
        _build,
        _show,
    ),
}
