"""A source's traffic as an experiment: what names mean, what machines and wires are, and what comes of a run."""

import struct
from dataclasses import replace

import pytest

from simnet.errors import SourceError, UnknownName, UsageError
from simnet.net.address import ip_text
from simnet.scenario.plan import Setting
from simnet.scenario.source import read_source
from simnet.sim.experiment import Plan
from simnet.sim.hardware import Cpus, Wire
from simnet.study.timing import experiment, plan_of

SOURCE = """
hosts:
  h1:
    networks: {app: {subnet: 10.1.0.0/24}, back: {subnet: 10.2.0.0/24}}
    containers:
      web: {publish: "8080:80", network: [app, back]}
      client: {network: back}
      native: {network: host, listen: [tcp/9001]}
      side: {network: "container:web"}
      many: {network: app, listen: [tcp/1, tcp/2, udp/53]}
  h2: {containers: {many: {}}}
machines: {wan: {}}
"""


@pytest.fixture
def source(tmp_path):
    def made(rest, *settings, text=SOURCE):
        file = tmp_path / "a.yaml"
        file.write_text(text + rest, encoding="utf-8")
        return read_source(str(file), settings=[Setting.parse(one) for one in settings])

    return made


def flow(ends, kind="requests: {}"):
    return f"traffic: {{t: {{{ends}, {kind}}}}}\n"


@pytest.mark.parametrize(
    ("ends", "to"),
    [
        ("from: wan, to: '192.0.2.2:8080'", "192.0.2.2:8080"),
        ("from: wan, to: native", "192.0.2.2:9001"),  # its host's address on the network of both
        ("from: wan, to: 'h1:8080'", "192.0.2.2:8080"),
        ("from: client, to: web", "10.2.0.2:80"),  # DNS on the network of both
        ("from: h1/many, to: web", "10.1.0.2:80"),
        ("from: h1, to: web", "10.1.0.2:80"),
        ("from: side, to: web", "127.0.0.1:80"),  # one namespace
        ("from: client, to: 'web:81'", "10.2.0.2:81"),
        ("from: client, to: h1/many, proto: udp", "10.1.0.3:53"),
    ],
)
def test_what_a_name_means(source, ends, to):
    (found,) = experiment(source(flow(ends))).traffic
    assert f"{ip_text(found.to)}:{found.port}" == to


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        ("from: wan, to: nobody", "a.yaml:13:14: traffic t: no place 'nobody'"),
        ("from: wna, to: web", "no place 'wna'; did you mean 'wan'?"),
        ("from: wan, to: many", "'many' may be h1/many or h2/many"),
        ("from: wan, to: h1/many", "lacks a port, and programs listen on 1, 2 there; write h1/many:1"),
        ("from: wan, to: client", "lacks a port, and nothing listens for tcp there"),
        ("from: wan, to: 192.0.2.2", "lacks a port, such as 192.0.2.2:80"),
        ("from: wan, to: 'web:http'", "'http' is no port"),
        ("from: wan, to: '1.2.3:80'", "'1.2.3' is no IPv4 address"),
    ],
)
def test_what_leads_to_nobody_is_said_where_it_stands(source, ends, said):
    with pytest.raises(SourceError) as caught:
        experiment(source(flow(ends)))
    assert "a.yaml:13:14: traffic t: " in str(caught.value)
    assert said in str(caught.value)


def test_what_makes_no_sense_is_said_where_it_stands(source):
    with pytest.raises(SourceError, match=r"a\.yaml:13:14: traffic t: a datagram holds at most"):
        experiment(source(flow("from: wan, to: 'h1:8080', proto: udp", "requests: {size: 1MB}")))


def test_a_flow_that_no_packet_comes_through_ends_in_what_became_of_it(source):
    asked = experiment(source(flow("from: wan, to: '192.0.2.2:8081'")))
    with pytest.raises(UsageError, match=r"traffic t: tcp from wan to 192\.0\.2\.2:8081 ends in refused"):
        _ = asked.ways


def test_a_source_without_traffic_says_how_to_write_it(source):
    with pytest.raises(UsageError, match="has no traffic; write `traffic:"):
        experiment(source(""))
    with pytest.raises(UsageError, match="is a snapshot, which says of no traffic"):
        experiment(read_source("scenarios/snapshots/seed-modes-28.5"))
    with pytest.raises(UnknownName, match="no traffic 's'"):
        experiment(source(flow("from: wan, to: native")), names=["s"])


def test_machines_and_wires(source):
    rest = flow("from: wan, to: native") + "wires: {lan: {rate: 1Gbit}}\n"
    asked = experiment(source(rest, "h1.cpus=4", "h1.steering=rps", "h1.sysctl.net.core.netdev_max_backlog=50"))
    assert asked.cpus == {"h1": Cpus(4, "rps", 50)}
    assert asked.wires == {"lan": Wire(rate=10**9)}
    assert experiment(source(flow("from: wan, to: native"))).cpus == {}
    cut = experiment(source(flow("from: wan, to: native"), "wan.offload.tso=false"))
    assert cut.cpus == {"wan": Cpus(cut.costs.machine.cpus)}
    (card,) = (one for one in cut.open().find("wan").devices.values() if one.kind == "physical")
    assert (card.tso, card.gro) == (False, True)


@pytest.mark.parametrize(
    ("said", "given", "plan"),
    [
        ("", {}, Plan(duration=10**9)),
        ("run: {exchanges: 5, seed: 3}\n", {}, Plan(exchanges=5, seed=3)),
        ("run: {duration: 2s, warmup: 1s}\n", {"seed": 1, "engine": None},
         Plan(duration=2 * 10**9, warmup=10**9, seed=1)),
        ("run: {duration: 2s}\n", {"exchanges": 7}, Plan(exchanges=7)),
        ("run: {duration: 2s, simulator: loop}\n", {"duration": 5, "exchanges": 7}, Plan(7, 5, engine="loop")),
    ],
)  # fmt: skip
def test_how_it_is_run(source, said, given, plan):
    assert plan_of(source(flow("from: wan, to: native") + said), **given) == plan


def test_times_of_a_file_are_shared_out_among_flows_and_say_how_long_a_run_is(source, tmp_path):
    (tmp_path / "t.csv").write_text("time\n1.0\n1.001\n1.002\n1.004\n1.010\n", encoding="utf-8")
    found = source(flow("from: wan, to: native", "open: {times: t.csv, flows: 2, reply: 100}"))
    assert plan_of(found) == Plan(duration=10_000_001)
    asked = experiment(found)
    assert [list(one.times) for one in asked.traffic[0].arrivals] == [
        [0, 2_000_000, 10_000_000],
        [1_000_000, 4_000_000],
    ]
    (outcome,) = asked.run(plan_of(found))
    assert (outcome.flows["t"].begun, outcome.flows["t"].failed) == (5, 0)
    walked = next(asked.run(replace(plan_of(found), engine="walks"))).flows["t"]
    assert walked.begun == 5


def test_a_captures_times(source, tmp_path):
    records = b"".join(struct.pack("<IIII", 7, micros, 0, 60) for micros in (0, 500, 250))
    (tmp_path / "t.pcap").write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + records)
    asked = experiment(source(flow("from: wan, to: native", "open: {times: t.pcap}")))
    assert list(asked.traffic[0].arrivals[0].times) == [0, 250_000, 500_000]


@pytest.mark.parametrize("shape", ["constant", "poisson", "on-off, burst: 2ms, pause: 2ms"])
@pytest.mark.parametrize("flows", [1, 3])
def test_flows_have_the_rate_together(source, shape, flows):
    kind = f"open: {{rate: 30k/s, arrivals: {shape}, flows: {flows}}}"
    (outcome,) = experiment(source(flow("from: wan, to: native", kind))).run(Plan(duration=200_000_000))
    expected = 6000 if "burst" not in shape else 3000
    assert outcome.flows["t"].begun == pytest.approx(expected, rel=0.001 if shape == "constant" else 0.25)


def test_constant_flows_take_turns(source):
    asked = experiment(source(flow("from: wan, to: native", "open: {rate: 1k/s, flows: 4}")))
    assert [(one.gap, one.begin) for one in asked.traffic[0].arrivals] == [
        (4_000_000, number * 1_000_000) for number in range(4)]  # fmt: skip


def test_prices_are_those_of_the_option_then_the_file_then_the_usual(source, tmp_path):
    text = "name: mine\nextends: linux-6.18-vm\nprices: {}\n"
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    rest = flow("from: wan, to: native") + "run: {costs: mine.yaml}\n"
    assert experiment(source(rest)).costs.name == "mine"
    assert experiment(source(rest), "linux-6.18-vm").costs.name == "linux-6.18-vm"
    with pytest.raises(UnknownName, match="no price list 'mien'"):
        experiment(source(rest), "mien")


def test_a_setting_changes_what_comes_of_it(source):
    rest = flow("from: wan, to: 'h1:8080'", "requests: {poll: true}") + "run: {exchanges: 50}\n"
    near, far = (next(experiment(one).run(plan_of(one))).flows["t"].later.mean
                 for one in (source(rest, "wires.lan.delay=1us"), source(rest, "wires.lan.delay=1ms")))  # fmt: skip
    assert far - near == pytest.approx(2 * 999_000, abs=1)


def test_two_that_ask_one_server_are_both_answered(source):
    rest = "traffic:\n  a: {from: h1, to: 'h1/many:53', proto: udp, requests: {}}\n" \
           "  b: {from: h1, to: 'h1/many:53', proto: udp, requests: {}}\n"  # fmt: skip
    flows = next(experiment(source(rest)).run(Plan(exchanges=10))).flows
    assert [(one.begun, one.failed) for one in flows.values()] == [(10, 0), (10, 0)]


def test_walks_and_recorded_ways_end_at_about_the_same_time(source):
    asked = experiment(source(flow("from: wan, to: 'h1:8080'")))
    loop, walks = (next(asked.run(Plan(exchanges=20, engine=engine))) for engine in ("loop", "walks"))
    assert walks.ended == pytest.approx(loop.ended, rel=0.05)
