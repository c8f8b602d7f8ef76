"""Prices from what paths take: known prices are found again, and what paths do not tell apart keeps its proportion."""

import random

import pytest

from simnet.live.calibrate import counts, paths
from simnet.live.calibrate.fit import fit, groups, scale
from simnet.sim.prices.costs import load
from simnet.sim.prices.keys import KEYS

BASE = load()
USUAL = {key: BASE[key] + BASE.spread(key) for key in KEYS}
BARE = [path for path in paths.bare() if path.kind not in {paths.WOKEN, paths.FIRST}]
AMOUNTS = [counts.counts(path, BASE) for path in BARE]


def taken(prices):
    return [sum(amount * prices.get(key, 0.0) for key, amount in one.items()) for one in AMOUNTS]


@pytest.mark.parametrize("factor", [0.3, 1.0, 4.0])
def test_a_machine_that_is_as_much_quicker_everywhere_has_all_prices_times_that(factor):
    took = [factor * time for time in taken(USUAL)]
    found = fit(AMOUNTS, took, USUAL)
    assert found == pytest.approx({key: USUAL[key] * factor for key in found}, rel=1e-6)
    assert scale(AMOUNTS, took, USUAL) == pytest.approx(factor)


@pytest.mark.parametrize("seed", range(3))
def test_prices_that_differ_from_the_base_in_their_own_ways_are_found_by_what_paths_take(seed):
    chance = random.Random(seed)
    true = {key: price * chance.uniform(0.6, 1.6) for key, price in USUAL.items()}
    took = taken(true)
    again = taken(fit(AMOUNTS, took, USUAL))
    off = [abs(mine / real - 1) for mine, real in zip(again, took, strict=True)]
    assert max(off) < 0.1
    assert sorted(off)[len(off) // 2] < 0.02


@pytest.mark.parametrize("key", ["match.legacy.addrtype", "match.nft.comment", "target.nft.jump", "match.legacy.udp"])
def test_a_rule_of_another_price_changes_the_price_of_its_kind_alone(key):
    true = USUAL | {key: USUAL[key] * 2}
    found = fit(AMOUNTS, taken(true), USUAL)
    assert found[key] == pytest.approx(true[key], rel=0.03)
    others = {other: price for other, price in found.items() if other.startswith("match.") and other != key}
    assert others == pytest.approx({other: USUAL[other] for other in others}, rel=0.03)


def test_what_no_path_tells_apart_has_the_base_lists_proportion():
    found = fit(AMOUNTS, [2 * time for time in taken(USUAL)], USUAL)
    together = [group for group in groups(AMOUNTS, USUAL) if len(group.shares) > 1]
    assert any({"tunnel.encapsulate", "tunnel.decapsulate"} <= set(group.shares) for group in together)
    for group in together:
        ratios = [found[key] / USUAL[key] for key in group.shares]
        assert ratios == pytest.approx([ratios[0]] * len(ratios))


def test_no_price_is_nothing_even_where_paths_contradict_each_other():
    found = fit([{"route": 1, "hook": 1}, {"route": 1}], [100, 200], {"route": 60, "hook": 60})
    assert found["hook"] > 0
    assert 100 < found["route"] + found["hook"] < 200
