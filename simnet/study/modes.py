"""Docker's network modes on one built-in host, each asked one question, and what its packets come to.

The host is a snapshot of a real one that ships with simnet, with an outside machine beside it; the overlay network
spans two such hosts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from simnet.errors import UnknownName
from simnet.net.address import parse_ip
from simnet.net.conversation import Probe, Totals, Trace, count
from simnet.net.packet import ACK, PSH, SYN, IPv4, TcpSegment
from simnet.net.step import Step
from simnet.scenario.question import Listen, ask
from simnet.scenario.source import open_source

ENGINES = ("20.10", "28.5")
OVERLAY_ENGINE = "28.5"


@dataclass(frozen=True, slots=True)
class Mode:
    """A mode and the question that it is asked: who talks to whom."""

    name: str
    title: str
    source: str
    frm: str
    to: str
    port: int
    listen: str


def modes(engine: str = "28.5") -> tuple[Mode, ...]:
    """The modes as an engine version sets them up; UnknownName for a version that there is no host of.

    Example:
        >>> [mode.name for mode in modes()]
        ['host', 'bridge', 'bridge-out', 'proxy', 'container', 'none', 'overlay']
    """
    if engine not in ENGINES:
        raise UnknownName("engine", engine, ENGINES)
    host = f"scenarios/snapshots/seed-modes-{engine}"
    two = f"scenarios/snapshots/overlay-{OVERLAY_ENGINE}"
    nat2 = "h1/csphere-nat2:tcp:0.0.0.0:22"
    return (
        Mode("host", "outside → host-mode container", host, "wan", "192.0.2.2", 9001,
             "h1/csphere-host:tcp:0.0.0.0:9001"),
        Mode("bridge", "outside → published port (DNAT)", host, "wan", "192.0.2.2", 2222, nat2),
        Mode("bridge-out", "container → outside (masquerade)", host, "h1/csphere-nat", "192.0.2.1", 80,
             "wan:tcp:0.0.0.0:80"),
        Mode("proxy", "localhost → published (docker-proxy)", host, "h1", "127.0.0.1", 2222, nat2),
        Mode("container", "container → container, shared", host, "h1/csphere-con", "127.0.0.1", 9000,
             "h1/csphere-nat:tcp:127.0.0.1:9000"),
        Mode("none", "no network → outside", host, "h1/csphere-none", "192.0.2.1", 80,
             "wan:tcp:0.0.0.0:80"),
        Mode("overlay", "container → other host (VXLAN)", two, "h1/a1", "10.99.0.21", 80,
             "h2/b1:tcp:0.0.0.0:80"),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Way:
    """What one direction costs: its first packet (a handshake's) and a later one (data's), each through every leg."""

    first: Totals
    later: Totals


@dataclass(frozen=True, slots=True)
class ModeResult:
    """A mode, its conversation, and the counts of the way there and back."""

    mode: Mode
    trace: Trace
    request: Way
    reply: Way


def compare(engine: str = "28.5") -> list[ModeResult]:
    """Play every mode's conversation and count.

    Example:
        >>> host, bridge, *_ = compare()
        >>> bridge.request.first.rules_evaluated > host.request.first.rules_evaluated
        True
    """
    return [_play(mode) for mode in modes(engine)]


def _play(mode: Mode) -> ModeResult:
    probe = Probe(mode.frm, parse_ip(mode.to), mode.port)
    trace = ask(lambda: open_source(mode.source), probe, (Listen.parse(mode.listen),)).trace
    packets = trace.packets()
    asked = {b"hi"}
    return ModeResult(
        mode,
        trace,
        Way(_sum(_with_flags(packets, SYN)), _sum(_with_data(packets, asked, among=True))),
        Way(_sum(_with_flags(packets, SYN | ACK)), _sum(_with_data(packets, asked, among=False))),
    )


def _segment(steps: list[Step]) -> TcpSegment | None:
    packet = steps[0].packet
    return packet.transport if isinstance(packet, IPv4) and isinstance(packet.transport, TcpSegment) else None


def _with_flags(packets: Iterable[list[Step]], flags: int) -> list[list[Step]]:
    """The packets of every leg with just these flags, without repetitions."""
    found: dict[str, list[Step]] = {}
    for steps in packets:
        segment = _segment(steps)
        if segment is not None and segment.flags == flags:
            found.setdefault(str(steps[0].packet), steps)
    return list(found.values())


def _with_data(packets: Iterable[list[Step]], data: set[bytes], *, among: bool) -> list[list[Step]]:
    """The packets that carry data which is (or is not) `among` the given."""
    found = []
    for steps in packets:
        segment = _segment(steps)
        if segment is not None and segment.flags & PSH and (segment.data in data) == among:
            found.append(steps)
    return found


def _sum(packets: list[list[Step]]) -> Totals:
    return count(step for steps in packets for step in steps)
