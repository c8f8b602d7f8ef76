"""What containers find for names: by network, by version, on overlay networks and of services."""

from ipaddress import IPv4Interface

import pytest

from simnet.docker.command.cli import Session
from simnet.docker.container import dns
from simnet.docker.host import machine
from simnet.docker.options import ServiceOptions, ServicePort
from simnet.net.address import ip_text, parse_ip
from simnet.net.device import Segment
from simnet.net.network import Network

TWO = """
docker network create --subnet 10.1.0.0/24 n1
docker network create --subnet 10.2.0.0/24 n2
docker run -d --name web --network n1 --network-alias www busybox
docker run -d --name app --network n1 busybox
docker run -d --name far --network n2 busybox
docker run -d --name plain busybox
"""


def session_of(lines=TWO, version="28.5.2"):
    session = Session(version)
    session.script(lines)
    return session


def found(engine, container, name):
    return [ip_text(one) for one in dns.resolve(engine, engine.find(container), name)]


@pytest.fixture(scope="module")
def swarm():
    """Two hosts of a swarm with an overlay network, a service of two tasks, one without a virtual address."""
    lan, network = Segment("lan"), Network()
    first, second = (
        Session("28.5.2", machine(network, name, (IPv4Interface(f"192.0.2.{end}/24"),), lan))
        for name, end in (("h1", 2), ("h2", 3))
    )
    first.script("docker swarm init\ndocker network create -d overlay --attachable mesh")
    second.script("docker swarm join --token worker 192.0.2.2:2377")
    first.script("docker run -d --name a --network mesh busybox")
    second.script("docker run -d --name b --network mesh busybox")
    first.engine.create_service(ServiceOptions("web", replicas=2, networks=("mesh",), ports=(ServicePort(80, 8080),)))
    first.engine.create_service(ServiceOptions("rr", replicas=2, networks=("mesh",), endpoint_mode="dnsrr"))
    return first.engine, second.engine


@pytest.mark.parametrize(
    ("container", "name", "addresses"),
    [
        ("app", "web", ["10.1.0.2"]), ("app", "www.", ["10.1.0.2"]), ("app", "web.n1", ["10.1.0.2"]),
        ("app", "web.n2", []), ("app", "far", []), ("far", "web", []), ("app", "plain", []), ("plain", "web", []),
        ("app", "localhost", ["127.0.0.1"]), ("plain", "localhost", ["127.0.0.1"]), ("app", "app", ["10.1.0.3"]),
        ("plain", "plain", []), ("app", "", []), ("app", ".", []),
    ],
)  # fmt: skip
def test_names_are_of_the_networks_that_one_is_on(container, name, addresses):
    assert found(session_of().engine, container, name) == addresses


def test_names_come_and_go_with_networks():
    session = session_of()
    session.script("docker network connect --alias here n2 web")
    engine = session.engine
    assert found(engine, "far", "web") == found(engine, "far", "here") == ["10.2.0.3"]
    assert found(engine, "web", "far") == ["10.2.0.2"]
    session.script("docker network disconnect n2 web\ndocker stop app")
    assert found(engine, "far", "web") == found(engine, "web", "app") == found(engine, "web", "far") == []


def test_a_short_id_is_a_name_and_leads_back_to_the_first():
    engine = session_of().engine
    web = engine.find("web")
    assert found(engine, "app", web.id[:12]) == ["10.1.0.2"]
    assert dns.pointer(engine, engine.find("app"), parse_ip("10.1.0.2")) == "web.n1"
    assert dns.pointer(engine, engine.find("far"), parse_ip("10.1.0.2")) == ""
    assert dns.pointer(engine, engine.find("plain"), parse_ip("10.1.0.2")) == ""


@pytest.mark.parametrize(("version", "known"), [("20.10", False), ("26.1", True), ("28.5.2", True)])
def test_a_name_that_the_engine_made_up(version, known):
    session = session_of(TWO + "docker run -d --network n1 busybox", version)
    made = next(reversed(session.engine.containers.values()))
    assert bool(found(session.engine, "app", made.name)) == known
    assert found(session.engine, "app", made.id[:12]) == ["10.1.0.4"]


def test_a_link_on_a_users_network_is_for_the_linking_one_alone():
    engine = session_of(TWO + "docker run -d --name cl --network n1 --link web:db busybox").engine
    assert found(engine, "cl", "db") == found(engine, "cl", "web") == ["10.1.0.2"]
    assert found(engine, "cl", "DB") == found(engine, "app", "db") == []


def test_a_link_on_the_default_bridge_is_in_the_hosts_file():
    engine = session_of(TWO + "docker run -d --name cl --link plain:db busybox").engine
    assert found(engine, "cl", "db") == found(engine, "cl", "plain") == ["172.17.0.2"]
    assert found(engine, "plain", "cl") == []


def test_who_shares_a_network_namespace_asks_its_server():
    engine = session_of(TWO + "docker run -d --name side --network container:app busybox\n"
                        "docker run -d --name host --network host busybox").engine  # fmt: skip
    assert found(engine, "side", "web") == ["10.1.0.2"]
    assert found(engine, "side", "side") == found(engine, "host", "web") == []


def test_names_cross_hosts_on_an_overlay_network(swarm):
    first, second = swarm
    assert found(first, "a", "b") == [str(second.find("b").endpoints["mesh"].address)]
    assert found(second, "b", "a.mesh") == [str(first.find("a").endpoints["mesh"].address)]
    assert dns.pointer(first, first.find("a"), int(second.find("b").endpoints["mesh"].address)) == "b.mesh"


def test_a_services_tasks_have_its_name_with_tasks_before_it(swarm):
    first, second = swarm
    for service in ("web", "rr"):
        tasks = [(node, one) for node in swarm for one in node.containers.values() if one.service == service]
        addresses = {str(one.endpoints["mesh"].address) for _, one in tasks}
        assert len(addresses) == 2
        for engine, container in ((first, "a"), (second, "b")):
            assert set(found(engine, container, f"tasks.{service}")) == addresses
            assert [found(engine, container, one.name) for _, one in tasks] == [
                [str(one.endpoints["mesh"].address)] for _, one in tasks
            ]
    assert set(found(first, "a", "rr")) == set(found(first, "a", "tasks.rr"))
