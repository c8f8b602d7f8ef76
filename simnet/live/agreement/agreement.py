"""How a trace is held against what the real kernel did with the same probe.

Four things are compared; what one side cannot know is left out of both:

- the verdict, and the address that the server saw (a port `*` was the kernel's free choice: the address alone counts);
- every chain walk of the probe's own protocol in which a rule matched or a policy dropped, found by where it was, its
  table, its devices, its addresses, ports and flags. Of a connection only the handshake and bare acknowledgements
  count, and ports that nobody chose (from 32768 on) are all the same; where the client only opened one (`greeted`),
  its SYN and SYN ACK;
- the devices that the first packet crossed in each namespace, as far as both sides saw them. Whether a bridged packet
  that was given a new destination on its bridge is seen to leave by the bridge's own device hangs on how lately the
  kernel heard of that neighbour, which no snapshot tells: that crossing is left out;
- the counters of the rules, where the recording has them (see `counters.py`) and simnet names no rule on the way that
  it cannot decide.

Each difference names the step of the model's packet at which the two part.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, NamedTuple

from simnet.live.agreement import counters
from simnet.live.recording.recorded import Recorded

VERDICT, SERVER_SAW, WALK, DEVICES, COUNTERS = "verdict", "server-saw", "walk", "devices", "counters"
KINDS = (VERDICT, SERVER_SAW, WALK, DEVICES, COUNTERS)
ERRNO_VERDICTS = {
    "ECONNREFUSED": "refused",
    "ENETUNREACH": "net-unreachable",
    "EHOSTUNREACH": "host-unreachable",
    "ECONNRESET": "reset",
}
PING_VERDICTS = {"reply": "reply", "timeout": "timeout", "unreachable": "net-unreachable"}
OPENING_FLAGS = {"", "SYN", "SYN ACK"}
COMPARED_FLAGS = OPENING_FLAGS | {"ACK"}
FIRST_FREE_PORT = 32768
# how many steps are shown on either side of the one at which two ways part
_AROUND = 3

Json = Mapping[str, Any]


class StepAt(NamedTuple):
    """A packet of the model's, some of its steps as text, and which of them is meant (its index among these)."""

    packet: str
    steps: tuple[str, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that the two say differently: of which kind, where, what; each side's lines; and the step there.

    A walk's lines are the rules that matched, in order; a side without any did not make that walk.
    """

    kind: str
    place: str
    what: str
    kernel: tuple[str, ...]
    simnet: tuple[str, ...]
    step: StepAt | None = None

    @property
    def parting(self) -> int:
        """The first line that differs, from 0."""
        rows = zip_longest(self.kernel, self.simnet)
        return next((row for row, (one, other) in enumerate(rows) if one != other), 0)

    def __str__(self) -> str:
        """`walk at h1/host filter …: the kernel …, simnet …`, in one line."""
        where = f" at {self.place}" if self.place else ""
        what = f" {self.what}" if self.what else ""
        return f"{self.kind}{where}{what}: the kernel {_told(self.kernel)}, simnet {_told(self.simnet)}"


def _told(lines: Sequence[str]) -> str:
    return " · ".join(lines) or "nothing"


@dataclass(frozen=True, slots=True)
class Agreement:
    """What was compared, by kind, and what differs."""

    compared: Mapping[str, int]
    differences: tuple[Difference, ...]

    def agreed(self, kind: str) -> int:
        """How many things of a kind are the same."""
        return self.compared[kind] - sum(one.kind == kind for one in self.differences)

    def __str__(self) -> str:
        """Each difference in a line; nothing where there is none."""
        return "\n".join(map(str, self.differences))


def compare(recorded: Recorded, answer: Json) -> Agreement:
    """Hold the JSON of a trace (`simnet.trace/1`) against a recorded probe."""
    compared: Counter[str] = Counter(dict.fromkeys(KINDS, 0))
    walks = list(_walks(recorded, answer, compared))
    differences = [
        *_verdict(recorded, answer, walks, compared),
        *walks,
        *_devices(recorded, answer, compared),
        *_counters(recorded, answer, compared),
    ]
    return Agreement(compared, tuple(differences))


def _verdict(
    recorded: Recorded, answer: Json, walks: Sequence[Difference], compared: Counter[str]
) -> Iterator[Difference]:
    word, _, rest = recorded.result.partition(" ")
    verdict, seen = answer["verdict"], answer["server_saw"] or ""
    if recorded.proto == "icmp":
        wanted = PING_VERDICTS.get(word, word)
        verdict = "timeout" if verdict == "ttl-exceeded" else verdict  # ping goes on waiting, and so ends in time
    elif word == "error":
        wanted = ERRNO_VERDICTS.get(rest, rest.lower())
    else:
        wanted = word
    if recorded.greeted and (verdict == "reset" or _opened(answer)):
        verdict = "reply"  # how it goes on was not looked at
    compared[VERDICT] += 1
    if verdict != wanted:
        step = _drop(answer) or next((one.step for one in walks if one.step is not None), None)
        yield Difference(VERDICT, "", "", (recorded.result,), (_outcome(answer),), step or _end(answer))
    elif rest and word == "reply":
        compared[SERVER_SAW] += 1
        client = rest.partition(">")[0]
        address, _, port = client.rpartition(":")
        if seen != client and not (port == "*" and seen.rpartition(":")[0] == address):
            yield Difference(SERVER_SAW, "", "", (client,), (seen,) if seen else (), _served(answer))


def _opened(answer: Json) -> bool:
    """Whether the client's connection was opened: it was given a SYN ACK."""
    ours = _found((packet for packet in answer["packets"] if packet["packet"].endswith("SYN ACK")), lambda step: (
        step["kind"] == "delivery" and step["text"].startswith("delivered to client")))  # fmt: skip
    return ours is not None


def _outcome(answer: Json) -> str:
    seen = f" {answer['server_saw']}>{answer.get('served_at')}" if answer["server_saw"] else ""
    return answer["verdict"] + seen


def _walks(recorded: Recorded, answer: Json, compared: Counter[str]) -> Iterator[Difference]:
    chosen = {recorded.sport, recorded.dport, *(server.port for server in recorded.servers)}
    flags = OPENING_FLAGS if recorded.greeted or counters.cut_off(recorded, answer) else COMPARED_FLAGS
    kernel = _deciding(recorded.walks, chosen, flags)
    own = [walk for walk in answer["walks"] if walk["proto"] == recorded.proto]
    simnet = _deciding(own, chosen, flags)
    for key in [key for key, walk in simnet.items() if key not in kernel and counters.opens_tunnel(walk)]:
        del simnet[key]  # an earlier packet opened the tunnel's own connection
    keys = dict.fromkeys([*kernel, *simnet])
    compared[WALK] += len(keys)
    for key in keys:
        one, other = (_rules(side[key]) if key in side else () for side in (kernel, simnet))
        if one != other:
            walk = simnet.get(key) or _likest(key, own, chosen)
            step = _walk_step(answer, walk, met=key in simnet) if walk is not None else None
            yield Difference(WALK, key.where, str(key), one, other, step)


class _Key(NamedTuple):
    """What identifies a walk."""

    where: str
    table: str
    iif: str
    oif: str
    src: str
    dst: str
    sport: int
    dport: int
    flags: str

    @classmethod
    def of(cls, walk: Json, chosen: set[int]) -> _Key:
        flags = "SYN ACK" if walk["flags"] == "ACK SYN" else walk["flags"] or ""
        ports = _port(walk["sport"], chosen), _port(walk["dport"], chosen)
        return cls(walk["where"], walk["table"], walk["iif"] or "", walk["oif"] or "", walk["src"], walk["dst"],
                   *ports, flags)  # fmt: skip

    def __str__(self) -> str:
        """`filter, in eth0 out docker0, 192.0.2.1:40001 → 172.17.0.2:80 SYN`."""
        devices = " ".join(f"{word} {name}" for word, name in (("in", self.iif), ("out", self.oif)) if name)
        ends = f"{_end_text(self.src, self.sport)} → {_end_text(self.dst, self.dport)}"
        return ", ".join(part for part in (self.table, devices, f"{ends} {self.flags}".rstrip()) if part)


def _end_text(address: str, port: int) -> str:
    return f"{address}:{port}" if port else address


def _deciding(walks: Iterable[Json], chosen: set[int], flags: set[str]) -> dict[_Key, Json]:
    """The walks that say something, by what identifies them; of several alike the first."""
    kept: dict[_Key, Json] = {}
    for walk in walks:
        key = _Key.of(walk, chosen)
        if _rules(walk) and key.flags in flags:
            kept.setdefault(key, walk)
    return kept


def _rules(walk: Json) -> tuple[str, ...]:
    return tuple(rule for rule in walk["rules"] if not rule.endswith((" policy ACCEPT", " policy ")))


def _port(number: int | None, chosen: set[int]) -> int:
    number = number or 0
    return number if number in chosen or number < FIRST_FREE_PORT else 0


def _likest(key: _Key, walks: Iterable[Json], chosen: set[int]) -> Json | None:
    """The walk that is most like one that the model did not make: of the same packet if there is one, the last."""
    best, most = None, 0
    for walk in walks:
        other = _Key.of(walk, chosen)
        alike = sum(one == two for one, two in zip(key, other, strict=True))
        if other.flags == key.flags and other.where == key.where and alike >= most:
            best, most = walk, alike
    return best


def _devices(recorded: Recorded, answer: Json, compared: Counter[str]) -> Iterator[Difference]:
    steps = (step for packet in answer["packets"] for step in packet["steps"] if step["kind"] == "bridge")
    bridges = {step["text"].split()[1].rstrip(":") for step in steps}
    for place, crossed in recorded.devices.items():
        path, own = (_without_redirects(one, bridges) for one in (crossed, answer["devices"].get(place, [])))
        common = min(len(path), len(own))
        compared[DEVICES] += 1
        if path[:common] != own[:common] or (path and not own):
            parting = next((row for row in range(common) if path[row] != own[row]), 0)
            step = _crossing(answer, place, own[parting]) if own else _drop(answer) or _end(answer)
            yield Difference(DEVICES, place, "", tuple(path), tuple(own), step)


def _without_redirects(path: Sequence[str], bridges: set[str]) -> list[str]:
    """A way without the crossings out of a bridge's own device that follow one into its port (`P`)."""
    outward = {f"{bridge} Out" for bridge in bridges}
    pairs = zip(("", *path), path, strict=False)
    return [one for before, one in pairs if not (one in outward and before.endswith(" P"))]


def _counters(recorded: Recorded, answer: Json, compared: Counter[str]) -> Iterator[Difference]:
    for one in counters.compared(recorded, answer) if not answer["undecided"] else ():
        compared[COUNTERS] += 1
        if one.kernel != one.simnet:
            walk = one.walk
            step = _walk_step(answer, walk, met=True) if walk is not None else None
            yield Difference(COUNTERS, one.where, f"{one.table} {one.rule}", (one.kernel,), (one.simnet,), step)


def _at(packet: Json, meant: int) -> StepAt:
    """A packet's step with those around it; hand-overs between CPU contexts are left out."""
    told = [index for index, step in enumerate(packet["steps"]) if step["kind"] != "hand-over" or index == meant]
    at = told.index(meant)
    first = max(0, at - _AROUND)
    steps = (packet["steps"][index] for index in told[first : at + _AROUND + 1])
    return StepAt(packet["packet"], tuple(f"{step['where']}  {step['text']}" for step in steps), at - first)


def _found(packets: Iterable[Json], fits: Callable[[Json], bool]) -> StepAt | None:
    """The first step of these packets that fits."""
    for packet in packets:
        for index, step in enumerate(packet["steps"]):
            if fits(step):
                return _at(packet, index)
    return None


def _walk_step(answer: Json, walk: Json, *, met: bool) -> StepAt | None:
    """The step of a chain walk; of one that was not `met`, where the packet that is most like it ended, if it did."""
    packets = [packet for packet in answer["packets"] if packet["id"] == walk["packet"]]
    ended = None if met else _found(packets, lambda step: step["kind"] == "drop")
    return ended or _found(packets, lambda step: (
        step["kind"] == "chain" and [step[key] for key in ("where", "table", "chain", "rules")]
        == [walk[key] for key in ("where", "table", "chain", "rules")]))  # fmt: skip


def _drop(answer: Json) -> StepAt | None:
    """The step that ended the conversation, if one did."""
    drop = answer["dropped_by"]
    if drop is None:
        return None
    same = ("where", "reason", "packet")
    return _found(answer["packets"], lambda step: (
        step["kind"] == "drop" and all(step[key] == drop[key] for key in same)))  # fmt: skip


def _end(answer: Json) -> StepAt | None:
    """The last step of all, as far as there is any."""
    return _at(answer["packets"][-1], len(answer["packets"][-1]["steps"]) - 1) if answer["packets"] else None


def _served(answer: Json) -> StepAt | None:
    """Where a server got its first packet; else the end."""
    ours = ("delivered to client", "delivered to docker-proxy")
    found = _found(answer["packets"], lambda step: step["kind"] == "delivery" and not step["text"].startswith(ours))
    return found or _end(answer)


def _crossing(answer: Json, place: str, device: str) -> StepAt | None:
    packets = (packet for packet in answer["packets"] if not packet["packet"].startswith("arp "))
    return _found(packets, lambda step: (
        step["kind"] == "device" and step["where"] == place and step["text"] == device))  # fmt: skip
