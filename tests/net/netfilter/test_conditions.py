"""The conditions that a chain walk tries: as many as a hand counts, and the walk is the one without counting."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simnet.errors import SimnetError
from simnet.net.conversation import converse
from simnet.net.netfilter import conditions, save, tables
from simnet.net.step import ChainWalk
from tests.net.build import build, context, serve, talk, tcp
from tests.properties.rules import rule_sets
from tests.properties.test_any_packet import SETS, probes

PACKET = tcp("192.0.2.1", "172.17.0.2", sport=1000, dport=80)
CHAINS = ":FORWARD ACCEPT [0:0]\n:U - [0:0]\n:V - [0:0]\n"


def table_of(*rules):
    """The filter table with rules that name their chain, of FORWARD where they name none."""
    text = "".join(f"{rule}\n" if rule.startswith("-A") else f"-A FORWARD {rule}\n" for rule in rules)
    return save.parse(f"*filter\n{CHAINS}{text}COMMIT\n").tables["filter"]


def counting(*, assume=False):
    network = build()
    network.counts_conditions, network.assume = True, assume
    network.find("h1").ipsets = SETS
    return network


def tried(*rules, packet=PACKET, assume=False):
    """What a walk of FORWARD on h1 tells: its conditions, and how many rules it compared."""
    table = table_of(*rules)
    told = tables.walk(table, table.chains["FORWARD"], context(packet, network=counting(assume=assume)))
    return dict(told.conditions), told.evaluated


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        # nothing is asked: the rule matches without a condition
        (["-j ACCEPT"], {}),
        ([""], {}),
        # one that fails hides what stands behind it
        (["-s 192.0.2.1/32 -j ACCEPT"], {"address": 1}),
        (["-s 192.0.2.9/32 -d 172.17.0.2/32 -i eth0 -p tcp -m tcp --dport 80 -j DROP"], {"address": 1}),
        (["-s 192.0.2.1/32 -d 172.17.0.9/32 -i eth0 -p tcp -j DROP"], {"address": 2}),
        (["-s 192.0.2.1/32 -d 172.17.0.2/32 -i eth1 -p tcp -j DROP"], {"address": 2, "interface": 1}),
        (["! -i eth1 ! -o docker0 -p tcp -j DROP"], {"interface": 2}),
        (["-i eth0 -o docker0 -p udp -m udp --dport 80 -j DROP"], {"interface": 2, "protocol": 1}),
        (["-p tcp -m tcp --dport 81 -j DROP"], {"protocol": 1, "tcp": 1}),
        (["-p tcp -f -j DROP"], {"protocol": 1, "fragment": 1}),
        # modules in their order
        (["-p tcp -m tcp --dport 80 -m ttl --ttl-lt 3 -m comment --comment x -j DROP"],
         {"protocol": 1, "tcp": 1, "ttl": 1}),
        (["-p tcp -m multiport --dports 80,81 -m comment --comment x -m ttl --ttl-gt 3 -j DROP"],
         {"protocol": 1, "multiport": 1, "comment": 1, "ttl": 1}),
        (["-m conntrack --ctstate ESTABLISHED -j ACCEPT"], {"conntrack": 1}),
        # the rules before the one that decides count, those behind it do not
        (["-p udp -j DROP", "-p tcp -j ACCEPT", "-p icmp -j DROP"], {"protocol": 2}),
        (["-p tcp", "-s 192.0.2.1/32", "-i eth1 -j DROP"], {"address": 1, "interface": 1, "protocol": 1}),
    ],
)  # fmt: skip
def test_one_chain(rules, expected):
    assert tried(*rules)[0] == expected


@pytest.mark.parametrize(
    ("rules", "expected", "compared"),
    [
        # entered, left at its end, and then the rest of the chain that led there
        (["-i eth0 -j U", "-A U -p udp -j DROP", "-A U -p icmp -j DROP", "-d 172.17.0.2/32 -j ACCEPT"],
         {"interface": 1, "protocol": 2, "address": 1}, 4),
        # RETURN leaves out the rest of the user chain
        (["-j U", "-A U -p tcp -j RETURN", "-A U -i eth1 -j DROP", "-o docker0 -j ACCEPT"],
         {"protocol": 1, "interface": 1}, 3),
        # a chain that is gone to does not come back
        (["-i eth0 -g U", "-A U -p udp -j DROP", "-d 172.17.0.2/32 -j DROP"], {"interface": 1, "protocol": 1}, 2),
        # not entered, not counted
        (["-i eth1 -j U", "-A U -p tcp -j DROP"], {"interface": 1}, 1),
        # two levels, the verdict in the lower one
        (["-j U", "-A U -p tcp -m tcp --dport 80 -j V", "-A V -s 192.0.2.1/32 -j DROP", "-A U -i eth0 -j ACCEPT"],
         {"protocol": 1, "tcp": 1, "address": 1}, 3),
    ],
)  # fmt: skip
def test_user_chains(rules, expected, compared):
    assert tried(*rules) == (expected, compared)


@pytest.mark.parametrize("assume", [False, True])
def test_an_undecided_match_was_tried(assume):
    unknown = "-p tcp -m recent --rcheck --name X -j DROP"
    expected = {"protocol": 1, "recent": 1} if assume else {"protocol": 1, "recent": 1, "interface": 1}
    assert tried(unknown, "-i eth0 -j ACCEPT", assume=assume)[0] == expected


def test_an_undecided_match_is_not_reached_behind_one_that_fails():
    assert tried("-p udp -m recent --rcheck --name X -j DROP")[0] == {"protocol": 1}


@given(st.permutations(["-s 192.0.2.1/32", "-d 172.17.0.2/32", "-i eth1", "-p udp"]))
def test_the_kernel_s_order_holds_however_a_rule_is_written(words):
    assert tried(" ".join([*words, "-j DROP"]))[0] == {"address": 2, "interface": 1}


def test_nothing_is_counted_where_it_is_not_asked_for():
    trace = talk(build("*filter\n:FORWARD DROP [0:0]\n-A FORWARD -p tcp -j ACCEPT\n-A FORWARD -j ACCEPT\nCOMMIT\n"),
                 "wan", "172.17.0.2", 80, servers=["h1/web tcp 80"])  # fmt: skip
    assert {walk.conditions for walk in trace.walks()} == {()}


def told(network, probe):
    """A conversation's chain walks without their conditions, and the counters that it left."""
    serve(network, "h1/web tcp 80", "h1/app udp 53", "h1 tcp 22")
    try:
        trace = converse(network, probe)
    except SimnetError as error:
        return str(error)
    walks = [
        (one.place, one.table, one.chain, one.hits, one.policy, one.evaluated, one.verdict, one.undecided)
        for one in trace.steps
        if isinstance(one, ChainWalk)
    ]
    return trace.verdict, walks, {place: save.dump(one.ruleset, counters=True) for place, one in counted(network)}


def counted(network):
    return [(place, one) for place, one in network.namespaces.items() if one.ruleset.tables]


@settings(max_examples=40)
@given(rule_sets(), probes)
def test_counting_changes_nothing(rules, probe):
    plain, other = build(rules), build(rules)
    other.counts_conditions = True
    for network in (plain, other):
        network.find("h1").ipsets = SETS
    assert told(other, probe) == told(plain, probe)


@settings(max_examples=40)
@given(rule_sets(), st.sampled_from(["FORWARD", "INPUT", "PREROUTING"]))
def test_no_more_is_tried_than_the_rules_have(rules, hook):
    network = counting()
    for table in save.parse(rules).tables.values():
        if hook not in table.chains:
            continue
        found = tables.walk(table, table.chains[hook], context(PACKET, hook, network))
        counts = dict(found.conditions)
        assert counts.keys() <= {conditions.kind(match) for rule in table.rules() for match in rule.matches}
        for kind, most in {"address": 2, "interface": 2, "protocol": 1, "fragment": 1}.items():
            assert counts.get(kind, 0) <= most * found.evaluated
        first = next(iter(table.chains[hook].rules), None)
        if first is not None and first.matches:
            assert counts[conditions.kind(first.matches[0])] >= 1
