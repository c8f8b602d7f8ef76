"""/etc/hosts, /etc/hostname, /etc/resolv.conf: what goes in and out of them."""

from ipaddress import IPv4Interface

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simnet.docker.command.cli import Session
from simnet.docker.container import files
from simnet.docker.container.resolv import Servers, resolv_conf
from simnet.docker.engine import Engine
from simnet.docker.host import machine
from simnet.docker.rules.version import layout_of
from simnet.net.device import Segment
from simnet.net.network import Network

WORD = st.from_regex(r"[a-z][a-z0-9]{0,5}(\.[a-z]{2,4})?", fullmatch=True)
SERVERS = st.builds(
    Servers,
    st.lists(st.ip_addresses(v=4).map(str), max_size=3).map(tuple),
    st.lists(WORD, max_size=3).map(tuple),
    st.lists(st.sampled_from(["ndots:2", "timeout:1", "rotate"]), max_size=3, unique=True).map(tuple),
)


def own(engine, name):
    """The lines of a container's own addresses."""
    lines = files.read(engine, engine.find(name))[files.HOSTS].splitlines()[6:]
    return [tuple(line.split("\t")) for line in lines]


def test_the_host_asks_its_router():
    host = machine(Network(), "h1", (IPv4Interface("192.0.2.2/24"),), Segment("lan"), gateway="192.0.2.1")
    engine = Engine("28.5.2", namespace=host)
    assert engine.host_files[files.RESOLV] == "nameserver 192.0.2.1\n"
    assert engine.host_files[files.HOSTNAME] == "h1\n"


@pytest.mark.parametrize(("version", "left"), [("20.10", []), ("26.1", []), ("28.5.2", [("10.2.0.2", "box")])])
def test_own_lines_go_with_the_network_or_all_at_once(version, left):
    session = Session(version)
    session.script("docker network create --subnet 10.1.0.0/24 n1\ndocker network create --subnet 10.2.0.0/24 n2\n"
                   "docker run -d --name c --hostname box --network n1 busybox\n"
                   "docker network connect n2 c")  # fmt: skip
    assert own(session.engine, "c") == [("10.1.0.2", "box"), ("10.2.0.2", "box")]
    session.script("docker network disconnect n1 c")
    assert own(session.engine, "c") == left
    session.script("docker restart c")
    assert own(session.engine, "c") == [("10.2.0.2", "box")]


def test_an_overlay_containers_way_out_and_the_mesh_are_not_in_its_hosts():
    session = Session("28.5.2")
    session.script("docker swarm init\ndocker network create -d overlay --attachable mesh\n"
                   "docker run -d --name c --hostname box --network mesh busybox")  # fmt: skip
    assert set(session.engine.find("c").endpoints) == {"mesh", "docker_gwbridge"}
    assert [names for _, names in own(session.engine, "c")] == ["box"]


@pytest.mark.parametrize(
    ("flags", "names"),
    [
        ("--hostname box", "box"), ("--hostname box --domainname a.test", "box.a.test box"),
        ("--hostname box.a.test", "box.a.test box"), ("--hostname box.a --domainname test", "box.a.test box"),
    ],
)  # fmt: skip
def test_the_name_in_full_comes_first(flags, names):
    session = Session("28.5.2")
    session.script(f"docker run -d --name c {flags} busybox")
    assert own(session.engine, "c") == [("172.17.0.2", names)]


@given(SERVERS)
def test_a_file_says_what_it_was_made_of(asked):
    text = resolv_conf({"copies_resolv_conf"}, "", asked, "legacy")
    if asked.overridden:
        assert Servers.parse(text) == asked


@given(SERVERS, SERVERS, st.sampled_from(["20.10", "26.1", "28.5.2"]), st.sampled_from(["host", "legacy"]))
def test_options_stand_in_for_what_the_host_has(host, asked, version, way):
    text = resolv_conf(layout_of(version).features, resolv_conf({"copies_resolv_conf"}, "", host, "host"), asked, way)
    found = Servers.parse(text)
    assert found.search == (asked.search or host.search or ()) or not host.overridden
    assert found.options == (asked.options or host.options)
    if asked.servers:
        assert found.servers == asked.servers


@given(SERVERS, SERVERS, st.sampled_from(["20.10", "26.1", "28.5.2"]))
def test_the_embedded_server_is_the_only_one_where_it_is(host, asked, version):
    text = resolv_conf(layout_of(version).features, resolv_conf({"copies_resolv_conf"}, "", host, "host"), asked,
                       "internal resolver")  # fmt: skip
    found = Servers.parse(text)
    assert found.servers == ("127.0.0.11",)
    assert sum(one.startswith("ndots:") for one in found.options) == 1
