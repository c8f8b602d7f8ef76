"""What a picture of a way shows: the trace as a graph.

Devices, programs and drops are nodes, and arrows join them in the packet's order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from textwrap import wrap
from typing import TYPE_CHECKING

from simnet.errors import UsageError
from simnet.net.address import ip_text
from simnet.net.conversation import Trace
from simnet.net.device import Device, Veth, Vxlan
from simnet.net.network import Network
from simnet.net.packet import ACK, SYN, IPv4, TcpSegment
from simnet.net.step import (
    Balance,
    BridgeStep,
    ChainWalk,
    Crossing,
    Delivery,
    Drop,
    Origin,
    Reshape,
    Rewrite,
    RuleHit,
    Step,
    Tunnel,
)

if TYPE_CHECKING:
    import networkx as nx

Key = tuple[str, str]
Point = tuple[float, float]


@dataclass(eq=False, slots=True)
class Node:
    """A device, a program or a drop: its namespace's `place`, its name, the lines under it, and where it lies."""

    place: str
    name: str
    kind: str
    lines: list[str] = field(default_factory=list)
    after: Node | None = field(default=None, repr=False)
    delivered: bool = False
    column: int = 0
    lane: int = 0
    width: float = 0.0
    height: float = 0.0
    x: float = 0.0
    y: float = 0.0

    @property
    def host(self) -> str:
        """The host that the namespace is on."""
        return self.place.split("/")[0]

    @property
    def label(self) -> str:
        """The name as it is written: a tick before a program that got the packet."""
        return f"✓ {self.name}" if self.delivered else self.name

    def __str__(self) -> str:
        """`h1/web:eth0`."""
        return f"{self.place}:{self.name}"


@dataclass(frozen=True, slots=True)
class Way:
    """One packet that is drawn: its number in the trace, what it is, and whether it answers another one."""

    packet: int
    text: str
    answer: bool = False


@dataclass(eq=False, slots=True)
class Arrow:
    """From one node to the next; `notes` is what happened to the packet between them."""

    number: int
    tail: Node
    head: Node
    way: Way
    notes: tuple[str, ...] = ()
    line: list[Point] = field(default_factory=list)
    badge: Point = (0.0, 0.0)
    note: Point = (0.0, 0.0)
    align: tuple[str, str] = ("center", "bottom")

    @property
    def upright(self) -> bool:
        """Whether it runs up or down, between namespaces that stand above each other."""
        return self.tail.column == self.head.column

    @property
    def straight(self) -> bool:
        """Whether its ends face each other."""
        gap = abs(self.tail.column - self.head.column)
        return gap == 0 or (gap == 1 and self.tail.lane == self.head.lane)


@dataclass(eq=False, slots=True)
class Scene:
    """Everything that a picture shows."""

    nodes: dict[Key, Node] = field(default_factory=dict)
    arrows: list[Arrow] = field(default_factory=list)
    ways: list[Way] = field(default_factory=list)
    titles: dict[str, str] = field(default_factory=dict)

    def graph(self) -> nx.MultiDiGraph[str]:
        """As a networkx graph: nodes by their printed name, edges by their arrow's number.

        Example:
            >>> scene = Scene()
            >>> client, lo = Node("h1/web", "client", "program"), Node("h1/web", "lo", "loopback")
            >>> scene.arrows.append(Arrow(1, client, lo, Way(1, "tcp")))
            >>> list(scene.graph().edges(keys=True))
            [('h1/web:client', 'h1/web:lo', 1)]
        """
        import networkx as nx

        graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
        for node in self.nodes.values():
            graph.add_node(str(node), place=node.place, host=node.host, kind=node.kind)
        for arrow in self.arrows:
            graph.add_edge(str(arrow.tail), str(arrow.head), key=arrow.number, notes=arrow.notes)
        return graph


def scene_of(trace: Trace, network: Network, *, both: bool = False, packet: int | None = None) -> Scene:
    """What a picture of a trace shows: the first packet of each connection, as nodes and numbered arrows.

    With `both`, the first answer on each connection too. `packet` asks for one packet alone, by its number in the
    trace's text (ARP not counted); UsageError where there is none of that number.
    """
    scene = Scene()
    packets = [steps for steps in trace.packets() if isinstance(steps[0].packet, IPv4)]
    if packet is not None and not 1 <= packet <= len(packets):
        held = f"has the packets 1 to {len(packets)}" if packets else "has no packet at all"
        raise UsageError(f"there is no packet {packet}: the conversation {held}")
    for number, answer in [(packet, False)] if packet else _chosen(packets, both=both):
        steps = packets[number - 1]
        way = Way(number, str(steps[0].packet), answer)
        scene.ways.append(way)
        _Walker(scene, network, way).walk(_taken(steps))
    if not packets:
        place = network.find(trace.probe.frm).place
        to = str(trace.probe).rpartition(" to ")[2]
        client = scene.nodes[place, "client"] = Node(place, "client", "program", [f"{trace.probe.proto} to {to}"])
        why = ["no packet was sent:", trace.verdict + (f" ({trace.errno})" if trace.errno else "")]
        drop = scene.nodes[place, "✗"] = Node(place, "✗", "drop", why, client)
        scene.arrows.append(Arrow(1, client, drop, Way(0, "no packet")))
    for place in {node.place for node in scene.nodes.values()}:
        shared = [name for name, own in network.aliases.items() if own == place and "/" in name]
        names = ", ".join(name.removeprefix(f"{place.split('/')[0]}/") for name in shared[:2])
        more = ", …" if len(shared) > 2 else ""
        scene.titles[place] = place + (f"  (shared with {names}{more})" if names else "")
    return scene


def _chosen(packets: list[list[Step]], *, both: bool) -> Iterator[tuple[int, bool]]:
    """The first packet of each connection, and its first answer: packet numbers, and whether it is an answer."""
    known: set[tuple[int, ...]] = set()
    awaited: dict[tuple[int, ...], bool] = {}
    for number, steps in enumerate(packets, 1):
        packet, last = steps[0].packet, steps[-1].packet
        assert isinstance(packet, IPv4)
        ends = packet.src, packet.sport, packet.dst, packet.dport
        back = packet.dst, packet.dport, packet.src, packet.sport
        transport = packet.transport
        opens = not isinstance(transport, TcpSegment) or transport.flags & (SYN | ACK) == SYN
        if packet.is_icmp_error or back in awaited:
            # an ICMP error answers whatever was sent last
            key = back if back in awaited else next(reversed(awaited), back)
            if both and awaited.get(key):
                yield number, True
            awaited[key] = False
        elif opens and ends not in known:
            known.add(ends)
            if isinstance(last, IPv4):
                awaited[last.src, last.sport, last.dst, last.dport] = True
            yield number, False


def _taken(steps: list[Step]) -> list[Step]:
    """The steps without those of machines that merely overheard the packet on the wire, where another one took it."""
    heard = {step.place for step in steps if isinstance(step, Drop) and step.other_host}
    took = {step.place for step in steps if not (isinstance(step, Drop) and step.other_host)
            and not (isinstance(step, Crossing) and step.direction == "P")}  # fmt: skip
    ends = any(isinstance(step, (Delivery, Drop)) and step.place not in heard - took for step in steps)
    return [step for step in steps if step.place not in heard - took] if ends else steps


class _Walker:
    """Adds one packet's way to a scene: a node for each new device or program, an arrow for each step to another."""

    def __init__(self, scene: Scene, network: Network, way: Way) -> None:
        self.scene, self.network, self.way = scene, network, way
        self.here: Node | None = None
        self.in_place: dict[str, Node] = {}
        self.seen: set[tuple[str, str]] = set()
        self.notes: list[str] = []
        self.rule = ""

    def walk(self, steps: Iterable[Step]) -> None:
        """Follow the steps in order."""
        for step in steps:
            if isinstance(step, Origin):
                self.origin(step)
            elif isinstance(step, Crossing):
                self.crossing(step)
            elif isinstance(step, BridgeStep):
                self.go(self.device(step.place, step.bridge))
            elif isinstance(step, ChainWalk):
                self.chain(step)
            elif isinstance(step, Rewrite):
                self.note(self.rule or "by conntrack", *str(step).replace(" → ", "\n→ ").split("\n"))
                self.rule = ""
            elif isinstance(step, Balance):
                self.note(*str(step).replace(": ", "\n").replace(" → ", "\n→ ").split("\n"))
            elif isinstance(step, Tunnel):
                self.tunnel(step)
            elif isinstance(step, Reshape):
                self.note(str(step))
            elif isinstance(step, Delivery):
                self.delivery(step)
            elif isinstance(step, Drop):
                lines = _lines(step.reason)
                self.go(self.node(step.place, f"✗ {step.serial}", "drop", lines))

    def note(self, *lines: str) -> None:
        """Keep what happened for the next arrow; the same thing is said once."""
        self.notes += [line for line in lines if line not in self.notes or line == "by conntrack"]

    def chain(self, walk: ChainWalk) -> None:
        """The rule that decided, where one did."""
        final = [hit for hit in walk.hits if not hit.verdict.startswith("JUMP")]
        self.rule = ""
        if not final:
            return
        if walk.table == "nat":
            self.rule = _rule(walk.table, final[-1])
        elif not walk.policy and walk.verdict == "ACCEPT":
            self.note(f"{_rule(walk.table, final[-1])}: {final[-1].verdict}")

    def origin(self, step: Origin) -> None:
        if self.here is not None or not isinstance(step.packet, IPv4):
            return  # a tunnel's outer packet: the way goes on
        node = self.node(step.place, step.by, "program")
        if not self.way.answer:
            port = f":{step.packet.sport}" if step.packet.sport else ""
            line = f"from {ip_text(step.packet.src)}{port}"
            node.lines += [line] if line not in node.lines else []
        self.arrive(node)

    def crossing(self, step: Crossing) -> None:
        node = self.device(step.place, step.device)
        device = self.network.namespaces[step.place].devices.get(step.device)
        peer = device.peer if isinstance(device, Veth) else None
        tail = None
        if step.direction != "Out" and peer is not None and (peer.namespace.place, peer.name) in self.seen:
            tail = self.scene.nodes[peer.namespace.place, peer.name]
        self.go(node, tail)

    def tunnel(self, step: Tunnel) -> None:
        here = self.here
        if step.action == "encapsulate":
            self.note(f"into VXLAN {step.vni}", f"to {ip_text(step.remote)}")
        else:
            self.note(f"out of VXLAN {step.vni}")
            self.go(self.device(step.place, step.device), here)
        # what follows happens in another namespace, to the same packet
        self.in_place = {} if self.here is None else {self.here.place: self.here}

    def delivery(self, step: Delivery) -> None:
        known = (step.place, step.by) in self.scene.nodes
        node = self.node(step.place, step.by, "program")
        line = step.socket.split(" peer ")[0]
        if not known or (not self.way.answer and " peer " not in step.socket and line not in node.lines):
            node.lines.append(line)
        node.delivered = True
        self.go(node)

    def device(self, place: str, name: str) -> Node:
        device = self.network.namespaces[place].devices.get(name)
        return self.node(place, name, device.kind if device else "device", _about(device) if device else ["gone"])

    def node(self, place: str, name: str, kind: str, lines: Iterable[str] = ()) -> Node:
        """The node of that name, made if there is none."""
        known = self.scene.nodes.get((place, name))
        if known is None:
            before = self.in_place.get(place) or self.here
            if before is None:
                # an answer that the kernel makes begins beside the cross of what it answers
                before = next((n for n in reversed(self.scene.nodes.values()) if n.place == place), None)
                before = before.after if before is not None and before.kind == "drop" else before
            known = self.scene.nodes[place, name] = Node(place, name, kind, list(lines), before)
        return known

    def go(self, node: Node, tail: Node | None = None) -> None:
        """An arrow to a node, unless the packet is there already or has gone that way before (fragments do)."""
        tail = tail or self.in_place.get(node.place) or self.here
        arrows = self.scene.arrows
        if tail is not None and tail is not node:
            if not any(a.tail is tail and a.head is node and a.way is self.way for a in arrows):
                arrows.append(Arrow(len(arrows) + 1, tail, node, self.way, tuple(self.notes)))
            self.notes = []
        self.arrive(node)

    def arrive(self, node: Node) -> None:
        self.here = self.in_place[node.place] = node
        self.seen.add((node.place, node.name))


def _rule(table: str, hit: RuleHit) -> str:
    return f"{table} {hit.chain} {hit.number}" + (": MASQUERADE" if hit.verdict == "MASQUERADE" else "")


def _lines(text: str, width: int = 34) -> list[str]:
    """A reason in lines; an option of a rule stays with its value."""
    joined = re.sub(r"(?<=\s)(!|-{1,2}[\w-]+) (?!-)", "\\1\N{NO-BREAK SPACE}", text)
    joined = joined.replace("! -", "!\N{NO-BREAK SPACE}-")
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in wrap(joined, width, break_on_hyphens=False)]


def _about(device: Device) -> list[str]:
    """The lines under a device's name: its addresses, or else what it is."""
    addresses = [f"{ip_text(a.address)}/{a.length}" for a in device.addresses]
    if addresses:
        return addresses[:2] + ["…"] * (len(addresses) > 2)
    if isinstance(device, Vxlan):
        return [f"VXLAN {device.vni}"]
    return [f"port of {device.master.name}"] if device.master is not None else [device.kind]
