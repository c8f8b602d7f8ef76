"""What queueing theory says of these models, with bounds of more than four standard errors."""

import numpy as np
import pytest

from simnet.sim.queueing import engine, path
from simnet.sim.queueing.arrivals import FromTimes, Poisson
from simnet.sim.queueing.model import Exchange, Flow, Model, Run, Station, Visit

SERVICE = 1_000_000


def mean_wait(load, fixed, noise, packets, seeds):
    """The mean wait in ns at one station with Poisson arrivals, over independent runs."""
    flow = Flow((0,), limit=packets, arrivals=Poisson(load * 1e9 / SERVICE))
    model = Model((Station("server"),), (Exchange((Visit(0, fixed, noise),)),), (flow,))
    waits = []
    for seed in range(seeds):
        run = Run(model, seed)
        for _ in path.blocks(run):
            pass
        waits.append(run.tally.waited[0] / packets)
    return np.mean(waits)


@pytest.mark.parametrize("load", [0.3, 0.5, 0.7])
def test_m_d_1_waits_as_pollaczek_and_khinchine_say(load):
    # a run of 10⁶ has a standard error of about 0.45 % at 0.5 and 1 % at 0.7
    found = mean_wait(load, SERVICE, 0, 1_000_000, 16)
    assert found == pytest.approx(load * SERVICE / (2 * (1 - load)), rel=0.005 if load < 0.6 else 0.01)


@pytest.mark.parametrize(("load", "bound"), [(0.3, 0.005), (0.5, 0.005)])
def test_m_m_1_waits_as_pollaczek_and_khinchine_say(load, bound):
    # a run of 10⁶ has a standard error of 0.54 % at 0.5: of twenty runs 0.12 %
    found = mean_wait(load, 0, SERVICE, 1_000_000, 20)
    assert found == pytest.approx(load * SERVICE / (1 - load), rel=bound)


def test_behind_an_equal_station_nobody_waits():
    way = Exchange(tuple(Visit(at, 500, 0, at - 1, record=at == 5) for at in range(6)))
    stations = tuple(Station(f"hop{at}") for at in range(6))
    run = Run(Model(stations, (way,), (Flow((0,), limit=100_000, arrivals=Poisson(1.8e6)),)), 1)
    delays = np.concatenate([block.ended - block.began for block in engine.blocks(run)])
    assert run.tally.waited[0] > 0
    assert not run.tally.waited[1:].any()
    assert delays.sum() == run.tally.waited[0] + 6 * 500 * len(delays)


def test_littles_law():
    """The jobs in a tandem at a time, seen from outside, are as many as arrive in the time that one takes."""
    way = Exchange((Visit(0, 100, 400), Visit(1, 100, 500, 0, record=True)))
    run = Run(Model((Station("a"), Station("b")), (way,), (Flow((0,), limit=50_000, arrivals=Poisson(1e6)),)), 4)
    blocks = list(engine.blocks(run, "loop"))
    began = np.concatenate([block.began for block in blocks])
    ended = np.concatenate([block.ended for block in blocks])
    moments = np.sort(np.concatenate([began, ended]))
    inside = np.searchsorted(np.sort(began), moments, "right") - np.searchsorted(np.sort(ended), moments, "right")
    area = int((inside[:-1] * np.diff(moments)).sum())
    assert area == (ended - began).sum() == run.tally.waited.sum() + run.tally.busy.sum()


def test_a_token_bucket_lets_its_rate_through():
    """A burst passes at once as far as the slack reaches, then one a period."""
    burst = Flow((0,), arrivals=FromTimes([0] * 6))
    model = Model((Station("shaper", slack=3000),), (Exchange((Visit(0, 1000, record=True),)),), (burst,))
    ended = np.concatenate([block.ended for block in engine.blocks(Run(model), "loop")])
    assert ended.tolist() == [0, 0, 0, 1000, 2000, 3000]


def test_a_closed_network_is_limited_by_its_slowest_station():
    ring = Exchange((Visit(0, 300), Visit(1, 700, parent=0), Visit(2, 200, parent=1, release=True, record=True)))
    stations = tuple(Station(name) for name in "abc")
    run = Run(Model(stations, (ring,), tuple(Flow((0,), limit=1000) for _ in range(8))))
    assert sum(len(block) for block in engine.blocks(run)) == 8000
    assert run.tally.ended == 300 + 8000 * 700 + 200
