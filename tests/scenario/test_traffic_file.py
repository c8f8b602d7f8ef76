"""What a scenario says of time: traffic of each kind, wires, runs, CPUs; and what is wrong, where it stands."""

import jsonschema
import pytest

from simnet.docker import document
from simnet.errors import ScenarioError
from simnet.scenario import timing_plan, traffic_file
from simnet.scenario.scenario_file import read
from simnet.scenario.schema import schema
from simnet.scenario.source import read_source
from simnet.scenario.timing_plan import MachineHardware
from simnet.sim import experiment, hardware, traffic

HOSTS = "hosts: {h1: {containers: {web: {publish: '8080:80'}}}}\nmachines: {wan: {}}\n"


def timing(text):
    return read(HOSTS + text, "a.yaml").timing


def one(body, ends="from: wan, to: web"):
    (found,) = timing(f"traffic: {{t: {{{ends}, {body}}}}}\n").traffic
    return found


@pytest.mark.parametrize(
    ("body", "kind", "fields"),
    [
        ("requests: {clients: 64, size: 64, reply: 1KB, think: 10us, poll: true}", "requests",
         {"parallel": 64, "size": 64, "reply": 1000, "think": 10_000, "polls": True}),
        ("requests: {}", "requests", {}),
        ("stream: {connections: 4, window: 256KiB, offload: false}", "stream",
         {"parallel": 4, "window": 262_144, "offload": False}),
        ("proto: udp, stream: {size: 1400}", "stream", {"size": 1400}),
        ("connections: {clients: 8, reply: 2KiB}, timeout: 100ms", "connections",
         {"parallel": 8, "reply": 2048, "timeout": 100_000_000}),
        ("open: {rate: 100k/s, flows: 4, reply: 0}", "open", {"parallel": 4, "reply": 0}),
    ],
)  # fmt: skip
def test_each_kind_of_traffic(body, kind, fields):
    found = one(body)
    assert (found.kind, found.fields) == (kind, fields)
    assert (found.arrivals is not None) == (kind == "open")
    assert (found.frm, found.to, found.proto) == ("wan", "web", "udp" if "udp" in body else "tcp")


@pytest.mark.parametrize(
    ("body", "shape", "said"),
    [
        ("rate: 5000", "constant", {"rate": 5000}),
        ("rate: 100k/s, arrivals: poisson", "poisson", {"rate": 1e5}),
        ("rate: 1M/s, arrivals: on-off, burst: 1ms, pause: 9ms", "on-off",
         {"rate": 1e6, "burst": 1_000_000, "pause": 9_000_000}),
        ("times: t.csv, flows: 2", "times", {"times": "t.csv"}),
    ],
)  # fmt: skip
def test_arrivals(body, shape, said):
    found = one(f"open: {{{body}}}").arrivals
    assert found.shape == shape
    assert {key: getattr(found, key) for key in said} == said


def test_wires_runs_and_machines():
    text = (
        "simnet: 1\nhosts: {h1: {cpus: 4, steering: rfs, offload: {tso: false}}}\nmachines: {wan: {cpus: 8}}\n"
        "wires:\n  lan: {rate: 10Gbit, delay: 5us, queue: 100, burst: 32KB, "
        "loss: 0.1%, reorder: 1%, reorder-delay: 1ms}\n"
        "run: {duration: 1s, warmup: 10ms, seed: 3, replications: 5, costs: linux-6.18-vm, simulator: loop}\n"
    )
    plan = read(text, "a.yaml")
    assert plan.hosts[0].hardware == MachineHardware(4, "rfs", {"tso": False})
    assert plan.machines[0].hardware == MachineHardware(8)
    assert hardware.Wire(**plan.timing.wires["lan"]) == hardware.Wire(
        10**10, 5_000, 100, 32_000, 0.001, 0.01, 1_000_000
    )
    assert plan.timing.run == {"duration": 10**9, "warmup": 10**7, "seed": 3, "replications": 5,
                               "costs": "linux-6.18-vm", "simulator": "loop"}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("traffic: {t: {from: wan, to: web, requests: {clients: 0}}}", "3:55: 0 is too few; 1 to 100000"),
        ("traffic: {t: {from: wan, to: web, requests: {client: 1}}}", "no key 'client' here; did you mean 'clients'?"),
        ("traffic: {t: {from: wan, to: web}}", "3:14: traffic 't' has no kind; give it one of requests, stream,"),
        ("traffic: {t: {from: wan, to: web, requests: {}, stream: {}}}", "has requests and stream at once"),
        ("traffic: {t: {to: web, requests: {}}}", "key 'from' is missing"),
        ("traffic: {t: {from: wan, to: web, open: {rate: -5/s}}}", "3:48: -5/s is no rate; a rate is more than 0"),
        ("traffic: {t: {from: wan, to: web, open: {rate: 0}}}", "3:48: 0 is no rate"),
        ("traffic: {t: {from: wan, to: web, open: {}}}", "open traffic has a rate, or the times of a file"),
        ("traffic: {t: {from: wan, to: web, open: {rate: 1/s, times: a}}}", "open traffic has a rate, or the times"),
        ("traffic: {t: {from: wan, to: web, open: {times: a, arrivals: poisson}}}", "need no other arrivals"),
        (
            "traffic: {t: {from: wan, to: web, open: {rate: 1, arrivals: on-off, burst: 1s}}}",
            "have `burst` and `pause`",
        ),
        ("traffic: {t: {from: wan, to: web, open: {rate: 1, pause: 1s}}}", "have `burst` and `pause`"),
        ("traffic: {t: {from: wan, to: web, open: {rate: 1, arrivals: poison}}}", "did you mean 'poisson'?"),
        ("traffic: {t: {from: wan, to: web, proto: udp, connections: {}}}", "3:42: only tcp has connections"),
        ("traffic: {t: {from: wan, to: web, stream: {size: 100}}}", "a tcp stream has no size of its own"),
        ("traffic: {t: {from: wan, to: web, stream: {window: 0}}}", "0 is too little"),
        ("traffic: {t: {from: wan, to: web, requests: {think: 10}}}", "'10' lacks its unit"),
        ("wires: {lan: {rate: -1Gbit}}", "3:21: -1Gbit is negative"),
        ("wires: {lan: {loss: 200%}}", "3:21: 200% is no share"),
        ("wires: {lan: {burst: 1KB}}", "a burst needs a rate"),
        ("wires: {lan: {reorder: 1%}}", "give reorder-delay as well"),
        ("run: {simulator: fast}", "'fast' is none of the words wanted here; there are: auto"),
        ("run: {durations: 1s}", "no key 'durations' here; did you mean 'duration'?"),
        ("run: {duration: 0}", "0 is too little"),
        ("trafic: {}", "no key 'trafic' here; did you mean 'traffic'?"),
    ],
)
def test_what_is_wrong_is_said_where_it_stands(text, said):
    with pytest.raises(ScenarioError) as caught:
        read(HOSTS + text + "\n", "a.yaml")
    assert str(caught.value).startswith("a.yaml:3:")
    assert said in str(caught.value)


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(ScenarioError) as caught:
        timing("traffic:\n  a: {from: wan, to: web, open: {rate: 0}}\n  b: {to: web}\nrun: {seed: -1}\n")
    assert [problem.line for problem in caught.value.problems] == [4, 5, 6]


def test_a_compose_file_says_the_same_under_x_simnet(tmp_path):
    file = tmp_path / "compose.yaml"
    file.write_text(
        "services: {web: {image: nginx, ports: ['8080:80']}}\n"
        "x-simnet:\n  cpus: 2\n  wires: {lan: {delay: 1ms}}\n  run: {exchanges: 10}\n"
        "  traffic: {t: {from: wan, to: 'h1:8080', requests: {}}}\n",
        encoding="utf-8",
    )
    plan = read_source(str(file)).plan
    assert plan.hosts[0].hardware.cpus == 2
    assert (plan.timing.wires, plan.timing.run) == ({"lan": {"delay": 1_000_000}}, {"exchanges": 10})
    assert [one.name for one in plan.timing.traffic] == ["t"]


def test_words_are_those_that_the_simulation_knows():
    assert traffic_file.SIMULATORS == experiment.ENGINES
    assert traffic_file.STEERING == hardware.STEERING
    assert traffic_file.PROTOS == traffic.PROTOS
    assert set(timing_plan.KINDS) == set(traffic.KINDS)


def test_the_schema_knows_every_key_and_refuses_others():
    text = HOSTS + (
        "traffic:\n  a: {from: wan, to: web, requests: {clients: 2, size: 1KB, reply: 0, think: 1us, poll: true}}\n"
        "  b: {from: wan, to: web, open: {rate: 1/s, arrivals: on-off, burst: 1s, pause: 1s, flows: 2}, timeout: 1s}\n"
        "wires: {lan: {rate: 1Gbit, loss: 0.1%}}\nrun: {duration: 1s}\n"
    )
    jsonschema.validate(_plain(document.read(text, "a.yaml")), schema())
    for wrong in ("traffic: {a: {from: wan, to: web}}", "traffic: {a: {from: w, to: w, requests: {x: 1}}}",
                  "run: {engine: loop}", "wires: {lan: {speed: 1}}"):  # fmt: skip
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(_plain(document.read(HOSTS + wrong, "a.yaml")), schema())


def _plain(value):
    if isinstance(value.held, dict):
        return {key: _plain(item) for key, item in value.held.items()}
    return [_plain(item) for item in value.held] if isinstance(value.held, list) else value.held
