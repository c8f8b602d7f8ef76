"""What holds for every sequence of networks, containers and services, on every version."""

from ipaddress import IPv4Network

from hypothesis import given
from hypothesis import strategies as st

from simnet.docker.engine import Engine
from simnet.docker.options import Attachment, ContainerOptions, DaemonOptions, NetworkOptions
from simnet.docker.ports import Ports, PortTaken
from simnet.docker.publish import PublishedPort
from simnet.errors import Refused
from simnet.net.iptables.listing import specification
from simnet.net.netfilter.rule import Table
from simnet.net.netfilter.save import dump, parse

VERSIONS = st.sampled_from(["20.10", "26.1", "28.0.0", "28.0.1", "28.2.0", "28.5.2", "29.7.2"])
DAEMONS = st.builds(DaemonOptions, userland_proxy=st.booleans(), icc=st.booleans(), ip_masq=st.booleans())
NETWORKS = st.lists(
    st.builds(
        NetworkOptions,
        name=st.sampled_from(["n1", "n2", "n3"]),
        icc=st.booleans(),
        masquerade=st.booleans(),
        internal=st.booleans(),
        gateway_mode=st.sampled_from(["nat", "nat-unprotected", "routed"]),
    ),
    max_size=3,
    unique_by=lambda options: options.name,
)
PORTS = st.builds(
    lambda port, proto, address, host: PublishedPort(port, proto, address, host, host),
    st.integers(1, 5),
    st.sampled_from(["tcp", "udp", "sctp"]),
    st.sampled_from(["", "127.0.0.1", "192.0.2.2"]),
    st.sampled_from([0, 80, 81, 82]),
)
CONTAINERS = st.lists(
    st.tuples(
        st.sampled_from(["c1", "c2", "c3"]),
        st.lists(st.sampled_from(["bridge", "n1", "n2", "n3"]), min_size=1, max_size=3, unique=True),
        st.lists(PORTS, max_size=3),
    ),
    max_size=3,
    unique_by=lambda made: made[0],
)


def rules(engine):
    names = ("raw", "mangle", "nat", "filter")
    return {name: specification(engine.ruleset.tables.get(name, Table(name))) for name in names}


def fill(engine, networks, containers):
    for options in networks:
        engine.create_network(options)
    for name, joined, ports in containers:
        try:
            engine.run(ContainerOptions(name, network=joined[0], attachments=tuple(map(Attachment, joined)),
                                        ports=tuple(ports)))  # fmt: skip
        except Refused:
            engine.remove(name, force=True)


@given(VERSIONS, DAEMONS, NETWORKS, CONTAINERS, st.data())
def test_what_is_removed_leaves_no_rule(version, options, networks, containers, data):
    engine = Engine(version, options)
    before = rules(engine)
    fill(engine, networks, containers)
    for name in data.draw(st.permutations(list(engine.containers))):
        engine.remove(name, force=True)
    for network in data.draw(st.permutations(networks)):
        engine.remove_network(network.name)
    assert rules(engine) == before
    assert engine.ports == Ports(_next=engine.ports._next)


@given(VERSIONS, DAEMONS, NETWORKS, CONTAINERS)
def test_a_restart_of_everything_brings_the_same_rules(version, options, networks, containers):
    engine = Engine(version, options)
    fill(engine, networks, containers)
    standing = {name: set(text.splitlines()) for name, text in rules(engine).items()}
    running = [one.name for one in engine.containers.values()]
    hosts = [one.options.ports for one in engine.containers.values()]
    for name in reversed(running):
        engine.stop(name)
    for name in running:
        engine.start(name)
    if all(port.first for ports in hosts for port in ports):
        assert {name: set(text.splitlines()) for name, text in rules(engine).items()} == standing


@given(VERSIONS, DAEMONS, NETWORKS, CONTAINERS)
def test_every_rule_can_be_explained_and_read_again(version, options, networks, containers):
    engine = Engine(version, options)
    fill(engine, networks, containers)
    for rule in engine.ruleset.rules():
        assert engine.why(rule).why
    text = dump(engine.ruleset)
    assert dump(parse(text)) == text


@given(st.lists(st.tuples(st.sampled_from(["0.0.0.0", "127.0.0.1", "192.0.2.2"]), st.integers(0, 3)), max_size=12))
def test_no_port_is_given_twice(asked):
    ports, given_out = Ports(), []
    for address, port in asked:
        try:
            given_out.append((address, ports.take(address, "tcp", port, port)))
        except PortTaken:
            continue
    for at, (address, port) in enumerate(given_out):
        for other, same in given_out[:at]:
            assert port != same or (address != other and "0.0.0.0" not in {address, other})
    for address, port in given_out:
        ports.give_back(address, "tcp", port)
    assert all(ports.free("0.0.0.0", "tcp", port) for _, port in given_out)


@given(VERSIONS, st.lists(st.booleans(), max_size=12))
def test_subnets_never_overlap(version, kept):
    engine = Engine(version)
    for number, keep in enumerate(kept):
        engine.create_network(NetworkOptions(f"n{number}"))
        if not keep:
            engine.remove_network(f"n{number}")
    subnets = [one.subnet(4) for one in engine.networks.by_name.values() if one.addresses is not None]
    assert all(isinstance(subnet, IPv4Network) for subnet in subnets)
    assert not any(one.overlaps(other) for at, one in enumerate(subnets) for other in subnets[:at])
