"""`ip rule`: the policy rules that choose among the routing tables.

Models: iprule.c of iproute2 6.1 and fib_rules.c of Linux 6.x.
Leaves out: ports, users, tos, tunnels, goto and l3mdev in a rule.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from simnet.net.address import Prefix, ip_text
from simnet.net.route import PolicyRule

from .ending import Ending, unmodelled
from .ip_words import Form, kernel, matches, next_word, number, prefix, wrong
from .place import Place

_ACTIONS = {"prohibit", "blackhole", "unreachable"}
_PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17}
_TABLES = {"254": "main", "255": "local", "253": "default"}
_UNMODELLED = {"sport", "dport", "uidrange", "tos", "dsfield", "tun_id", "goto", "nop", "l3mdev", "realms", "nat",
               "type", "suppress_ifgroup", "protocol"}  # fmt: skip


def run(place: Place, form: Form, words: list[str]) -> str:
    """`ip rule [COMMAND …]`."""
    command, rest = (words[0], words[1:]) if words else ("show", [])
    if any(matches(command, name) for name in ("list", "lst", "show")):
        return _show(place, form, rest)
    if matches(command, "add"):
        return _add(place, rest)
    if matches(command, "delete"):
        return _delete(place, rest)
    if matches(command, "flush"):
        place.namespace.fib.rules[:] = [one for one in place.namespace.fib.rules if not one.priority]
        return ""
    if command in {"save", "restore", "help"}:
        raise unmodelled("ip", f"ip rule {command}")
    raise Ending(f'Command "{command}" is unknown, try "ip rule help".', 255)


def _read(words: list[str], command: str) -> dict[str, Any]:
    """The fields of a PolicyRule that the words name."""
    found: dict[str, Any] = {}
    given = list(words)
    while given:
        word = given.pop(0)
        if word == "not":
            found["inverted"] = True
        elif word in {"from", "to"}:
            block = prefix(next_word(given))
            if block.length:
                found["src" if word == "from" else "dst"] = block
        elif word in {"preference", "order", "priority", "pref"}:
            found["priority"] = number("preference", next_word(given))
        elif word == "fwmark":
            mark, _, mask = next_word(given).partition("/")
            found["fwmark"], found["fwmask"] = number("fwmark", mark), number("fwmask", mask or "0xffffffff")
        elif word in {"table", "lookup"}:
            text = next_word(given)
            if not text.isdigit() and text not in _TABLES.values():
                raise wrong(text, "invalid table ID\n")
            found["table"] = _TABLES.get(text, text)
        elif word in {"iif", "dev", "oif"}:
            found["oif" if word == "oif" else "iif"] = next_word(given)
        elif word == "ipproto":
            text = next_word(given)
            found["proto"] = _PROTOCOLS.get(text) or number("ipproto", text)
        elif word in {"suppress_prefixlength", "sup_pl"}:
            found["suppress_prefix"] = number("suppress_prefixlength", next_word(given))
        elif word in _ACTIONS:
            found["action"] = word
        elif word in _UNMODELLED:
            raise unmodelled("ip", f"ip rule {command} … {word}")
        else:
            raise wrong(word, "Failed to parse rule type")
    return found


def _add(place: Place, words: list[str]) -> str:
    if not words:
        raise Ending('"ip rule add" requires arguments.', 1)
    rules = place.namespace.fib.rules
    asked = _read(words, "add")
    if asked.get("action", "lookup") == "lookup":
        asked.setdefault("table", "main")
    # without a number a rule goes before the second one of the list (fib_default_rule_pref)
    before = rules[1].priority - 1 if len(rules) > 1 and rules[1].priority else 0
    rule = PolicyRule(**{"priority": before, **asked})
    if any(replace(one, priority=0) == replace(rule, priority=0) for one in rules if one.priority == rule.priority):
        raise kernel("File exists")
    rules.append(rule)
    rules.sort(key=lambda one: one.priority)
    return ""


def _delete(place: Place, words: list[str]) -> str:
    if not words:
        raise Ending('"ip rule del" requires arguments.', 1)
    asked = _read(words, "del")
    for rule in place.namespace.fib.rules:
        if all(getattr(rule, name) == value for name, value in asked.items()):
            place.namespace.fib.rules.remove(rule)
            return ""
    raise kernel("No such file or directory")


def _show(place: Place, form: Form, words: list[str]) -> str:
    asked = _read(words, "show")
    found = [
        one for one in place.namespace.fib.rules if all(getattr(one, name) == value for name, value in asked.items())
    ]
    if form.json:
        return form.dump(_entry(one) for one in found)
    return "".join(f"{line(one)}\n" for one in found)


def _block(block: Prefix) -> str:
    return str(block).removesuffix("/32")


def line(rule: PolicyRule) -> str:
    r"""One rule as `ip rule` shows it.

    Example:
        >>> line(PolicyRule(50, "100", fwmark=1))
        '50:\tfrom all fwmark 0x1 lookup 100'
    """
    words = ["not"] if rule.inverted else []
    words += ["from", _block(rule.src) if rule.src else "all"]
    words += ["to", _block(rule.dst)] if rule.dst else []
    if rule.fwmark is not None:
        mask = f"/{rule.fwmask:#x}" if rule.fwmask != 0xFFFFFFFF else ""
        words += ["fwmark", f"{rule.fwmark:#x}{mask}"]
    words += ["iif", rule.iif] if rule.iif else []
    words += ["oif", rule.oif] if rule.oif else []
    words += ["ipproto", _proto(rule)] if rule.proto else []
    words += ["lookup", rule.table] if rule.action == "lookup" else [rule.action]
    words += ["suppress_prefixlength", str(rule.suppress_prefix)] if rule.suppress_prefix >= 0 else []
    return f"{rule.priority}:\t{' '.join(words)}"


def _proto(rule: PolicyRule) -> str:
    return next((name for name, number in _PROTOCOLS.items() if number == rule.proto), str(rule.proto))


def _entry(rule: PolicyRule) -> dict[str, Any]:
    found: dict[str, Any] = {"priority": rule.priority}
    if rule.inverted:
        found["not"] = None
    for key, block in (("src", rule.src), ("dst", rule.dst)):
        if block is not None:
            found[key] = ip_text(block.address)
            if block.length < 32:
                found[f"{key}len"] = block.length
        elif key == "src":
            found["src"] = "all"
    if rule.fwmark is not None:
        found["fwmark"] = f"{rule.fwmark:#x}"
        if rule.fwmask != 0xFFFFFFFF:
            found["fwmask"] = f"{rule.fwmask:#x}"
    found |= {key: name for key, name in (("iif", rule.iif), ("oif", rule.oif)) if name}
    if rule.proto:
        found["ipproto"] = _proto(rule)
    found |= {"table": rule.table} if rule.action == "lookup" else {"action": rule.action}
    if rule.suppress_prefix >= 0:
        found["suppress_prefixlen"] = rule.suppress_prefix
    return found
