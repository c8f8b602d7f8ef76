"""The modes side by side: their order, how far apart they are, and what added rules cost."""

from dataclasses import replace
from functools import cache

import pytest

from simnet.errors import SourceError
from simnet.sim.prices.costs import load
from simnet.sim.prices.keys import RULES
from simnet.study.modes import MODES, Question, add_rules, compare, hosts

PRICES = load("linux-6.18-vm")
TIMED = [mode.name for mode in MODES if mode.name != "none"]
# what was measured on the machine that the prices are of, as multiples of host mode (docs/reference)
TRIPS = {"bridge": 1.64, "nat": 1.78, "overlay": 2.44}
STREAMS = {"bridge": 0.61, "nat": 0.55, "overlay": 0.41}
ORDER = ["container", "host", "bridge", "nat", "overlay", "proxy"]
FORWARDED = ["bridge", "nat", "nat-out"]


@cache
def compared(engine="28.5", backend="legacy", *, modes=(), **said):
    said = {"exchanges": 200, **said}
    return compare(engine, Question(replace(PRICES, backend=backend), **said), modes)


def timings(comparison):
    return {one.mode.name: one.timing for one in comparison.results if one.timing is not None}


@pytest.mark.parametrize("engine", ["20.10", "26.1", "28.5", "29.7.2"])
@pytest.mark.parametrize("backend", ["legacy", "nft"])
def test_the_order_of_the_modes(engine, backend):
    found = timings(compared(engine, backend))
    assert sorted(ORDER, key=lambda mode: found[mode].later.mean) == ORDER
    assert sorted(ORDER, key=lambda mode: -found[mode].packets) == ORDER
    assert all(one.first > one.later.greatest for one in found.values())
    assert set(found) == set(TIMED)


@pytest.mark.parametrize("mode", TRIPS)
def test_round_trips_are_as_far_apart_as_measured(mode):
    assert compared().relative()[mode][0] == pytest.approx(TRIPS[mode], rel=0.15)


@pytest.mark.parametrize("mode", STREAMS)
def test_streams_are_as_far_apart_as_measured(mode):
    assert compared().relative()[mode][1] == pytest.approx(STREAMS[mode], rel=0.2)


def test_ten_thousand_rules_behind_an_accept_cost_the_first_packet_alone():
    one, many = (timings(compared(rules=rules)) for rules in (1, 10_000))
    for mode in ("host", *FORWARDED):
        assert many[mode].later.buckets() == one[mode].later.buckets()
        assert many[mode].first - one[mode].first == pytest.approx(220_000, rel=0.05)
        bills = many[mode].bills
        assert bills[1].headings == one[mode].bills[1].headings
        assert bills[0].headings[RULES] - one[mode].bills[0].headings[RULES] == many[mode].first - one[mode].first
        assert bills[0].totals.rules_evaluated - one[mode].bills[0].totals.rules_evaluated == 9999
    # what goes from one container to itself passes no chain of the host's
    assert many["container"].later.buckets() == one["container"].later.buckets()


def test_the_accept_itself_is_all_that_later_packets_pay():
    none, many = (timings(compared(rules=rules)) for rules in (0, 10_000))
    accept = PRICES["rule.legacy"] + PRICES["match.legacy.conntrack"]
    # a forwarded packet ends there, before what was in the chain; one for the host walks INPUT or OUTPUT as well
    assert many["host"].later.mean - none["host"].later.mean <= 2 * accept + 2 * PRICES["chain.legacy"]
    for mode in FORWARDED:
        assert many[mode].later.mean <= none[mode].later.mean


def test_a_tunnel_s_packets_are_never_established():
    """Each direction of VXLAN is a flow of its own that is never answered, so every packet pays for the rules."""
    one, many = (timings(compared(rules=rules))["overlay"] for rules in (1, 10_000))
    assert many.later.mean - one.later.mean == pytest.approx(2 * 220_000, rel=0.05)


def test_without_an_accept_every_packet_pays():
    one, many = (timings(compared(rules=rules, accepted=False)) for rules in (1, 10_000))
    for mode in ("host", *FORWARDED, "overlay"):
        # a request and its reply
        assert many[mode].later.mean - one[mode].later.mean == pytest.approx(2 * 220_000, rel=0.05)
        assert many[mode].packets < one[mode].packets / 20


@pytest.mark.parametrize("backend", ["legacy", "nft"])
def test_rules_cost_in_proportion(backend):
    costs = [
        timings(compared(backend=backend, rules=rules, modes=("nat",)))["nat"].first for rules in (1000, 2000, 3000)
    ]
    assert costs[2] - costs[1] == pytest.approx(costs[1] - costs[0], rel=0.001)
    assert costs[1] > costs[0]


def test_added_rules_stand_before_what_was_there():
    network = hosts().open().network
    chains = network.find("h1").ruleset.tables["filter"].chains
    before = {name: [str(rule) for rule in chains[name].rules] for name in chains}
    add_rules(network, Question(PRICES, rules=100))
    for name, chain in chains.items():
        texts = [str(rule) for rule in chain.rules]
        if name in {"FORWARD", "INPUT", "OUTPUT"}:
            assert texts[0] == f"-A {name} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
            assert texts[1:3] == [f"-A {name} -p udp -m udp --dport {port} -j DROP" for port in (1, 2)]
            assert texts[101:] == before[name]
        else:
            assert texts == before[name]
    assert len({id(rule) for rule in chains["INPUT"].rules[1:101]}) == 100


def test_no_rules_change_nothing():
    network = hosts().open().network
    before = [str(rule) for rule in network.find("h1").ruleset.rules()]
    add_rules(network, Question(PRICES))
    assert [str(rule) for rule in network.find("h1").ruleset.rules()] == before


def test_a_mode_is_the_same_alone():
    """The modes share one network, and none leaves anything there that another would meet."""
    together = timings(compared())
    for mode in TIMED:
        (alone,) = compared(modes=(mode,)).results
        assert alone.timing.first == together[mode].first
        assert alone.timing.later.buckets() == together[mode].later.buckets()
        assert alone.timing.bills == together[mode].bills
        assert alone.timing.packets == together[mode].packets


def test_counts_are_those_without_times():
    for timed, counted in zip(compared().results, compare("28.5").results, strict=True):
        assert (timed.request, timed.reply, timed.trace.verdict) == (
            counted.request,
            counted.reply,
            counted.trace.verdict,
        )
        assert counted.timing is None


def test_without_a_network_nothing_gets_through():
    (none,) = compared(modes=("none",)).results
    assert (none.trace.verdict, none.timing) == ("net-unreachable", None)
    assert none.request.first.hops == none.request.later.hops == 0


def test_relative_needs_the_host_mode():
    assert compared(modes=("nat", "proxy")).relative() == {}
    found = compared(modes=("nat", "host")).relative()
    assert list(found) == ["host", "nat"]
    assert found["host"] == (1.0, 1.0)


def test_sleeping_programs_take_longer_and_hide_the_modes():
    awake, asleep = compared(), compared(polls=False)
    for mode, timing in timings(asleep).items():
        assert timing.later.mean > timings(awake)[mode].later.mean
    assert 1 < asleep.relative()["nat"][0] < awake.relative()["nat"][0]


@pytest.mark.parametrize("said", [{"proto": "tcp"}, {"size": 1000}, {"proto": "tcp", "size": 20_000}])
def test_other_questions_keep_the_order(said):
    found = timings(compared(**said))
    assert sorted(ORDER, key=lambda mode: found[mode].later.mean) == ORDER
    assert (
        found["nat"].bits == pytest.approx(found["nat"].packets * said.get("size", 64) * 8, rel=0.02) or "proto" in said
    )


def test_seeds_matter_where_programs_sleep():
    one, same, other = (
        compare("28.5", Question(PRICES, exchanges=50, polls=False, seed=seed), ["nat"]) for seed in (1, 1, 2)
    )
    buckets = [timings(each)["nat"].later.buckets() for each in (one, same, other)]
    assert buckets[0] == buckets[1] != buckets[2]


def test_what_a_comparison_is_called():
    assert str(compared()) == "Docker 28.5, linux-6.18-vm"
    assert str(compare("20.10", modes=["host"])) == "Docker 20.10"
    assert str(compared(rules=1, modes=("host",))).endswith("(legacy), 1 rules added behind an ESTABLISHED accept")
    unguarded = compared(backend="nft", rules=1, accepted=False, modes=("host",))
    assert str(unguarded).endswith("linux-6.18-vm (nft), 1 rules added")
    assert compared().order("nat") == 2


def test_an_engine_that_is_not_known():
    with pytest.raises(SourceError, match=r"no engine version '1\.0'"):
        compare("1.0")
