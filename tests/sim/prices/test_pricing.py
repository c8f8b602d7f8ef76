"""What steps cost: each kind is charged its own price, as often as the kernel does the thing.

Most lists here have the prices 1, 10, 100, …, so that a sum's digits count what was charged.
"""

from dataclasses import replace

import pytest

from simnet.net.address import parse_ip
from simnet.scenario.question import Listen, serve
from simnet.sim.experiment import Experiment, Plan
from simnet.sim.prices import costs
from simnet.sim.prices.keys import CONNTRACK, DEVICES, HEADINGS, KEYS, NAT, RULES, SOCKETS
from simnet.sim.traffic import REQUESTS, STREAM, Traffic
from tests.net import build as hosts

PUBLISH = hosts.PUBLISH.replace("tcp", "udp")

FORWARDED = ("wan", "172.17.0.2", 80)
PUBLISHED = ("wan", "192.0.2.2", 8080)
LOCAL = ("wan", "192.0.2.2", 9001)
ACCEPT = ":FORWARD ACCEPT [0:0]\n"


def priced(*keys, backend="legacy", **own):
    """A list in which the keys cost 1, 10, 100, … ns."""
    prices = {key: 10**place for place, key in enumerate(keys)} | {
        key.replace("__", "."): value for key, value in own.items()
    }
    said = "statistic: fit, hardware: none, source: a test"
    lines = (f"  {key}: {{value: {value}, unit: {KEYS[key].unit}, {said}}}\n" for key, value in prices.items())
    machine = "machine: {cpus: 2, together: true}\n"
    return costs.read(f"name: x\nbackend: {backend}\n{machine}prices:\n{''.join(lines)}", "x.yaml")


def bills(prices, asked, rules="", kind=STREAM, **traffic):
    """What the first datagram (or exchange) and a later one come to."""
    frm, to, port = asked

    def network():
        found = hosts.build(rules)
        for where in ("h1/web:udp:0.0.0.0:80", "h1/web:tcp:0.0.0.0:80", "h1:udp:0.0.0.0:9001", "h1:tcp:0.0.0.0:9001"):
            serve(found, Listen.parse(where))
        return found

    given = {"proto": "udp", "kind": kind, "size": 1, "polls": True, **traffic}
    return Experiment(network, [Traffic("x", frm, parse_ip(to), port, **given)], prices).bills()["x"]


def later(prices, asked, rules="", **traffic):
    return bills(prices, asked, rules, **traffic)[1]


def filtering(*lines):
    return f"*filter\n{ACCEPT}" + "".join(f"-A FORWARD {line}\n" for line in lines) + "COMMIT\n"


def test_a_walk_s_bill_is_the_sum_of_its_steps():
    prices = priced("send.udp", "origin", "route", "neighbour", "device.veth.out", "softirq", "device.veth.in",
                    "delivery.udp", "receive.udp", "hook", "conntrack.lookup")  # fmt: skip
    bill = later(prices, LOCAL)
    # a send, an origin, two routes (output, input), one of each else; no hooks without rules
    assert bill.total == 111_111_211
    assert bill.headings == {SOCKETS: 110_000_011, DEVICES: 1_110_000, "routing": 1_200}


def test_a_reply_costs_what_a_request_does():
    prices = priced("send.udp", "origin", "route", "neighbour", "device.veth.out", "softirq", "device.veth.in",
                    "delivery.udp", "receive.udp")  # fmt: skip
    assert later(prices, LOCAL, kind=REQUESTS, reply=1).total == 2 * later(prices, LOCAL).total


def test_what_is_forwarded_passes_a_bridge_and_a_second_cable():
    prices = priced("forward", "bridge", "device.bridge.out", "device.veth.out", "device.veth.in", "softirq", "route")
    assert later(prices, FORWARDED).total == 3_222_111


def test_a_price_per_byte_is_charged_for_each():
    prices = priced(copy__send=2, copy__receive=3)
    assert later(prices, LOCAL, size=100).headings == {"copies": 500}


def test_hooks_and_conntrack_cost_where_rules_ask_for_them():
    prices = priced("hook", "conntrack.lookup", "conntrack.new", "conntrack.confirm")
    plain, tracked = filtering("-j ACCEPT"), filtering("-m conntrack --ctstate NEW -j ACCEPT")
    assert later(prices, FORWARDED).headings == {}
    # PREROUTING, FORWARD, POSTROUTING
    assert later(prices, FORWARDED, plain).headings == {"hooks": 3}
    first, second = bills(prices, FORWARDED, tracked)
    assert second.headings == {"hooks": 3, CONNTRACK: 10}
    assert first.headings == {"hooks": 3, CONNTRACK: 1_110}


def test_nat_is_decided_once_and_applied_to_each_packet():
    prices = priced("nat.rewrite", "target.legacy.DNAT", "rule.legacy")
    first, second = bills(prices, PUBLISHED, PUBLISH)
    assert (first.headings[NAT], first.headings[RULES]) == (1, 210)
    assert second.headings == {NAT: 1}


PARTS = ("rule.legacy", "condition.legacy.address", "condition.legacy.interface", "condition.legacy.protocol",
         "match.legacy.udp", "match.legacy.multiport", "match.legacy.comment")  # fmt: skip


@pytest.mark.parametrize(
    ("line", "total"),
    [
        ("", 1),
        ("-s 198.51.100.1", 11),
        ("-s 192.0.2.1", 11),
        ("-s 198.51.100.1 -d 172.17.0.2 -p udp -m udp --dport 9", 11),
        ("-s 192.0.2.1 -i eth9 -p udp -m udp --dport 9", 111),
        ("-s 192.0.2.1 -i eth0 -p tcp -m tcp --dport 80", 1_111),
        ("-s 192.0.2.1 -i eth0 -p udp -m udp --dport 9 -m comment --comment x", 11_111),
        ("-p udp -m udp --dport 80 -m multiport --dports 7,9 -m comment --comment x", 111_001),
        ("-p udp -m udp --dport 80 -m comment --comment x -m multiport --dports 7,9", 1_111_001),
        ("-p udp -m udp --dport 80 -m comment --comment x", 1_011_001),
    ],
)
def test_a_rule_s_conditions_are_charged_up_to_the_one_that_fails(line, total):
    assert later(priced(*PARTS), FORWARDED, filtering(line)).headings == {RULES: total}


def test_each_rule_is_charged_until_one_accepts():
    lines = ["-s 198.51.100.1"] * 3 + ["-j ACCEPT"] + ["-s 198.51.100.1"] * 5
    assert later(priced(*PARTS), FORWARDED, filtering(*lines)).headings == {RULES: 34}


def test_legacy_and_nft_have_prices_of_their_own():
    rules = filtering("-p udp -m udp --dport 9")
    prices = {"rule__legacy": 2, "match__legacy__udp": 30, "chain__legacy": 100,
              "rule__nft": 5, "match__nft__udp": 70, "chain__nft": 900}  # fmt: skip
    assert later(priced(**prices), FORWARDED, rules).headings == {RULES: 132}
    assert later(priced(backend="nft", **prices), FORWARDED, rules).headings == {RULES: 975}


def test_jumps_and_targets_are_charged_where_they_are_taken():
    lines = (
        "*mangle",
        ACCEPT.strip(),
        ":MINE - [0:0]",
        "-A FORWARD -j MINE",
        "-A FORWARD -j MARK --set-mark 1",
        "-A MINE -s 9.9.9.9",
    )
    prices = priced("rule.legacy", "target.legacy.jump", "target.legacy.other", "target.legacy.MARK")
    assert later(prices, FORWARDED, "\n".join((*lines, "COMMIT\n"))).headings == {RULES: 1_013}


@pytest.mark.parametrize(("backend", "least", "most"), [("legacy", 180_000, 260_000), ("nft", 130_000, 190_000)])
def test_ten_thousand_rules_behind_established_are_paid_by_the_first_packet_alone(backend, least, most):
    prices = replace(costs.load(), backend=backend)
    few, many = (
        bills(
            prices, FORWARDED, filtering("-m conntrack --ctstate ESTABLISHED -j ACCEPT", *lines), kind=REQUESTS, reply=1
        )
        for lines in ((), ("-p udp -m udp --dport 9",) * 10_000)
    )
    assert least < many[0].total - few[0].total < most
    assert many[1].total == few[1].total


def test_a_bill_s_headings_are_those_of_the_keys():
    first, second = bills(costs.load(), PUBLISHED, PUBLISH)
    assert set(first.headings) | set(second.headings) <= set(HEADINGS)
    assert {key.heading for key in KEYS.values()} == set(HEADINGS)


def test_a_bill_is_what_a_round_trip_takes():
    def network():
        found = hosts.build(PUBLISH)
        serve(found, Listen.parse("h1/web:udp:0.0.0.0:80"))
        return found

    asked = Traffic("x", "wan", parse_ip("192.0.2.2"), 8080, proto="udp", polls=True)
    experiment = Experiment(network, [asked], costs.load())
    (outcome,) = experiment.run(Plan(exchanges=10))
    first, second = experiment.bills()["x"]
    flow = outcome.flows["x"]
    assert (flow.first.mean, flow.later.mean) == (first.total, second.total)


@pytest.mark.parametrize("kind", [REQUESTS, STREAM])
@pytest.mark.parametrize("proto", ["udp", "tcp"])
def test_a_bill_says_how_often_each_price_was_paid(kind, proto):
    given = {"proto": proto, "kind": kind, "size": 100, "reply": 10}
    listed = costs.load()
    tracked = filtering("-m conntrack --ctstate NEW -j ACCEPT")
    for bill in bills(listed, FORWARDED, tracked, **given):
        whole = sum(amount * listed[key] for key, amount in bill.paid.items())
        assert bill.total == pytest.approx(whole, abs=len(bill.paid))
        assert all(amount > 0 for amount in bill.paid.values())
    assert bill.paid["bridge"] == bill.paid["forward"]


def test_a_packet_that_comes_back_over_loopback_has_its_connection_already():
    prices = priced("conntrack.lookup")
    tracked = "*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -m conntrack --ctstate NEW -j ACCEPT\nCOMMIT\n"
    assert later(prices, ("h1", "127.0.0.1", 9001), tracked).headings == {CONNTRACK: 1}
    assert later(prices, LOCAL, tracked).headings == {CONNTRACK: 1}
