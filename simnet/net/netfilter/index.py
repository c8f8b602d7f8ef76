"""First match in a long chain without walking it.

Each dimension of a packet (addresses, ports, protocol, devices) maps a value to a bit vector, one bit a rule; the
conjunction of a packet's vectors holds every rule that may match, and only conditions of other kinds are left to test.
The rule found, the counters and the number of rules compared are those of a linear walk.

An index is built once for a chain. Rules deleted since are passed over, rules inserted since stand in a short list
beside it; when either grows, the index is built anew.

Source: T. V. Lakshman and D. Stiliadis, "High-speed policy-based packet forwarding using efficient multi-dimensional
range matching", SIGCOMM 1998 (bit vectors by dimension).
"""

from __future__ import annotations

import gc
from bisect import bisect_right, insort
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from .bitvector import PORTS, Conditions, blocks
from .matches import port_of
from .rule import Chain, Match, Rule

if TYPE_CHECKING:
    from .context import Context

# below this a linear walk is as fast
WORTH_IT = 24
_MANY_CHANGES = 64


class ChainIndex:
    r"""Finds, for a packet, the rules of a chain that match, in order.

    Example:
        >>> from simnet.net.netfilter.save import parse
        >>> rules = "".join(f"-A INPUT -p tcp -m tcp --dport {port} -j ACCEPT\n" for port in range(1, 100))
        >>> chain = parse(f"*filter\n:INPUT DROP [0:0]\n{rules}COMMIT\n").tables["filter"].chains["INPUT"]
        >>> ChainIndex(chain.rules).first(src=1, dst=2, proto=6, sport=1000, dport=80)
        79
    """

    def __init__(self, rules: list[Rule]) -> None:
        """Index some rules, in their order."""
        self._rules = list(rules)
        self._deleted: list[int] = []
        self._inserted: list[tuple[int, Rule]] = []
        collecting = gc.isenabled()
        gc.disable()  # thousands of small objects, none of them garbage
        try:
            conditions = [Conditions(rule) for rule in self._rules]
            self._src, self._dst, self._blocks = blocks(conditions)
            self._rest = [one.rest for one in conditions]
        finally:
            if collecting:
                gc.enable()

    def __len__(self) -> int:
        """The number of rules that the chain has now."""
        return len(self._rules) - len(self._deleted) + len(self._inserted)

    def first(self, src: int, dst: int, proto: int, sport: int, dport: int) -> int:
        """The slot of the first indexed rule whose addresses, protocol and ports fit, -1 where there is none.

        For chains whose rules ask for nothing else, and as they were when the index was built.
        """
        by_src, by_dst = bisect_right(self._src, src), bisect_right(self._dst, dst)
        for block in self._blocks:
            found = block.src[by_src] & block.dst[by_dst]
            if found and block.dports is not None:
                found &= block.dports[dport]
            if found and block.sports is not None:
                found &= block.sports[sport]
            if found:
                found &= block.proto.vector(proto)
                if found:
                    return block.start + block.count - found.bit_length()
        return -1

    def _slots(self, c: Context) -> Iterator[int]:
        """The slots of the indexed rules whose indexed conditions hold for a packet, in order."""
        ip = c.ip
        by_src, by_dst = bisect_right(self._src, ip.src), bisect_right(self._dst, ip.dst)
        sport, dport = port_of(c, source=True), port_of(c, source=False)
        by_sport, by_dport = PORTS if sport is None else sport, PORTS if dport is None else dport
        for block in self._blocks:
            found = block.src[by_src] & block.dst[by_dst] & block.proto.vector(ip.proto)
            if found:
                found &= block.iif.vector(c.iif) & block.oif.vector(c.oif)
            if found and block.sports is not None:
                found &= block.sports[by_sport]
            if found and block.dports is not None:
                found &= block.dports[by_dport]
            while found:
                length = found.bit_length()
                yield block.start + block.count - length
                found ^= 1 << (length - 1)

    def matching(self, c: Context) -> Iterator[tuple[int, Rule, Sequence[Match]]]:
        """The rules that may match, in order: position, rule, and the matches left to test.

        The packet's addresses, ports and devices must not change meanwhile; its mark, TTL and the like may.
        """
        inserted, deleted = self._inserted, self._deleted
        turn = 0
        for slot in self._slots(c):
            while turn < len(inserted) and inserted[turn][0] <= slot:
                yield self._position(turn), inserted[turn][1], inserted[turn][1].matches
                turn += 1
            gone = bisect_right(deleted, slot)
            if not gone or deleted[gone - 1] != slot:
                yield slot - gone + turn, self._rules[slot], self._rest[slot]
        for late in range(turn, len(inserted)):
            yield self._position(late), inserted[late][1], inserted[late][1].matches

    def _position(self, turn: int) -> int:
        """The position that an inserted rule has now; its anchor is the slot that it stands before."""
        anchor = self._inserted[turn][0]
        return anchor - bisect_right(self._deleted, anchor - 1) + turn

    def insert(self, position: int, rule: Rule) -> bool:
        """Take in a rule at a position; False when so much has changed that the index should be built anew."""
        before = sum(self._position(turn) < position for turn in range(len(self._inserted)))
        self._inserted.insert(before, (self._slot(position - before), rule))
        return len(self._inserted) <= _MANY_CHANGES

    def delete(self, position: int) -> bool:
        """Leave out the rule at a position; False when so much has changed that the index should be built anew."""
        for turn in range(len(self._inserted)):
            if self._position(turn) == position:
                del self._inserted[turn]
                return True
        before = sum(self._position(turn) < position for turn in range(len(self._inserted)))
        insort(self._deleted, self._slot(position - before))
        return len(self._deleted) <= _MANY_CHANGES

    def _slot(self, rank: int) -> int:
        """The slot of the indexed rule that has `rank` others before it; one past the last where there is none."""
        for gone in self._deleted:
            if gone > rank:
                break
            rank += 1
        return rank


def index_of(chain: Chain) -> ChainIndex | None:
    """The index of a chain, built when it is first asked for; None where the chain is too short to be worth one."""
    if chain.index is None and len(chain.rules) >= WORTH_IT:
        chain.index = ChainIndex(chain.rules)
    return chain.index
