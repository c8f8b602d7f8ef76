"""What is measured, as the model has it: every path leads to its server, and the counts are those of its bill."""

import pytest

from simnet.live.calibrate import counts, paths, prediction
from simnet.sim.prices.costs import load
from simnet.sim.prices.keys import KEYS

COSTS = load()
BARE = list(paths.bare())
PREDICTED = prediction.paths(paths.BACKENDS)


@pytest.mark.parametrize("path", [*BARE, *PREDICTED], ids=str)
def test_each_path_leads_to_a_server_over_places_that_a_cable_joins(path):
    way = counts.way(path)
    assert way.place in way.places
    assert path.bed.network.find(path.frm).place in way.places
    assert len({place.partition("/")[0] for place in way.places} - {"h1"}) <= 1


@pytest.mark.parametrize("path", [path for path in BARE if path.kind != paths.WOKEN], ids=str)
def test_what_a_path_is_predicted_to_take_is_the_sum_of_its_counts(path):
    amounts = counts.counts(path, COSTS)
    mean = sum(amount * (COSTS[key] + COSTS.spread(key)) for key, amount in amounts.items())
    near = 0.05 if path.kind == paths.SLEPT else 0.01
    assert counts.predicted(path, COSTS) == pytest.approx(mean, rel=near, abs=2)


def test_no_path_that_is_predicted_is_one_that_prices_are_fitted_to():
    assert not set(BARE) & set(PREDICTED)
    assert {path.bed.file for path in BARE if not path.proxied} == {"models/calibrate/plain.yaml"}


def test_every_kind_of_rule_is_measured_with_both_back_ends():
    for backend in paths.BACKENDS:
        told = {key for path in BARE if path.bed.backend == backend for key in counts.counts(path, COSTS)}
        modules = {key for key in KEYS if key.startswith(f"match.{backend}.")}
        unknown = {"icmp", "set", "physdev", "hashlimit", "other"}
        assert {f"match.{backend}.{name}" for name in unknown} == modules - told


def test_many_rules_are_all_compared():
    pairs = list(paths.slopes("nft"))
    assert len(pairs) == len(paths.PREDICTED_KINDS)
    for without, many in pairs:
        more = counts.counts(many, COSTS)["rule.nft"] - counts.counts(without, COSTS)["rule.nft"]
        assert more == 2 * paths.MORE_RULES * (2 if ", jump," in many.name else 1)
