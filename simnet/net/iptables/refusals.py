"""What iptables refuses before it asks the kernel, in its own words, and what the kernel refuses of the rest.

Models: the `x6_parse` and `x6_fcheck` functions of libxt_*.c and libipt_*.c of iptables 1.8.9.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from ..netfilter import values
from ..netfilter.rule import BASE_CHAINS
from ..netfilter.targets import REJECT_CODES
from . import names
from .words import CommandError, Request

_NEEDED = {
    "conntrack": "conntrack: At least one option is required",
    "addrtype": "addrtype: you must specify --src-type or --dst-type",
    "iprange": "iprange match: You must specify `--src-range' or `--dst-range'",
    "multiport": "multiport expection an option",
    **{name: f'{name}: option "--{option}" must be specified\n' for name, option in (
        ("comment", "comment"), ("mark", "mark"), ("connmark", "mark"), ("state", "state"), ("length", "length"),
        ("string", "algo"), ("statistic", "mode"), ("helper", "helper"), ("mac", "mac-source"),
        ("pkttype", "pkt-type"), ("set", "match-set"), ("cgroup", "cgroup"), ("time", "time"),
    ) if name != "time"},
}  # fmt: skip
_TARGET_NEEDED = {
    "MARK": "MARK: One of the --set-xmark, --{and,or,xor,set}-mark options is required",
    "CONNMARK": "CONNMARK target: No operation specified",
    "TTL": "TTL: You must specify an action",
    "HL": "HL: You must specify an action",
    "DSCP": "DSCP target: Parameter --set-dscp is required",
    "TOS": "TOS: An action is required",
    **{name: f'{name}: option "--{option}" must be specified\n' for name, option in (
        ("DNAT", "to-destination"), ("SNAT", "to-source"), ("NETMAP", "to"), ("CLASSIFY", "set-class"),
        ("TEE", "gateway"), ("AUDIT", "type"), ("TPROXY", "on-port"), ("SECMARK", "selctx"),
    )},
}  # fmt: skip
_MARK_OPTIONS = {"--mark": "mark", **dict.fromkeys(
    ("--set-xmark", "--set-mark", "--and-mark", "--or-mark", "--xor-mark"), "MARK")}  # fmt: skip
_LEVELS = {"emerg", "panic", "alert", "crit", "error", "warning", "notice", "info", "debug"}
_STATES = {"NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED"}
_PORT_OPTIONS = frozenset(
    {"--sport", "--dport", "--source-port", "--destination-port", "--sports", "--dports", "--ports", "--source-ports",
     "--destination-ports"}
)  # fmt: skip
_PORTED = {6, 17, 132, 33, 136}
# the kernel takes these in one table only, and from these hooks only
TABLES = {
    **dict.fromkeys(("DNAT", "SNAT", "MASQUERADE", "REDIRECT", "NETMAP"), "nat"), "REJECT": "filter",
    **dict.fromkeys(("TTL", "HL", "DSCP", "TOS", "ECN", "TPROXY", "CHECKSUM", "TCPOPTSTRIP"), "mangle"),
    **dict.fromkeys(("CT", "NOTRACK"), "raw"),
}  # fmt: skip
_HOOKS = {
    "DNAT": {"PREROUTING", "OUTPUT"}, "REDIRECT": {"PREROUTING", "OUTPUT"}, "SNAT": {"POSTROUTING", "INPUT"},
    "MASQUERADE": {"POSTROUTING"}, "TPROXY": {"PREROUTING"}, "owner": {"OUTPUT", "POSTROUTING"},
    "rpfilter": {"PREROUTING"}, "socket": {"PREROUTING", "INPUT"}, "mac": {"PREROUTING", "INPUT", "FORWARD"},
    "cgroup": {"INPUT", "OUTPUT", "POSTROUTING"}, "CLASSIFY": {"OUTPUT", "FORWARD", "POSTROUTING"},
    "SYNPROXY": {"INPUT", "FORWARD"},
}  # fmt: skip


def refuse(request: Request) -> None:
    """CommandError where a rule's words cannot be meant so.

    Example:
        >>> refuse(Request(target="TTL", rule=["-j", "TTL"]))
        Traceback (most recent call last):
        simnet.net.iptables.words.CommandError: TTL: You must specify an action
    """
    for option, text in _given(request.rule):
        _check_value(request, option, text)
    for name in request.modules:
        if name in _NEEDED and not _options_after(request.rule, name):
            raise CommandError(_NEEDED[name])
    if request.target in _TARGET_NEEDED and not any(word.startswith("--") for word in _target_words(request)):
        raise CommandError(_TARGET_NEEDED[request.target])


def _given(rule: list[str]) -> Iterator[tuple[str, str]]:
    return ((option, text) for option, text in pairwise(rule) if option.startswith("--"))


def _options_after(rule: list[str], name: str) -> bool:
    """Whether an option follows `-m NAME` before the next `-m` or `-j`."""
    for at, pair in enumerate(pairwise(rule)):
        if pair == ("-m", name):
            rest = rule[at + 2 :]
            ends = [place for place, word in enumerate(rest) if word in {"-m", "-j", "-g"}]
            return any(word.startswith("--") for word in rest[: ends[0] if ends else len(rest)])
    return True


def _target_words(request: Request) -> list[str]:
    return request.rule[request.rule.index("-j") :] if "-j" in request.rule else []


def _check_value(request: Request, option: str, text: str) -> None:
    if option in _MARK_OPTIONS:
        try:
            values.value_mask(text)
        except ValueError:
            owner = request.target if option != "--mark" else next(
                (name for name in request.modules if name in {"mark", "connmark"}), "mark")  # fmt: skip
            raise CommandError(f'{owner}: bad integer value for option "{option}", or out of range.\n') from None
    elif option == "--reject-with" and text not in REJECT_CODES:
        raise CommandError(f'unknown reject type "{text}"')
    elif option == "--log-level" and text not in _LEVELS and not re.fullmatch(r"0*[0-7]", text):
        raise CommandError(f'log level "{text}" unknown\n')
    elif option in {"--to-destination", "--to-source"}:
        _check_ends(request, text)
    elif option in _PORT_OPTIONS:
        _check_ports(option, text, names.protocol_name(request.proto))
    elif option in {"--state", "--ctstate"}:
        for part in text.split(","):
            if part.upper() not in (_STATES | {"SNAT", "DNAT"} if option == "--ctstate" else _STATES):
                raise CommandError(f'Bad {option[2:]} "{part}"')
    elif option == "--icmp-type":
        try:
            values.icmp_type(text)
        except ValueError:
            raise CommandError(f"Unknown ICMP type `{text}'") from None
    elif option == "--to-ports" and request.proto not in _PORTED:
        raise CommandError("Need TCP, UDP, SCTP or DCCP with port specification")


def _check_ends(request: Request, text: str) -> None:
    if text.startswith("[") or text.count(":") > 1:
        return
    addresses, colon, _ = text.partition(":")
    if colon and request.proto not in _PORTED:
        raise CommandError("Need TCP, UDP, SCTP or DCCP with port specification")
    for one in filter(None, addresses.split("-")):
        parts = one.split(".")
        if len(parts) != 4 or not all(re.fullmatch(r"\d{1,3}", part) and int(part) < 256 for part in parts):
            raise CommandError(f'Bad IP address "{one}"')


def kernel_refuses(request: Request, table: str, name: str) -> bool:
    """Whether the kernel has no place for a target, or for a match of the rule, where it is to stand."""
    if TABLES.get(name, table) != table:
        return True
    if request.chain in BASE_CHAINS[table]:
        for one in (name, *request.modules):
            if request.chain not in _HOOKS.get(one, {request.chain}):
                return True
    return bool({"tcp-reset", "tcp-rst"} & {*request.rule}) and request.proto != 6


def _check_ports(option: str, text: str, proto: str) -> None:
    parts = text.split(",") if option.endswith("s") else [text]
    if sum(2 if ":" in part else 1 for part in parts) > 15:
        raise CommandError("too many ports specified")
    for part in parts:
        for end in part.split(":"):
            try:
                values.port(end or "0", proto)
            except ValueError:
                raise CommandError(f"invalid port/service `{end}' specified") from None
        low, high = values.port_range(part, proto)
        if low > high:
            raise CommandError("invalid portrange (min > max)")
