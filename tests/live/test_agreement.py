"""The comparison itself can fail: each kind of difference is found, and nothing else is taken for one."""

import pytest

from simnet.live.agreement import agreement
from simnet.live.recording.recorded import Recorded, options

WALK = {
    "where": "h1/host",
    "proto": "tcp",
    "table": "filter",
    "chain": "INPUT",
    "iif": "eth0",
    "oif": "",
    "src": "192.0.2.1",
    "dst": "192.0.2.2",
    "sport": 40000,
    "dport": 22,
    "flags": "SYN",
    "length": 60,
    "packet": 1,
    "rules": ["-A INPUT -j ACCEPT"],
}
STEPS = [
    {"kind": "device", "where": "h1/host", "text": "eth0 In"},
    {"kind": "hook", "where": "h1/host", "text": "hook INPUT in eth0"},
    {"kind": "chain", "text": "filter INPUT: 1 of 1 compared rules matched, accept"} | WALK,
    {"kind": "delivery", "where": "h1/host", "text": "delivered to server (tcp 0.0.0.0:22)"},
    {"kind": "device", "where": "h1/host", "text": "eth0 Out"},
]
COUNTER = {"where": "h1/host", "table": "filter", "rule": "-A INPUT -j ACCEPT", "packets": 1, "bytes": 60}
EXPECTED = {
    "name": "one",
    "frm": "wan",
    "dst": "192.0.2.2",
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
    "served_at": "192.0.2.2:22",
    "walks": [WALK],
    "devices": {"h1/host": ["eth0 In", "eth0 Out"]},
    "packets": [{"id": 1, "packet": "tcp 192.0.2.1:40000>192.0.2.2:22 SYN", "steps": STEPS}],
    "dropped_by": None,
    "undecided": [],
}


def compared(expected, answer):
    return agreement.compare(Recorded.of(expected), answer)


def differences(expected, answer):
    return list(compared(expected, answer).differences)


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


def test_a_bridge_s_own_crossing_by_a_redirected_packet_is_left_out():
    bridge = {"kind": "bridge", "where": "h1/host", "text": "bridge br0: forward to veth1"}
    answer = ANSWER | {"devices": {"h1/host": ["veth0 P", "veth1 Out"]}}
    answer["packets"] = [{"id": 1, "packet": "tcp", "steps": [*STEPS, bridge]}]
    for path, same in ((["veth0 P", "br0 Out", "veth1 Out"], True), (["veth0 P", "br1 Out", "veth1 Out"], False),
                       (["veth0 P", "br0 In", "br0 Out"], False)):  # fmt: skip
        assert (differences(EXPECTED | {"devices": {"h1/host": path}}, answer) == []) is same


def test_how_docker_proxy_closes_is_left_out():
    proxy = {"kind": "delivery", "where": "h1/host", "text": "delivered to docker-proxy (tcp 0.0.0.0:22)"}
    cut = EXPECTED | {"result": "error ECONNRESET", "counters": []}
    answer = ANSWER | {"verdict": "reset", "walks": walk(flags="ACK")} | {"undecided": []}
    expected = cut | {"walks": [], "counters": [COUNTER | {"packets": 2, "bytes": 104}]}
    assert differences(expected, answer)
    answer["packets"] = [{"id": 1, "packet": "tcp", "steps": [*STEPS, proxy]}]
    assert differences(expected, answer) == []
    assert differences(expected | {"counters": []}, answer)


def test_a_client_that_only_opens_a_connection_does_not_see_it_closed():
    expected = EXPECTED | {"result": "reply"}
    assert differences(expected, ANSWER | {"verdict": "reset"})
    assert differences(expected | {"greeted": True}, ANSWER | {"verdict": "reset"}) == []
    assert differences(expected | {"greeted": True}, ANSWER | {"verdict": "refused"})
    given = {"kind": "delivery", "where": "wan", "text": "delivered to client (tcp 192.0.2.1:40000)"}
    answer = ANSWER | {"verdict": "timeout", "packets": [{"id": 1, "packet": "tcp SYN ACK", "steps": [*STEPS, given]}]}
    assert differences(expected, answer)
    assert differences(expected | {"greeted": True}, answer) == []


def test_a_tunnel_s_own_connection_may_be_known_already():
    tunnel = WALK | {"proto": "udp", "table": "nat", "dport": 4789, "flags": ""}
    expected = EXPECTED | {"proto": "udp", "walks": [], "counters": []}
    assert differences(expected, ANSWER | {"walks": [tunnel]}) == []
    assert differences(expected, ANSWER | {"walks": [tunnel | {"table": "filter"}]})
    assert differences(expected, ANSWER | {"walks": [tunnel | {"dport": 53}]})


def test_counters_are_not_compared_where_a_rule_is_undecided():
    expected = EXPECTED | {"counters": []}
    assert differences(expected, ANSWER)
    assert differences(expected, ANSWER | {"undecided": [{"rule": "-A INPUT -m time"}]}) == []


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


@pytest.mark.parametrize(
    ("change", "kind", "kernel", "simnet", "step"),
    [
        ({"verdict": "timeout"}, "verdict", ("reply 192.0.2.1:40000>192.0.2.2:22",),
         ("timeout 192.0.2.1:40000>192.0.2.2:22",), "eth0 Out"),
        ({"server_saw": "192.0.2.9:40000"}, "server-saw", ("192.0.2.1:40000",), ("192.0.2.9:40000",),
         "delivered to server (tcp 0.0.0.0:22)"),
        ({"devices": {"h1/host": ["eth0 In", "eth0 In"]}}, "devices", ("eth0 In", "eth0 Out"), ("eth0 In", "eth0 In"),
         "eth0 In"),
        ({"walks": walk(iif="eth1")}, "walk", ("-A INPUT -j ACCEPT",), (),
         "filter INPUT: 1 of 1 compared rules matched, accept"),
    ],
    ids=["verdict", "server-saw", "devices", "walk"],
)  # fmt: skip
def test_a_difference_says_what_each_side_has_and_where_they_part(change, kind, kernel, simnet, step):
    found = differences(EXPECTED, ANSWER | change)[0]
    assert (found.kind, found.kernel, found.simnet) == (kind, kernel, simnet)
    assert found.step.steps[found.step.at] == f"h1/host  {step}"
    assert found.step.packet == "tcp 192.0.2.1:40000>192.0.2.2:22 SYN"


def test_the_first_rule_that_differs_is_where_two_walks_part():
    rules = ["-A INPUT -j A", "-A A -j RETURN", "-A INPUT -j ACCEPT"]
    expected = EXPECTED | {"walks": walk(rules=rules)}
    (found,) = differences(expected, ANSWER | {"walks": walk(rules=["-A INPUT -j A", "-A INPUT -j ACCEPT"])})
    assert found.kernel[found.parting] == "-A A -j RETURN"
    assert found.simnet[found.parting] == "-A INPUT -j ACCEPT"


def test_a_walk_that_only_the_kernel_made_points_at_what_ended_the_packet():
    drop = {"kind": "drop", "where": "h1/host", "text": "dropped: raw PREROUTING rule", "reason": "", "packet": ""}
    packet = ANSWER["packets"][0] | {"steps": [STEPS[0], drop]}
    raw = walk(table="raw", chain="PREROUTING", rules=["-A PREROUTING -j DROP"])
    found = differences(EXPECTED, ANSWER | {"walks": raw, "packets": [packet]})[0]
    assert (found.kernel, found.simnet) == (("-A INPUT -j ACCEPT",), ())
    assert found.step.steps[found.step.at] == "h1/host  dropped: raw PREROUTING rule"


def counter(**changes):
    row = {"where": "h1/host", "table": "filter", "rule": "-A INPUT -j ACCEPT", "packets": 1, "bytes": 60}
    return EXPECTED | {"counters": [row | changes]}


def test_counters_that_are_the_same():
    found = compared(counter(), ANSWER)
    assert not found.differences
    assert found.compared["counters"] == found.agreed("counters") == 1
    assert compared(EXPECTED, ANSWER).compared["counters"] == 0


@pytest.mark.parametrize(
    "change", [{"packets": 2}, {"bytes": 52}, {"table": "nat"}, {"rule": "-A INPUT -j LOG"}], ids=str
)
def test_counters_that_differ(change):
    found = compared(counter(**change), ANSWER)
    assert {one.kind for one in found.differences} == {"counters"}
    assert found.agreed("counters") == 0


def test_a_counter_without_bytes_compares_packets_alone():
    assert not differences(EXPECTED | {"counters": [{"where": "h1/host", "table": "filter",
                                                     "rule": "-A INPUT -j ACCEPT", "packets": 1}]}, ANSWER)  # fmt: skip


def test_a_counter_that_other_traffic_raises_too_is_not_compared():
    found = compared(counter(packets=None, bytes=None), ANSWER)
    assert not found.differences
    assert found.compared["counters"] == 0


def test_acknowledgements_are_a_matter_of_timing_but_must_be_there():
    answer = ANSWER | {"walks": [WALK, WALK | {"flags": "ACK"}]}
    beyond = 2 * (60 - 52)
    expected = counter(packets=5, bytes=5 * 52 + beyond) | {"walks": answer["walks"]}
    assert not differences(expected, answer)
    assert differences(expected | {"counters": []}, answer)
    expected["counters"][0]["bytes"] += 2
    assert differences(expected, answer)
    del expected["counters"][0]["bytes"]
    assert not differences(expected, answer)


def test_a_policy_counts_where_the_kernel_tells_of_it():
    policy = WALK | {"table": "mangle", "rules": ["INPUT policy ACCEPT"]}
    answer = ANSWER | {"walks": [WALK, policy]}
    assert not differences(counter(), answer)
    told = {"where": "h1/host", "table": "mangle", "rule": "INPUT policy ACCEPT", "packets": 1, "bytes": 60}
    expected = counter()
    expected["counters"].append(told)
    assert not differences(expected, answer)
    assert differences(expected, ANSWER)


def test_the_options_of_a_probe():
    assert options(("-t", "1", "-s", "1600")) == {"ttl": 1, "size": 1600}
    assert options(()) == {}
