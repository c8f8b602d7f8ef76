"""Networks as their options and the daemon's shape them: each as real engines of the versions named did it."""

import pytest

from simnet.docker.command.cli import Session
from simnet.lab.lab import Lab
from simnet.net.address import ip_text

BRIDGE = "com.docker.network.bridge."
VERSIONS = ("20.10", "26.1", "28.5.2")


def session(version, *lines):
    made = Session(version)
    for line in lines:
        answer = made.run(line)
        assert answer.code == 0, str(answer)
    return made


def addresses(made, container):
    return {name: str(one.address) for name, one in made.engine.find(container).endpoints.items()}


def default_bridge(made):
    (own,) = made.namespace.devices["docker0"].addresses
    return f"{ip_text(own.address)}/{own.length}"


@pytest.mark.parametrize(
    ("version", "bridge", "container"),
    [("20.10", "172.17.128.0/16", "172.17.128.1")]
    + [(version, "172.17.128.1/24", "172.17.128.2") for version in ("26.1", "28.5.2")],
)
def test_a_fixed_cidr_alone_is_the_range_or_the_subnet(version, bridge, container):
    made = session(version, "dockerd --fixed-cidr 172.17.128.0/24", "docker run -d --name web busybox")
    assert default_bridge(made) == bridge
    assert addresses(made, "web") == {"bridge": container}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_fixed_cidr_within_bip(version):
    asked = "dockerd --bip 172.21.0.5/16 --fixed-cidr 172.21.7.0/24"
    made = session(version, asked, "docker run -d --name web busybox")
    assert default_bridge(made) == "172.21.0.5/16"
    assert addresses(made, "web") == {"bridge": "172.21.7.0"}


def test_a_fixed_cidr_that_is_none():
    assert Session("28.5.2").run("dockerd --fixed-cidr nonsense").err.startswith("invalid CIDR address: nonsense")


def test_an_isolated_network_has_no_gateway_and_gives_its_address_away():
    isolated = f"docker network create --internal --subnet 10.3.0.0/24 -o {BRIDGE}gateway_mode_ipv4=isolated"
    made = session("28.5.2", f"{isolated} n1", "docker run -d --network n1 --name web busybox")
    assert addresses(made, "web") == {"n1": "10.3.0.1"}
    named = isolated.replace("10.3", "10.4") + " --gateway 10.4.0.1 n2"
    assert made.run(named).code == 0
    made.run("docker run -d --network n2 --name app busybox")
    assert addresses(made, "app") == {"n2": "10.4.0.2"}


def raw(made):
    table = made.engine.ruleset.tables.get("raw")
    return [str(rule) for rule in table.chains["PREROUTING"].rules] if table is not None else []


def test_trusted_interfaces_reach_containers_themselves():
    trusts = f"docker network create --subnet 10.5.0.0/24 -o {BRIDGE}name=br-t n1"
    trusts += f" -o {BRIDGE}trusted_host_interfaces=eth0:eth1"
    run = "docker run -d --network n1 --name web busybox"
    accepted = [f"-A PREROUTING -d 10.5.0.2/32 -i {name} -j ACCEPT" for name in ("eth0", "eth1")]
    made = session("28.5.2", trusts, run)
    assert raw(made) == [*accepted, "-A PREROUTING -d 10.5.0.2/32 ! -i br-t -j DROP"]
    made.run("docker rm -f web")
    assert raw(made) == []
    assert raw(session("28.0.1", trusts, run)) == []  # came with 28.2


@pytest.mark.parametrize("version", VERSIONS)
def test_no_container_is_given_an_auxiliary_address(version):
    asked = "docker network create --subnet 10.2.0.0/24 --aux-address a=10.2.0.2 --aux-address b=10.2.0.9 n1"
    made = session(version, asked, "docker run -d --network n1 --name web busybox")
    assert addresses(made, "web") == {"n1": "10.2.0.3"}
    config = made.run("docker network inspect -f {{.IPAM.Config}} n1").out
    assert "map[a:10.2.0.2 b:10.2.0.9]" in config
    taken = "docker network create --subnet 10.6.0.0/24 --aux-address a=10.6.0.1 n2"
    said = "Error response from daemon: failed to allocate secondary ip address (a:10.6.0.1): Address already in use\n"
    assert made.run(taken).err == said
    assert made.run(taken.replace("a=10.6.0.1", "a=10.6.0.7")).code == 0  # the subnet is free again
    other = taken.replace("a=10.6.0.1", "a=10.7.0.1").replace("n2", "n3").replace("10.6.0.0", "10.8.0.0")
    assert made.run(other).err == "no matching subnet for aux-address 10.7.0.1\n"


@pytest.mark.parametrize(
    ("driver", "dummy", "versions"), [("macvlan", "dm", ("20.10", "26.1")), ("ipvlan", "di", VERSIONS)]
)
def test_a_parent_that_another_network_has(driver, dummy, versions):
    for version in VERSIONS:
        lab = Lab.fresh(version)
        create = f"docker network create -d {driver} -o parent=eth0 --subnet"
        first = lab.run(f"{create} 10.5.0.0/24 n1").out[:12]
        answer = lab.run(f"{create} 10.6.0.0/24 n2")
        if version in versions:
            said = f"network {dummy}-{first} is already using parent interface eth0"
            assert answer.err == f"Error response from daemon: {said}\n"
            assert lab.run("docker network create --subnet 10.6.0.0/24 n2").code == 0
        else:
            assert answer.code == 0


def test_without_iptables_the_rules_of_ipv6_are_left():
    made = session("28.5.2", "dockerd --iptables=false", "docker run -d -p 8080:80 busybox")
    assert not list(made.engine.ruleset.rules())
    assert [str(rule) for rule in made.engine.ruleset6.tables["filter"].chains["FORWARD"].rules] == [
        "-A FORWARD -j DOCKER-USER",
        "-A FORWARD -j DOCKER-FORWARD",
    ]
    options = made.run("docker network inspect -f {{.Options}} bridge").out
    assert f"{BRIDGE}enable_ip_masquerade:false" in options
    both = session("28.5.2", "dockerd --iptables=false --ip6tables=false")
    assert not list(both.engine.ruleset6.rules())


def test_driver_options_are_shown_as_they_were_given():
    made = session("28.5.2", f"docker network create -o {BRIDGE}enable_icc=1 -o x=y n1")
    assert made.run("docker network inspect -f {{.Options}} n1").out == f"map[{BRIDGE}enable_icc:1 x:y]\n"


@pytest.mark.parametrize("version", VERSIONS)
def test_an_internal_overlay_network_alone_leads_nowhere(version):
    lab = Lab.fresh(version)
    lab.run("docker swarm init\ndocker network create -d overlay --attachable --internal --subnet 10.98.0.0/24 n1")
    lab.run("docker run -d --network n1 --name web busybox")
    assert lab.run("ip route", "h1/web").out == "10.98.0.0/24 dev eth0 proto kernel scope link src 10.98.0.2 \n"


@pytest.mark.parametrize(
    ("version", "ports"), [("20.10", ["82", "81", "80"]), ("26.1", ["82", "81", "80"]), ("28.5.2", ["80", "82", "81"])]
)
def test_a_link_opens_ports_from_the_highest_down(version, ports):
    made = session(
        version,
        "dockerd --icc=false",
        "docker run -d -p 8080:80 --expose 81 --expose 82/udp --name db busybox",
        "docker run -d --link db --name web busybox",
    )
    rules = made.engine.ruleset.tables["filter"].chains["DOCKER"].rules
    opened = [text.split("--dport ")[1].split()[0] for text in map(str, rules) if " -s 172.17.0.3/32 " in text]
    assert opened == ports


def test_the_lines_of_docker_port_are_sorted():
    made = session("20.10", "docker run -d --name web -p 8092:80 -p 127.0.0.2:8090:80 -p 8091:80 -p 9:9/udp busybox")
    assert [line for line in made.run("docker port web").out.splitlines() if ":::" not in line] == [
        "9/udp -> 0.0.0.0:9",
        "80/tcp -> 0.0.0.0:8091",
        "80/tcp -> 0.0.0.0:8092",
        "80/tcp -> 127.0.0.2:8090",
    ]
