"""One probe on real hosts, from start to end: the trace armed, the conversation, and what the kernel made of it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from simnet.docker.drivers.overlay import PORT as VXLAN_PORT
from simnet.live.agreement.agreement import COMPARED_FLAGS, ERRNO_VERDICTS, FIRST_FREE_PORT
from simnet.live.recording.recorded import Recorded, RuleCounter
from simnet.net.address import ip_text
from simnet.net.network import SECOND
from simnet.scenario.question import Listen

from . import counting
from .arm import TABLE, Arm, check_traceable
from .calm import REFILL, Calm
from .capture import Capture, Key
from .ground import Ground, addresses
from .talk import PATIENCE, Conversation
from .trace import Monitor, Walk, drain

# how long nothing must come before a probe is held to be over (s)
QUIET = 0.012
# how long nothing is sent to learn which counters rise by themselves (s)
IDLE = 0.3
# when data that nobody acknowledges is sent again (s): the least that TCP waits (TCP_RTO_MIN)
_REPEATED = 0.2
# how often a probe is sent, at the most, and how far apart the ports are that it is sent from
_TRIES, _APART = 3, 8000
_ERRNOS = {verdict: name for name, verdict in ERRNO_VERDICTS.items()}
_PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17}
_REQUEST = {"icmp": "type 8 code 0", "tcp": "SYN", "udp": ""}
# where the inner packet's ports lie in a packet of VXLAN, in bits from the outer UDP header
_INNER_SPORT, _INNER_DPORT = 8 * (8 + 8 + 14 + 20), 8 * (8 + 8 + 14 + 20 + 2)
# where the packet that an ICMP error is about has its protocol and a ping's number, in bits from the ICMP header
_INNER_PROTOCOL, _INNER_ID = 8 * (8 + 9), 8 * (8 + 20 + 4)
_ERRORS = ("destination-unreachable", "time-exceeded", "parameter-problem")

# how many words a key of an ARP packet has
_ARP_WORDS = 4

# what crossed devices of a place: each packet's key, and the device and way
Crossed = Sequence[tuple[Key, str]]
# an address and a port
End = tuple[str, int]


class Observer:
    """All that watches while probes are sent: traces, captures and counters of every place; closing takes it away."""

    def __init__(self, ground: Ground) -> None:
        """Watch from now on; HostError where the kernel does not allow it, or iptables is the legacy one."""
        check_traceable()
        self._ground = ground
        self._open = ExitStack()
        self._arms: list[Arm] = []
        self._monitors: list[Monitor] = []
        self._rules: dict[tuple[str, str, str], list[str]] = {}
        self._counted: list[str] = []
        self._addresses: dict[str, list[str]] = {}
        self._calm = Calm([ground.spaces[place] for place in ground.watched])
        self._own = sorted({one for host in ground.engines for one in addresses(ground.spaces[host])})
        try:
            self._captures = [self._captured(place) for place in ground.watched]
            for place in ground.watched:
                if self._read_rules(place):
                    self._trace(place)
        except BaseException:
            self.close()
            raise
        self.restless = self._restless()

    def close(self) -> None:
        """Watch no more, and leave nothing in any namespace."""
        self._open.close()

    def __enter__(self) -> Observer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _captured(self, place: str) -> Capture:
        capture = Capture(self._ground.spaces[place], place)
        self._open.callback(capture.close)
        return capture

    def _read_rules(self, place: str) -> bool:
        """Note the text of each rule; gives whether there is anything to trace."""
        counts = counting.read(self._ground.spaces[place])
        for table, text, _ in counts:
            if text.startswith("-A "):
                self._rules.setdefault((place, table, text.split()[1]), []).append(text)
        return bool(counts)

    def _trace(self, place: str) -> None:
        space = self._ground.spaces[place]
        self._counted.append(place)
        self._arms.append(self._open.enter_context(Arm(space)))
        monitor = Monitor(space, place, own=TABLE)
        self._open.callback(monitor.close)
        monitor.number_rules()
        self._monitors.append(monitor)

    def _counts(self, probe: Recorded | None = None) -> dict[str, counting.Counts]:
        """The counters of all places; with a probe only of those that it may pass: no container but its own."""
        spaces = self._ground.spaces
        own = {spaces[place].inode for place in (probe.frm, *(one.place for one in probe.servers))} if probe else set()
        passed = [place for place in self._counted
                  if not probe or place not in self._ground.containers or spaces[place].inode in own]  # fmt: skip
        return {place: counting.read(spaces[place]) for place in passed}

    def _restless(self) -> dict[str, frozenset[counting.Name]]:
        """The rules whose counters rise while no probe is sent: other traffic's."""
        before = self._counts()
        for capture in self._captures:
            capture.drain(IDLE / len(self._captures))
        after = self._counts()
        return {place: frozenset(name for name in after[place] if after[place][name] != before[place].get(name))
                for place in before}  # fmt: skip

    def ask(self, probe: Recorded, existing: Sequence[Listen] = ()) -> Recorded:
        """Send a probe, and give it back with the kernel's answer.

        Where programs that are there already serve it (`existing`), a connection is opened and no more. Where a kernel
        withheld an ICMP error because it had sent so many just before, the probe is sent again, from another port.
        OSError where a server cannot listen.
        """
        for _ in range(_TRIES):
            before = self._calm.withheld()
            asked = self._asked(probe, existing)
            if asked.result.startswith("reply"):
                break
            self._calm.wait()
            if self._calm.withheld() == before:
                break
            time.sleep(REFILL)
            probe = replace(probe, sport=probe.sport + _APART)
        return asked

    def _asked(self, probe: Recorded, existing: Sequence[Listen]) -> Recorded:
        ends = {end for server in (*probe.servers, *existing) for end in self._ends(server)}
        ends |= self._ground.published.get((probe.proto, probe.dport), set())  # a docker-proxy asks there in any case
        matches = list(self._matches(probe, ends))
        for arm in self._arms:
            arm.flows(matches)
        self._drain()
        before = self._counts(probe)
        sent, started = replace(probe.probe, patience=PATIENCE), time.monotonic()
        with Conversation(self._ground.spaces, sent, probe.servers, greet=bool(existing)) as talk:
            verdict = talk.play()
            walks = drain(self._monitors, QUIET)
            counts = self._risen(before)
            repeated = talk.opened and verdict == "timeout" and time.monotonic() - started > _REPEATED
            crossed = {capture.place: capture.drain() for capture in self._captures}
            devices = _devices(probe, crossed, ends)
            result = _result(probe, verdict, talk.server_saw, talk.served_at)
        if probe.proto == "tcp" and verdict != "reply":
            self._end_attempts(probe, () if existing else ends)
        others = {place for place, seen in crossed.items() if any(_is_other(probe, key, ends) for key, _ in seen)}
        # how a program that was there goes on nobody knows, nor how often data was sent that came too late
        counters = None if existing or repeated else self._certain(counts, walks, others)
        return replace(probe, result=result, walks=tuple(self._rows(probe, walks)), devices=devices, counters=counters,
                       greeted=bool(existing), patience=PATIENCE / SECOND)  # fmt: skip

    def _end_attempts(self, probe: Recorded, ends: Iterable[End]) -> None:
        """End what hosts still try for this probe: their SYN and SYN ACK would come again and again, in later ones.

        That is a docker-proxy that connects to a server, and the kernel that has had no answer from the client.
        """
        to = " or ".join([f"dport = :{probe.sport}", *(f"dst = {address}:{port}" for address, port in sorted(ends))])
        for host in self._ground.engines:
            words = ["state", "syn-sent", "state", "syn-recv", "(", *to.split(), ")"]
            self._ground.spaces[host].run(["ss", "-K", "-Htn", *words])

    def _drain(self) -> None:
        for monitor in self._monitors:
            monitor.drain()
        for capture in self._captures:
            capture.drain()

    def _matches(self, probe: Recorded, ends: Iterable[End]) -> Iterator[str]:
        """What the probe's packets look like: by the client's port, inside a tunnel too, or from a docker-proxy."""
        proto, port = probe.proto, probe.sport
        if proto == "icmp":
            yield f"icmp id {port}"
            yield f"icmp type {{ {', '.join(_ERRORS)} }} @th,{_INNER_PROTOCOL},8 1 @th,{_INNER_ID},16 {port}"
            return
        yield f"{proto} sport {port}"
        yield f"{proto} dport {port}"
        for offset in (_INNER_SPORT, _INNER_DPORT) if proto == "udp" else ():
            yield f"udp dport {VXLAN_PORT} @th,{offset},16 {port}"
        own = f"{{ {', '.join(self._own)} }}"
        for address, number in sorted(ends):
            yield f"ip saddr {own} ip daddr {address} {proto} dport {number}"
            yield f"ip daddr {own} ip saddr {address} {proto} sport {number}"

    def _ends(self, server: Listen) -> list[End]:
        """Where a server is reached."""
        if server.place not in self._addresses:
            self._addresses[server.place] = addresses(self._ground.spaces[server.place])
        at = [ip_text(server.address)] if server.address else self._addresses[server.place]
        return [(address, server.port) for address in at]

    def _risen(self, before: dict[str, counting.Counts]) -> tuple[RuleCounter, ...]:
        after = {place: counting.read(self._ground.spaces[place]) for place in before}
        return tuple(
            one for place in after for one in counting.risen(place, before[place], after[place], self.restless[place])
        )

    def _certain(
        self, counts: Iterable[RuleCounter], walks: Iterable[Walk], others: Container[str]
    ) -> tuple[RuleCounter, ...]:
        """The counters; where `others` sent meanwhile, none of a rule that more packets raised than were traced."""
        traced = Counter((walk.place, walk.table, self._text(walk, *rule)) for walk in walks for rule in walk.rules)
        return tuple(
            replace(one, packets=None, bytes=None)
            if one.where in others and (one.packets or 0) > traced[one.where, one.table, one.rule]
            else one
            for one in counts
        )

    def _rows(self, probe: Recorded, walks: Iterable[Walk]) -> Iterator[dict[str, Any]]:
        """The walks as a recording writes them, each once."""
        chosen = {probe.sport, probe.dport, *(server.port for server in probe.servers)}
        seen = []
        for walk in walks:
            row = self._row(walk, chosen)
            deciding = row["rules"] and (
                row["table"] != "raw" or len(row["rules"]) > 1 or "policy" not in row["rules"][0]
            )
            if row["proto"] == probe.proto and row["flags"] in COMPARED_FLAGS and deciding and row not in seen:
                seen.append(row)
                yield row

    def _row(self, walk: Walk, chosen: set[int]) -> dict[str, Any]:
        src, dst, proto, sport, dport, detail, ttl, _, _ = walk.packet
        ports = [port if port in chosen or port < FIRST_FREE_PORT else 0 for port in (sport, dport)]
        name = next((name for name, number in _PROTOCOLS.items() if number == proto), "")
        return {
            "where": walk.place, "proto": name, "table": walk.table, "iif": walk.iif, "oif": walk.oif,
            "src": src, "dst": dst, "sport": ports[0], "dport": ports[1], "flags": detail if name == "tcp" else "",
            "ttl": ttl, "rules": [self._text(walk, chain, number) for chain, number in walk.rules],
        }  # fmt: skip

    def _text(self, walk: Walk, chain: str, number: int | str) -> str:
        if isinstance(number, str):
            return f"{chain} policy {number}"
        rules: Sequence[str] = self._rules.get((walk.place, walk.table, chain), ())
        return rules[number - 1] if number <= len(rules) else f"-A {chain} (rule {number}, added meanwhile)"


def _devices(probe: Recorded, crossed: Mapping[str, Crossed], ends: Container[End]) -> dict[str, list[str]]:
    """The devices that the first packet crossed, by place."""
    paths = {
        place: [crossing for key, crossing in seen if _is_request(probe, key, ends)] for place, seen in crossed.items()
    }
    return {place: path for place, path in paths.items() if path}


def _is_other(probe: Recorded, key: Key, ends: Container[End]) -> bool:
    """Whether an IPv4 packet has nothing to do with a probe: no port of it, no ICMP; or is TCP in a tunnel.

    What comes out of a tunnel is merged (gro_cells of vxlan), so how often TCP acknowledges it is chance.
    """
    if len(key) < _ARP_WORDS + 1:
        return False
    src, dst, proto, sport, dport, *_ = key
    own = probe.sport in {sport, dport} or (dst, dport) in ends or (src, sport) in ends
    if dport == VXLAN_PORT:
        return probe.proto == "tcp"
    return not (own or proto == _PROTOCOLS["icmp"])


def _is_request(probe: Recorded, key: Key, ends: Container[End]) -> bool:
    if len(key) < _ARP_WORDS + 1:
        return False
    _, dst, proto, sport, dport, detail, *_ = key
    if proto != _PROTOCOLS[probe.proto] or detail != _REQUEST[probe.proto]:
        return False
    return probe.proto == "icmp" or sport == probe.sport or (dst, dport) in ends


def _result(probe: Recorded, verdict: str, server_saw: str, served_at: str) -> str:
    """The outcome as a recording writes it."""
    if probe.proto == "icmp":
        return {"reply": "reply", "net-unreachable": "unreachable"}.get(verdict, "timeout")
    if verdict == "reply":
        if not server_saw:
            return "reply"
        address, _, port = server_saw.rpartition(":")
        chosen = {probe.sport, probe.dport, *(server.port for server in probe.servers)}
        return f"reply {address}:{port if int(port) in chosen else '*'}>{served_at}"
    return verdict if verdict == "timeout" else f"error {_ERRNOS.get(verdict, verdict.upper())}"
