"""Which engine is chosen, and what is said where one cannot be had."""

import sys

import pytest

from simnet.errors import UsageError
from simnet.sim.queueing import engine, loop, tandem
from simnet.sim.queueing.arrivals import Constant, FromTimes, OnOff, Poisson
from simnet.sim.queueing.model import BLOCK, Exchange, Flow, Model, Run, Station, Visit
from tests.sim.queueing.models import outcome

once = Exchange((Visit(0, 300), Visit(1, 500, parent=0, release=True, record=True)))
twice = Exchange((Visit(0, 300), Visit(0, 500, parent=0, release=True, record=True)))
stations = Station("nic"), Station("core", capacity=40)


def model(kind, *flows):
    return Model(stations, (kind,), flows)


def test_a_path_is_run_by_its_closed_form():
    assert engine.choose(Run(model(once, Flow((0,), arrivals=Poisson(1e6))))) == "tandem"


def test_a_small_model_is_not_worth_compiling():
    assert engine.choose(Run(model(twice, Flow((0,), limit=100), Flow((0,), limit=100)))) == "loop"


def test_what_ends_first_says_how_large_a_model_is():
    short = Flow((0,), limit=10**9)
    assert engine.choose(Run(model(twice, short, short), until=100_000)) == "loop"
    assert engine.most_visits(Run(model(twice, short), until=8000)) == 20
    assert engine.most_visits(Run(model(twice, Flow((0,), limit=3)), until=8000)) == 6
    assert engine.most_visits(Run(model(twice, Flow((0,), limit=3, arrivals=Constant(10))), until=8000)) == 6
    assert engine.most_visits(Run(model(twice, Flow((0,), limit=9, arrivals=Constant(2000))), until=8000)) == 8


def test_a_large_model_is_compiled_where_numba_is():
    pytest.importorskip("numba")
    assert engine.choose(Run(model(twice, Flow((0,)), Flow((0,))))) == "compiled"


def test_a_large_ring_without_numba_has_its_closed_form(monkeypatch):
    monkeypatch.setattr(engine, "find_spec", lambda name: None)
    assert engine.choose(Run(model(once, *[Flow((0,))] * 32))) == "tandem"
    assert engine.choose(Run(model(once, *[Flow((0,))] * 2))) == "loop"


@pytest.mark.parametrize("name", ["auto", "reference", "loop", "compiled", "tandem"])
def test_each_can_be_named(name):
    if name == "compiled":
        pytest.importorskip("numba")
    ring = model(once, Flow((0,), limit=50), Flow((0,), limit=50))
    ours = outcome(engine.blocks, ring, engine=name)
    assert sorted(ours.rows) == sorted(outcome(loop.blocks, ring).rows)


def test_an_overflow_on_the_way_sends_a_closed_form_to_a_loop():
    times = [*range(0, 100_000 * 600, 600), *[60_000_001] * 300]
    way = Exchange((Visit(0, 300), Visit(1, 500, parent=0, record=True, bounded=True)))
    burst = model(way, Flow((0,), arrivals=FromTimes(times)))
    assert engine.choose(Run(burst)) == "tandem"
    with pytest.raises(UsageError, match="the queue of core overflows"):
        outcome(tandem.blocks, burst)
    ours = outcome(engine.blocks, burst)
    assert len(ours.rows) > BLOCK
    assert ours == outcome(loop.blocks, burst)


def test_an_unknown_engine_gets_the_nearest_name():
    with pytest.raises(UsageError, match="no engine 'compield'; did you mean 'compiled'"):
        next(engine.blocks(Run(model(once, Flow((0,)))), "compield"))


def test_the_compiled_loop_says_how_to_get_numba(monkeypatch):
    from simnet.sim.queueing import compiled

    monkeypatch.setitem(sys.modules, "numba", None)
    monkeypatch.setattr(compiled, "compile_kernels", compiled.compile_kernels.__wrapped__)
    with pytest.raises(UsageError, match=r"pip install 'simnet-docker\[fast\]'"):
        next(engine.blocks(Run(model(once, Flow((0,)))), "compiled"))


def test_a_closed_form_that_does_not_hold_is_refused():
    with pytest.raises(UsageError, match="no closed form holds for this model"):
        next(engine.blocks(Run(model(twice, Flow((0,)), Flow((0,)))), "tandem"))


def test_a_broken_model_is_refused():
    with pytest.raises(UsageError, match="there is no exchange 3"):
        next(engine.blocks(Run(model(once, Flow((3,))))))


def test_a_caller_can_stop_between_blocks():
    run = Run(model(once, *(Flow((0,)) for _ in range(4))))
    blocks = engine.blocks(run, "loop")
    assert len(next(blocks)) == BLOCK
    assert run.tally.begun.sum() >= BLOCK
    blocks.close()


@pytest.mark.parametrize(
    ("arrivals", "expected"),
    [(Constant(1000), 1e3), (Poisson(1e6), 1e3), (OnOff(10, 30, 5), 5e4), (FromTimes([1, 2]), 2)],
)
def test_the_work_of_open_flows_is_known_about(arrivals, expected):
    run = Run(model(once, Flow((0,), arrivals=arrivals)), until=1_000_000)
    assert engine.most_visits(run) == pytest.approx(2 * expected, rel=0.01)
