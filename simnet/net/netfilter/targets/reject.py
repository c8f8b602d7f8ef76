"""REJECT: drop, and answer with an ICMP error or a TCP reset.

Models: net/ipv4/netfilter/ipt_REJECT.c, net/ipv6/netfilter/ip6t_REJECT.c.
"""

from __future__ import annotations

from ....errors import nearest
from ..context import Context
from .extension import DROP, Act, Extension, Given, listed, value, words

# what --reject-with takes: the code of destination unreachable, None for a TCP reset
REJECT_CODES = {
    "icmp-net-unreachable": 0, "net-unreach": 0, "icmp-host-unreachable": 1, "host-unreach": 1,
    "icmp-proto-unreachable": 2, "proto-unreach": 2, "icmp-port-unreachable": 3, "port-unreach": 3,
    "icmp-net-prohibited": 9, "net-prohib": 9, "icmp-host-prohibited": 10, "host-prohib": 10,
    "icmp-admin-prohibited": 13, "admin-prohib": 13, "tcp-reset": None, "tcp-rst": None,
    "icmp6-no-route": 0, "no-route": 0, "icmp6-adm-prohibited": 1, "adm-prohibited": 1,
    "icmp6-addr-unreachable": 3, "addr-unreach": 3, "icmp6-port-unreachable": 4,
    "icmp6-policy-fail": 5, "policy-fail": 5, "icmp6-reject-route": 6, "reject-route": 6,
}  # fmt: skip
_SHORT = {
    "net-unreach": "icmp-net-unreachable", "host-unreach": "icmp-host-unreachable",
    "proto-unreach": "icmp-proto-unreachable", "port-unreach": "icmp-port-unreachable",
    "net-prohib": "icmp-net-prohibited", "host-prohib": "icmp-host-prohibited",
    "admin-prohib": "icmp-admin-prohibited", "tcp-rst": "tcp-reset", "no-route": "icmp6-no-route",
    "adm-prohibited": "icmp6-adm-prohibited", "addr-unreach": "icmp6-addr-unreachable",
    "policy-fail": "icmp6-policy-fail", "reject-route": "icmp6-reject-route",
}  # fmt: skip


def _kind(given: Given) -> str:
    """The kind of answer in its long spelling."""
    name = value(given, "--reject-with") or "icmp-port-unreachable"
    return _SHORT.get(name, name)


def _reject(given: Given) -> Act:
    name = _kind(given)
    if name not in REJECT_CODES:
        raise ValueError(f"no kind of REJECT {name!r}{nearest(name, REJECT_CODES)}")
    code = REJECT_CODES[name]

    def act(c: Context) -> str:
        c.refusals.append(code)
        return DROP

    return act


EXTENSIONS = {
    "REJECT": Extension(
        {"--reject-with": 1},
        _reject,
        listed(lambda given, _numeric: f"reject-with {_kind(given)}"),
        lambda given: words("--reject-with", _kind(given)),
    )
}
