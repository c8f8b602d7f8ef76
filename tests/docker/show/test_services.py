"""Services, tasks and nodes of a swarm of two nodes, printed as a real engine printed them."""

import re
from ipaddress import IPv4Interface

import pytest

from simnet.docker.command.cli import Session
from simnet.docker.host import machine
from simnet.net.device import Segment
from simnet.net.network import Network

from .recorded import answers, blank

_CREATE = "docker service create --detach --no-resolve-image"


@pytest.fixture
def nodes():
    """Two hosts, the second of which joined the first one's swarm, with the services of the recording."""
    network, wire = Network(), Segment("lan")
    sessions = [Session("28.5.2", machine(network, name, (IPv4Interface(address),), wire))
                for name, address in (("h1", "192.0.2.2/24"), ("h2", "192.0.2.3/24"))]  # fmt: skip
    sessions[0].run("docker swarm init")
    sessions[1].engine.swarm_join(int(IPv4Interface("192.0.2.2").ip))
    for line in (
        "docker network create -d overlay --attachable ov",
        f"{_CREATE} --name web --replicas 2 --network ov -p 8080:80 busybox sleep 36000",
        f"{_CREATE} --name rr --replicas 2 --network ov busybox sleep 36000",
        f"{_CREATE} --name hostp --replicas 1 --publish mode=host,published=8085,target=80 busybox sleep 36000",
    ):
        assert sessions[0].run(line).code == 0
    return sessions


def said(name, command):
    """What the engine said to the first such command of a recording."""
    return next(one for one in answers("28.5.2", name) if one.command == command)


def columns(text):
    """A table without ids: each row by its name."""
    return sorted(re.sub(r"^(?:ID|[0-9a-z]{12}) ", "", line) for line in blank(text).splitlines())


@pytest.mark.parametrize("command", ["docker service ls", "docker node ls"])
def test_lists_are_those_of_the_engine(nodes, command):
    recorded = said("services" if "service" in command else "overlay-two-nodes", command)
    assert columns(nodes[0].run(command).out) == columns(recorded.text)


def test_tasks_are_listed_with_their_nodes_and_ports(nodes):
    lines = blank(nodes[0].run("docker service ps web hostp").out).splitlines()
    assert lines[0] == "ID NAME IMAGE NODE DESIRED STATE CURRENT STATE ERROR PORTS"
    assert [line.split()[1:4] for line in lines[1:]] == [
        ["web.1", "busybox:latest", "h1"], ["web.2", "busybox:latest", "h2"], ["hostp.1", "busybox:latest", "h1"],
    ]  # fmt: skip
    assert lines[3].endswith("Running Running SPAN ago *:8085->80/tcp,*:8085->80/tcp")


def test_networks_of_a_swarm_are_listed(nodes):
    recorded = said("services", "docker network ls")
    rows = [line for line in columns(nodes[0].run("docker network ls").out) if not line.startswith("ov ")]
    assert rows == [line for line in columns(recorded.text) if not line.startswith("ov ")]


def test_the_gateway_bridge_is_shown_as_the_engine_shows_it(nodes):
    recorded = said("overlay-two-nodes", "docker network inspect docker_gwbridge")
    for option in ("IPAM", "Options"):
        form = f"docker network inspect -f '{{{{json .{option}}}}}' docker_gwbridge"
        assert nodes[0].run(form).out.strip() in re.sub(r"\s+", "", recorded.text)


def test_a_worker_is_told_that_it_manages_nothing(nodes):
    recorded = said("overlay-two-nodes", "h2> docker service ls")
    assert nodes[1].run("docker service ls").err == recorded.text


def test_a_service_that_is_not_there(nodes):
    answer = nodes[0].run("docker service ps nope")
    assert (answer.err, answer.code) == (said("services", "docker service ps nope").text, 1)
