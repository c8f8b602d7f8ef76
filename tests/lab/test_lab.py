"""The lab: a session as people type it, on one host and on several, with docker's, iptables' and ip's own answers."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simnet.answer import Answer
from simnet.errors import UnknownPlace
from simnet.lab.lab import Lab, parts
from simnet.scenario.source import read_source

SEED = """\
docker run -it --name csphere-nat busybox sh
docker run -it -p 2222:22 --name csphere-nat2 busybox sh
docker run -it --name csphere-host --net=host busybox sh
docker run -it --name csphere-con --net=container:csphere-nat busybox sh
docker run -it --name csphere-none --net=none busybox sh
"""


def seed(engine="28.5"):
    lab = Lab.fresh(engine)
    assert lab.run(SEED) == Answer()
    return lab


def test_the_seeds_commands():
    lab = seed()
    own, shared = (lab.run(f"docker exec {name} ifconfig").out for name in ("csphere-nat", "csphere-con"))
    assert own == shared
    assert "inet addr:172.17.0.2  Bcast:172.17.255.255  Mask:255.255.0.0" in own
    assert lab.run("docker exec csphere-host ifconfig").out == lab.run("ifconfig").out
    assert "eth0" not in lab.run("docker exec csphere-none ifconfig").out
    assert lab.run("docker exec csphere-nat route -n").out.splitlines()[2].split()[:2] == ["0.0.0.0", "172.17.0.1"]
    assert "tcp dpt:2222 to:172.17.0.3:22" in lab.run("iptables -t nat -L -n").out


def test_no_rule_comes_without_a_published_port():
    lab = Lab.fresh()
    before = lab.run("iptables -t nat -S; iptables -S").out
    lab.run("docker run -d --name a busybox")
    assert lab.run("iptables -t nat -S; iptables -S").out == before
    lab.run("docker run -d -p 2222:22 busybox")
    assert lab.run("iptables -t nat -S; iptables -S").out != before


def test_every_container_is_removed_by_what_the_shell_puts_in():
    lab = seed()
    removed = lab.run("docker rm -f $(docker ps -a -q)")
    assert (len(removed.out.split()), removed.code) == (5, 0)
    assert lab.run("docker ps -a -q").out == ""
    with pytest.raises(UnknownPlace):
        lab.network.find("h1/csphere-nat")


def test_traffic_walks_the_model():
    lab = seed()
    assert lab.run("docker exec csphere-nat2 nc -l -p 22").code == 0
    assert lab.run("wan: nc -z -w 1 192.0.2.2 2222").code == 0
    assert lab.run("wan: nc -z -w 1 192.0.2.2 2223").code == 1
    lab.run("iptables -I DOCKER-USER -i eth0 -j DROP")
    assert lab.run("wan: nc -z -w 1 192.0.2.2 2222").code == 1
    assert "1:60]" not in lab.run("iptables -nvL DOCKER-USER").out
    lab.run("iptables -D DOCKER-USER -i eth0 -j DROP")
    assert lab.run("wan: nc -z -w 1 192.0.2.2 2222").code == 0


def test_rules_of_the_owner_stand_where_the_engine_puts_its_own_beside_them():
    lab = Lab.fresh()
    lab.run("iptables -t nat -A DOCKER -p tcp --dport 1 -j RETURN; iptables -t nat -D DOCKER -i docker0 -j RETURN")
    lab.run("docker run -d -p 80:80 busybox; docker network create n1")
    rules = [line.split(" -j ")[0] for line in lab.run("iptables -t nat -S DOCKER").out.splitlines()[1:]]
    assert rules[0].startswith("-A DOCKER -i br-")
    assert rules[1:] == ["-A DOCKER -p tcp -m tcp --dport 1", "-A DOCKER ! -i docker0 -p tcp -m tcp --dport 80"]
    assert lab.run("docker network rm n1").code == 0


def test_an_engine_whose_chain_was_deleted_says_what_iptables_said():
    lab = Lab.fresh()
    lab.run("iptables -t nat -F; iptables -t nat -X DOCKER")
    answer = lab.run("docker run -d -p 80:80 --name web busybox")
    assert answer.code == 125
    assert "iptables: No chain/target/match by that name" in answer.err
    assert "--dport 80 -j DNAT" in answer.err


@pytest.mark.parametrize(
    ("command", "out", "code", "left"),
    [
        ("docker run --rm busybox false", "", 1, []),
        ("docker run --rm busybox ip -4 -o addr show dev lo", "1: lo    inet 127.0.0.1/8 scope host lo", 0, []),
        ("docker run --name a busybox true", "", 0, ["a"]),
        ("docker run --name a busybox sh", "", 0, ["a"]),
    ],
)
def test_containers_in_the_foreground(command, out, code, left):
    lab = Lab.fresh()
    answer = lab.run(command)
    assert answer.code == code
    assert out is None or answer.out.startswith(out)
    assert lab.run("docker ps -a --format '{{.Names}}'").out.split() == left


def test_a_stopped_container_takes_no_commands():
    lab = Lab.fresh()
    lab.run("docker run -d --name a busybox; docker stop a")
    answer = lab.run("docker exec a ip addr")
    assert (answer.out, answer.code) == ("", 1)
    assert "is not running" in answer.err
    assert lab.run("docker exec gone ip addr").err == "Error response from daemon: No such container: gone\n"


def test_names_are_looked_up_where_docker_answers_them():
    lab = Lab.fresh()
    lab.run("docker network create n1; docker run -d --name a --network n1 busybox")
    lab.run("docker run -d --name b --network n1 --network-alias db busybox; docker run -d --name c busybox")
    assert lab.run("docker exec a ping -c 1 db").code == 0
    assert lab.run("docker exec c ping -c 1 db").err == "ping: bad address 'db'\n"


def test_lines_run_at_the_place_that_they_name():
    lab = Lab()
    for number in (2, 3):
        lab.host(f"h{number - 1}", "28.5", f"192.0.2.{number}/24", gateway="192.0.2.1")
    lab.machine("wan", "192.0.2.1/24")
    answer = lab.run("""\
docker swarm init
h2: docker swarm join 192.0.2.2:2377
docker network create -d overlay --attachable mesh
docker run -d --name a --network mesh busybox
h2: docker run -d --name b --network mesh busybox
h2/b: ping -c 1 a
wan: hostname
""")
    assert answer.code == 0
    assert "1 packets transmitted, 1 packets received" in answer.out
    assert answer.out.endswith("\nwan\n")


def test_a_snapshot_has_terminals_but_no_engine():
    lab = read_source("scenarios/snapshots/seed-modes-28.5").open()
    assert lab.execute(["ip", "route"], "h1").out.startswith("default via 192.0.2.1")
    assert lab.execute(["docker", "ps"], "h1") == Answer("", "sh: docker: not found\n", 127)
    assert lab.execute(["iptables", "-t", "nat", "-S", "DOCKER"], "h1").out.count("\n") == 3


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("dockerd --icc=false", "dockerd: the engine runs already; put this line before docker's commands\n"),
        ("foo", "sh: foo: not found\n"),
    ],
)
def test_what_cannot_be_run_is_said(line, expected):
    lab = Lab.fresh()
    lab.run("docker ps")
    assert lab.run(line).err == expected


def test_the_engine_takes_its_options_first():
    lab = Lab.fresh()
    assert lab.run("dockerd --icc=false\niptables -S DOCKER-FORWARD").out.endswith("-i docker0 -o docker0 -j DROP\n"
                   "-A DOCKER-FORWARD -i docker0 ! -o docker0 -j ACCEPT\n")  # fmt: skip


@given(st.lists(st.sampled_from(["docker ps", "ip a", "h2: ip a", "wan: true", "x: y", "", "a \\", "# h2: b"])))
def test_parts_are_the_script(lines):
    script = "\n".join(lines)
    found = list(parts(script, {"h1", "h2", "wan"}.__contains__))
    assert "\n".join(f"{place}: {text}" if place else text for place, text in found) == script


@given(st.lists(st.text(alphabet=st.characters(codec="ascii"), min_size=1, max_size=12), min_size=1, max_size=4))
def test_any_words_are_answered(words):
    lab = Lab.fresh()
    for name in ("docker", "ip", "iptables", "ping", "nc", "wget", "ss"):
        answer = lab.run(shlex.join([name, *words]))
        assert isinstance(answer.code, int)


def test_a_name_that_means_the_host_is_kept_from_containers():
    lab = Lab.fresh()
    answer = lab.run("docker run -d --name host busybox")
    assert (answer.code, answer.out) == (2, "")
    assert "would be mistaken for the host" in answer.err


def test_images_of_known_names_expose_and_serve_their_ports():
    lab = Lab.fresh()
    lab.run("docker run -d -P --name web nginx; docker run -d --name db postgres")
    assert lab.run("docker port web").out.splitlines()[0] == "80/tcp -> 0.0.0.0:32768"
    assert lab.run("wan: curl -s http://192.0.2.2:32768").out.startswith("hello 192.0.2.1:")
    assert "5432/tcp" in lab.run("docker ps").out


@pytest.mark.parametrize("line", ["ufw enable", "docker exec a env", "systemctl restart docker", "docker logs a"])
def test_what_is_not_modelled_is_told_from_what_is_not_there(line):
    lab = Lab.fresh()
    lab.run("docker run -d --name a busybox")
    answer = lab.run(line)
    assert answer.code == 2
    assert "not model" in answer.err


def test_names_are_resolved_as_the_asking_place_does():
    lab = Lab.fresh()
    lab.run("docker network create n1; docker run -d --name a --network n1 busybox")
    lab.run("docker run -d --name b --network n1 --network-alias db busybox; docker run -d --name c busybox")
    assert lab.resolve("h1/a", "db") == lab.network.find("h1/b").devices["eth0"].addresses[0].address
    assert lab.resolve("h1/c", "db") == 0
    assert lab.resolve("h1/c", "wan") == lab.network.find("wan").devices["eth0"].addresses[0].address
