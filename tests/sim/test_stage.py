"""A network made ready for traffic, and given back."""

import re

import pytest

from simnet.errors import UnknownName, UsageError
from simnet.net.conversation import Probe, converse
from simnet.net.netfilter.save import dump
from simnet.net.schedule import AtOnce
from simnet.sim import stage, ways
from simnet.sim.experiment import ENGINES, Experiment, Plan
from simnet.sim.hardware import Cpus, Wire
from simnet.sim.programs import Sender
from simnet.sim.queueing.arrivals import Constant
from simnet.sim.traffic import CONNECTIONS, OPEN, REQUESTS, STREAM
from simnet.study.modes import MODES, hosts
from tests.net.build import ip
from tests.sim.small import BRIDGE, HOST, PRICES, PUBLISHED, experiment, made, network, traffic


def ready(*flows, found=None, **machines):
    return stage.ready(found or network(), flows, PRICES, **machines)


@pytest.mark.parametrize(
    ("to", "rules", "why"),
    [
        (("172.17.0.2", 81), "", r"tcp from wan to 172.17.0.2:81 ends in refused \(h1/web: nobody listens on tcp port"),
        (("203.0.113.9", 80), "", r"ends in net-unreachable|ends in host-unreachable|ends in timeout"),
        (BRIDGE, "*filter\n:FORWARD DROP [0:0]\nCOMMIT\n", r"timeout \(h1/host: filter FORWARD policy DROP\)"),
    ],
)
def test_a_flow_to_nowhere_says_why(to, rules, why):
    with pytest.raises(UsageError, match=f"traffic lost: .*{why}") as error:
        ready(traffic("fine", HOST), traffic("lost", to), found=network(rules))
    assert str(error.value).endswith("see `simnet trace`")


def test_no_traffic_at_all():
    with pytest.raises(UsageError, match="there is no traffic to play"):
        ready()


def test_a_wire_that_is_not_there():
    with pytest.raises(UnknownName, match="no wire 'cabel'; did you mean 'cable'"):
        next(experiment(traffic(), wires={"cabel": Wire()}).run(Plan(exchanges=1)))
    with pytest.raises(UnknownName, match="no host or machine 'wam'; did you mean 'wan'"):
        next(experiment(traffic(), cpus={"wam": Cpus()}).run(Plan(exchanges=1)))


# docker-proxy takes the next free port each time
PORT = re.compile(r":49\d\d\d\b")
COUNTERS = re.compile(r"\[\d+:\d+\]")


def told(found, questions):
    """What conversations over a network look like, and what listens there."""
    seen = []
    for frm, to, port, proto in questions:
        found.forget_connections()
        trace = converse(found, Probe(frm, ip(to), port, proto))
        steps = [(step.place, PORT.sub("free", str(step))) for step in trace.steps]
        seen.append((trace.verdict, PORT.sub("free", trace.server_saw), steps))
    found.forget_connections()
    sockets = {place: sorted(str(one) for one in here.sockets) for place, here in found.namespaces.items()}
    rules = {place: COUNTERS.sub("", dump(here.ruleset)) for place, here in found.namespaces.items()}
    return seen, sockets, rules, found.counts_conditions, found.largest, type(found.schedule)


QUESTIONS = [("wan", *PUBLISHED, "tcp"), ("wan", *PUBLISHED, "udp"), ("wan", *BRIDGE, "tcp"), ("wan", *HOST, "udp"),
             ("h1/web", "192.0.2.1", 80, "tcp"), ("h1/web", "172.17.0.3", 80, "udp")]  # fmt: skip
KINDS = [
    {"proto": "udp"}, {"proto": "tcp"}, {"proto": "udp", "kind": STREAM}, {"proto": "tcp", "kind": STREAM},
    {"proto": "tcp", "kind": CONNECTIONS}, {"proto": "tcp", "kind": OPEN, "arrivals": Constant(9000)},
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: "-".join(map(str, [*kind.values()][:2])))
@pytest.mark.parametrize("engine", ["auto", "walks"])
def test_a_network_is_left_as_it_was_found(kind, engine):
    found = network()
    told(found, QUESTIONS)  # addresses are learned once
    before = told(found, QUESTIONS)
    flows = [traffic("one", PUBLISHED, parallel=2, **kind), traffic("two", HOST, **kind)]
    tried = Experiment(lambda: found, flows, PRICES)
    outcome = next(tried.run(Plan(exchanges=5, engine=engine)))
    assert outcome.flows["one"].latency.count >= 10
    assert told(found, QUESTIONS) == before
    # and again, over the same network
    again = next(Experiment(lambda: found, flows, PRICES).run(Plan(exchanges=5, engine=engine)))
    assert again.flows["one"].latency.buckets() == outcome.flows["one"].latency.buckets()
    assert before[-1] is AtOnce


def test_every_mode_is_left_as_it_was_found():
    found = hosts().open().network
    questions = [(mode.frm, mode.to, mode.port, proto) for mode in MODES for proto in ("tcp", "udp")]
    told(found, questions)
    before = told(found, questions)
    for mode in MODES:
        if mode.name != "none":
            next(Experiment(lambda: found, [traffic(mode.name, (mode.to, mode.port), mode.frm)], PRICES)
                 .run(Plan(exchanges=3)))  # fmt: skip
    assert told(found, questions) == before


@pytest.mark.parametrize(
    ("flows", "error"),
    [
        ([traffic("a"), traffic("b", ("172.17.0.2", 81))], "ends in refused"),
        ([traffic("a"), traffic("b", size=65)], "for another size"),
        ([], "no traffic"),
    ],
)
def test_a_network_is_left_as_it_was_found_where_traffic_is_refused(flows, error):
    found = network()
    told(found, QUESTIONS)
    before = told(found, QUESTIONS)
    with pytest.raises(UsageError, match=error):
        next(Experiment(lambda: found, flows, PRICES).run(Plan(exchanges=3)))
    assert told(found, QUESTIONS) == before


def test_a_network_is_left_as_it_was_found_where_the_engine_is_not_known():
    found = network()
    told(found, QUESTIONS)
    before = told(found, QUESTIONS)
    with pytest.raises(UsageError, match="engine"):
        next(Experiment(lambda: found, [traffic()], PRICES).run(Plan(exchanges=3, engine="walk")))
    assert told(found, QUESTIONS) == before
    assert "walks" in ENGINES


@pytest.mark.parametrize("other", [{"size": 65}, {"reply": 1}, {"kind": STREAM}])
def test_one_server_answers_with_one_size(other):
    # by the published port and directly: it is one server
    with pytest.raises(UsageError, match=r"traffic b: other traffic asks 172.17.0.2:80 for another size; give them"):
        ready(traffic("a", PUBLISHED), traffic("b", BRIDGE, **other))


def test_one_server_answers_several_of_one_size():
    found = ready(traffic("a", PUBLISHED, size=9), traffic("b", BRIDGE, size=9), traffic("c", BRIDGE, proto="udp"))
    assert len(found.replaced) == 2
    assert list(found.traces) == ["a", "b", "c"]
    assert {trace.verdict for trace in found.traces.values()} == {"reply"}


def test_seats_follow_each_other():
    found = ready(traffic("a", parallel=3), traffic("b", HOST, parallel=2, polls=False))
    assert [(lane.traffic.name, lane.seat) for lane in found.lanes] == [
        ("a", 0),
        ("a", 1),
        ("a", 2),
        ("b", 3),
        ("b", 4),
    ]
    assert [seat.polls for seat in found.seats] == [True] * 3 + [False] * 2


def test_a_stream_has_one_seat_and_never_sleeps():
    found = ready(traffic("a", kind=STREAM, parallel=2, polls=False), traffic("b", HOST, polls=False))
    assert {(lane.traffic.name, lane.seat) for lane in found.lanes} == {("a", 0), ("a", 1), ("b", 2)}
    assert {seat.polls for seat in found.seats if seat.number < 2} == {True}


SEGMENT = 1448


@pytest.mark.parametrize(
    ("window", "offload", "size", "lanes"),
    [
        (262_144, True, 42 * SEGMENT, 4),  # as much as fits 62 000 bytes
        (262_144, False, 2 * SEGMENT, 90),
        (50_000, True, 34 * SEGMENT, 1),  # the whole window
        (6000, True, 4 * SEGMENT, 1),
        (6000, False, 2 * SEGMENT, 2),
        (1, True, 2 * SEGMENT, 1),  # at least what is acknowledged at once
    ],
)
def test_a_window_becomes_lanes(window, offload, size, lanes):
    found = ready(traffic(kind=STREAM, window=window, offload=offload))
    assert [lane.payload for lane in found.lanes] == [size] * lanes
    assert {lane.releases for lane in found.lanes} == {2}
    assert len({id(lane.client) for lane in found.lanes}) == 1
    sender = found.lanes[0].client
    assert isinstance(sender, Sender)
    assert sender.stream.largest == (size if offload else 0)


def test_a_stream_s_segments_are_those_of_its_way():
    found = stage.ready(hosts().open().network, [traffic("x", ("10.99.0.21", 80), "h1/near", kind=STREAM)], PRICES)
    assert found.lanes[0].payload == 62_000 // 1398 * 1398


def test_datagrams_have_one_lane_each():
    found = ready(traffic(kind=STREAM, proto="udp", size=900, parallel=2))
    assert [lane.payload for lane in found.lanes] == [900, 900]


@pytest.mark.parametrize("proto", ["tcp", "udp"])
def test_open_flows_begin_on_open_connections(proto):
    """Their first exchange is as their later ones: no handshake, and nothing new for conntrack."""
    found = ready(traffic(kind=OPEN, proto=proto, arrivals=Constant(10_000), parallel=2))
    recorded = ways.record(found)
    for flow in recorded.model.flows:
        assert len(flow.exchanges) == 1
    for way in recorded.ways:
        assert made(way.steps, data=False) == []
        assert len(made(way.steps)) == 2
        assert {step.kind for step in way.steps} & {"conntrack"}
        assert not [str(step) for step in way.steps if "confirm" in str(step)]


def test_requests_begin_with_the_handshake():
    found = ready(traffic(kind=REQUESTS))
    first, later = ways.record(found).ways
    assert [flags for _, flags, _ in made(first.steps)] == ["SYN", "SYN ACK", "ACK", "ACK PSH", "ACK PSH"]
    assert [flags for _, flags, _ in made(later.steps)] == ["ACK PSH", "ACK PSH"]


def test_streams_begin_on_open_connections():
    found = ready(traffic(kind=STREAM))
    assert {key[2:] for key in found.lanes[0].namespace.sockets.streams} == {(ip("192.0.2.2"), 8080)}
    recorded = ways.record(found)
    assert all("SYN" not in flags for way in recorded.ways for _, flags, _ in made(way.steps))
