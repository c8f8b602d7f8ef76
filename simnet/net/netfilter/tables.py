"""One base chain walked by one packet: rule by rule, through user chains, to a verdict.

Models: net/netfilter/nf_tables_core.c (nft_do_chain), which counts and orders as ip_tables.c does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ..packet import Ip
from ..step import ChainWalk, RuleHit, Undecided
from . import conditions
from .flowcache import CachedWalk, flow_cache
from .index import index_of
from .matches import MODULES
from .rule import Chain, Match, Rule, Table
from .targets import CONTINUE, DROP, JUMP, RETURN, VERDICTS

if TYPE_CHECKING:
    from .context import Context


def walk(table: Table, base: Chain, c: Context) -> ChainWalk:
    """Compare a packet with a base chain's rules until one decides; the packet may be changed on the way.

    A long chain is looked up in its index, and a packet like an earlier one in the flow cache; what is found and
    counted is the same.
    """
    if c.namespace.network.counts_conditions:
        return _counted(table, base, c)
    cache = flow_cache(table, base)
    key = cache.key(c) if cache is not None else None
    kept = cache.find(key) if cache is not None else None
    if kept is not None:
        for rule in kept.rules:
            rule.packets += 1
            rule.bytes += c.ip.length
        return _told(table, base, c, c.ip, kept, ())
    before = c.ip
    unknown: list[Undecided] = []
    found = _compare(table, base, c, unknown)
    if cache is not None and not unknown and all(_leaves_alone(rule) for rule in found.rules):
        cache.keep(key, found)
    return _told(table, base, c, before, found, tuple(unknown))


def _counted(table: Table, base: Chain, c: Context) -> ChainWalk:
    """The walk, rule by rule, with a count of the conditions that were tried."""
    before, unknown = c.ip, list[Undecided]()
    tried: Counter[str] = Counter()
    found = _compare(table, base, c, unknown, tried)
    return _told(table, base, c, before, found, tuple(unknown), tuple(sorted(tried.items())))


def _told(
    table: Table, base: Chain, c: Context, packet: Ip, found: CachedWalk, unknown: tuple[Undecided, ...],
    tried: tuple[tuple[str, int], ...] = (),
) -> ChainWalk:  # fmt: skip
    """The step that tells of a walk; the policy's counters rise where it decided."""
    if found.policy:
        base.packets += 1
        base.bytes += c.ip.length
    place, seen = c.namespace.place, c.namespace.seen
    return ChainWalk(place, c.skb.serial, packet, table.name, base.name, seen(c.indev), seen(c.outdev), found.hits,
                     found.policy, found.evaluated, found.verdict, unknown, tried)  # fmt: skip


def _leaves_alone(rule: Rule) -> bool:
    """Whether a rule only decides or jumps, and changes nothing."""
    return rule.target is None or rule.target.act is None or rule.target.name in VERDICTS


def _compare(
    table: Table, base: Chain, c: Context, unknown: list[Undecided], tried: Counter[str] | None = None
) -> CachedWalk:
    """The walk itself; `tried` makes it a linear one and counts the conditions."""
    hits: list[RuleHit] = []
    matched: list[Rule] = []
    evaluated, verdict = 0, ""
    frames = [(base, _candidates(base, c, tried), 0)]
    while frames and not verdict:
        chain, found, done = frames.pop()
        for position, rule, matches in found:
            evaluated += position + 1 - done
            done = position + 1
            if not _matches(table, rule, matches, done, c, unknown):
                continue
            rule.packets += 1
            rule.bytes += c.ip.length
            outcome, shown = _apply(table, rule, done, c, unknown)
            hits.append(RuleHit(rule.chain, done, rule.text, shown))
            matched.append(rule)
            if outcome == CONTINUE:
                continue
            if outcome == JUMP:
                assert rule.target is not None
                if not rule.goto:
                    frames.append((chain, found, done))
                called = table.chains[rule.target.name]
                frames.append((called, _candidates(called, c, tried), 0))
            elif outcome != RETURN:
                verdict = outcome
            break
        else:
            evaluated += len(chain.rules) - done
    policy = "" if verdict else base.policy
    return CachedWalk(tuple(hits), tuple(matched), policy, evaluated, verdict or policy)


def _candidates(chain: Chain, c: Context, tried: Counter[str] | None) -> Iterator[tuple[int, Rule, Sequence[Match]]]:
    """The rules of a chain that may match, each with its position and the matches that are left to test."""
    if tried is not None:
        return conditions.passing(chain, c, tried)
    index = index_of(chain)
    if index is not None:
        return index.matching(c)
    return ((position, rule, rule.matches) for position, rule in enumerate(chain.rules))


def _matches(
    table: Table, rule: Rule, matches: Sequence[Match], number: int, c: Context, unknown: list[Undecided]
) -> bool:
    """Whether a rule matches; an undecided one goes by what the user assumes, or counts as not matching."""
    doubt = ""
    for match in matches:
        answer = match.test(c)
        if answer is False:
            return False
        if answer is None:
            doubt = doubt or match.why or MODULES[match.module].reason or "what it asks is not in a snapshot"
    if not doubt:
        return True
    return _assume(table, rule, number, c, unknown, doubt)


def _assume(table: Table, rule: Rule, number: int, c: Context, unknown: list[Undecided], why: str) -> bool:
    key = (c.namespace.place, table.name, rule.chain, number)
    assumed = c.namespace.network.assumptions.get(key, c.namespace.network.assume)
    unknown.append(Undecided(table.name, rule.chain, number, rule.text, why, assumed))
    return assumed


def _apply(table: Table, rule: Rule, number: int, c: Context, unknown: list[Undecided]) -> tuple[str, str]:
    """What a matched rule does: the verdict, and how it is shown."""
    target = rule.target
    if target is None:
        return CONTINUE, CONTINUE
    if target.act is not None:
        outcome = target.act(c)
        assert isinstance(c.skb.packet, Ip)
        c.ip = c.skb.packet
        return outcome, target.name
    if target.why:
        taken = _assume(table, rule, number, c, unknown, f"{target.why}: it may drop the packet or let it go on")
        return DROP if taken else CONTINUE, target.name
    return JUMP, f"{'GOTO' if rule.goto else JUMP} {target.name}"
