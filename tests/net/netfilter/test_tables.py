"""One chain walked by one packet: jumps, gotos, returns, policies, counters, and what was compared."""

import pytest

from simnet.net.netfilter import save, tables
from tests.net.build import context, tcp


def walk(*lines, policy="ACCEPT", packet=None, name="filter"):
    text = "\n".join([f"*{name}", f":FORWARD {policy} [0:0]", ":A - [0:0]", ":B - [0:0]", *lines, "COMMIT"])
    table = save.parse(text).tables[name]
    packet = packet or tcp()
    return tables.walk(table, table.chains["FORWARD"], context(packet)), table


def shown(step):
    return [f"{hit.chain} {hit.number} {hit.verdict}" for hit in step.hits]


@pytest.mark.parametrize("policy", ["ACCEPT", "DROP"])
def test_the_policy_decides_at_the_end(policy):
    step, _ = walk(policy=policy)
    assert (step.verdict, step.policy, step.evaluated) == (policy, policy, 0)
    assert step.rules == [f"FORWARD policy {policy}"]


def test_the_first_rule_that_decides():
    step, _ = walk("-A FORWARD -d 9.9.9.9/32 -j DROP", "-A FORWARD -j ACCEPT", "-A FORWARD -j DROP", policy="DROP")
    assert (step.verdict, step.policy, step.evaluated) == ("ACCEPT", "", 2)
    assert step.rules == ["-A FORWARD -j ACCEPT"]


def test_a_jump_comes_back():
    step, _ = walk("-A FORWARD -j A", "-A FORWARD -j DROP", "-A A -d 9.9.9.9/32 -j ACCEPT")
    assert shown(step) == ["FORWARD 1 JUMP A", "FORWARD 2 DROP"]
    assert step.evaluated == 3


def test_a_goto_does_not_come_back():
    step, _ = walk("-A FORWARD -g A", "-A FORWARD -j DROP")
    assert (shown(step), step.policy) == (["FORWARD 1 GOTO A"], "ACCEPT")


def test_a_goto_comes_back_to_who_jumped():
    step, _ = walk(
        "-A FORWARD -j A", "-A FORWARD -j DROP", "-A A -g B", "-A A -j ACCEPT", "-A B -m comment --comment b"
    )
    assert shown(step) == ["FORWARD 1 JUMP A", "A 1 GOTO B", "B 1 CONTINUE", "FORWARD 2 DROP"]


def test_return_from_a_chain():
    step, _ = walk("-A FORWARD -j A", "-A FORWARD -j DROP", "-A A -j RETURN", "-A A -j ACCEPT")
    assert shown(step) == ["FORWARD 1 JUMP A", "A 1 RETURN", "FORWARD 2 DROP"]


def test_return_from_a_base_chain_is_its_policy():
    step, _ = walk("-A FORWARD -j RETURN", "-A FORWARD -j ACCEPT", policy="DROP")
    assert (shown(step), step.policy, step.verdict) == (["FORWARD 1 RETURN"], "DROP", "DROP")


def test_jumps_in_jumps():
    step, _ = walk("-A FORWARD -j A", "-A A -j B", "-A A -j DROP", "-A B -j RETURN")
    assert shown(step) == ["FORWARD 1 JUMP A", "A 1 JUMP B", "B 1 RETURN", "A 2 DROP"]


def test_a_rule_without_a_target_goes_on():
    step, _ = walk("-A FORWARD -p tcp", "-A FORWARD -j DROP")
    assert shown(step) == ["FORWARD 1 CONTINUE", "FORWARD 2 DROP"]


def test_counters_count_what_matched():
    step, table = walk("-A FORWARD -j A", "-A FORWARD -d 9.9.9.9/32 -j DROP", "-A A -p tcp", packet=tcp(data=b"x" * 10))
    counted = {rule.text: (rule.packets, rule.bytes) for rule in table.rules()}
    size = step.packet.length
    assert counted == {
        "-A FORWARD -j A": (1, size),
        "-A FORWARD -d 9.9.9.9/32 -j DROP": (0, 0),
        "-A A -p tcp": (1, size),
    }
    assert (table.chains["FORWARD"].packets, table.chains["FORWARD"].bytes) == (1, size)


def test_a_policy_counts_only_what_reached_it():
    _, table = walk("-A FORWARD -j DROP")
    assert table.chains["FORWARD"].packets == 0


def test_a_later_rule_sees_what_an_earlier_one_changed():
    step, _ = walk("-A FORWARD -j MARK --set-xmark 0x7", "-A FORWARD -m mark --mark 0x7 -j DROP")
    assert step.verdict == "DROP"
    step, _ = walk("-A FORWARD -j TTL --ttl-set 5", "-A FORWARD -m ttl --ttl-eq 5 -j DROP", name="mangle")
    assert step.verdict == "DROP"
    assert step.packet.ttl == 64


def test_a_long_chain_is_counted_as_if_it_were_walked():
    lines = [f"-A FORWARD -p tcp -m tcp --dport {port} -j DROP" for port in range(1000, 1300)]
    step, _ = walk(*lines, "-A FORWARD -p tcp -m tcp --dport 80 -j DROP", "-A FORWARD -j ACCEPT")
    assert (shown(step), step.evaluated) == (["FORWARD 301 DROP"], 301)
    step, _ = walk(*lines, packet=tcp(dport=1100))
    assert (shown(step), step.evaluated) == (["FORWARD 101 DROP"], 101)
