"""Options written as a command are read as the same options, whatever was asked for."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simnet.docker.command import commands
from simnet.docker.command.flags import read
from simnet.docker.command.words import connect, words
from simnet.docker.options import Attachment, ContainerOptions, NetworkOptions
from simnet.docker.rules.version import layout_of
from simnet.scenario.plan import Made
from simnet.scenario.source import read_source

LAYOUT = layout_of("28.5.2")
COMPOSE = Path(__file__).parents[1] / "scenario/compose/projects"
PROJECTS = [path for path in sorted(COMPOSE.iterdir()) if path.name != "anchors"]  # whose x-simnet is none of ours


def read_run(typed, layout=LAYOUT):
    assert typed[:2] == ["docker", "run"]
    return commands.container(read(typed[2:], commands.RUN, commands.RUN_SHORT, stop=True), layout)


def read_create(typed, layout=LAYOUT):
    assert typed[:3] == ["docker", "network", "create"]
    return commands.network(read(typed[3:], commands.NETWORK_CREATE, commands.NETWORK_CREATE_SHORT), layout)


names = st.from_regex(r"[a-z][a-z0-9_.-]{0,8}", fullmatch=True)
# what stands on a line may be anything, words of a shell too
texts = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=8)
addresses = st.ip_addresses(v=4).map(str)
addresses6 = st.ip_addresses(v=6).map(str)
numbers = st.integers(1, 60000)
ports = st.one_of(
    numbers.map(str),
    st.builds("{}:{}/{}".format, numbers, numbers, st.sampled_from(["tcp", "udp", "sctp"])),
    st.builds("{0}-{1}:{2}".format, st.just(7000), st.integers(7001, 7009), numbers),
    st.builds("{}:{}:{}".format, addresses, numbers, numbers),
    st.builds("[{}]::{}".format, addresses6, numbers),
)


def flags(name, values, most=2):
    return st.lists(values.map(lambda value: [f"--{name}", value]), max_size=most).map(
        lambda rows: [word for row in rows for word in row]
    )


@st.composite
def networks(draw):
    """The networks of a container: several of users' own, or one that is none."""
    if draw(st.booleans()):
        return draw(st.sampled_from([
            [], ["--network", "host"], ["--network", "none"], ["--network", "container:web"],
            ["--network", "bridge"], ["--network", "default"],
        ]))  # fmt: skip
    said = []
    for number, name in enumerate(
        draw(st.lists(names.filter(lambda n: n not in {"host", "none"}), min_size=1, max_size=3, unique=True))
    ):
        parts = [f"name={name}", *draw(st.lists(st.builds("ip={}".format, addresses), max_size=1)),
                 *draw(st.lists(st.builds("ip6={}".format, addresses6), max_size=1)),
                 *draw(st.lists(st.builds("gw-priority={}".format, st.integers(-3, 3)), max_size=1)),
                 *draw(st.lists(st.just("mac-address=02:42:ac:11:00:02"), max_size=1)),
                 *draw(st.lists(st.builds("alias={}".format, names), max_size=2))]  # fmt: skip
        plain = not number and draw(st.booleans())
        said += ["--network", name if plain else ",".join(parts)]
        if plain:
            said += [*draw(flags("network-alias", names)), *draw(flags("ip", addresses, 1))]
    return said


@st.composite
def lines(draw):
    said = draw(networks())
    said += draw(flags("publish", ports)) + draw(flags("expose", numbers.map(str)))
    said += draw(st.sampled_from([[], ["-P"]]))
    said += draw(flags("name", names, 1)) + draw(flags("hostname", names, 1)) + draw(flags("domainname", names, 1))
    said += draw(flags("link", st.one_of(names, st.builds("{}:{}".format, names, names))))
    said += draw(flags("dns", addresses)) + draw(flags("dns-search", names)) + draw(flags("dns-option", names))
    said += draw(flags("add-host", st.builds("{}:{}".format, names, st.one_of(addresses, addresses6))))
    said += draw(flags("sysctl", st.builds("net.core.{}={}".format, names, texts)))
    said += draw(flags("pid", st.sampled_from(["host", "container:web"]), 1))
    said += draw(flags("ipc", st.sampled_from(["host", "private", "container:web"]), 1))
    said += draw(flags("mac-address", st.just("02:42:ac:11:00:09"), 1))
    return [*said, draw(st.sampled_from(["busybox", "nginx:1.27", "postgres"])), *draw(st.lists(texts, max_size=3))]


@settings(max_examples=40)
@given(lines())
def test_a_container_is_read_back(line):
    options = read_run(["docker", "run", *line])
    assert read_run(words(options)) == options


def test_a_container_is_read_back_by_the_oldest_client():
    line = ["docker", "run", "--link", "db:d", "--ip", "10.0.0.9", "--network", "n1", "--network-alias", "x", "busybox"]
    old = layout_of("20.10")
    options = read_run(line, old)
    assert read_run(words(options), old) == options
    assert "--network" not in words(read_run(["docker", "run", "--link", "db", "busybox"], old))


driver_options = st.one_of(
    st.tuples(st.just("com.docker.network.bridge.enable_icc"), st.sampled_from(["true", "0", "F"])),
    st.tuples(st.just("com.docker.network.bridge.enable_ip_masquerade"), st.sampled_from(["false", "1"])),
    st.tuples(st.just("com.docker.network.driver.mtu"), st.integers(68, 9000).map(str)),
    st.tuples(st.just("com.docker.network.bridge.name"), names),
    st.tuples(st.just("encrypted"), st.sampled_from(["", "false"])),
    st.tuples(st.just("parent"), names),
    st.tuples(names, texts),
)


@settings(max_examples=40)
@given(
    names, st.sampled_from(["bridge", "overlay", "macvlan"]), st.sampled_from([(), (4,), (6,), (4, 6)]),
    st.lists(st.sampled_from(["--internal", "--ipv6", "--attachable"]), unique=True),
    st.lists(driver_options, max_size=3), st.booleans(),
)  # fmt: skip
def test_a_network_is_read_back(name, driver, families, switches, told, whole):
    line = ["docker", "network", "create", "-d", driver, *switches]
    if 4 in families:
        line += ["--subnet", "10.7.0.0/16"]
        line += ["--gateway", "10.7.0.9", "--ip-range", "10.7.1.0/24", "--aux-address", "x=10.7.0.8"] if whole else []
    if 6 in families:
        line += ["--subnet", "2001:db8::/64", *(["--gateway", "2001:db8::9"] if whole else [])]
    line += [word for key, value in told for word in ("-o", f"{key}={value}")]
    options = read_create([*line, name])
    assert read_create(words(options)) == options


@pytest.mark.parametrize("folder", PROJECTS, ids=lambda path: path.name)
def test_what_compose_makes_is_read_back(folder):
    plan = read_source(str(folder)).plan
    for made in (one for one in plan.commands if isinstance(one, Made)):
        if isinstance(made.options, NetworkOptions):
            assert read_create(words(made.options)) == made.options
        else:
            back = read_run(words(made.options))
            assert [one for one in back.attachments if one.network != "none"] == [*made.options.attachments]
            assert (back.network, back.ports, back.links) == (
                made.options.network,
                made.options.ports,
                made.options.links,
            )


def test_a_second_network_is_joined_by_a_command_of_its_own():
    joined = Attachment("back", address6="2001:db8::9", gateway_priority=2, links=(("db", "d"),))
    assert connect("web", joined)[3:] == [
        "--ip6", "2001:db8::9", "--gw-priority", "2", "--link", "db:d", "back", "web",
    ]  # fmt: skip
    assert words(ContainerOptions("web", attachments=(joined,)))[6] == "name=back,gw-priority=2"
