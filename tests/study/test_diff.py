"""What changes between engines, settings and sources: the flows that come out otherwise, and the rules."""

from simnet.scenario.build import build
from simnet.scenario.plan import Setting, changed
from simnet.scenario.scenario_file import read
from simnet.scenario.source import Source, read_source
from simnet.study.diff import diff

SEED = "scenarios/basics/modes.yaml"
DIRECT = "wan → h1/csphere-nat2:22/tcp at 172.17.0.3:22"


def source(text):
    plan = read(text, "a.yaml")
    return Source("a.yaml", lambda: build(plan), plan)


def flows(found):
    return [(str(one.flow), one.before and str(one.before), one.after and str(one.after)) for one in found.flows]


def test_of_the_seeds_modes_one_flow_changes_from_20_to_28_and_the_rule_is_named():
    found = diff(read_source(SEED, "20.10"), read_source(SEED, "28.5"), ("20.10", "28.5"))
    assert flows(found) == [(DIRECT, "reply, the server saw 192.0.2.1", "timeout")]
    (change,) = found.flows
    accept = "-A DOCKER -d 172.17.0.3/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 22 -j ACCEPT"
    assert change.before.because == (f"h1/host: {accept}",)
    assert change.after.because == ("h1/host: -A PREROUTING -d 172.17.0.3/32 ! -i docker0 -j DROP",)
    assert found.tried > 40


def test_nothing_changes_between_a_source_and_itself():
    found = diff(read_source(SEED), read_source(SEED), ("a", "a"))
    assert (found.flows, found.rules) == ((), ())


def test_rules_that_differ_carry_the_reason_of_their_engine():
    found = diff(read_source(SEED, "20.10"), read_source(SEED, "28.5"), ("20.10", "28.5"))
    drop = next(one for one in found.rules if one.line == "-A PREROUTING -d 172.17.0.3/32 ! -i docker0 -j DROP")
    assert (drop.place, drop.table, drop.sign) == ("h1/host", "raw", "+")
    assert "allow_direct_routing: false" in drop.why


def test_a_sysctl_makes_forwarded_flows_fail():
    setting = Setting.parse("h1.sysctl.net.ipv4.ip_forward=0")
    off = [setting, Setting.parse("h1.daemon.ip-forward=false")]
    found = diff(read_source(SEED), read_source(SEED, "", off), ("on", "off"))
    changed = {str(one.flow): one.after.verdict for one in found.flows}
    assert changed["wan → h1/csphere-nat2:22/tcp at 192.0.2.2:2222"] == "timeout"
    assert all(one.before.answered and not one.after.answered for one in found.flows)


def test_without_docker_proxy_containers_are_seen_as_they_are():
    found = diff(
        read_source(SEED), read_source(SEED, "", [Setting.parse("h1.daemon.userland-proxy=false")]), ("a", "b")
    )
    seen = {(one.flow.frm, one.flow.target.at): (one.before.saw, one.after.saw) for one in found.flows}
    by_proxy = {(place, at): ("172.17.0.1", "172.17.0.2") for place in ("h1/csphere-nat", "h1/csphere-con")
                for at in ("h1:eth0", "h1:docker0")}  # fmt: skip
    by_host = {(place, "h1:eth0"): ("192.0.2.2", "172.17.0.1") for place in ("h1", "h1/csphere-host")}
    assert seen == by_proxy | by_host


def test_other_subnets_alone_change_no_flow():
    text = """
hosts:
  h1:
    networks: {n: {subnet: SUBNET}}
    containers: {a: {network: n, expose: 80}, b: {network: n}}
"""
    found = diff(
        source(text.replace("SUBNET", "10.1.0.0/24")), source(text.replace("SUBNET", "10.2.0.0/24")), ("1", "2")
    )
    assert found.tried > 0
    assert found.flows == ()
    assert found.rules != ()


def test_a_server_that_only_one_side_has_is_told_as_such():
    one = source("hosts: {h1: {containers: {a: {expose: 80}, b: {}}}}")
    other = source("hosts: {h1: {containers: {a: {}, b: {}}}}")
    found = diff(one, other, ("1", "2"))
    assert [(str(change.flow), change.after) for change in found.flows if change.flow.frm == "h1/b"] == [
        ("h1/b → h1/a:80/tcp at 172.17.0.2:80", None)
    ]


def test_a_flow_that_only_changes_its_way_is_told_apart():
    text = """
hosts:
  h1:
    networks: {front: {}, back: {}}
    containers: {web: {network: front, ports: "8080:80"}, app: {network: back}}
"""
    plan = read(text, "a.yaml")

    def side(engine):
        planned = changed(plan, [Setting("*", "engine", "", engine)])
        return Source("a", lambda: build(planned), planned)

    found = diff(side("28.5"), side("29.7"), ("28.5", "29.7"))
    assert [str(one.flow.frm) for one in found.rerouted] == ["h1/app"] * len(found.rerouted) != []
    assert all(one.before.proxied and not one.after.proxied for one in found.rerouted)
    assert all(one.before.verdict == one.after.verdict == "reply" for one in found.rerouted)
