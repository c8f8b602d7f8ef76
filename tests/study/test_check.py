"""Claims: which sentences are understood, and that each one can fail."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simnet.errors import SourceError
from simnet.scenario.build import build
from simnet.scenario.claims import parse
from simnet.scenario.scenario_file import read
from simnet.scenario.source import Source
from simnet.study.check import check

HOSTS = """
hosts:
  h1:
    engine: "ENGINE"
    networks: {back: {internal: true}}
    containers:
      web: {ports: "8080:80"}
      db: {network: back, expose: 5432}
      app: {network: [bridge, back]}
      quiet: {network: none}
      side: {network: "container:web"}
      fast: {network: host, listen: [tcp/9001]}
machines:
  wan:
    routes: [{to: 172.16.0.0/12, via: 192.0.2.2}]
    listen: [tcp/80, udp/53]
"""


def findings(claims, engine="28.5"):
    lines = "\n".join(f"  - {line}" for line in claims)
    plan = read(HOSTS.replace("ENGINE", engine) + f"check:\n{lines}\n", "a.yaml")
    return list(check(Source("a.yaml", lambda: build(plan), plan)))


@pytest.mark.parametrize(
    ("holds", "fails"),
    [
        ("web: reachable from wan", "web: unreachable from wan"),
        ("db: unreachable from wan", "db: reachable from wan"),
        ("web: unreachable directly from wan", "web: reachable directly from wan"),
        ("web: reachable from wan at 192.0.2.2:8080", "web: reachable from wan at 192.0.2.2:8081"),
        ("web: reachable from app, h1 on 80", "web: reachable from app on 81"),
        ("db: reachable from app on 5432/tcp", "db: reachable from web"),
        ("app: reaches db", "app: does not reach db"),
        ("web: does not reach db", "web: reaches db"),
        ("app: reaches 192.0.2.1:80", "app: reaches 192.0.2.1:81"),
        ("app: reaches 192.0.2.1:53/udp", "app: reaches 192.0.2.1:54/udp"),
        ("web: reaches 192.0.2.1", "db: reaches 192.0.2.1"),
        ("db: isolated from web", "db: isolated from app"),
        ("web: sees client address from wan", "web: sees client address from db"),
        ("web: sees 192.0.2.1 from wan", "web: sees 172.17.0.1 from wan"),
        ("web: has address 172.17.0.2", "web: has address 172.17.0.3"),
        ("quiet: has no address", "web: has no address"),
        ("side: has the interfaces of web", "app: has the interfaces of web"),
        ("web: has interfaces of its own", "side: has interfaces of its own"),
        ("h1: has interfaces of its own", "fast: has interfaces of its own"),
        ("web: has gateway 172.17.0.1", "web: has gateway 172.17.0.2"),
        ("h1: has gateway 192.0.2.1", "quiet: has gateway 172.17.0.1"),
        ("web: has mtu 1500", "web: has mtu 1450"),
        ("web: reaches wan with 60000 bytes", "db: reaches wan with 10 bytes"),
        ("web: reaches 192.0.2.1 with 1472 bytes", "quiet: reaches 192.0.2.1 with 56 bytes"),
        ("web: compares more rules than fast from wan", "fast: compares more rules than web from wan"),
        ("fast: compares as many rules as fast from wan", "fast: compares as many rules as web from wan"),
        ("web: crosses more devices than fast from wan", "fast: crosses more devices than web from wan"),
        ("fast: crosses as many devices as fast from wan", "fast: crosses as many devices as web from wan"),
        ("h1/web: reachable from wan", "h1/web: unreachable from h1"),
    ],
)
def test_each_sentence_can_hold_and_can_fail(holds, fails):
    good, bad = findings([holds, fails])
    assert (good.status, good.seen) == ("holds", ())
    assert bad.status == "fails"
    assert bad.seen


def test_what_failed_says_what_was_seen_and_which_rule_did_it():
    (found,) = findings(["web: reachable directly from wan"])
    assert found.seen == ("wan → h1/web:80/tcp at 172.17.0.2:80: timeout "
                          "(h1/host: -A PREROUTING -d 172.17.0.2/32 ! -i docker0 -j DROP)",)  # fmt: skip


@pytest.mark.parametrize(
    ("engine", "tried"), [("28.5", "unreachable directly from wan"), ("20.10", "reachable directly from wan")]
)
def test_a_claim_of_some_engines_has_its_opposite_for_the_others(engine, tried):
    claim = '{web: unreachable directly from wan, engine: ">=28", otherwise: reachable directly from wan}'
    (found,) = findings([claim], engine)
    assert (found.sentence, found.status) == (tried, "holds")


@pytest.mark.parametrize(
    ("condition", "status"), [(">=28", "holds"), (">28", "skipped"), (">=20.10, <28", "skipped"), ("28.5", "holds"),
                              ("28", "holds"), ("<=27", "skipped")])  # fmt: skip
def test_conditions_on_engines(condition, status):
    (found,) = findings([f'{{web: reachable from wan, engine: "{condition}"}}'])
    assert found.status == status


@pytest.mark.parametrize(
    ("claim", "message"),
    [
        ("wbe: reachable from wan", "a.yaml:18:10: no place 'wbe'; did you mean 'web'?"),
        ("web: reachable from wna", "a.yaml:18:10: no place 'wna'; did you mean 'wan'?"),
        ("{web: reachable from wan, engine: newest}",
         "a.yaml:18:11: 'newest' is no condition on engines; write '>=28' or '>=20.10, <28'"),
        ("web: reachable by wan", "a.yaml:18:10: 'reachable by wan' is no claim that can be tried; "
         "did you mean 'reachable from'?"),
    ],
)  # fmt: skip
def test_what_cannot_be_tried_is_said_with_its_place(claim, message):
    with pytest.raises(SourceError) as caught:
        findings([claim])
    assert str(caught.value) == message


@given(st.text(max_size=60))
def test_a_sentence_is_read_or_refused(text):
    try:
        assert str(parse(text)) == " ".join(text.split())
    except ValueError as error:
        assert "no claim" in str(error)
