"""Traffic: what makes no sense is refused, and each flow has its own arrivals."""

from dataclasses import replace

import pytest

from simnet.errors import UsageError
from simnet.sim.queueing.arrivals import Constant
from simnet.sim.traffic import OPEN, Traffic

WEB = Traffic("web", "wan", 0xC0000202, 8080)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"parallel": 0}, "parallel must be 1 or more"),
        ({"think": -1}, "think must be 0 or more"),
        ({"reply": 0}, "give reply a size"),
        ({"kind": OPEN}, "open traffic needs a rate or times"),
        ({"arrivals": Constant(5)}, "no other kind has them"),
        ({"kind": OPEN, "parallel": 3, "arrivals": (Constant(5), Constant(6))}, "3 flows, but arrivals of 2"),
        ({"proto": "udp", "size": 70_000}, "a datagram holds at most"),
        ({"port": 0}, "no port 0"),
    ],
)
def test_what_makes_no_sense(changes, said):
    with pytest.raises(UsageError, match=said):
        replace(WEB, **changes).checked()


def test_each_flow_has_its_own_arrivals_or_the_same():
    assert WEB.arrivals_of(0) is None
    same = replace(WEB, kind=OPEN, parallel=2, arrivals=Constant(5)).checked()
    assert same.arrivals_of(0) == same.arrivals_of(1) == Constant(5)
    own = replace(same, arrivals=(Constant(5), Constant(6))).checked()
    assert own.arrivals_of(1) == Constant(6)
