"""Each rule of a model has one message."""

import pytest

from simnet.errors import UsageError
from simnet.sim.queueing.model import Exchange, Flow, Model, Station, Visit
from simnet.sim.queueing.validate import validate

RELEASE = Visit(0, 10, release=True)


def model(*visits, station=None, flow=None):
    return Model((station or Station("cpu"),), (Exchange(visits or (RELEASE,)),), (flow or Flow((0,)),))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (model(Visit(0, 10)), "flow 0 is closed, but no visit of its exchange 0 is a `release`"),
        (model(RELEASE, Visit(0, 5, parent=0, lag=-11)), "exchange 0, visit 1: lag -11 is before its parent's start"),
        (model(RELEASE, Visit(0, 5, parent=0, lag=-1), station=Station("nic", loss=0.1)), "which nic does not fix"),
        (model(RELEASE, Visit(0, 5, parent=0, lag=-1), station=Station("nic", slack=9)), "which nic does not fix"),
        (model(RELEASE, Visit(0, 5, parent=0, lag=-1), station=Station("nic", reorder=1)), "which nic does not fix"),
        (
            model(RELEASE, Visit(0, 5, parent=2), Visit(0, 5, parent=0)),
            "its parent is 2; a parent stands before",
        ),
        (model(RELEASE, Visit(0, 5)), "visit 1: its parent is -1"),
        (model(Visit(0, 5, parent=0)), "the first visit is the root"),
        (model(Visit(1, 5, release=True)), "there is no station 1; there are 1"),
        (model(Visit(0, -5, release=True)), "its service is -5 ns"),
        (model(Visit(0, 5, -1, release=True)), "noise of -1"),
        (model(station=Station("nic", loss=1.5)), r"station 0 \(nic\): loss is 1.5; it is a share from 0 to 1"),
        (model(station=Station("nic", reorder=-0.5)), "reorder is -0.5"),
        (model(station=Station("nic", capacity=-1)), "capacity is -1; it cannot be negative"),
        (model(flow=Flow((0,), begin=-1)), "flow 0: begin is -1"),
        (model(flow=Flow((0,), timeout=-1)), "timeout is -1"),
        (model(flow=Flow((7,))), "flow 0: there is no exchange 7; there are 1"),
        (model(flow=Flow(())), "flow 0 has no exchanges"),
        (model(flow=Flow((0,), cycle=2)), "the last 2 of its exchanges are to repeat; it has 1"),
        (Model((Station("cpu"),), (Exchange(()),), (Flow((0,)),)), "exchange 0 has no visits"),
        (Model((), (), ()), "at least one station"),
    ],
)
def test_a_broken_rule_is_named(wrong, message):
    with pytest.raises(UsageError, match=message):
        validate(wrong)


def test_what_is_allowed_passes():
    validate(model(RELEASE, Visit(0, 5, parent=0, lag=-10)))
