"""The comparison itself can fail: each kind of difference is found, and nothing else is taken for one."""

import pytest

from tests.conformance.compare import differences, options

WALK = {
    "where": "h1/host",
    "proto": "tcp",
    "table": "filter",
    "iif": "eth0",
    "oif": "",
    "src": "192.0.2.1",
    "dst": "192.0.2.2",
    "sport": 40000,
    "dport": 22,
    "flags": "SYN",
    "rules": ["-A INPUT -j ACCEPT"],
}
EXPECTED = {
    "proto": "tcp",
    "sport": 40000,
    "dport": 22,
    "servers": [["h1", "tcp", "0.0.0.0", 22]],
    "result": "reply 192.0.2.1:40000>192.0.2.2:22",
    "walks": [WALK],
    "devices": {"h1/host": ["eth0 In", "eth0 Out"]},
}
ANSWER = {
    "verdict": "reply",
    "server_saw": "192.0.2.1:40000",
    "walks": [WALK],
    "devices": {"h1/host": ["eth0 In", "eth0 Out"]},
}


def walk(**changes):
    return [WALK | changes]


def test_the_same_is_no_difference():
    assert differences(EXPECTED, ANSWER) == []


@pytest.mark.parametrize(
    "change",
    [
        {"verdict": "timeout"},
        {"server_saw": "192.0.2.9:40000"},
        {"server_saw": "192.0.2.1:40009"},
        {"server_saw": None},
        {"walks": []},
        {"walks": walk(rules=["-A INPUT -j DROP"])},
        {"walks": walk(rules=["INPUT policy DROP"])},
        {"walks": walk(iif="eth1")},
        {"walks": walk(src="192.0.2.9")},
        {"walks": walk(dport=23)},
        {"walks": walk(sport=40000, flags="ACK")},
        {"walks": [WALK, WALK | {"where": "h2/host"}]},
        {"devices": {}},
        {"devices": {"h1/host": ["eth0 P"]}},
        {"devices": {"h1/host": ["eth0 In", "docker0 Out"]}},
    ],
    ids=str,
)
def test_a_difference_is_found(change):
    assert differences(EXPECTED, ANSWER | change)


@pytest.mark.parametrize(
    "change",
    [
        {"walks": [WALK, WALK | {"table": "mangle", "rules": ["INPUT policy ACCEPT"]}]},
        {"walks": [WALK, WALK | {"flags": "ACK PSH"}]},
        {"walks": [WALK, WALK | {"proto": "icmp"}]},
        {"walks": [WALK, WALK | {"rules": ["-A INPUT -j DROP"]}]},
        {"devices": {"h1/host": ["eth0 In"]}},
        {"devices": {"h1/host": ["eth0 In", "eth0 Out", "lo In"], "h2/host": ["eth0 In"]}},
    ],
    ids=str,
)
def test_what_a_recording_cannot_tell_is_no_difference(change):
    assert differences(EXPECTED, ANSWER | change) == []


def test_a_port_that_the_kernel_chose_may_be_any():
    free = {"sport": 51234}
    expected = EXPECTED | {"result": "reply 192.0.2.1:*>192.0.2.2:22", "walks": walk(sport=60001)}
    assert differences(expected, ANSWER | {"server_saw": "192.0.2.1:51234", "walks": walk(**free)}) == []
    assert differences(expected, ANSWER | {"server_saw": "192.0.2.9:51234", "walks": walk(**free)})


@pytest.mark.parametrize(
    ("proto", "result", "verdict", "same"),
    [
        ("tcp", "error ECONNREFUSED", "refused", True),
        ("tcp", "error ECONNREFUSED", "reset", False),
        ("udp", "error EACCES", "eacces", True),
        ("tcp", "timeout", "timeout", True),
        ("icmp", "timeout", "ttl-exceeded", True),
        ("icmp", "unreachable", "net-unreachable", True),
        ("icmp", "unreachable", "timeout", False),
        ("icmp", "reply", "ttl-exceeded", False),
    ],
)
def test_results_and_verdicts(proto, result, verdict, same):
    expected = EXPECTED | {"proto": proto, "result": result, "walks": []}
    assert (differences(expected, ANSWER | {"verdict": verdict, "walks": []}) == []) is same


def test_the_options_of_a_probe():
    assert options({"args": ["-t", "1", "-s", "1600"]}) == {"ttl": 1, "size": 1600}
    assert options({}) == {}
