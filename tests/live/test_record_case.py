"""A case is recorded with a real engine, and simnet says the same of its recording."""

import importlib.util
import os
import tarfile
from pathlib import Path

import pytest

from simnet.live.agreement.validate import AGREES, validate
from simnet.live.private.site import Site
from simnet.live.recording.recording import opened

ROOT = Path(__file__).parents[2]
CASE = """\
# errors of pings, broadcast, fragments, a container that has stopped, docker-proxy without a server
h1: docker network create --subnet 10.1.0.0/24 neta
h1: docker run -d --network neta --ip 10.1.0.2 -p 8080:80 -p 5300:53/udp --name web busybox sleep 36000
h1: docker run -d --network neta --ip 10.1.0.3 --cap-add NET_ADMIN --name app busybox sleep 36000
h1: docker run -d --name stopped busybox sleep 36000
h1: docker stop -t 0 stopped
?h1: docker run -d --network nowhere busybox
h1/app: ip route add 198.51.100.0/24 via 10.1.0.2
ask: h1/app icmp 198.51.100.1 -t 1
ask: h1/app icmp 10.1.0.255
ask: h1/app icmp 192.0.2.1 -s 3000
ask: wan udp 192.0.2.2:5300 -s 1600 h1/web:udp:0.0.0.0:53
ask: h1 tcp 127.0.0.1:8080
ask: wan tcp 192.0.2.2:8080 h1/web:tcp:0.0.0.0:80
"""
spec = importlib.util.spec_from_file_location("record", ROOT / "scripts/record.py")
record = importlib.util.module_from_spec(spec)
spec.loader.exec_module(record)


@pytest.mark.engine
def test_a_case_recorded_here_agrees(tmp_path):
    target = tmp_path / "case.tar.xz"
    site = Site(f"case-{os.getpid()}")
    assert record.recorded(site, CASE, "/", 6, target)
    assert not site.folder.exists()
    with tarfile.open(target) as packed:
        assert {member.uid for member in packed} == {0}
        assert str(tmp_path) not in "".join(member.name for member in packed)
    with opened(target) as found:
        assert found.commands == CASE
        assert [finding.status for finding in validate(found)] == [AGREES] * 6
        results = {probe.dst: probe for probe in found.probes}
        assert results["10.1.0.255"].devices["h1/app"] == ["eth0 Out"]
        assert results["198.51.100.1"].walks


def test_a_case_is_read_line_by_line():
    read = list(record.lines('# words\n\nup: --hosts 2\nh1: docker run --name "a b" busybox\n?wan: ip route\n'))
    assert read == [
        ("up", ["--hosts", "2"]),
        ("h1", ["docker", "run", "--name", "a b", "busybox"]),
        ("?wan", ["ip", "route"]),
    ]


def test_a_probe_of_one_s_own():
    asked = record.question(["h1/app", "udp", "10.1.0.2:53", "-t", "3", "-s", "900", "h1/web:udp:0.0.0.0:53"])
    assert (asked.frm, asked.proto, asked.dport, asked.args) == ("h1/app", "udp", 53, ("-t", "3", "-s", "900"))
    assert [str(one) for one in asked.servers] == ["h1/web:udp:0.0.0.0:53"]
    assert record.question(["wan", "icmp", "192.0.2.2"]).dport == 0


@pytest.mark.parametrize("case", sorted((ROOT / "tests/recordings/cases").glob("*.txt")), ids=lambda path: path.stem)
def test_every_case_can_be_read(case):
    heads = [head for head, words in record.lines(case.read_text("utf-8")) if words]
    assert set(heads) & {"h1", "?h1"}
    for head, words in record.lines(case.read_text("utf-8")):
        assert head != "ask" or record.question(words).kind == "asked"
