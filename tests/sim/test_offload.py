"""Large packets: with offload TCP hands down a message at once, without it segment by segment, whoever sends it."""

import pytest

from simnet.net.address import parse_ip
from simnet.scenario.question import Listen, serve
from simnet.sim.experiment import WALKS, Experiment, Plan
from simnet.sim.prices import costs
from simnet.sim.traffic import CONNECTIONS, REQUESTS, Traffic
from tests.net.build import PUBLISH, build

SIZE = 8_000
SEGMENTS = 6


def experiment(*, offload, kind=REQUESTS):
    def network():
        found = build(PUBLISH)
        serve(found, Listen.parse("h1/web:tcp:0.0.0.0:80"))
        return found

    asked = Traffic(
        "x", "wan", parse_ip("192.0.2.2"), 8080, kind=kind, size=SIZE, reply=SIZE, offload=offload, polls=True
    )
    return Experiment(network, [asked], costs.load())


def packets(*, offload):
    return experiment(offload=offload).bills()["x"][1].totals.packets


def test_a_message_is_one_packet_with_offload_and_many_without():
    # a message and its acknowledgement, each way
    assert packets(offload=True) == 4
    # of every second segment an acknowledgement comes back, the last ones ride on data
    assert 2 * SEGMENTS <= packets(offload=False) <= 3 * SEGMENTS


def test_offload_makes_large_messages_cheaper_and_small_ones_not():
    large, cut = (experiment(offload=offload).bills()["x"][1].headings for offload in (True, False))
    assert large["devices"] * 3 < cut["devices"]
    assert large["copies"] == pytest.approx(cut["copies"], abs=2 * SEGMENTS)


@pytest.mark.parametrize("offload", [True, False])
@pytest.mark.parametrize("kind", [REQUESTS, CONNECTIONS])
def test_recorded_ways_are_the_walks_here_too(offload, kind):
    runs = [
        next(experiment(offload=offload, kind=kind).run(Plan(exchanges=6, engine=engine))) for engine in ("auto", WALKS)
    ]
    first, second = (outcome.flows["x"] for outcome in runs)
    assert first.latency.buckets() == second.latency.buckets()
