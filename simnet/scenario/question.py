"""One question to a source: a probe, the servers that listen, and the answer with what it hangs on.

A rule that a snapshot cannot decide is followed both ways: the question is asked again for every combination of the
undecided rules that its packets meet, and the answer holds every outcome.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from simnet.errors import UnknownName, UsageError
from simnet.net.address import ip_text, parse_ip
from simnet.net.conversation import Probe, Trace, converse
from simnet.net.network import Network
from simnet.net.program import Server
from simnet.net.step import Undecided

# place, table, chain, number
RuleKey = tuple[str, str, str, int]
_MOST_RUNS = 64


class Outcome(NamedTuple):
    """A verdict, and the two ends as the server had them (empty without one)."""

    verdict: str
    server_saw: str
    served_at: str

    def __str__(self) -> str:
        """`reply (the server saw 192.0.2.1:40000)`."""
        return self.verdict + (f" (the server saw {self.server_saw})" if self.server_saw else "")


@dataclass(frozen=True, slots=True)
class Listen:
    """A server that is to listen: `PLACE:PROTO:ADDR:PORT`."""

    place: str
    proto: str
    address: int
    port: int

    @classmethod
    def parse(cls, text: str) -> Listen:
        """Read the form of `--listen`; UsageError where it is none.

        Example:
            >>> Listen.parse("h1/web:tcp:0.0.0.0:80").port
            80
        """
        parts = text.split(":")
        if len(parts) != 4:
            raise UsageError(f"--listen {text!r} is not PLACE:PROTO:ADDR:PORT, such as h1/web:tcp:0.0.0.0:80")
        place, proto, address, port = parts
        if proto not in {"tcp", "udp"}:
            raise UsageError(f"--listen {text!r}: the protocol is tcp or udp, not {proto!r}")
        return cls(place, proto, address_of(address, f"--listen {text!r}"), port_of(port, f"--listen {text!r}"))

    def __str__(self) -> str:
        """The form that `parse` reads."""
        return f"{self.place}:{self.proto}:{ip_text(self.address)}:{self.port}"


def address_of(text: str, where: str) -> int:
    """An address, or a UsageError that says where it stood."""
    try:
        return parse_ip(text)
    except ValueError:
        raise UsageError(f"{where}: {text!r} is no IPv4 address") from None


def port_of(text: str, where: str) -> int:
    """A port number, or a UsageError that says where it stood."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise UsageError(f"{where}: {text!r} is no port (1 to 65535)")
    return int(text)


@dataclass(frozen=True, slots=True)
class Doubt:
    """A rule that a snapshot cannot decide: where it is, what comes of it if it matches and if not.

    `settle` is the command that tells on the real host: it shows the rule's counter, which a matching packet raises.
    """

    place: str
    rule: Undecided
    if_match: Trace
    if_not: Trace

    @property
    def matters(self) -> bool:
        """Whether the outcome hangs on this rule alone."""
        return outcome(self.if_match) != outcome(self.if_not)

    @property
    def settle(self) -> str:
        """What to run at the place before and after the packet; the counter says whether it matched."""
        return f"iptables -t {self.rule.table} -nvxL {self.rule.chain} {self.rule.number}"

    @property
    def key(self) -> str:
        """The form that `--let` takes."""
        return f"{self.place}:{self.rule.table}:{self.rule.chain}:{self.rule.number}"


@dataclass(frozen=True, slots=True)
class Answer:
    """The trace of a question, every undecided rule that was met, and every outcome that they leave possible.

    `followed` is False where there were more combinations than were tried.
    """

    trace: Trace
    doubts: tuple[Doubt, ...] = field(default=())
    outcomes: tuple[Outcome, ...] = field(default=())
    followed: bool = True

    @property
    def certain(self) -> bool:
        """Whether the outcome is the same whatever the undecided rules do."""
        return len(self.outcomes) < 2 and self.followed


def outcome(trace: Trace) -> Outcome:
    """What a client and a server would tell of a conversation."""
    return Outcome(trace.verdict, trace.server_saw, trace.served_at)


def read_rule_key(text: str) -> tuple[RuleKey, bool]:
    """Read the form of `--let`, `PLACE:TABLE:CHAIN:N=match|no-match`; UsageError where it is none.

    Example:
        >>> read_rule_key("h1/host:filter:INPUT:3=match")
        (('h1/host', 'filter', 'INPUT', 3), True)
    """
    where, found, value = text.partition("=")
    parts = where.split(":")
    if not found or len(parts) != 4 or not parts[3].isdigit() or value not in {"match", "no-match"}:
        raise UsageError(f"--let {text!r} is not PLACE:TABLE:CHAIN:N=match or =no-match")
    return (parts[0], parts[1], parts[2], int(parts[3])), value == "match"


def ask(
    source: Callable[[], Network],
    probe: Probe,
    listens: tuple[Listen, ...] = (),
    assumptions: Mapping[RuleKey, bool] | None = None,
    assume: bool | None = None,
) -> Answer:
    """Ask a source; `source` makes a fresh network each time, as a conversation leaves its mark on one.

    Rules in `assumptions` are settled; `assume` settles all others. Without it every combination of undecided rules
    that a packet meets is followed, up to a limit, and the answer holds all outcomes.
    """
    settled = dict(assumptions or {})
    trace = _play(source(), probe, listens, settled, default=bool(assume))
    if assume is not None or not _unsettled(trace, settled):
        return Answer(trace, (), (outcome(trace),))
    runs: dict[frozenset[RuleKey], Trace] = {frozenset(): trace}
    outcomes = [outcome(trace)]
    waiting = _branches(trace, settled, {})
    while waiting and len(runs) < _MOST_RUNS:
        tried = waiting.pop(0)
        other = _play(source(), probe, listens, {**settled, **tried}, default=False)
        runs[frozenset(key for key, match in tried.items() if match)] = other
        if outcome(other) not in outcomes:
            outcomes.append(outcome(other))
        waiting += _branches(other, settled, tried)
    doubts = []
    for matched, other in runs.items():
        if len(matched) == 1:
            (key,) = matched
            rule = next(rule for walk in trace.walks() for rule in walk.undecided if _key(walk.place, rule) == key)
            doubts.append(Doubt(key[0], rule, other, trace))
    return Answer(trace, tuple(doubts), tuple(outcomes), followed=not waiting)


def _key(place: str, rule: Undecided) -> RuleKey:
    return place, rule.table, rule.chain, rule.number


def _unsettled(trace: Trace, settled: Mapping[RuleKey, bool]) -> list[RuleKey]:
    """The undecided rules that a conversation met, in order, without those that are settled."""
    met = dict.fromkeys(_key(walk.place, rule) for walk in trace.walks() for rule in walk.undecided)
    return [key for key in met if key not in settled]


def _branches(trace: Trace, settled: Mapping[RuleKey, bool], tried: dict[RuleKey, bool]) -> list[dict[RuleKey, bool]]:
    """What is still to be tried after a run: each rule that it newly met as a match, the ones before it as none."""
    new = [key for key in _unsettled(trace, settled) if key not in tried]
    return [{**tried, **dict.fromkeys(new[:index], False), key: True} for index, key in enumerate(new)]


def _play(
    network: Network, probe: Probe, listens: tuple[Listen, ...], assumptions: Mapping[RuleKey, bool], *, default: bool
) -> Trace:
    network.assumptions.update(assumptions)
    network.assume = default
    for one in listens:
        serve(network, one)
    return converse(network, probe)


def serve(network: Network, listen: Listen) -> None:
    """Start a server, where none of a program's listens there yet; UnknownName where the place lacks the address."""
    namespace = network.find(listen.place)
    if listen.address and not namespace.owns(listen.address):
        own = (ip_text(one.address) for device in namespace.devices.values() for one in device.addresses)
        raise UnknownName(f"address of {listen.place}", ip_text(listen.address), own)
    ends = listen.proto, listen.address, listen.port
    if all(one.namespace is not namespace or (one.proto, one.address, one.port) != ends for one in network.servers):
        Server(namespace, *ends, place=listen.place).listen()
