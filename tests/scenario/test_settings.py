"""Settings: every value of a file by its path, read as the file would have it, and refused likewise."""

import pytest

from simnet.errors import UnknownName, UsageError
from simnet.scenario.plan import Setting, changed
from simnet.scenario.scenario_file import read
from simnet.scenario.source import read_source

TEXT = """
hosts:
  h1: {cpus: 2, mtu: 1500, containers: {web: {publish: "8080:80"}}, commands: [ip link, ip addr]}
  h2: {}
machines: {wan: {}}
traffic:
  web: {from: wan, to: "192.0.2.2:8080", requests: {clients: 64}}
run: {duration: 1s}
"""


def after(*settings, text=TEXT):
    return changed(read(text, "a.yaml"), [Setting.parse(one) for one in settings])


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("traffic.web.requests.clients=8", lambda plan: plan.timing.traffic[0].fields == {"parallel": 8}),
        ("traffic.web.requests.think=1ms", lambda plan: plan.timing.traffic[0].fields["think"] == 1_000_000),
        ("traffic.web={from: h1, to: web, stream: {}}", lambda plan: plan.timing.traffic[0].kind == "stream"),
        ("wires.lan.delay=1ms", lambda plan: plan.timing.wires == {"lan": {"delay": 1_000_000}}),
        ("h1.cpus=4", lambda plan: plan.hosts[0].hardware.cpus == 4),
        ("hosts.h1.cpus=4", lambda plan: plan.hosts[0].hardware.cpus == 4),
        ("h2.cpus=4", lambda plan: plan.hosts[1].hardware.cpus == 4),
        ("*.cpus=8", lambda plan: [host.hardware.cpus for host in plan.hosts] == [8, 8]),
        ("wan.cpus=16", lambda plan: plan.machines[0].hardware.cpus == 16),
        ("h1.offload.tso=false", lambda plan: plan.hosts[0].hardware.offload == {"tso": False}),
        ("h1.mtu=9000", lambda plan: plan.hosts[0].mtu == 9000),
        ("run.seed=3", lambda plan: plan.timing.run == {"duration": 10**9, "seed": 3}),
        ("h1.commands.1=ip route", lambda plan: [str(one) for one in plan.commands][-2:] == ["ip link", "ip route"]),
        ("h1.containers.web.publish=9000:80",
         lambda plan: str(plan.commands[0]) == "docker run -d --name web --publish 9000:80 busybox"),
        ("h1.engine=20.10", lambda plan: plan.hosts[0].engine == "20.10"),
        ("h1.sysctl.net.core.netdev_max_backlog=10",
         lambda plan: plan.hosts[0].sysctl == {"net.core.netdev_max_backlog": "10"}),
        ("h1.daemon.icc=false", lambda plan: plan.hosts[0].daemon == {"icc": ("false",)}),
    ],
)  # fmt: skip
def test_a_value_by_its_path(setting, value):
    assert value(after(setting))
    assert str(Setting.parse(setting)) == setting.removeprefix("hosts.")


def test_the_later_of_two_settings_holds_and_the_file_stays_as_it_was():
    plan = read(TEXT, "a.yaml")
    found = changed(plan, [Setting.parse(one) for one in ("run.seed=1", "h1.engine=26", "run.seed=2")])
    assert found.timing.run["seed"] == 2
    assert found.hosts[0].engine == "26"
    assert "seed" not in plan.timing.run
    assert changed(found, [Setting.parse("run.replications=3")]).timing.run == {
        "duration": 10**9, "seed": 2, "replications": 3}  # fmt: skip


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("traffic.web.requests.clients=0", "--set traffic.web.requests.clients=0: 0 is too few"),
        ("traffic.web.requests.client=8", "no key 'client' here; did you mean 'clients'?"),
        (
            "traffic.web.open.rate=-1/s",
            "--set traffic.web.open.rate=-1/s: a.yaml:7:8: traffic 'web' has requests and open at once",
        ),
        ("wires.lan.rate=-1Gbit", "--set wires.lan.rate=-1Gbit: -1Gbit is negative"),
        ("h1.cpus=many", "a whole number is wanted here"),
        ("h1.foo=1", "no key 'foo' here"),
        ("h1.commands.7=ip a", "no item '7' in the list of 2"),
        ("h1.mtu.x=1", "there is nothing below 1500"),
        ("h1.engine.x=1", "is none of HOST.engine=VERSION"),
        ("run=1", "is none of HOST.engine=VERSION"),
        ("run..seed=1", "is none of HOST.engine=VERSION"),
    ],
)
def test_what_cannot_be_is_refused_as_bad_usage(setting, said):
    with pytest.raises(UsageError) as caught:
        after(setting)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("setting", "said"),
    [("h9.cpus=1", "no host, machine or section 'h9'"), ("traffic.wbe.to=x", "no traffic 'wbe'; did you mean 'web'?"),
     ("h9.engine=28", "no host 'h9'")],
)  # fmt: skip
def test_names_that_are_not_there(setting, said):
    with pytest.raises(UnknownName) as caught:
        after(setting)
    assert said in str(caught.value)


def test_a_compose_file_has_its_hosts_keys_at_the_top(tmp_path):
    file = tmp_path / "compose.yaml"
    file.write_text("services: {web: {image: nginx, ports: ['8080:80']}}\n", encoding="utf-8")
    asked = [Setting.parse(one) for one in ("h1.cpus=4", "wires.lan.delay=1ms", "wan.cpus=2", "h1.engine=26.1")]
    plan = read_source(str(file), settings=asked).plan
    assert (plan.hosts[0].hardware.cpus, plan.hosts[0].engine) == (4, "26.1")
    assert (plan.machines[0].hardware.cpus, plan.machines[0].addresses) == (2, ("192.0.2.1/24",))
    assert len(plan.commands) == 2
