"""Traffic: who sends what to whom, and in what manner."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from simnet.errors import UsageError
from simnet.net.address import ip_text

if TYPE_CHECKING:
    from .queueing.model import Arrivals

REQUESTS, STREAM, OPEN, CONNECTIONS = "requests", "stream", "open", "connections"
KINDS = (REQUESTS, STREAM, OPEN, CONNECTIONS)
PROTOS = ("tcp", "udp")
_LARGEST_DATAGRAM = 65_507


@dataclass(frozen=True, slots=True)
class Traffic:
    """One source of traffic, from a place to an address (a number) and port.

    `kind`: `requests` (each of `parallel` clients asks again when it has its reply, after `think` ns), `stream` (each
    of `parallel` connections keeps `window` bytes under way; with UDP: sends as fast as it can), `open` (requests come
    by `arrivals`, whatever became of the ones before; each of `parallel` flows has those, or its own of as many),
    `connections`
    (each of `parallel` clients opens one for every request). `size` and `reply` are bytes of data. `polls`: the
    programs at both ends poll instead of sleeping. `offload`: streams go in packets of up to 64 KiB, which devices cut;
    requests, replies and what docker-proxy copies do so where any traffic of a run has it.
    A request that was lost is given up after `timeout` ns.

    Example:
        >>> print(Traffic("web", "wan", 0xC0000202, 8080, parallel=64))
        web: 64 × requests, tcp from wan to 192.0.2.2:8080
    """

    name: str
    frm: str
    to: int
    port: int
    proto: str = "tcp"
    kind: str = REQUESTS
    parallel: int = 1
    size: int = 64
    reply: int = 64
    think: int = 0
    window: int = 262_144
    offload: bool = True
    polls: bool = False
    timeout: int = 1_000_000_000
    arrivals: Arrivals | tuple[Arrivals, ...] | None = field(default=None, compare=False)

    def __str__(self) -> str:
        """As a summary names it."""
        many = f"{self.parallel} × " if self.parallel > 1 else ""
        return f"{self.name}: {many}{self.kind}, {self.proto} from {self.frm} to {ip_text(self.to)}:{self.port}"

    def arrivals_of(self, flow: int) -> Arrivals | None:
        """When the exchanges of one flow (from 0) begin; None where that hangs on the one before."""
        return self.arrivals[flow] if isinstance(self.arrivals, tuple) else self.arrivals

    def checked(self) -> Traffic:
        """The same; UsageError where it makes no sense."""
        if self.kind not in KINDS or self.proto not in PROTOS:
            raise UsageError(f"traffic {self.name}: no kind {self.kind!r} over {self.proto!r}")
        amounts = {"parallel": self.parallel, "size": self.size, "window": self.window, "timeout": self.timeout}
        for what, amount in amounts.items():
            if amount < 1:
                raise UsageError(f"traffic {self.name}: {what} must be 1 or more, not {amount}")
        for what, amount in {"reply": self.reply, "think": self.think}.items():
            if amount < 0:
                raise UsageError(f"traffic {self.name}: {what} must be 0 or more, not {amount}")
        if self.proto == "udp" and max(self.size, self.reply) > _LARGEST_DATAGRAM:
            raise UsageError(f"traffic {self.name}: a datagram holds at most {_LARGEST_DATAGRAM} bytes")
        if self.kind == CONNECTIONS and self.proto != "tcp":
            raise UsageError(f"traffic {self.name}: only tcp has connections")
        if (self.kind == OPEN) != (self.arrivals is not None):
            raise UsageError(f"traffic {self.name}: open traffic needs a rate or times, and no other kind has them")
        if isinstance(self.arrivals, tuple) and len(self.arrivals) != self.parallel:
            raise UsageError(f"traffic {self.name}: {self.parallel} flows, but arrivals of {len(self.arrivals)}")
        if not self.reply and self.kind in {REQUESTS, CONNECTIONS}:
            raise UsageError(f"traffic {self.name}: a request without a reply is never done; give reply a size")
        return self if 0 < self.port < 65536 else replace(self, port=self._bad_port())

    def _bad_port(self) -> int:
        raise UsageError(f"traffic {self.name}: no port {self.port}")
