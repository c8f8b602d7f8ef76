"""What a snapshot cannot settle is said, and the question is answered both ways."""

import pytest

from simnet.net.conversation import Probe
from simnet.scenario.question import Listen, ask
from tests.net.build import build, ip, talk

PROBE = Probe("wan", ip("172.17.0.2"), 80)
LISTENS = (Listen("h1/web", "tcp", 0, 80),)


def forward(*rules):
    return "\n".join(["*filter", ":FORWARD ACCEPT [0:0]", *rules, "COMMIT", ""])


def question(*rules, **options):
    return ask(lambda: build(forward(*rules)), PROBE, LISTENS, **options)


def test_a_rule_of_an_unknown_module_counts_as_not_matching_and_is_named():
    trace = talk(
        build(forward("-A FORWARD -m recent --rcheck --name X -j DROP")),
        "wan",
        "172.17.0.2",
        80,
        servers=["h1/web tcp 80"],
    )
    assert trace.verdict == "reply"
    first = trace.walks()[0].undecided
    assert [(rule.table, rule.chain, rule.number, rule.assumed) for rule in first] == [("filter", "FORWARD", 1, False)]
    assert "recent" in first[0].why


def test_both_answers():
    answer = question("-A FORWARD -m recent --rcheck --name X -j DROP")
    (doubt,) = answer.doubts
    assert (answer.trace.verdict, doubt.if_match.verdict, doubt.if_not.verdict) == ("reply", "timeout", "reply")
    assert doubt.matters
    assert not answer.certain
    assert doubt.place == "h1/host"


def test_a_doubt_that_changes_nothing():
    answer = question("-A FORWARD -m recent --rcheck --name X -j ACCEPT")
    assert len(answer.doubts) == 1
    assert answer.certain


def test_no_doubt():
    answer = question("-A FORWARD -d 9.9.9.9/32 -m recent --rcheck --name X -j DROP")
    assert answer.doubts == ()
    assert answer.certain


@pytest.mark.parametrize(("assumed", "verdict"), [(True, "timeout"), (False, "reply")])
def test_an_assumption_settles_a_rule(assumed, verdict):
    key = ("h1/host", "filter", "FORWARD", 1)
    answer = question("-A FORWARD -m recent --rcheck --name X -j DROP", assumptions={key: assumed})
    assert (answer.trace.verdict, answer.doubts) == (verdict, ())


def test_each_rule_is_asked_by_itself():
    answer = question(
        "-A FORWARD -m recent --rcheck --name X -j DROP",
        "-A FORWARD -p tcp -m someday --unheard-of -j REJECT --reject-with tcp-reset",
    )
    assert [doubt.rule.number for doubt in answer.doubts] == [1, 2]
    assert [doubt.if_match.verdict for doubt in answer.doubts] == ["timeout", "refused"]


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("-m set --match-set lost src -j DROP", "what the set holds"),
        ("-m conntrack --ctexpire 1:9 -j DROP", "how long"),
        ("-p tcp -m tcp --unheard-of 1 -j DROP", "option --unheard-of of match 'tcp' is not modelled"),
        ("-j NFQUEUE --queue-num 0", "the program on queue 0 decides"),
        ("-j LOG --unheard-of", "option --unheard-of of target LOG is not modelled"),
    ],
)
def test_why(rule, why):
    answer = question(f"-A FORWARD {rule}")
    assert answer.doubts[0].rule.why.startswith(why)


def test_a_target_that_is_not_modelled_is_shown_among_the_rules():
    answer = question("-A FORWARD -j NFQUEUE --queue-num 0")
    assert answer.trace.walks()[0].rules[0] == "-A FORWARD -j NFQUEUE --queue-num 0"
