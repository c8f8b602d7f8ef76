"""Which questions are asked of live hosts, as probes: their names, the clients' ports, who must listen for them.

Nothing here needs root: a snapshot of the hosts is enough.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from simnet.live.questions.questions import Hosts, Question, questions
from simnet.live.recording.recorded import Recorded
from simnet.net.address import ip_text
from simnet.scenario.question import Listen

FIRST_PORT = 20001

# a port that a swarm's routing mesh publishes
_MESH = re.compile(r"-A DOCKER-INGRESS -p (\w+) -m \w+ --dport (\d+) -j DNAT")


class Choice(NamedTuple):
    """A probe that nobody has asked yet, its kind, and the programs that are there already to serve it.

    Where there are none, the probe's `servers` are to be started for it.
    """

    probe: Recorded
    kind: str
    existing: tuple[Listen, ...] = ()


class Chosen(NamedTuple):
    """The probes, in order, and what was left out and why."""

    choices: tuple[Choice, ...]
    notes: tuple[str, ...] = ()


def choose(folder: Path, most: int = 0, own: Sequence[Question] = (), first_port: int = FIRST_PORT) -> Chosen:
    """Choose probes for the hosts of a snapshot, `most` at the most (0: all); always the same for the same snapshot.

    The clients' ports count from `first_port`.

    `own` questions (a scenario's) come first, all of them. Where there are more than may be, each kind of the others
    gives up its share. SnapshotError where the snapshot cannot be read.
    """
    hosts = Hosts.read(folder)
    notes = dict.fromkeys(_mesh(folder))
    wanted: dict[tuple[object, ...], Question] = {}
    for one in (*own, *questions(hosts)):
        if missing := [server.place for server in one.servers if not hosts.knows(server.place)]:
            notes.setdefault(f"{one.frm} is not asked for {ip_text(one.dst)}: there is no {missing[0]} here")
            continue
        held = _held(hosts, one)
        if one.proto == "udp" and held:
            notes.setdefault(f"{held[0].place} has a program of its own at udp port {held[0].port}; "
                             "what it answers nobody knows, so it is not asked")  # fmt: skip
        else:
            wanted.setdefault(one.key, one)
    first = [one for one in wanted.values() if one in own]
    others = [one for one in wanted.values() if one not in own]
    kept = first + spread(others, max(most - len(first), 0) if most else len(others))
    left = Counter(one.kind for one in wanted.values()) - Counter(one.kind for one in kept)
    if left:
        kinds = ", ".join(f"{number} {kind}" for kind, number in left.items())
        notes.setdefault(f"{left.total()} of {len(wanted)} probes are left out: {kinds}")
    return Chosen(tuple(_named(hosts, kept, first_port)), tuple(notes))


def _mesh(folder: Path) -> Iterator[str]:
    """What the routing mesh publishes, by the rules of each host: nobody knows from here which task would answer."""
    for path in sorted(folder.glob("*/host/iptables-save")):
        ports = dict.fromkeys(_MESH.findall(path.read_text("utf-8", errors="replace")))
        if ports:
            told = ", ".join(f"{number}/{proto}" for proto, number in ports)
            yield f"{path.parent.parent.name} publishes {told} by the routing mesh, which is not asked"


def _held(hosts: Hosts, one: Question) -> list[Listen]:
    """Those of the servers whose port a program has already."""
    return [server for server in one.servers if hosts.held(server.place, server.proto, server.port)]


def spread(wanted: Sequence[Question], most: int) -> list[Question]:
    """At most so many of the questions, of every kind as many as of the others, from all over the list.

    Example:
        >>> asked = [Question(kind, "wan", "h1", "icmp", n) for kind in ("ping", "out") for n in range(9)]
        >>> [(one.kind, one.dst) for one in spread(asked, 5)]
        [('ping', 0), ('ping', 3), ('ping', 6), ('out', 0), ('out', 4)]
    """
    if most >= len(wanted):
        return list(wanted)
    numbers = Counter(one.kind for one in wanted)
    shares: Counter[str] = Counter()
    for _ in range(most):
        shares[min((kind for kind in numbers if shares[kind] < numbers[kind]), key=shares.__getitem__)] += 1
    kept: list[int] = []
    for kind, share in shares.items():
        places = [index for index, one in enumerate(wanted) if one.kind == kind]
        kept += [places[number * len(places) // share] for number in range(share)]
    return [wanted[index] for index in sorted(kept)]


def _named(hosts: Hosts, asked: Sequence[Question], first: int) -> Iterator[Choice]:
    """Give every question a name and a client's port of its own, one that nobody listens at or asks."""
    taken = {one.dport for one in asked} | {server.port for one in asked for server in one.servers}
    ports = (port for port in range(first, 1 << 16) if port not in taken and not hosts.listened(port))
    names: Counter[str] = Counter()
    for one in asked:
        end = "ping" if one.proto == "icmp" else f"{one.dport}-{one.proto}"
        name = re.sub(r"[^A-Za-z0-9_.-]", "-", f"{one.frm}-to-{one.to}-{end}")
        names[name] += 1
        if names[name] > 1:
            name += f"-{names[name]}"
        held = _held(hosts, one)
        servers = tuple(server for server in one.servers if server not in held)
        probe = Recorded(name, one.frm, one.proto, ip_text(one.dst), one.dport, next(ports), one.args, servers)
        yield Choice(probe, one.kind, tuple(held))
