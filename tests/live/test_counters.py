"""Random rules and packets, from a seed: the counters that the real kernel raises are those that simnet raises."""

import re
import time

import pytest

from simnet.export.json import answer_json
from simnet.live.counters import compared
from simnet.live.recorded import Recorded, RuleCounter
from simnet.net.address import parse_ip
from simnet.scenario import snapshot
from simnet.scenario.question import Listen, ask
from tests.live.host import Host
from tests.live.probes import SERVERS, probes
from tests.live.rules import Dice
from tests.live.talk import Conversation
from tests.live.test_difference import seeds

pytestmark = pytest.mark.live
PROBES = 24
# an earlier connection's end may still be on its way: what differs is asked again, after so many seconds
ATTEMPTS, PAUSE = 3, 0.5
PLACE = "h1/host"
_LINE = re.compile(r"\[(\d+):(\d+)\] (-A .*)")


def counters(host):
    """Every rule's counter, in order."""
    found, table = [], ""
    for line in host.inside(PLACE, "iptables-save", "-c").splitlines():
        if line.startswith("*"):
            table = line[1:]
        elif counted := _LINE.fullmatch(line):
            found.append(RuleCounter(PLACE, table, counted[3], int(counted[1]), int(counted[2])))
    return found


def raised(host, probe):
    """What a probe adds to them."""
    before = counters(host)
    talk = Conversation(host, probe, SERVERS)
    try:
        talk.play()
        after = counters(host)
    finally:
        talk.close()
        host.forget()
    pairs = zip(before, after, strict=True)
    found = [RuleCounter(PLACE, new.table, new.rule, new.packets - old.packets, new.bytes - old.bytes)
             for old, new in pairs]  # fmt: skip
    return tuple(one for one in found if one.packets)


@pytest.mark.parametrize("seed", seeds())
def test_the_kernel_counts_the_same(tmp_path, seed):
    listens = tuple(Listen(place, kind, parse_ip(address), number) for place, kind, address, number in SERVERS)
    wrong = []
    with Host() as host:
        host.load(PLACE, Dice(seed, host.macs()).rules())
        host.snapshot(tmp_path)
        for probe in probes(seed, PROBES):
            answer = answer_json(ask(lambda: snapshot.load(tmp_path), probe.probe, listens))
            found = []
            for _ in range(ATTEMPTS):
                recorded = Recorded("", probe.frm, probe.proto, probe.dst, probe.dport, probe.sport,
                                    counters=raised(host, probe))  # fmt: skip
                found = [one for one in compared(recorded, answer) if one.kernel != one.simnet]
                if not found:
                    break
                time.sleep(PAUSE)
            wrong += [f"{probe}: {one.table} {one.rule}: kernel {one.kernel}, simnet {one.simnet}" for one in found]
    assert not wrong, "\n".join(wrong)
