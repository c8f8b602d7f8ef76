"""Scenarios: what is written becomes docker's commands, and all that is wrong is said at once, where it stands."""

import json
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simnet.errors import ScenarioError, SourceError
from simnet.net.address import ip_text
from simnet.scenario.build import build
from simnet.scenario.scenario_file import read
from simnet.scenario.schema import schema

SCENARIOS = Path(__file__).parents[2] / "scenarios"


def host(lines, engine="28.5"):
    """A scenario of one host with some lines below it."""
    text = "\n".join(f"    {line}" for line in lines.splitlines())
    return f'hosts:\n  h1:\n    engine: "{engine}"\n{text}\n'


def commands(lines):
    return [str(command) for command in read(host(lines), "a.yaml").commands]


def wrong(text):
    with pytest.raises(SourceError) as caught:
        build(read(text, "a.yaml"))
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("containers: {web: {}}", ["docker run -d --name web busybox"]),
        ("containers: {web: {publish: 8080:80}}", ["docker run -d --name web --publish 8080:80 busybox"]),
        ("containers: {web: {ports: [22:22, 80]}}",
         ["docker run -d --name web --publish 22:22 --publish 80 busybox"]),
        ("containers: {web: {image: nginx, command: nginx -g x}}", ["docker run -d --name web nginx nginx -g x"]),
        ("containers: {web: {network: {back: {ip: 10.0.0.2, aliases: [a, b]}}}}",
         ["docker run -d --name web --network back --ip 10.0.0.2 --network-alias a --network-alias b busybox"]),
        ("containers: {web: {network: [front, back]}}",
         ["docker create --name web --network front busybox", "docker network connect back web", "docker start web"]),
        ("containers: {web: {networks: {back: {gw-priority: 1, ip: 10.0.0.2}, front: {gw-priority: 2}}}}",
         ["docker create --name web --network name=back,gw-priority=1 --ip 10.0.0.2 busybox",
          "docker network connect --gw-priority 2 front web", "docker start web"]),
        ("containers: {web: {env: {A: 1}, privileged: true, init: false}}",
         ["docker run -d --name web --env A=1 --privileged --init=false busybox"]),
        ("networks: {back: {internal: true, subnet: 10.0.0.0/24, options: {a.b: false}}}",
         ["docker network create --internal --subnet 10.0.0.0/24 --opt a.b=false back"]),
        ("networks: {back: }", ["docker network create back"]),
        ("swarm: init\nservices: {web: {replicas: 2, ports: 8080:80}}",
         ["docker swarm init", "docker service create --name web --replicas 2 --publish 8080:80 busybox"]),
        ("commands: |\n  iptables -A INPUT -j DROP", ["iptables -A INPUT -j DROP"]),
    ],
)  # fmt: skip
def test_what_is_written_becomes_commands(lines, expected):
    assert [command.strip() for command in commands(lines)] == expected


def test_networks_come_before_containers_however_they_stand():
    lines = "containers: {web: {network: back}}\nnetworks: {back: {}}"
    assert [command.split()[1] for command in commands(lines)] == ["network", "run"]


def test_every_mistake_is_named_at_once_with_line_and_column():
    text = """\
hosts:
  h1:
    engin: "28.5"
    containers:
      web: {prots: 80}
      db: {listen: [tcp/x]}
machines:
  wan: {routes: [{to: 10.0.0.0/8}]}
check:
  - web: reachabel from wan
"""
    assert wrong(text) == [
        "a.yaml:3:12: no key 'engin' here; did you mean 'engine'?",
        "a.yaml:5:20: no key 'prots' here; did you mean 'ports'?",
        "a.yaml:6:21: 'tcp/x' is no place to listen at; write tcp/80, udp/53 or tcp/127.0.0.1:80",
        "a.yaml:8:18: key 'via' is missing",
        "a.yaml:10:10: 'reachabel from wan' is no claim that can be tried; did you mean 'reachable from'?",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (host("containers: {a: {ports: 80:80}, b: {ports: 80:80}}"),
         "a.yaml:4:48: Error response from daemon: failed to set up container networking: driver failed programming "
         "external connectivity on endpoint b (*): Bind for 0.0.0.0:80 failed: port is already allocated"),
        (host("networks: {a: {subnet: 10.0.0.0/24}, b: {subnet: 10.0.0.0/16}}"),
         "a.yaml:4:45: Error response from daemon: invalid pool request: Pool overlaps with other one on this address "
         "space"),
        (host("daemon: {default-address-pool: 'base=10.9.0.0/24,size=25'}\nnetworks: {a: {}, b: {}}"),
         "a.yaml:5:26: Error response from daemon: all predefined address pools have been fully subnetted"),
        (host("containers: {a: {network: 'container:b'}}"),
         "a.yaml:4:31: Error response from daemon: joining network namespace of container: No such container: b"),
        (host("containers: {a: {network: nope}}"),
         "a.yaml:4:31: Error response from daemon: failed to set up container networking: network nope not found"),
        (host("", engine="19.03"),
         "a.yaml:3:13: no engine version '19.03'; there are: 20.10 to 24, 25 to 26, 28.0.0, 28.0.1 to 28.1, "
         "28.2.0 to 28.2.1, 28.2.2 to 28, 29"),
        (host("commands: docker network rm nope"),
         "a.yaml:4:15: Error response from daemon: network nope not found"),
        (host("listen: [tcp/10.9.9.9:80]"),
         "a.yaml:4:14: no address of h1 '10.9.9.9'; there are: 127.0.0.1, 172.17.0.1, 192.0.2.2"),
        (host("addresses: [192.0.2.2]"),
         "a.yaml:4:17: '192.0.2.2' lacks the length of its network; write 192.0.2.2/24"),
        ("hosts: {h1: {}, h1: {}}",
         "a.yaml:1:17: key 'h1' stands here a second time; the first is in line 1"),
        ("hosts: [\n", "a.yaml:2:1: did not find expected node content"),
    ],
)  # fmt: skip
def test_what_an_engine_refuses_is_told_of_its_place(text, expected):
    (line,) = wrong(text)
    head, _, tail = expected.partition("(*)")
    assert line.startswith(head)
    assert line.endswith(tail)


def test_several_refusals_are_all_told():
    text = host("containers: {a: {network: nope}, b: {}, c: {network: nada}}")
    assert [line.split(": ")[0] for line in wrong(text)] == ["a.yaml:4:31", "a.yaml:4:58"]


def test_hosts_and_machines_get_addresses_of_one_wire():
    lab = build(read("hosts: {h1: {}, h2: {}}\nmachines: {wan: {}, other: {}}", "a.yaml"))
    found = {place: ip_text(lab.network.find(place).devices["eth0"].addresses[0].address) for place in
             ("h1", "h2", "wan", "other")}  # fmt: skip
    assert found == {"h1": "192.0.2.2", "h2": "192.0.2.3", "wan": "192.0.2.1", "other": "192.0.2.101"}


def test_a_container_listens_where_it_publishes_unless_told_otherwise():
    plan = read(host("containers:\n  a: {ports: ['8080:80', 53/udp]}\n  b: {ports: '81:80', listen: []}"), "a.yaml")
    assert [str(listen) for listen, _ in plan.listens] == ["h1/a:tcp:0.0.0.0:80", "h1/a:udp:0.0.0.0:53"]


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=80))
def test_any_text_is_read_or_refused_with_its_file(text):
    try:
        build(read(text, "a.yaml"))
    except SourceError as error:
        assert str(error).startswith("a.yaml")


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["hosts", "h1", "containers", "networks", "publish", "network", "check", "machines",
                         "listen", "commands", "engine", "sysctl", "daemon", "swarm", "services", "a b", "-x"]),
        inner, max_size=4),
    max_leaves=12,
))  # fmt: skip
def test_any_shape_is_built_or_refused_with_its_file(tree):
    try:
        build(read(json.dumps(tree), "a.yaml"))
    except SourceError as error:
        assert str(error).startswith("a.yaml")


def test_the_published_schema_is_of_the_reader():
    assert json.loads((SCENARIOS / "scenario.schema.json").read_text("utf-8")) == schema()


@pytest.mark.parametrize("path", sorted(SCENARIOS.rglob("*.yaml")), ids=lambda path: path.stem)
def test_the_schema_takes_every_scenario_that_ships(path):
    import yaml

    held = yaml.safe_load(path.read_text("utf-8"))
    if "services" not in held:
        jsonschema.validate(held, schema())


@pytest.mark.parametrize("text", ["hosts: {h1: {engin: x}}", "hosts: {h1: {containers: {a: {prots: 1}}}}", "host: {}"])
def test_the_schema_refuses_what_the_reader_refuses(text):
    import yaml

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(text), schema())
    with pytest.raises(ScenarioError):
        read(text, "a.yaml")
