"""The engine: addresses, ways out, ports, and what it refuses in its own words."""

import re
from ipaddress import IPv4Interface, IPv4Network

import pytest

from simnet.docker.command.cli import Session
from simnet.docker.engine import Engine
from simnet.docker.host import boot
from simnet.docker.options import (
    Attachment,
    ContainerOptions,
    DaemonOptions,
    NetworkOptions,
    Pool,
    ServiceOptions,
    ServicePort,
)
from simnet.docker.publish import parse
from simnet.errors import Refused, UnknownName, UsageError
from simnet.net.address import Prefix
from simnet.net.network import Network as Wire
from simnet.net.route import Route
from simnet.net.socket import Listener

VERSIONS = ("20.10", "26.1", "28.0.0", "28.0.1", "28.2.0", "28.5.2", "29.7.2")


def host_with_route(block):
    host = boot(Wire().namespace("h1/host"), forwards=True)
    host.fib.add([Route(Prefix.parse(block), "eth0")])
    return host


def published(engine, name):
    container = engine.find(name)
    way = container.gateway.network.name if container.gateway else ""
    return way, [(binding.host, binding.host_port, binding.asked.port) for binding in container.bindings]


def test_addresses_are_the_lowest_free_ones():
    engine = Engine("28.5.2")
    for name in ("a", "b", "c"):
        engine.run(ContainerOptions(name))
    engine.stop("b")
    assert str(engine.run(ContainerOptions("d")).endpoints["bridge"].address) == "172.17.0.3"
    engine.start("b")
    assert str(engine.find("b").endpoints["bridge"].address) == "172.17.0.5"


@pytest.mark.parametrize(("version", "second"), [("20.10", "172.19.0.0/16"), ("28.5.2", "172.18.0.0/16")])
def test_pools_are_taken_in_turn_or_the_first_free_one(version, second):
    engine = Engine(version)
    assert str(engine.create_network(NetworkOptions("n1")).subnet(4)) == "172.18.0.0/16"
    engine.remove_network("n1")
    assert str(engine.create_network(NetworkOptions("n2")).subnet(4)) == second


def test_pools_of_the_host_and_of_the_daemon():
    engine = Engine("28.5.2", namespace=host_with_route("172.18.0.0/15"))
    assert str(engine.create_network(NetworkOptions("n1")).subnet(4)) == "172.20.0.0/16"
    pools = (Pool(IPv4Network("10.5.0.0/23"), 24),)
    engine = Engine("28.5.2", DaemonOptions(default_address_pools=pools))
    assert str(engine.networks.find("bridge").gateway) == "10.5.0.1"
    engine.create_network(NetworkOptions("n1"))
    with pytest.raises(Refused, match="all predefined address pools have been fully subnetted"):
        engine.create_network(NetworkOptions("n2"))


def test_an_ip_range_gives_the_gateway_too():
    engine = Engine("28.5.2")
    options = NetworkOptions("n2", subnet=IPv4Network("10.9.0.0/16"), ip_range=IPv4Network("10.9.5.0/24"))
    assert str(engine.create_network(options).gateway) == "10.9.5.0"
    made = engine.run(ContainerOptions("r1", attachments=(Attachment("n2"),)))
    assert str(made.endpoints["n2"].address) == "10.9.5.1"


def test_the_lowest_name_is_the_way_out_unless_it_is_internal():
    engine = Engine("28.5.2")
    engine.create_network(NetworkOptions("n0", internal=True))
    engine.create_network(NetworkOptions("n1"))
    engine.create_network(NetworkOptions("n2"))
    joined = (Attachment("n2"), Attachment("n0"))
    engine.run(ContainerOptions("c1", network="n2", attachments=joined, ports=tuple(parse("80"))))
    assert published(engine, "c1") == ("n2", [("0.0.0.0", 32768, 80)])
    engine.connect("n1", "c1")
    assert published(engine, "c1") == ("n1", [("0.0.0.0", 32768, 80)])
    engine.disconnect("n1", "c1")
    assert published(engine, "c1") == ("n2", [("0.0.0.0", 32768, 80)])
    engine.disconnect("n2", "c1")
    assert published(engine, "c1") == ("", [])


def test_a_priority_goes_before_names():
    engine = Engine("28.5.2")
    engine.create_network(NetworkOptions("n1"))
    engine.run(ContainerOptions("c1", attachments=(Attachment("bridge"), Attachment("n1", gateway_priority=1))))
    assert engine.find("c1").gateway.network.name == "n1"


def test_a_routed_network_takes_no_port_of_the_host():
    engine = Engine("28.5.2")
    engine.create_network(NetworkOptions("n1", gateway_mode="routed"))
    for name in ("c1", "c2"):
        engine.run(ContainerOptions(name, attachments=(Attachment("n1"),), ports=tuple(parse("8080:80"))))
    assert published(engine, "c2") == ("n1", [("0.0.0.0", 0, 80)])


def test_an_old_engine_does_not_know_gateway_modes():
    engine = Engine("20.10")
    engine.create_network(NetworkOptions("n1", gateway_mode="routed"))
    engine.run(ContainerOptions("c1", attachments=(Attachment("n1"),), ports=tuple(parse("8080:80"))))
    assert published(engine, "c1") == ("n1", [("0.0.0.0", 8080, 80)])


def test_both_families_share_a_port_and_give_it_back():
    session = Session("28.5.2")
    session.script("docker network create --ipv6 --subnet 192.0.2.0/24 --subnet 2001:db8::/64 n1")
    for address in ("", "[::1]:"):
        session.script(f"docker run --network n1 -p {address}8080:80 --name c1 busybox\ndocker rm -f c1")
        session.script("docker run --network n1 -p 8080:80 --name c2 busybox")
        assert [binding.host for binding in session.engine.find("c2").bindings] == ["0.0.0.0", "::"]
        session.script("docker rm -f c2")


def test_a_service_is_reached_by_the_ingress_namespace():
    engine = Engine("28.5.2")
    engine.swarm_init()
    service = engine.create_service(ServiceOptions("web", replicas=2, ports=(ServicePort(80, 8080),)))
    assert [str(task.endpoints["docker_gwbridge"].address) for _, task in service.tasks] == ["172.18.0.3", "172.18.0.4"]
    rules = engine.ruleset.tables["nat"].chains["DOCKER-INGRESS"].rules
    assert str(rules[0]).endswith("--to-destination 172.18.0.2:8080")
    assert engine.why(rules[0]).subject == "port 8080/tcp of service web"


def test_a_rule_names_the_option_that_caused_it():
    engine = Engine("28.5.2", DaemonOptions(icc=False, userland_proxy=False))
    rules = {str(rule): engine.why(rule) for rule in engine.ruleset.rules()}
    assert rules["-A DOCKER-FORWARD -i docker0 -o docker0 -j DROP"].options == (("icc", False),)
    assert ("userland_proxy", False) in rules[
        "-A POSTROUTING -o docker0 -m addrtype --src-type LOCAL -j MASQUERADE"
    ].options
    assert str(rules["-A DOCKER-FORWARD -i docker0 -o docker0 -j DROP"]) == (
        "containers of one network do not talk to each other "
        "(icc-drop of engine 28.5.2, with network bridge; icc: false)"
    )


def test_a_rule_of_somebody_else_has_no_reason():
    ours, other = Engine("28.5.2"), Engine("20.10")
    foreign = next(rule for rule in other.ruleset.rules() if "ISOLATION-STAGE-1 -j RETURN" in str(rule))
    with pytest.raises(UnknownName):
        ours.why(foreign)


def test_options_of_the_daemon():
    engine = Engine("28.5.2", DaemonOptions(bip=IPv4Interface("192.168.5.1/24"), ip="192.0.2.2"))
    engine.run(ContainerOptions("c1", ports=tuple(parse("8080:80"))))
    assert published(engine, "c1") == ("bridge", [("192.0.2.2", 8080, 80)])
    assert str(engine.find("c1").endpoints["bridge"].address) == "192.168.5.2"
    assert not list(Engine("28.5.2", DaemonOptions(iptables=False)).ruleset.rules())
    with pytest.raises(UsageError, match="nftables"):
        Engine("29.7.2", DaemonOptions(firewall_backend="nftables"))


# command after these: a network n1, a container c1 with port 8080 on the default bridge
BEFORE = "docker network create --subnet 10.9.0.0/16 n1\ndocker run -p 8080:80 --name c1 busybox"
OLD, NEW = ("20.10", "26.1"), ("28.0.0", "28.5.2", "29.7.2")
START = "failed to set up container networking: "


@pytest.mark.parametrize(
    ("versions", "command", "said"),
    [
        (OLD, "docker network create --subnet 10.9.1.0/24 n2", "Pool overlaps with other one on this address space"),
        (NEW, "docker network create --subnet 10.9.1.0/24 n2",
         "invalid pool request: Pool overlaps with other one on this address space"),
        (OLD + NEW, "docker network create n1", "network with name n1 already exists"),
        (NEW, "docker network create --subnet 10.11.0.5/24 n2",
         "invalid network config:\ninvalid subnet 10.11.0.5/24: it should be 10.11.0.0/24"),
        (NEW, "docker network create -o com.docker.network.bridge.gateway_mode_ipv4=isolated n2",
         "gateway mode 'isolated' can only be used for an internal network"),
        (NEW, "docker network create -o com.docker.network.bridge.gateway_mode_ipv4=bogus n2",
         "failed to parse com.docker.network.bridge.gateway_mode_ipv4 value: bogus (unknown gateway mode bogus)"),
        (OLD + NEW, "docker network create -o com.docker.network.bridge.enable_icc=bogus n2",
         "failed to parse com.docker.network.bridge.enable_icc value: bogus "
         '(strconv.ParseBool: parsing "bogus": invalid syntax)'),
        (OLD + NEW, "docker network rm bridge", "bridge is a pre-defined network and cannot be removed"),
        (OLD + NEW, "docker network connect n1 nope", "No such container: nope"),
        (OLD + NEW, "docker network connect nope c1", "network nope not found"),
        (OLD + NEW, "docker network disconnect n1 c1", "container {c1} is not connected to network n1"),
        (OLD + NEW, "docker run --name c1 busybox",
         'Conflict. The container name "/c1" is already in use by container "{c1}". '
         "You have to remove (or rename) that container to be able to reuse that name."),
        (OLD, "docker run -p 8080:80 --name c2 busybox",
         "driver failed programming external connectivity on endpoint c2 ("),
        (NEW, "docker run -p 8080:80 --name c2 busybox",
         START + "driver failed programming external connectivity on endpoint c2 ("),
        (OLD, "docker run --network nope --name c2 busybox", "network nope not found"),
        (NEW, "docker run --network nope --name c2 busybox", START + "network nope not found"),
        (("20.10",), "docker run --network n1 --ip 10.8.0.1 --name c2 busybox",
         "Invalid address 10.8.0.1: It does not belong to any of this network's subnets"),
        (("26.1", *NEW), "docker run --network n1 --ip 10.8.0.1 --name c2 busybox",
         "invalid config for network n1: invalid endpoint settings:\n"
         "no configured subnet or ip-range contain the IP address 10.8.0.1"),
        (NEW, "docker run --network n1 --ip 10.9.0.1 --name c2 busybox", START + "Address already in use"),
        (("20.10",), "docker run --network bridge --ip 172.17.0.9 --name c2 busybox",
         "user specified IP address is supported on user defined networks only"),
        (OLD, "docker run --network container:nope --name c2 busybox", "No such container: nope"),
        (NEW, "docker run --network container:nope --name c2 busybox",
         "joining network namespace of container: No such container: nope"),
        (("26.1",), "docker rm c1", 'cannot remove container "/c1": container is running: '
         "stop the container before removing or force remove"),
        (("20.10",), "docker rm c1", "You cannot remove a running container {c1}. "
         "Stop the container before attempting removal or force remove"),
        (NEW, "docker rm c1", 'cannot remove container "c1": container is running: '
         "stop the container before removing or force remove"),
        (OLD + NEW, "docker service create busybox", "This node is not a swarm manager."),
        (OLD + NEW, "docker network create -d overlay o1", "This node is not a swarm manager."),
    ],
)  # fmt: skip
def test_refusals_are_the_engines_own(versions, command, said):
    for version in versions:
        session = Session(version)
        session.script(BEFORE)
        answer = session.run(command)
        assert answer.code in {1, 125}
        text = answer.err.removeprefix("docker: ").removeprefix("Error response from daemon: ")
        expected = said.replace("{c1}", session.engine.find("c1").id)
        assert text.startswith(expected), version


def test_a_port_that_is_taken():
    engine = Engine("28.5.2")
    engine.run(ContainerOptions("c1", ports=tuple(parse("8080:80"))))
    with pytest.raises(Refused, match=r"Bind for 0.0.0.0:8080 failed: port is already allocated"):
        engine.run(ContainerOptions("c2", ports=tuple(parse("127.0.0.1:8080:80"))))
    assert not engine.find("c2").running
    assert not any("172.17.0.3" in str(rule) for rule in engine.ruleset.rules())
    engine.stop("c1")
    engine.start("c2")


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("20.10", "Error starting userland proxy: listen tcp4 0.0.0.0:7000: bind: address already in use"),
        ("28.5.2", "failed to bind host port for 0.0.0.0:7000:172.17.0.2:80/tcp: address already in use"),
    ],
)
def test_a_port_that_a_process_of_the_host_has(version, said):
    engine = Engine(version)
    engine.namespace.sockets.open(Listener(0, 7000, "a server"))
    with pytest.raises(Refused, match=f"{re.escape(said)}$"):
        engine.run(ContainerOptions("c1", ports=tuple(parse("7000:80"))))
    assert not engine.find("c1").running


def test_a_range_of_ports_goes_on_with_the_next_one():
    engine = Engine("28.5.2")
    engine.namespace.sockets.open(Listener(0, 7000, "a server"))
    web = engine.run(ContainerOptions("c2", ports=tuple(parse("7000-7001:80"))))
    assert [one.host_port for one in web.bindings] == [7001]


def test_a_network_in_use_says_by_whom():
    for version, said in (("20.10", "network n1 id [0-9a-f]{64} has active endpoints"),
                          ("28.5.2", 'network n1 has active endpoints \\(name:"c1" id:"[0-9a-f]{12}"\\)')):  # fmt: skip
        engine = Engine(version)
        engine.create_network(NetworkOptions("n1"))
        engine.run(ContainerOptions("c1", attachments=(Attachment("n1"),)))
        with pytest.raises(Refused, match=f"error while removing network: {said}"):
            engine.remove_network("n1")


def test_an_exhausted_network():
    engine = Engine("28.5.2")
    engine.create_network(NetworkOptions("tiny", subnet=IPv4Network("10.13.0.0/30")))
    engine.run(ContainerOptions("t1", attachments=(Attachment("tiny"),)))
    with pytest.raises(Refused, match="no available IPv4 addresses on this network's address pools: tiny "):
        engine.run(ContainerOptions("t2", attachments=(Attachment("tiny"),)))


@pytest.mark.parametrize(("engine", "names"), [("28.0.0", {"docker-ext-bridges-v4", "docker-ext-bridges-v6"}),
                                               ("28.0.1", set()), ("28.5.2", set())])  # fmt: skip
def test_one_engine_names_the_subnets_that_lead_outside_in_a_set(engine, names):
    made = Engine(engine)
    made.create_network(NetworkOptions("out", subnet=IPv4Network("10.1.0.0/24")))
    made.create_network(NetworkOptions("in", subnet=IPv4Network("10.2.0.0/24"), internal=True))
    sets = made.namespace.ipsets
    assert set(sets) == names
    if sets:
        assert sets["docker-ext-bridges-v4"].members == [("172.17.0.0/16",), ("10.1.0.0/24",)]
        made.remove_network("out")
        assert sets["docker-ext-bridges-v4"].members == [("172.17.0.0/16",)]


@pytest.mark.parametrize(("engine", "addresses"), [("26.1", 1), ("28.5.2", 0)])
def test_an_isolated_bridge_has_no_address_where_the_engine_knows_the_mode(engine, addresses):
    made = Engine(engine)
    made.create_network(NetworkOptions("n", bridge_name="br-n", internal=True, gateway_mode="isolated"))
    assert len(made.namespace.devices["br-n"].addresses) == addresses


@pytest.mark.parametrize(("engine", "code"), [("26.1", 125), ("28.5.2", 0)])
def test_a_priority_as_way_out_is_refused_by_engines_that_know_none(engine, code):
    session = Session(engine)
    session.script("docker network create n\ndocker create --name c busybox")
    answer = session.run("docker network connect --gw-priority 1 n c")
    assert answer.code == code
    assert answer.err.startswith("unknown flag: --gw-priority") == bool(code)
