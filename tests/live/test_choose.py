"""Probes are chosen from a snapshot alone: every way to each published port, the same ones each time, each askable."""

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from simnet.errors import SnapshotError
from simnet.live.questions.choose import choose, spread
from simnet.live.questions.claimed import claimed_questions
from simnet.live.questions.questions import CLOSED, DIRECT, OUT, OVERLAY, PING, PUBLISHED, Question
from simnet.live.recording.recording import opened
from simnet.net.address import ip_text
from simnet.scenario import snapshot
from simnet.scenario.question import ask
from simnet.scenario.source import read_source

RECORDINGS = Path(__file__).parents[1] / "recordings"
SEED = RECORDINGS / "seed-modes-28.5/snapshot"
SCENARIOS = Path(__file__).parents[2] / "scenarios"
FOLDERS = (path.parent for path in RECORDINGS.glob("*/expected.json"))
ALL = sorted(path for path in (*FOLDERS, *RECORDINGS.glob("*.tar.xz")) if "fuzz" not in path.name)


@pytest.fixture
def copied(tmp_path):
    """A copy that may be changed."""
    shutil.copytree(SEED, tmp_path / "copy")
    return tmp_path / "copy"


def by_name(choices):
    return {choice.probe.name: choice for choice in choices}


def verdicts(folder, *names):
    found = by_name(choose(folder).choices)
    probes = [found[name].probe for name in names]
    return [ask(lambda: snapshot.load(folder), probe.probe, probe.servers).trace.verdict for probe in probes]


def test_a_published_port_is_asked_at_every_address_from_every_place():
    found = {(choice.probe.frm, choice.probe.dst) for choice in choose(SEED).choices if choice.kind == PUBLISHED}
    containers = {f"h1/csphere-{name}" for name in ("nat", "nat2", "none", "con", "host")}
    assert found == {
        *((place, "192.0.2.2") for place in (*containers, "h1", "wan")),
        *((f"h1/csphere-{name}", "172.17.0.1") for name in ("nat", "nat2", "con")),
        ("h1", "127.0.0.1"),
        ("h1/csphere-host", "127.0.0.1"),
    }


def test_each_probe_says_who_must_listen():
    found = by_name(choose(SEED).choices)
    assert [str(one) for one in found["wan-to-h1-2222-tcp"].probe.servers] == ["h1/csphere-nat2:tcp:0.0.0.0:22"]
    assert [str(one) for one in found["h1-csphere-nat-to-wan-8000-udp"].probe.servers] == ["wan:udp:0.0.0.0:8000"]
    assert found["wan-to-h1-unserved-2222-tcp"].probe.servers == ()
    assert found["h1-csphere-con-to-h1-csphere-nat-localhost-8000-tcp"].kind == "shared"
    assert found["wan-to-h1-8000-tcp"].probe.servers[0].place == "h1/csphere-host"


def test_what_the_modes_are_known_for_comes_of_the_probes():
    assert verdicts(SEED, "wan-to-h1-2222-tcp", "wan-to-h1-csphere-nat2-22-tcp", "wan-to-h1-unserved-2222-tcp",
                    "h1-csphere-none-to-wan-ping", "wan-to-h1-9-tcp") == [
        "reply", "timeout", "refused", "net-unreachable", "refused"]  # fmt: skip


@pytest.mark.parametrize("recording", ALL, ids=lambda path: path.name)
def test_the_probes_of_a_snapshot_can_be_asked(recording):
    with opened(recording) as read:
        chosen = choose(read.snapshot)
        assert chosen == choose(read.snapshot)
        network = snapshot.load(read.snapshot)
        names, sports = (Counter(getattr(one.probe, key) for one in chosen.choices) for key in ("name", "sport"))
        assert max(names.values()) == max(sports.values()) == 1
        listening = {server.port for server in network.servers}
        assert not listening & set(sports)
        assert {PUBLISHED, DIRECT, PING, CLOSED, OUT} <= {one.kind for one in chosen.choices}
        for one in choose(read.snapshot, 40).choices:
            for server in one.probe.servers:
                assert not network.find(server.place).sockets.bound(server.proto, server.address, server.port)
            assert ask(lambda: snapshot.load(read.snapshot), one.probe.probe, one.probe.servers, assume=False)


def test_containers_of_an_overlay_network_are_asked_from_other_hosts():
    with opened(RECORDINGS / "overlay2-28.5.tar.xz") as read:
        found = [one.probe for one in choose(read.snapshot).choices if one.kind == OVERLAY]
        network = snapshot.load(read.snapshot)
        assert found
        for probe in found:
            assert probe.frm.partition("/")[0] != probe.servers[0].place.partition("/")[0]
            assert network.find(probe.servers[0].place).owns(probe.probe.to)
            assert ask(lambda: snapshot.load(read.snapshot), probe.probe, probe.servers).trace.verdict == "reply"


def test_a_program_that_listens_already_serves_tcp_and_is_left_alone_for_udp(copied):
    with (copied / "h1/csphere-nat2/listen").open("a", encoding="utf-8") as listen:
        listen.write("tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:*\nudp UNCONN 0 0 0.0.0.0:53 0.0.0.0:*\n")
    inspected = json.loads((copied / "h1/docker-inspect.json").read_text("utf-8"))
    ports = next(one for one in inspected if one["Name"] == "/csphere-nat2")["NetworkSettings"]["Ports"]
    ports["53/udp"] = [{"HostIp": "0.0.0.0", "HostPort": "5353"}]
    (copied / "h1/docker-inspect.json").write_text(json.dumps(inspected), "utf-8")
    chosen = choose(copied)
    found = by_name(chosen.choices)
    assert found["wan-to-h1-2222-tcp"].existing
    assert found["wan-to-h1-2222-tcp"].probe.servers == ()
    assert "wan-to-h1-5353-udp" not in found
    assert "wan-to-h1-unserved-2222-tcp" not in found
    assert chosen.notes == ("h1/csphere-nat2 has a program of its own at udp port 53; what it answers nobody knows, "
                            "so it is not asked",)  # fmt: skip


def test_a_port_that_is_bound_to_one_address_is_asked_there_alone(copied):
    text = (copied / "h1/docker-inspect.json").read_text("utf-8")
    (copied / "h1/docker-inspect.json").write_text(
        text.replace('"HostIp": "0.0.0.0"', '"HostIp": "127.0.0.1"'), "utf-8"
    )
    found = {(one.probe.frm, one.probe.dst) for one in choose(copied).choices if one.kind == PUBLISHED}
    assert found == {("h1", "127.0.0.1"), ("h1/csphere-host", "127.0.0.1")}


def test_a_limit_takes_of_every_kind_and_says_what_is_left_out():
    all_, some = choose(SEED), choose(SEED, 20)
    kinds = Counter(one.kind for one in some.choices)
    assert len(some.choices) == 20
    assert set(kinds) == {one.kind for one in all_.choices}
    assert max(kinds.values()) - min(kinds.values()) <= 1
    assert {one.probe.name for one in some.choices} <= set(by_name(all_.choices))
    assert some.notes[0].startswith(f"{len(all_.choices) - 20} of {len(all_.choices)} probes are left out: ")
    assert choose(SEED, len(all_.choices)) == all_


@pytest.mark.parametrize("most", range(12))
def test_a_spread_is_as_many_as_asked_and_in_order(most):
    wanted = [Question(kind, "wan", "h1", "icmp", number) for kind, all_ in (("a", 7), ("b", 1), ("c", 3))
              for number in range(all_)]  # fmt: skip
    found = spread(wanted, most)
    assert len(found) == most
    assert found == [one for one in wanted if one in found]


def test_hostile_names_stay_within_a_probe_s_name(copied):
    text = (copied / "h1/docker-inspect.json").read_text("utf-8")
    (copied / "h1/docker-inspect.json").write_text(text.replace("/csphere-host", "/../$(reboot) ;x"), "utf-8")
    names = [one.probe.name for one in choose(copied).choices]
    assert any("reboot" in name for name in names)
    assert not set("".join(names)) & set("/$(); ")


def test_a_broken_inspection_is_an_error_of_the_snapshot(copied):
    (copied / "h1/docker-network-inspect.json").write_text('[{"IPAM": {"Config": [{"Gateway": "x"}]}}]', "utf-8")
    with pytest.raises(SnapshotError, match=r"docker-network-inspect\.json"):
        choose(copied)


def test_machines_without_docker_are_asked_as_well(copied):
    for path in copied.glob("*/docker-*.json"):
        path.unlink()
    assert {one.kind for one in choose(copied).choices} == {PING, CLOSED, OUT}


@pytest.mark.parametrize("path", sorted(SCENARIOS.glob("basics/*.yaml")), ids=lambda path: path.name)
def test_a_scenario_asks_what_it_claims(path):
    source = read_source(str(path))
    found = claimed_questions(source)
    assert found
    assert len({one.key for one in found}) == len(found)
    for one in found:
        assert source.open().network.find(one.frm)
        assert one.proto == "icmp" or one.dport


def test_claims_and_traffic_become_questions_with_their_servers(tmp_path):
    source = tmp_path / "a.yaml"
    source.write_text(
        "hosts: {h1: {containers: {web: {publish: '8080:80'}, db: {listen: [udp/53]}}}}\nmachines: {wan: {}}\n"
        "check:\n  - web: reachable from wan at 192.0.2.2:8080\n  - web: isolated from db\n"
        "  - db: reaches wan with 1400 bytes\n"
        "traffic: {load: {from: wan, to: '192.0.2.2:8080', requests: {clients: 2}}}\n", "utf-8"
    )  # fmt: skip
    asked = claimed_questions(read_source(str(source)))
    found = [(one.kind, one.frm, one.proto, ip_text(one.dst), one.dport, [*map(str, one.servers)], one.args)
             for one in asked]  # fmt: skip
    assert found[0] == ("claim", "wan", "tcp", "192.0.2.2", 8080, ["h1/web:tcp:0.0.0.0:80"], ())
    assert ("claim", "h1/web", "udp", "172.17.0.3", 53, ["h1/db:udp:0.0.0.0:53"], ()) in found
    assert ("claim", "h1/db", "icmp", "192.0.2.1", 0, [], ("-s", "1400")) in found
    assert not [one for one in found if one[0] == "traffic"]  # the same as the first claim


def test_a_scenario_s_own_questions_come_first_and_stay():
    own = claimed_questions(read_source(str(SCENARIOS / "basics/modes.yaml")))
    some = choose(SEED, len(own) + 10, own)
    assert [(one.probe.frm, one.probe.dst) for one in some.choices[: len(own)]] == [
        (one.frm, ip_text(one.dst)) for one in own]  # fmt: skip
    assert len(some.choices) == len(own) + 10
