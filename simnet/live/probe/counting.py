"""What a probe adds to the rules' counters of one namespace: `iptables-save -c` before, and again after."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from simnet.live.host.namespace import NetworkNamespace
from simnet.live.recording.recorded import RuleCounter

# table, rule (or `CHAIN policy X`) and how many rules alike stand before it in the table
Name = tuple[str, str, int]
Counts = Mapping[Name, tuple[int, int]]
_RULE = re.compile(r"\[(\d+):(\d+)\] (-A .*)")
_POLICY = re.compile(r":(\S+) (ACCEPT|DROP) \[(\d+):(\d+)\]")


def read(space: NetworkNamespace) -> Counts:
    """Every rule's and policy's counter in a namespace, packets and bytes."""
    return parse(space.run(["iptables-save", "-c"]))


def parse(dump: str) -> Counts:
    r"""The same from what `iptables-save -c` printed.

    Example:
        >>> parse("*nat\n:INPUT ACCEPT [1:60]\n[2:120] -A INPUT -j ACCEPT\n")[("nat", "-A INPUT -j ACCEPT", 0)]
        (2, 120)
    """
    found: dict[Name, tuple[int, int]] = {}
    for table, rule, counts in _lines(dump):
        alike = 0
        while (table, rule, alike) in found:
            alike += 1
        found[table, rule, alike] = counts
    return found


def _lines(dump: str) -> Iterator[tuple[str, str, tuple[int, int]]]:
    table = ""
    for line in dump.splitlines():
        if line.startswith("*"):
            table = line[1:]
        elif one := _RULE.fullmatch(line):
            yield table, one[3].strip(), (int(one[1]), int(one[2]))
        elif one := _POLICY.fullmatch(line):
            yield table, f"{one[1]} policy {one[2]}", (int(one[3]), int(one[4]))


def risen(place: str, before: Counts, after: Counts, passed_over: frozenset[Name] = frozenset()) -> list[RuleCounter]:
    """What rose; of what rises by itself (`passed_over`) nobody knows how much of it is the probe's."""
    found = [RuleCounter(place, table, rule, None) for table, rule, _ in passed_over]
    for name, (packets, size) in after.items():
        was = before.get(name, (0, 0))
        if packets > was[0] and name not in passed_over:
            found.append(RuleCounter(place, name[0], name[1], packets - was[0], size - was[1]))
    return found
