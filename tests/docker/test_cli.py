"""Docker's commands as lines: flags in every spelling, and docker's own words for wrong ones."""

import pytest

from simnet.docker.command.cli import Session
from simnet.docker.publish import parse
from simnet.errors import UnknownName, UsageError

NETWORK = "docker network create -o com.docker.network.bridge.name=bridge1 --subnet 192.0.2.0/24 n1"


def said(line, version="28.5.2", before=""):
    session = Session(version)
    session.script(before)
    return session.run(line)


@pytest.mark.parametrize(
    "line",
    [
        "docker run -d -p 8080:80 --name c1 busybox sleep -x 10",
        "docker run -dit --publish=8080:80 --name=c1 busybox",
        "docker run -p8080:80 --name c1 busybox",
        "docker run -itp 8080:80/tcp --name c1 --network default busybox",
        "docker run --expose 80 -p published=8080,target=80 --name c1 busybox",
    ],
)
def test_spellings_of_one_command(line):
    session = Session("28.5.2")
    session.script(line)
    assert [(one.host_port, one.asked.port) for one in session.engine.find("c1").bindings] == [(8080, 80)]


def test_publish_all_takes_what_is_exposed():
    session = Session("28.5.2")
    session.script("docker run -P --expose 53/udp --expose 80-81 -p 8080:80 --name c1 busybox")
    bindings = session.engine.find("c1").bindings
    assert [(one.host_port, one.asked.port) for one in bindings] == [(8080, 80), (32768, 53), (32768, 81)]


@pytest.mark.parametrize(
    ("line", "first", "code"),
    [
        ("docker run --foo busybox", "unknown flag: --foo", 125),
        ("docker network create --foo n1", "unknown flag: --foo", 125),
        ("docker run -X busybox", "unknown shorthand flag: 'X' in -X", 125),
        ("docker run --name", "flag needs an argument: --name", 125),
        ("docker run", "docker: 'docker run' requires at least 1 argument", 1),
        ("docker run -p 99999:80 busybox", "docker: invalid hostPort: 99999", 125),
        ("docker run -p 80:0x busybox", "docker: invalid containerPort: 0x", 125),
        ("docker run -p 80-82:80-81 busybox",
         "docker: invalid ranges specified for container and host Ports: 80-81 and 80-82", 125),
        ("docker run -p 1.2.3:80:80 busybox", "docker: invalid IP address: 1.2.3", 125),
        ("docker run -p 8080:80/icmp busybox", "docker: invalid proto: icmp", 125),
        ("docker network rm nope", "Error response from daemon: network nope not found", 1),
        ("docker network create --subnet 10.11.0.0/24 --gateway 10.12.0.1 n4",
         "no matching subnet for gateway 10.12.0.1", 1),
        ("docker run --network ip=10.0.0.2 busybox",
         'invalid argument "ip=10.0.0.2" for "--network" flag: network name/id is not specified', 125),
        ("docker run --network name=n1,gw-priority=x busybox",
         'invalid argument "name=n1,gw-priority=x" for "--network" flag: invalid gw-priority: '
         'strconv.Atoi: parsing "x": invalid syntax', 125),
        ("docker frob", "docker: unknown command: docker frob", 1),
        ("dockerd --foo", "unknown flag: --foo", 125),
        ("dockerd --bip=nope", "invalid CIDR address: nope", 125),
        ("dockerd --default-address-pool base=nope",
         'invalid argument "base=nope" for "--default-address-pool" flag', 125),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_dockers_words(line, first, code):
    answer = said(line)
    assert (str(answer).splitlines()[0], answer.code) == (first, code)


@pytest.mark.parametrize(
    ("version", "flag", "known"),
    [
        ("28.1.1", "--allow-direct-routing", False), ("28.2.0", "--allow-direct-routing", True),
        ("28.5.2", "--firewall-backend=iptables", False), ("29.7.2", "--firewall-backend=iptables", True),
    ],
)  # fmt: skip
def test_flags_that_came_with_a_version(version, flag, known):
    assert (said(f"dockerd {flag}", version).code == 0) == known


def test_ip6tables_was_an_experiment():
    assert "experimental" in str(said("dockerd --ip6tables", "20.10"))
    assert said("dockerd --ip6tables --experimental", "20.10").code == 0


def test_the_answers_of_good_commands():
    assert len(str(said(NETWORK))) == 64
    assert str(said("docker network rm n1", before=NETWORK)) == "n1"
    assert str(said("docker stop -t 0 c1", before="docker run --name c1 busybox")) == "c1"
    assert (
        str(said("docker network connect --ip 192.0.2.9 n1 c1", before=NETWORK + "\ndocker run --name c1 busybox"))
        == ""
    )


def test_daemon_options_come_first():
    session = Session("28.5.2")
    session.script("docker run --name c1 busybox")
    with pytest.raises(UsageError, match="runs already"):
        session.run("dockerd --icc=false")
    with pytest.raises(UnknownName, match="did you mean 'docker'"):
        session.run("doker ps")
    with pytest.raises(UsageError, match="docker run --foo x: unknown flag"):
        session.script("docker run --foo x")


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        ("80", ["80/tcp"]),
        ("8080:80", ["8080:80/tcp"]),
        ("53:53/UDP", ["53:53/udp"]),
        ("127.0.0.1:8080:80", ["127.0.0.1:8080:80/tcp"]),
        ("127.0.0.1::80", ["127.0.0.1::80/tcp"]),
        ("[2001:db8::1]:8080:80", ["[2001:db8::1]:8080:80/tcp"]),
        ("2001:db8::1:8080:80", ["[2001:db8::1]:8080:80/tcp"]),
        ("8000-8010:80", ["8000-8010:80/tcp"]),
        ("80-81", ["80/tcp", "81/tcp"]),
        ("7000-7001:80-81/sctp", ["7000:80/sctp", "7001:81/sctp"]),
    ],
)
def test_the_syntax_of_p(text, ports):
    assert [str(port) for port in parse(text)] == ports
    assert [one for port in ports for one in parse(port)] == parse(text)


@pytest.mark.parametrize(
    "text", ["", ":", "80:", "8080:80:", "a", "80-79", "-1", "70000", "[::1:80:80", "1.2.3.4:80", "80/"]
)
def test_the_syntax_of_p_refuses(text):
    with pytest.raises(ValueError, match=r"invalid|no port"):
        parse(text)
