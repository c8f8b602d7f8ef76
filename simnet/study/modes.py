"""Docker's network modes side by side: the same question through each, what its packets come to, how long they take.

The hosts are those of `scenarios/performance/modes.yaml`, as any engine version sets them up. Counts are of one TCP
conversation; times are of UDP requests whose programs poll (what waking one takes would hide the modes), and of a
stream of datagrams from one CPU.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from simnet.net.address import parse_ip
from simnet.net.conversation import Probe, Totals, Trace, converse, count
from simnet.net.packet import ACK, PSH, SYN, IPv4, TcpSegment
from simnet.net.step import Step
from simnet.scenario.source import Source, read_source

if TYPE_CHECKING:
    from simnet.net.network import Network
    from simnet.sim.experiment import Bill
    from simnet.sim.histogram import Histogram
    from simnet.sim.prices.costs import Costs

SCENARIO = "scenarios/performance/modes.yaml"
ENGINE = "28.5"
BASELINE = "host"
# ports that nothing here uses
_UNUSED = range(1, 80)
# pieces of a stream: its rate has settled long before
_STREAMED = 1000


@dataclass(frozen=True, slots=True)
class Mode:
    """A mode and the question that it is asked: who talks to whom."""

    name: str
    title: str
    frm: str
    to: str
    port: int


MODES = (
    Mode("host", "outside → host's network", "wan", "192.0.2.2", 9001),
    Mode("bridge", "outside → container itself", "wan", "172.30.0.2", 80),
    Mode("nat", "outside → published port", "wan", "192.0.2.2", 8080),
    Mode("nat-out", "container → outside", "h1/web", "192.0.2.1", 80),
    Mode("proxy", "localhost → docker-proxy", "h1", "127.0.0.1", 8080),
    Mode("container", "two containers, one network", "h1/shared", "127.0.0.1", 80),
    Mode("none", "no network → outside", "h1/alone", "192.0.2.1", 80),
    Mode("overlay", "container → other host", "h1/near", "10.99.0.21", 80),
)


@dataclass(frozen=True, slots=True)
class Way:
    """What one direction costs: its first packet (a handshake's) and a later one (data's), each through every leg."""

    first: Totals
    later: Totals


@dataclass(frozen=True, slots=True)
class Timing:
    """How long a mode takes: round trips (ns), the first and all later ones, and a stream's rates.

    `bills` are what the first and a later exchange come to, there and back.
    """

    first: int
    later: Histogram
    bills: tuple[Bill, Bill]
    packets: float
    bits: float


@dataclass(frozen=True, slots=True)
class ModeResult:
    """A mode, its conversation, the counts of the way there and back; its times, None where nothing gets through."""

    mode: Mode
    trace: Trace
    request: Way
    reply: Way
    timing: Timing | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What a comparison asks: exchanges of each mode, prices, added rules, and whether programs poll.

    Added rules ask for a port that nobody uses, `accepted` behind one that accepts what is ESTABLISHED.
    """

    costs: Costs
    exchanges: int = 10_000
    rules: int = 0
    accepted: bool = True
    polls: bool = True
    proto: str = "udp"
    size: int = 64
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """The modes under one engine, and what was asked (None: only counts)."""

    engine: str
    question: Question | None
    results: tuple[ModeResult, ...]

    def relative(self) -> dict[str, tuple[float, float]]:
        """Of each mode its later round trip and its stream's throughput, as multiples of the host mode's."""
        timed = {one.mode.name: one.timing for one in self.results if one.timing is not None}
        base = timed.get(BASELINE)
        if base is None or not base.later.mean or not base.bits:
            return {}
        return {name: (one.later.mean / base.later.mean, one.bits / base.bits) for name, one in timed.items()}

    def order(self, name: str) -> int:
        """Where a mode stands."""
        return [one.mode.name for one in self.results].index(name)

    def __str__(self) -> str:
        """What is compared under which conditions."""
        if self.question is None:
            return f"Docker {self.engine}"
        one = self.question
        added = f", {one.rules} rules added" if one.rules else ""
        behind = " behind an ESTABLISHED accept" if one.rules and one.accepted else ""
        backend = f" ({one.costs.backend})" if one.rules else ""
        return f"Docker {self.engine}, {one.costs.name}{backend}{added}{behind}"


def hosts(engine: str = ENGINE) -> Source:
    """The hosts that are compared, under an engine version.

    Example:
        >>> sorted(hosts("20.10").open().network.aliases)
        ['h1', 'h1/native', 'h1/shared', 'h2', 'wan']
    """
    return read_source(SCENARIO, engine)


def compare(engine: str = ENGINE, question: Question | None = None, modes: Iterable[str] = ()) -> Comparison:
    """Play the modes' conversations (all, or some by name) and count; with a question, time them too.

    Example:
        >>> host, bridge, *_ = compare().results
        >>> bridge.request.first.rules_evaluated > host.request.first.rules_evaluated
        True
    """
    network, wanted = hosts(engine).open().network, set(modes) or {mode.name for mode in MODES}
    if question is not None:
        add_rules(network, question)
    results = (_result(network, mode, question) for mode in MODES if mode.name in wanted)
    return Comparison(engine, question, tuple(results))


def _result(network: Network, mode: Mode, question: Question | None) -> ModeResult:
    network.forget_connections()
    trace = converse(network, Probe(mode.frm, parse_ip(mode.to), mode.port))
    packets = trace.packets()
    asked = {b"hi"}
    result = ModeResult(
        mode,
        trace,
        Way(_sum(_with_flags(packets, SYN)), _sum(_with_data(packets, asked, among=True))),
        Way(_sum(_with_flags(packets, SYN | ACK)), _sum(_with_data(packets, asked, among=False))),
    )
    if question is None or trace.verdict != "reply":
        return result
    return replace(result, timing=_time(network, mode, question))


def add_rules(network: Network, question: Question) -> None:
    """Add rules to the chains of h1 that a packet for a container or for the host passes, before what is there."""
    if not question.rules:
        return
    from simnet.net.netfilter.save import parse_rule

    host = network.find("h1")
    table = host.ruleset.tables["filter"]
    for name in ("FORWARD", "INPUT", "OUTPUT"):
        chain = table.chains[name]
        accept = ["-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"] if question.accepted else []
        refuse = [f"-p {question.proto} -m {question.proto} --dport {port} -j DROP" for port in _UNUSED]
        asked = [parse_rule(table, name, text) for text in refuse]
        chain.rules[:0] = [
            *(parse_rule(table, name, text) for text in accept),
            *(replace(asked[number % len(asked)]) for number in range(question.rules)),
        ]
        chain.version, chain.index = chain.version + 1, None
    host.rules_changed()


def _time(network: Network, mode: Mode, question: Question) -> Timing:
    from simnet.sim.experiment import Experiment, Plan
    from simnet.sim.traffic import REQUESTS, STREAM, Traffic

    traffic = Traffic(mode.name, mode.frm, parse_ip(mode.to), mode.port, question.proto, size=question.size,
                      reply=question.size, polls=question.polls)  # fmt: skip
    asked = Experiment(lambda: network, [replace(traffic, kind=REQUESTS)], question.costs)
    flow = next(asked.run(Plan(exchanges=question.exchanges, seed=question.seed))).flows[mode.name]
    streamed = Experiment(lambda: network, [replace(traffic, kind=STREAM)], question.costs)
    stream = next(streamed.run(Plan(exchanges=_STREAMED, seed=question.seed))).flows[mode.name]
    return Timing(flow.first.greatest, flow.later, asked.bills()[mode.name], stream.rate, stream.throughput)


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
