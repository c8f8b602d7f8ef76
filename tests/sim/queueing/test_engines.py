"""All engines give the same times to the nanosecond, and count the same, whatever the model."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simnet.sim.queueing import alone, compiled, kernel, lengths, loop, path, reference, ring
from simnet.sim.queueing.arrivals import Constant, FromTimes, Poisson
from simnet.sim.queueing.model import BLOCK, Exchange, Flow, Model, Run, Station, Visit
from simnet.sim.queueing.station import NoClosedForm
from simnet.sim.queueing.validate import validate
from tests.sim.queueing.models import any_models, outcome, quick_rings, ways


@pytest.fixture(scope="module", autouse=True)
def narrow_spans():
    """Queue lengths are noted in spans so narrow that they become wider in short runs as well."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lengths, "SHIFT", 0)
        patch.setattr(compiled, "SHIFT", 0)
        yield


seeds = st.integers(0, 1 << 32)
ends = st.sampled_from([300, 1 << 40])


@given(any_models(), seeds, ends)
def test_the_loop_equals_the_reference(model, seed, until):
    validate(model)
    ours, reference_s = outcome(loop.blocks, model, seed, until), outcome(reference.blocks, model, seed, until)
    # SimPy tells an end when it comes, the loop when it is settled
    assert sorted(ours.rows) == sorted(reference_s.rows)
    del ours.tally["ended"], reference_s.tally["ended"]
    assert ours.tally == reference_s.tally


@given(any_models(), seeds, ends)
def test_the_kernels_equal_the_loop_uncompiled(model, seed, until):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled, "compile_kernels", lambda: (kernel.lanes, kernel.slots))
        assert outcome(compiled.blocks, model, seed, until) == outcome(loop.blocks, model, seed, until)


@settings(max_examples=300)
@given(any_models(), seeds, ends, st.sampled_from([0, 0, 1, 200]))
def test_the_compiled_loop_equals_the_loop(model, seed, until, horizon):
    pytest.importorskip("numba")
    ours = outcome(compiled.blocks, model, seed, until, horizon=horizon)
    assert ours == outcome(loop.blocks, model, seed, until)


@pytest.mark.parametrize("form", [path, ring, alone], ids=["path", "ring", "alone"])
@settings(max_examples=200)
@given(data=st.data())
def test_a_closed_form_equals_the_loop(form, data):
    model, seed, until = data.draw(ways(form.__name__.rpartition(".")[2])), data.draw(seeds), data.draw(ends)
    validate(model)
    if not form.holds(model):
        return
    expected = outcome(loop.blocks, model, seed, until)
    try:
        ours = outcome(form.blocks, model, seed, until)
    except NoClosedForm:
        assert sum(expected.tally["dropped"]) > 0
    else:
        assert ours == expected


@settings(max_examples=150)
@given(quick_rings(), seeds, st.sampled_from([500, 20_000]))
def test_flows_that_overtake_each_other_in_a_ring_change_lanes(model, seed, until):
    assert ring.holds(model)
    try:
        ours = outcome(ring.blocks, model, seed, until)
    except NoClosedForm:
        return
    assert ours == outcome(loop.blocks, model, seed, until)


def test_a_ring_of_64_exponential_services_needs_no_loop():
    way = tuple(Visit(at, 0, 200, at - 1, release=at == 9, record=at == 4) for at in range(10))
    model = Model(tuple(Station(f"s{at}") for at in range(10)), (Exchange(way),), (Flow((0,)),) * 64)
    ours = outcome(ring.blocks, model, 1, 400_000)
    # some have overtaken others by now
    assert len(set(ours.tally["begun"])) > 1
    assert ours == outcome(loop.blocks, model, 1, 400_000)


def long_model(name):
    """A model with what grows and what is refilled: queues, events under way, variates, times of arrival, blocks."""
    quick, slow, lossy = Station("quick"), Station("slow", capacity=900), Station("lossy", loss=0.01, reorder=0.02)
    replies = [Visit(1, 30, 10, 0, lag, release=lag == 2, record=True, bounded=True) for lag in range(3)]
    fork = Exchange((Visit(0, 5, 20), *replies, Visit(2, 3, 9, 0, record=True)))
    chain = Exchange((Visit(0, 5, 20), Visit(1, 30, 10, 0, bounded=True), Visit(2, 3, 0, 1, release=True, record=True)))
    if name == "open":
        return Model((quick, slow, lossy), (fork,), (Flow((0,), arrivals=Poisson(2e7), limit=30_000),))
    if name == "unbounded":
        return Model((quick, Station("slow"), lossy), (chain,), (Flow((0,), arrivals=Constant(20), limit=9000),))
    if name == "closed":
        return Model((quick, slow, lossy), (chain,), tuple(Flow((0,), limit=500, timeout=900) for _ in range(200)))
    return Model((quick, slow, lossy), (fork,), tuple(Flow((0,), limit=2000) for _ in range(30)))


@pytest.mark.parametrize("name", ["open", "unbounded", "closed", "forks"])
def test_long_runs_are_equal_block_by_block(name):
    pytest.importorskip("numba")
    model = long_model(name)
    blocks = [list(engine.blocks(Run(model, 3))) for engine in (loop, compiled)]
    assert [len(block) for block in blocks[0]] == [len(block) for block in blocks[1]]
    assert all(len(block) == BLOCK for block in blocks[0][:-1])
    for ours, theirs in zip(*blocks, strict=True):
        for column in ("flow", "number", "began", "ended"):
            assert np.array_equal(getattr(ours, column), getattr(theirs, column))
    assert outcome(compiled.blocks, model, 3).tally == outcome(loop.blocks, model, 3).tally


def test_merged_arrivals_stand_in_the_order_of_time_then_flow():
    once = Exchange((Visit(0, 1, record=True),))
    times = [[0, 0, 5, 5, 9], [0, 5, 5, 5], [], [9] * 20_000]
    model = Model((Station("s"),), (once,), tuple(Flow((0,), arrivals=FromTimes(many)) for many in times))
    assert outcome(path.blocks, model) == outcome(loop.blocks, model)


def test_an_exchange_fails_once():
    """Of three releases the first is dropped, the second ends, the third is dropped as well."""
    visits = Visit(0, 0), Visit(1, 9, 0, 0, 10, bounded=True, release=True), Visit(2, 9, 0, 0, 20, release=True)
    model = Model(
        (Station("root"), Station("full", capacity=1), Station("free")),
        (
            Exchange((*visits, Visit(1, 9, 0, 0, 30, bounded=True, release=True))),
            Exchange((Visit(1, 999, bounded=True),)),
        ),
        (Flow((0,), limit=1, timeout=5000), Flow((1,), limit=2, arrivals=FromTimes([0, 1]))),
    )
    for engine in (loop, reference):
        assert outcome(engine.blocks, model).tally["failed"] == [1, 0]


@pytest.mark.parametrize("engine", [loop, reference, path])
def test_a_seed_fixes_all_and_another_changes_it(engine):
    way = Exchange((Visit(0, 10, 90), Visit(1, 10, 90, 0, record=True)))
    model = Model((Station("a"), Station("b")), (way,), (Flow((0,), arrivals=Poisson(1e7), limit=500),))
    assert outcome(engine.blocks, model, 1) == outcome(engine.blocks, model, 1)
    assert outcome(engine.blocks, model, 1).rows != outcome(engine.blocks, model, 2).rows


def test_a_station_keeps_its_variates_whatever_else_a_model_holds():
    way = Exchange((Visit(0, 10, 90, record=True),))
    flow = Flow((0,), arrivals=Constant(1000), limit=200)
    alone_there = Model((Station("a"),), (way,), (flow,))
    other = Exchange((Visit(1, 5, 50),))
    beside = Model((Station("a"), Station("b")), (way, other), (flow, Flow((1,), arrivals=Poisson(1e7), limit=100)))
    assert outcome(loop.blocks, alone_there, 5).rows == outcome(loop.blocks, beside, 5).rows


def test_numba_is_loaded_only_when_it_is_needed():
    program = "import sys, simnet.sim.queueing.engine, simnet.sim.queueing.compiled; print('numba' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
