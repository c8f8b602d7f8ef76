"""Namespaces: who is in which one, what each container sees of them, and what is refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simnet.docker.command.cli import Session
from simnet.docker.container import dns, files, inside
from simnet.docker.container.namespaces import HOST_NUMBERS, KINDS, shares, table
from simnet.docker.engine import Engine
from simnet.docker.options import Attachment, ContainerOptions, DaemonOptions, NetworkOptions
from simnet.errors import Refused

VERSIONS = ("20.10", "26.1", "28.0.0", "28.5.2", "29.7.2")
NAMES = ("c0", "c1", "c2", "c3", "c4")


def engine_of(*lines, version="28.5.2"):
    session = Session(version)
    session.script("\n".join(lines))
    return session.engine


def numbers(engine, name):
    return {kind: space.number for kind, space in engine.find(name).spaces.items()}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_container_is_alone_in_five_kinds_and_has_the_hosts_users(version):
    engine = engine_of("docker run -d --name a busybox", "docker run -d --name b busybox", version=version)
    assert shares(engine.find("a"), engine.find("b")) == {"user"}
    assert numbers(engine, "a")["user"] == HOST_NUMBERS["user"]
    assert not set(numbers(engine, "a").values()) & (set(HOST_NUMBERS.values()) - {HOST_NUMBERS["user"]})


def test_numbers_are_given_out_as_the_kernel_does():
    engine = engine_of("docker run -d --name a busybox", "docker run -d --name b busybox")
    first = numbers(engine, "a")
    assert [first[kind] - first["mnt"] for kind in ("mnt", "uts", "ipc", "pid", "net")] == [0, 1, 2, 3, 4]
    # a network namespace takes 71, as recorded, and what is free again is taken first
    assert numbers(engine, "b")["mnt"] == first["net"] + 71
    engine.restart("a")
    assert numbers(engine, "a") == first


def test_the_table_marks_who_shares_with_whom():
    rows = table(engine_of("docker run -d --name a --ipc shareable busybox", "docker run -d --name b --pid container:a "
                           "--ipc container:a --network host busybox", "docker create --name c busybox"))  # fmt: skip
    assert [row.name for row in rows] == ["h1", "a", "b"]
    assert rows[0].shared == {"net": ("b",), "user": ("a", "b")}
    assert rows[1].shared == {"pid": ("b",), "ipc": ("b",), "user": ("h1", "b")}
    assert rows[2].cell("net") == f"{HOST_NUMBERS['net']} (h1)"


def test_who_ends_a_pid_namespace_ends_all_in_it():
    engine = engine_of("docker run -d --name a busybox", "docker run -d --name b --pid container:a busybox",
                       "docker run -d --name c --network container:b busybox")  # fmt: skip
    engine.stop("a")
    assert [one.state for one in engine.containers.values()] == ["exited", "exited", "running"]


def test_a_network_namespace_outlives_the_container_that_it_was_made_for():
    engine = engine_of("docker run -d --name a busybox", "docker run -d --name b --network container:a busybox",
                       "docker run -d --name c --network container:a busybox")  # fmt: skip
    find = engine.namespace.network.find
    old = find("h1/a")
    engine.stop("a")
    assert (find("h1/b"), find("h1/c"), list(old.devices)) == (old, old, ["lo"])
    assert old.place == "h1/b"
    engine.start("a")
    assert find("h1/a") is not old
    engine.restart("b")
    assert (find("h1/b"), find("h1/c")) == (find("h1/a"), old)
    for name in ("c", "b", "a"):
        engine.stop(name)
    assert list(engine.namespace.network.namespaces) == ["h1/host"]


def test_the_host_sees_every_process_under_numbers_of_its_own():
    engine = engine_of("docker run -d --name a busybox sleep 1", "docker run -d --name top --pid host busybox sleep 2")
    seen = inside.ps(engine, engine.find("top")).splitlines()
    assert [line.split(maxsplit=2)[2] for line in seen[1:]] == ["/sbin/init", "dockerd", "sleep 1", "sleep 2", "ps"]
    assert int(seen[3].split()[0]) == engine.find("a").pid > 1
    assert inside.ps(engine, engine.find("a")).splitlines()[1:] == ["    1 0        sleep 1", "    7 0        ps"]


def test_mapped_users_are_others_on_the_host():
    engine = engine_of("dockerd --userns-remap=default", "docker run -d --name a busybox sleep 1",
                       "docker run -d --name top --userns host --pid host busybox sleep 2")  # fmt: skip
    assert shares(engine.find("a"), engine.find("top")) == frozenset()
    assert inside.uid_map(engine, engine.find("a")) == "         0     100000      65536\n"
    seen = inside.ps(engine, engine.find("top")).splitlines()
    assert {line.split()[3]: line.split()[1] for line in seen if "sleep" in line} == {"1": "100000", "2": "0"}


@pytest.mark.parametrize(
    ("mode", "shm"),
    [("private", "shm on"), ("shareable", "shm on"), ("host", "tmpfs on"), ("none", "")],
)
def test_shared_memory_is_mounted_by_the_ipc_mode(mode, shm):
    engine = engine_of(f"docker run -d --name a --ipc {mode} busybox")
    lines = [line for line in inside.mounts(engine, engine.find("a")).splitlines() if "/dev/shm" in line]
    assert [line.startswith(f"{shm} /dev/shm ") for line in lines] == [True] * bool(shm)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_container_that_is_joined_or_seen_must_run(version):
    engine = engine_of("docker run -d --name a --ipc shareable busybox", version=version)
    engine.stop("a")
    for options in (ContainerOptions("x", pid="container:a"), ContainerOptions("x", ipc="container:a"),
                    ContainerOptions("x", network="container:a", attachments=())):  # fmt: skip
        with pytest.raises(Refused, match=engine.find("a").id if version < "28" else "is not running|is exited"):
            engine.run(options)
        assert engine.find("x").state == "created"
        assert engine.find("x").spaces == {}
        engine.remove("x")
    for look in (inside.hostname, inside.ps, inside.links, inside.uid_map, inside.segments, inside.mounts):
        with pytest.raises(Refused, match="is not running"):
            look(engine, engine.find("a"))


def test_containers_that_name_each_other_have_names_and_files_all_the_same():
    engine = Engine("28.5.2")
    for name, other in (("a", "b"), ("b", "a"), ("c", "c")):
        engine.create(ContainerOptions(name, network=f"container:{other}", attachments=()))
    for one in engine.containers.values():
        with pytest.raises(Refused, match=r"own network namespace|is created"):
            engine.start(one.name)
        assert files.hostname_of(engine, one) == one.id[:12]
        assert files.read(engine, one)[files.HOSTNAME] == f"{one.id[:12]}\n"
        assert dns.ask(engine, one, "a") == []


def test_a_chain_of_sharers_ends_at_the_owner():
    engine = engine_of("docker network create --subnet 10.1.0.0/24 n1",
                       "docker run -d --name a --network n1 --hostname box busybox",
                       "docker run -d --name b --network container:a busybox",
                       "docker run -d --name c --network container:b busybox")  # fmt: skip
    c = engine.find("c")
    assert files.read(engine, c) == files.read(engine, engine.find("a"))
    assert (inside.hostname(engine, c), inside.interfaces(engine, c)) == ("box", ["lo", "eth0"])
    assert dns.resolve(engine, c, "a") == [int(engine.find("a").endpoints["n1"].address)]


WORDS = st.text(st.characters(codec="ascii", exclude_characters="\"\\'`\n\0"), max_size=12)
FLAGS = st.tuples(
    st.sampled_from(["pid", "ipc", "uts", "userns", "network", "dns", "dns-search", "dns-option", "add-host", "sysctl",
                     "link", "hostname", "domainname", "mac-address", "network-alias"]),
    st.one_of(WORDS, st.sampled_from(["host", "none", "container:a", "container:", "a", "a:b", "n1", "private"])),
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(VERSIONS), st.lists(FLAGS, max_size=4))
def test_no_flag_breaks_the_command(version, flags):
    session = Session(version)
    session.script("docker network create n1\ndocker run -d --name a busybox")
    answer = session.execute(["docker", "run", "-d", *(f"--{flag}={value}" for flag, value in flags), "busybox"])
    assert answer.code in {0, 125}
    assert answer.code == 0 or answer.err
    for one in session.engine.containers.values():
        assert files.read(session.engine, one)[files.HOSTNAME].endswith("\n")
        dns.resolve(session.engine, one, "a")


MODES = {
    "net": ("", "host", "n1", *(f"container:{name}" for name in NAMES)),
    "pid": ("", "host", *(f"container:{name}" for name in NAMES)),
    "ipc": ("shareable", "private", "host", "none", *(f"container:{name}" for name in NAMES)),
    "uts": ("", "host"),
    "userns": ("", "host"),
}
ACTS = st.tuples(st.sampled_from(["stop", "start", "restart", "remove"]), st.sampled_from(NAMES))
ASKED = st.fixed_dictionaries({kind: st.sampled_from(modes) for kind, modes in MODES.items()})


def started(asked, remap=""):
    """An engine with those of the containers that it takes, each asked for by its modes."""
    engine = Engine("28.5.2", DaemonOptions(userns_remap=remap))
    engine.create_network(NetworkOptions("n1"))
    for name, modes in zip(NAMES, asked, strict=False):
        net = modes["net"] or "bridge"
        joined = () if net == "host" or ":" in net else (Attachment(net),)
        try:
            engine.run(ContainerOptions(name, network=net, attachments=joined, pid=modes["pid"], ipc=modes["ipc"],
                                        uts=modes["uts"], userns=modes["userns"]))  # fmt: skip
        except Refused as error:
            assert error.kind in engine.layout.messages
    return engine


def check(engine):
    """What holds in every state: the table is symmetric, numbers are of one namespace each, sharers see the same."""
    running = [one for one in engine.containers.values() if one.running]
    rows = {row.name: row for row in table(engine)}
    spaces = {id(space): space for one in running for space in one.spaces.values()}
    assert len({space.number for space in spaces.values()}) == len(spaces)
    for row in rows.values():
        for kind in KINDS:
            alike = {other.name for other in rows.values() if other.numbers[kind] == row.numbers[kind]} - {row.name}
            assert set(row.shared.get(kind, ())) == alike
    find = engine.namespace.network.find
    for one in running:
        for other in running:
            together = shares(one, other)
            assert together == shares(other, one)
            assert (find(f"h1/{one.name}") is find(f"h1/{other.name}")) == ("net" in together)
            if "net" in together:
                assert inside.interfaces(engine, one) == inside.interfaces(engine, other)
            if {"pid", "user"} <= together:
                assert inside.ps(engine, one) == inside.ps(engine, other)
            if "ipc" in together:
                assert inside.segments(engine, one) == inside.segments(engine, other)
            if "uts" in together:
                assert inside.hostname(engine, one) == inside.hostname(engine, other)
            if one.options.network == f"container:{other.id}" and "net" in together:
                assert files.read(engine, one) == files.read(engine, other)
                assert [dns.resolve(engine, one, name) for name in NAMES] == [
                    dns.resolve(engine, other, name) for name in NAMES
                ]


@settings(max_examples=60, deadline=None)
@given(st.lists(ASKED, min_size=2, max_size=5), st.sampled_from(["", "default"]), st.lists(ACTS, max_size=6))
def test_sharing_is_an_equivalence_and_sharers_see_the_same(asked, remap, then):
    engine = started(asked, remap)
    check(engine)
    for act, name in then:
        try:
            getattr(engine, act)(name)
        except Refused as error:
            assert error.kind in engine.layout.messages
        check(engine)
