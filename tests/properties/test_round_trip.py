"""A rule set read and written is the rule set that was read, to the byte."""

from hypothesis import given

from simnet.net.netfilter import save
from tests.properties.rules import MODULES_MADE, TARGETS_MADE, rule_sets

MODULES = """
    addrtype comment conntrack connmark dscp icmp iprange length limit mac mark multiport physdev pkttype set state
    tcp tos ttl udp
"""
TARGETS = """
    ACCEPT CHECKSUM CLASSIFY CONNMARK CT DNAT DROP DSCP LOG MARK MASQUERADE NETMAP NFLOG NOTRACK REDIRECT REJECT
    RETURN SNAT TCPMSS TOS TRACE TTL
"""


def test_what_docker_and_its_neighbours_use_is_generated():
    assert set(MODULES.split()) <= MODULES_MADE
    assert set(TARGETS.split()) <= TARGETS_MADE


@given(rule_sets())
def test_dump_undoes_parse(text):
    assert save.dump(save.parse(text)) == text


@given(rule_sets())
def test_what_was_written_reads_the_same(text):
    first = save.parse(text)
    again = save.parse(save.dump(first))
    assert [str(rule) for rule in again.rules()] == [str(rule) for rule in first.rules()]
    assert [[match.module for match in rule.matches] for rule in again.rules()] == [
        [match.module for match in rule.matches] for rule in first.rules()
    ]
