"""Which CPU does what: a schedule that turns what the stack hands over into work for stations.

A `Work` is a walk that one CPU takes from beginning to end, a `Passage` a frame's stay in the queue towards a wire.
What is common to recording ways (`recorder`) and to playing them with a clock (`walks`) stands here: who runs where,
and what is paid before a walk begins.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from simnet.net.device import Device, Physical
from simnet.net.namespace import NetNamespace
from simnet.net.packet import Arp, Ip
from simnet.net.schedule import Walk
from simnet.net.skb import Skb
from simnet.net.stack import segmentation
from simnet.net.step import Step

from .hardware import Hardware
from .prices.keys import HALTS
from .prices.pricing import Burst, Pricing
from .programs import CLIENT

Before = tuple[tuple[str, int], ...]


class Mark(NamedTuple):
    """What the end of some work is to an exchange of a flow: a measurement, one of its releases, or both."""

    flow: int
    exchange: int
    record: bool
    release: bool


@dataclass(eq=False, slots=True)
class Work:
    """A walk, the CPU (`number` on `host`, a station) that takes it, and what it belongs to: a flow's `exchange`.

    It arrives `lag` ns after what leads to it. `before` is paid before the walk begins, `noise` is the mean of a random
    wait there; `path` says which child of which child of the exchange's first work this is.
    """

    walk: Walk
    host: str
    number: int
    station: int
    flow: int
    exchange: int
    path: tuple[int, ...]
    before: Before = ()
    noise: int = 0
    bounded: bool = False
    burst: Burst = field(default_factory=Burst)
    children: int = 0
    lag: int = 0
    marks: list[Mark] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Passage:
    """A frame in the queue towards a wire: the station, how long it is served, and then the wire's delay (ns)."""

    station: int
    service: int
    delay: int


@dataclass(frozen=True, slots=True)
class Seat:
    """Where a flow's programs run (CPU `number`, the server's one further), and whether they poll or sleep."""

    number: int
    polls: bool = False


class Placement(ABC):
    """A `Schedule` that finds the CPU for each piece of work; `submit` says what becomes of it."""

    def __init__(self, pricing: Pricing, hardware: Hardware, seats: Sequence[Seat]) -> None:
        """Use prices and hardware, with a seat for each flow; nothing runs yet."""
        self.pricing, self.hardware, self.seats = pricing, hardware, seats
        self.current: Work | None = None

    @abstractmethod
    def submit(self, work: Work, passage: Passage | None = None) -> None:
        """Take work that `current` leads to; a `passage` comes before it."""

    def begin(self, flow: int, exchange: int, walk: Walk, namespace: NetNamespace) -> Work:
        """The first work of an exchange, which its client does."""
        host, number = self._seat(flow, namespace, CLIENT)
        station = self.hardware.cpu(host, number)
        return Work(walk, host, number, station, flow, exchange, (), burst=Burst(process=True))

    def defer(self, walk: Walk, device: Device | None) -> None:
        """Work for the same CPU's backlog, or for the one that it is steered to."""
        now = self._now()
        packet = _packet(now.burst.last)
        number = now.number
        before: Before = ()
        if device is not None and packet is not None:
            number = self.hardware.steered(now.host, packet, now.number)
            before = (("softirq.other-cpu", 1),) if number != now.number else ()
        self.submit(self._child(now, walk, now.host, number, before=before))

    def carry(self, walk: Walk, sender: Device, receiver: Device, skb: Skb) -> None:
        """Work for the machine at the other end of the cable; on one computer, for the same CPU."""
        now, segments = self._now(), segmentation.count(skb)
        if self.hardware.together:
            self.defer(walk, receiver)
            return
        if isinstance(sender, Physical):
            undone = {"segment": 0 if sender.tso or segments == 1 else segments,
                      "checksum": 0 if sender.checksums else skb.packet.length}  # fmt: skip
            self.pricing.add(now.burst, iter(undone.items()))
        host = self.hardware.host(receiver.namespace.place)
        number = self.hardware.taken_in(host, skb.packet)
        wire, station = self.hardware.wire(sender), self.hardware.sender(sender)
        passage = Passage(station, wire.service(skb.packet.length, segments), wire.delay)
        self.submit(self._child(now, walk, host, number), passage)

    def wake(self, walk: Walk, namespace: NetNamespace, by: str) -> None:
        """Work for a process: woken by a packet (from a softirq), or its next system call."""
        now = self._now()
        host, number = self._seat(now.flow, namespace, by)
        before: Before = ()
        noise = lag = 0
        if not now.burst.process:
            packet = _packet(now.burst.last)
            sleeps, costs = not self.seats[now.flow].polls, self.pricing.costs
            before = tuple(self.pricing.wake(packet, by, sleeps=sleeps))
            if sleeps:
                noise = round(costs.spread("wake-up.switch"))
                if number != now.number:
                    lag = round(costs["wake-up.other-cpu"])
                    noise += round(costs.spread("wake-up.other-cpu"))
                    now.burst.bill[HALTS] += lag
            if packet is not None:
                self.hardware.read_by(host, packet, number)
        work = self._child(now, walk, host, number, before=before, noise=noise)
        work.lag = lag
        work.burst.process, work.bounded = True, False
        self.submit(work)

    def clear(self) -> None:  # noqa: B027 - a schedule may have nothing to forget, as these have
        """Forget nothing: what is under way goes with the schedule."""

    def parts(self, work: Work) -> Iterator[int]:
        """Take a walk to its end; yields what each part of it takes (ns), the first what was to be paid before."""
        burst = work.burst
        self.pricing.add(burst, iter(work.before))
        yield burst.spent
        while True:
            paid, self.current = burst.spent, work
            step = next(work.walk, None)
            self.current = None
            if step is not None:
                self.pricing.charge(burst, step)
            if burst.spent != paid:
                yield burst.spent - paid
            if step is None:
                return

    def _now(self) -> Work:
        assert self.current is not None, "nothing runs"
        return self.current

    def _seat(self, flow: int, namespace: NetNamespace, by: str) -> tuple[str, int]:
        """Where a program of a flow runs: each flow's on the next CPU, its server one further."""
        host = self.hardware.host(namespace.place)
        return host, (self.seats[flow].number + (by != CLIENT)) % self.hardware.cpus(host).count

    def _child(self, now: Work, walk: Walk, host: str, number: int, *, before: Before = (), noise: int = 0) -> Work:
        path = (*now.path, now.children)
        now.children += 1
        station = self.hardware.cpu(host, number)
        return Work(walk, host, number, station, now.flow, now.exchange, path, before, noise, bounded=True)


def _packet(step: Step | None) -> Ip | Arp | None:
    return step.packet if step is not None else None
