"""Random rules and packets, from a seed: the counters that the real kernel raises are those that simnet raises."""

import time

import pytest

from simnet.export.json import answer_json
from simnet.live.agreement.counters import compared
from simnet.live.probe import counting
from simnet.live.probe.talk import Conversation
from simnet.live.recording.recorded import Recorded
from simnet.net.address import ip_text
from simnet.scenario import snapshot
from simnet.scenario.question import ask
from tests.live.host import Host
from tests.live.probes import SERVERS, probes
from tests.live.rules import Dice
from tests.live.test_difference import seeds

pytestmark = pytest.mark.live
PROBES = 24
# an earlier connection's end may still be on its way: what differs is asked again, after so many seconds
ATTEMPTS, PAUSE = 3, 0.5
PLACE = "h1/host"


def raised(host, probe):
    """What a probe adds to the counters of the host's rules."""
    before = counting.read(host.spaces[PLACE])
    with Conversation(host.spaces, probe, SERVERS) as talk:
        talk.play()
        found = counting.risen(PLACE, before, counting.read(host.spaces[PLACE]))
    host.forget()
    return tuple(found)


@pytest.mark.parametrize("seed", seeds())
def test_the_kernel_counts_the_same(tmp_path, seed):
    wrong = []
    with Host() as host:
        host.load(PLACE, Dice(seed, host.macs()).rules())
        host.snapshot(tmp_path)
        for probe in probes(seed, PROBES):
            answer = answer_json(ask(lambda: snapshot.load(tmp_path), probe, SERVERS))
            found = []
            for _ in range(ATTEMPTS):
                recorded = Recorded("", probe.frm, probe.proto, ip_text(probe.to), probe.port, probe.sport,
                                    counters=raised(host, probe))  # fmt: skip
                found = [one for one in compared(recorded, answer) if one.kernel != one.simnet]
                if not found:
                    break
                time.sleep(PAUSE)
            wrong += [f"{probe}: {one.table} {one.rule}: kernel {one.kernel}, simnet {one.simnet}" for one in found]
    assert not wrong, "\n".join(wrong)
