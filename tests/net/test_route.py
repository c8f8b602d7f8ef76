"""Routing: the longest prefix, policy rules in order, failing routes, the source address, the kind of an address."""

import pytest

from simnet.net.address import Prefix
from simnet.net.device import InterfaceAddress
from simnet.net.route import PROHIBIT, THROW, UNREACHABLE, Fib, PolicyRule, Route, RouteQuery
from tests.net.build import APP, GATEWAY, HOST, WAN, build, ip


def route(block, device="eth0", **fields):
    return Route(Prefix.parse(block), device, **fields)


def fib(*routes, rules=None):
    made = Fib() if rules is None else Fib(rules=list(rules))
    made.add(routes)
    return made


def way(made, dst, **query):
    found = made.lookup(RouteQuery(ip(dst), **query))
    return found and (found.device or found.type)


def test_the_longest_prefix_wins():
    made = fib(route("default", "a"), route("10.0.0.0/8", "b"), route("10.1.0.0/16", "c"), route("10.1.2.3", "d"))
    assert [way(made, dst) for dst in ("9.9.9.9", "10.9.9.9", "10.1.9.9", "10.1.2.3")] == ["a", "b", "c", "d"]


def test_no_route():
    assert way(fib(route("10.0.0.0/8")), "11.0.0.1") is None


def test_the_lower_metric_wins_then_the_older():
    made = fib(
        route("10.0.0.0/8", "b", metric=200), route("10.0.0.0/8", "a", metric=100), route("10.0.0.0/8", "c", metric=100)
    )
    assert way(made, "10.0.0.1") == "a"


def test_a_dead_route_is_passed_over():
    assert way(fib(route("10.0.0.0/8", "a", alive=False), route("default", "b")), "10.0.0.1") == "b"


def test_the_asked_device():
    made = fib(route("10.0.0.0/8", "a", metric=1), route("10.0.0.0/8", "b", metric=2))
    assert way(made, "10.0.0.1", oif="b") == "b"


@pytest.mark.parametrize("kind", [UNREACHABLE, PROHIBIT, "blackhole"])
def test_a_failing_route_ends_the_search(kind):
    made = fib(route("10.0.0.0/8", "", type=kind), route("default", "a", table="default"))
    assert way(made, "10.0.0.1") == kind


def test_throw_goes_on_with_the_next_rule():
    made = fib(route("10.0.0.0/8", "", type=THROW), route("default", "a"), route("default", "b", table="default"))
    assert way(made, "10.0.0.1") == "b"


@pytest.mark.parametrize(
    ("rule", "hit", "missed"),
    [
        (PolicyRule(1, "own", src=Prefix.parse("10.1.0.0/16")), {"src": ip("10.1.0.9")}, {"src": ip("10.2.0.9")}),
        (PolicyRule(1, "own", dst=Prefix.parse("8.0.0.0/8")), {}, None),
        (PolicyRule(1, "own", fwmark=1), {"mark": 1}, {"mark": 3}),
        (PolicyRule(1, "own", fwmark=1, fwmask=1), {"mark": 3}, {"mark": 2}),
        (PolicyRule(1, "own", iif="docker0"), {"iif": "docker0"}, {"iif": "eth0"}),
        (PolicyRule(1, "own", oif="x"), {"oif": "x"}, {}),
        (PolicyRule(1, "own", proto=6), {"proto": 6}, {"proto": 17}),
        (PolicyRule(1, "own", fwmark=1, inverted=True), {"mark": 2}, {"mark": 1}),
    ],
)
def test_policy_rules(rule, hit, missed):
    made = fib(route("default", "x", table="own"), route("default", "main"), rules=[rule, PolicyRule(2, "main")])
    assert way(made, "8.8.8.8", **hit) == "x"
    if missed is not None:
        assert way(made, "8.8.8.8", **missed) == "main"


@pytest.mark.parametrize(
    ("action", "kind"), [("unreachable", "no network"), ("prohibit", "prohibit"), ("blackhole", "blackhole")]
)
def test_a_policy_rule_may_fail_by_itself(action, kind):
    assert way(fib(route("default"), rules=[PolicyRule(1, action=action), PolicyRule(2, "main")]), "8.8.8.8") == kind


def test_a_suppressed_prefix_length():
    made = fib(
        route("default", "a"),
        route("10.0.0.0/8", "b"),
        route("default", "c", table="own"),
        rules=[PolicyRule(1, "main", suppress_prefix=0), PolicyRule(2, "own")],
    )
    assert [way(made, dst) for dst in ("8.8.8.8", "10.0.0.1")] == ["c", "b"]


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("192.0.2.2", "local"),
        ("127.9.9.9", "local"),
        ("172.17.255.255", "broadcast"),
        ("255.255.255.255", "broadcast"),
        ("0.0.0.0", "broadcast"),
        ("224.0.0.1", "multicast"),
        ("172.17.0.9", "unicast"),
        ("8.8.8.8", "unicast"),
    ],
)
def test_the_kind_of_an_address(address, kind):
    assert build().find("h1").fib.address_type(ip(address)) == kind


def test_the_kind_of_an_address_on_a_device():
    table = build().find("h1").fib
    assert table.address_type(GATEWAY, "docker0") == "local"
    assert table.address_type(GATEWAY, "eth0") == "unicast"


@pytest.mark.parametrize(
    ("dst", "source"),
    [(APP, GATEWAY), (WAN, HOST), (HOST, HOST), (ip("127.0.0.1"), ip("127.0.0.1")), (ip("8.8.8.8"), HOST)],
)
def test_the_source_address_that_a_route_implies(dst, source):
    host = build().find("h1")
    assert host.source_for(host.route_output(dst), dst) == source


def test_a_preferred_source():
    host = build().find("h1")
    host.fib.add([route("9.0.0.0/8", "eth0", gateway=WAN, prefsrc=GATEWAY)])
    assert host.source_for(host.route_output(ip("9.9.9.9")), ip("9.9.9.9")) == GATEWAY


def test_the_address_in_the_next_hop_s_network_is_chosen():
    host = build().find("h1")
    card = host.devices["eth0"]
    card.addresses.append(InterfaceAddress(ip("198.51.100.2"), 24))
    assert host.select_address(card, ip("198.51.100.9")) == ip("198.51.100.2")
    assert host.select_address(card, ip("203.0.113.9")) == HOST


def test_secondary_addresses_are_not_chosen():
    host = build().find("h1")
    card = host.devices["eth0"]
    card.addresses.insert(0, InterfaceAddress(ip("192.0.2.77"), 24, secondary=True))
    assert host.select_address(card, WAN) == HOST


@pytest.mark.parametrize(
    ("kind", "errno"), [("unreachable", "EHOSTUNREACH"), ("prohibit", "EACCES"), ("blackhole", "EINVAL")]
)
def test_what_a_sender_gets_of_a_failing_route(kind, errno):
    host = build().find("h1")
    host.fib.add([route("9.0.0.0/8", "", type=kind)])
    assert host.route_output(ip("9.9.9.9")) == errno


def test_what_a_sender_gets_without_a_route_or_with_a_foreign_source():
    web = build().find("h1/web")
    assert web.route_output(APP, WAN) == "EINVAL"
    web.devices["eth0"].up = False
    assert web.route_output(APP) == "ENETUNREACH"


def test_a_loopback_source_needs_route_localnet():
    host = build().find("h1")
    assert host.route_output(APP, ip("127.0.0.1")) == "EINVAL"
    host.sysctls["net.ipv4.conf.docker0.route_localnet"] = "1"
    assert host.route_output(APP, ip("127.0.0.1")).device == "docker0"
