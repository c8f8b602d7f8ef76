"""Matches: from a module's options to a test of one packet, and to the text by which `iptables -L` lists them.

A module is an entry of `MODULES`: how many values each of its options takes, the function that makes the test, and the
one that makes the text. A module that is not there is parsed, kept, printed back, and *undecided* when a packet
reaches it.

    module.py   what a module is
    header.py   what stands in the IP header
    ports.py    what stands in the header of a protocol with ports
    icmp.py     the kind of an ICMP message
    ipsec.py    what encryption adds
    ipv6.py     the headers between IPv6's and the payload's
    content.py  any bytes of the packet, of which image.py tells those that are known
    link.py     how it came and leaves
    path.py     which way its addresses lie
    state.py    what the kernel knows of it
    flow.py     what the kernel counts and notes of its connection
    own.py      what the match itself remembers
    rates.py    how fast packets come
    ipvs.py     whether IPVS handled it
    host.py     whose it is, and what else only the machine itself knows

Models: net/netfilter/xt_*.c and net/ipv4/netfilter/ip{t_*,_tables}.c of Linux 6.x; extensions/lib{xt,ipt,ip6t}_*.c of
iptables 1.8.9.
"""

from collections.abc import Sequence

from ..rule import Option
from . import bpf, content, flow, header, host, icmp, ipsec, ipv6, ipvs, link, own, path, ports, rates, state
from .header import GENERIC
from .module import Module, all_of, interface_matches, port_of, raw, undecided
from .state import connection_states

MODULES: dict[str, Module] = {
    name: module
    for part in (header, ports, icmp, ipsec, ipv6, bpf, content, link, path, state, flow, own, rates, ipvs, host)
    for name, module in part.MODULES.items()
}

# modules whose text begins without a blank (the extension forgets it)
_GLUED = {"bpf"}


def shown(name: str, options: Sequence[Option], *, numeric: bool, proto: int = 0) -> str:
    """The text of a match in `iptables -L`, with its leading blank; `proto` is the rule's protocol.

    Example:
        >>> shown("tcp", [Option("--dport", ("22",), False, 0)], numeric=True)
        ' tcp dpt:22'
    """
    module = MODULES.get(name)
    if module is None or any(option.name not in module.arity and option.name not in module.loose for option in options):
        return f" {raw(name, options)}"
    show = module.show_for(proto) if module.show_for is not None else module.show
    if show is None:
        return f" {raw(name, options)}"
    try:
        text = show(tuple(options), numeric)
    except (ValueError, KeyError, IndexError, AssertionError):  # an option that belongs there is missing
        return f" {raw(name, options)}"
    return f" {text}" if text and name not in _GLUED else text


__all__ = [
    "GENERIC",
    "MODULES",
    "Module",
    "all_of",
    "connection_states",
    "interface_matches",
    "port_of",
    "raw",
    "shown",
    "undecided",
]
