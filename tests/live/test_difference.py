"""Random rules and packets, from a seed: the real kernel and simnet agree on every chain walk and every outcome.

By hand for more seeds: `SIMNET_SEEDS=1-1000 scripts/test -n 0 tests/live`.
"""

import os
from functools import partial

import pytest

from simnet.live.probe.talk import Conversation
from simnet.live.probe.trace import FLAGS, Monitor
from simnet.net.address import ip_text
from simnet.net.packet import IcmpMessage, IPv4
from simnet.net.step import ChainWalk
from simnet.scenario import snapshot
from simnet.scenario.question import ask
from tests.live.agreement import disagreement
from tests.live.host import Host
from tests.live.probes import SERVERS, probes
from tests.live.rules import Dice

pytestmark = pytest.mark.live
PROBES = 24
QUIET = 0.012
ATTEMPTS = 2
WATCHED = ("h1/host",)


def seeds():
    first, _, last = os.environ.get("SIMNET_SEEDS", "1-3").partition("-")
    return range(int(first), int(last or first) + 1)


@pytest.fixture(scope="module")
def host():
    with Host() as made:
        yield made


def kernel_says(host, monitors, probe):
    """The verdict, the client as the server saw it, and the first walk of each kind of packet."""
    for monitor in monitors:
        monitor.drain()
    talk = Conversation(host.spaces, probe, SERVERS)
    try:
        verdict = talk.play()
        walks = [walk for monitor in monitors for walk in monitor.drain(QUIET)]
    finally:
        talk.close()
        host.forget()
    found = {}
    for walk in walks:
        found.setdefault(known(walk.key, probe), walk.rules)
    return verdict, talk.server_saw, found


def simnet_says(folder, probe):
    """The same from simnet."""
    answer = ask(lambda: snapshot.load(folder), probe, SERVERS)
    assert not answer.doubts, answer.doubts
    found = {}
    for walk in answer.trace.walks():
        if walk.place in WATCHED:
            rules = [(hit.chain, hit.number) for hit in walk.hits]
            found.setdefault(known(key_of(walk), probe), rules + ([(walk.chain, walk.policy)] if walk.policy else []))
    return answer.trace.verdict, answer.trace.server_saw, found


def key_of(walk: ChainWalk):
    packet = walk.packet
    assert isinstance(packet, IPv4)
    transport = packet.transport
    detail = ""
    if packet.proto == 6:
        detail = " ".join(name for name, bit in FLAGS if transport.flags & bit)
    if isinstance(transport, IcmpMessage):
        detail = f"type {transport.type} code {transport.code}"
    where = walk.place, walk.table, walk.chain, walk.iif, walk.oif
    ends = ip_text(packet.src), ip_text(packet.dst), packet.proto, packet.sport or 0, packet.dport or 0
    return (*where, *ends, detail, packet.ttl, packet.tos, packet.length)


def known(key, probe):
    """A walk's key without what one side cannot know.

    Ports that nobody chose are all the same; the kernel's first message of a walk comes when its first rule has run,
    so that in table mangle TTL and TOS are not told as they were.
    """
    fixed = {0, probe.sport, probe.port, *(server.port for server in SERVERS)}
    ports = (port if port in fixed else "*" for port in key[8:10])
    ttl, tos = ("*", "*") if key[1] == "mangle" else key[11:13]
    return (*key[:8], *ports, key[10], ttl, tos, key[13])


@pytest.mark.parametrize("seed", seeds())
def test_the_kernel_agrees(host, tmp_path, seed):
    host.load("h1/host", Dice(seed, host.macs()).rules())
    host.snapshot(tmp_path)
    host.forget()
    monitors = [Monitor(host.spaces[place], place) for place in WATCHED]
    try:
        for monitor in monitors:
            monitor.number_rules()
            host.trace(monitor.place)
        wrong = {
            str(probe): disagreement(
                partial(kernel_says, host, monitors, probe), simnet_says(tmp_path, probe), ATTEMPTS
            )
            for probe in probes(seed, PROBES)
        }
    finally:
        for monitor in monitors:
            monitor.close()
    lines = [f"seed {seed}: {probe}\n  " + "\n  ".join(found) for probe, found in wrong.items() if found]
    if lines:
        pytest.fail("\n".join(lines), pytrace=False)
