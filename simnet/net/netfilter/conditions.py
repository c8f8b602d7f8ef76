"""Which conditions of rules a packet makes the kernel try: each rule's in their order, up to the first that fails.

Models: ip_packet_match of net/ipv4/netfilter/ip_tables.c (addresses, devices, protocol, then the modules), whose order
iptables-nft keeps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from .rule import Chain, Match, Rule

if TYPE_CHECKING:
    from .context import Context

_HEADER = {"-s": "address", "-d": "address", "-i": "interface", "-o": "interface", "-p": "protocol", "-f": "fragment"}


def kind(match: Match) -> str:
    """What a condition counts as: `address`, `interface`, `protocol`, `fragment`, or its module's name."""
    return _HEADER[match.options[0].name] if match.module == "ip" else match.module


def passing(chain: Chain, c: Context, tried: Counter[str]) -> Iterator[tuple[int, Rule, Sequence[Match]]]:
    r"""The rules of a chain of which no condition fails for certain, each with its position and what is left to test.

    What was tried is added to `tried`. An undecided condition is left to the caller, who knows what is assumed.

    Example:
        >>> from simnet.net.netfilter.save import parse
        >>> text = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -i eth1 -p tcp -m tcp --dport 1 -j DROP\nCOMMIT\n"
        >>> [kind(match) for match in parse(text).tables["filter"].chains["INPUT"].rules[0].matches]
        ['interface', 'protocol', 'tcp']
    """
    for position, rule in enumerate(chain.rules):
        for at, match in enumerate(rule.matches):
            tried[kind(match)] += 1
            answer = match.test(c)
            if answer is False:
                break
            if answer is None:
                yield position, rule, rule.matches[at:]
                break
        else:
            yield position, rule, ()
