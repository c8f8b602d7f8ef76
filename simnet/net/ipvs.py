"""IPVS: virtual services, the real servers behind each, which one is next, and the table of connections.

A service is asked for by a firewall mark, or by protocol, address and port. How packets meet it is in `stack.ipvs`.

Models: net/netfilter/ipvs/ip_vs_ctl.c, ip_vs_conn.c, ip_vs_rr.c of Linux 6.x.
Leaves out: schedulers other than rr, persistence, one-packet scheduling, applications (FTP), IPv6, synchronisation, and
time-outs (a walk takes no time: a connection stays until its real server goes).

Example:
    >>> table = Ipvs()
    >>> web = table.add(VirtualService(mark=0x100))
    >>> for address in (0x0A000004, 0x0A000005):
    ...     web.add(RealServer(address))
    >>> [str(web.schedule()) for _ in range(3)]
    ['10.0.0.5', '10.0.0.4', '10.0.0.5']
    >>> print(table.text().splitlines()[3].rstrip())
    FWM  00000100 rr
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from ..errors import SourceError
from .address import ip_text
from .packet import TCP, UDP

MASQ = "Masq"
PROTOCOLS = {"TCP": TCP, "UDP": UDP, "SCTP": 132}
METHODS = (MASQ, "Local", "Tunnel", "Route", "Bypass")
_HEAD = """IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
"""


class Flow(NamedTuple):
    """The protocol and the two ends of a packet, as IPVS looks its connection up."""

    proto: int
    src: int
    sport: int
    dst: int
    dport: int


@dataclass(eq=False, slots=True)
class RealServer:
    """One that serves: `port` 0 keeps the port that was asked for; with weight 0 it gets no new connections."""

    address: int
    port: int = 0
    weight: int = 1
    method: str = MASQ
    available: bool = True

    def __str__(self) -> str:
        """`10.0.0.5`, with its port where it has one of its own."""
        return ip_text(self.address) + (f":{self.port}" if self.port else "")


@dataclass(eq=False, slots=True)
class VirtualService:
    """A service under a firewall mark, or (mark 0) at a protocol, address and port; `servers` holds the newest first.

    `last` is where round robin stopped (None: before the first). `flags` are printed back.
    """

    mark: int = 0
    proto: int = 0
    address: int = 0
    port: int = 0
    scheduler: str = "rr"
    flags: str = ""
    servers: list[RealServer] = field(default_factory=list)
    last: RealServer | None = None

    @property
    def key(self) -> tuple[int, int, int, int]:
        """What it is found by."""
        return self.mark, self.proto, self.address, self.port

    def add(self, server: RealServer) -> None:
        """Add a real server, before the others (ip_vs_new_dest)."""
        self.servers.insert(0, server)

    def remove(self, address: int, port: int = 0) -> None:
        """Take a real server out; round robin goes on where it was (ip_vs_rr_del_dest)."""
        for at, server in enumerate(self.servers):
            if (server.address, server.port) == (address, port):
                if self.last is server:
                    self.last = self.servers[at - 1] if at else None
                del self.servers[at]
                server.available = False
                return

    def schedule(self) -> RealServer | None:
        """The next real server in turn whose weight is not 0; None where there is none (ip_vs_rr_schedule)."""
        start = self.servers.index(self.last) + 1 if self.last is not None else 0
        for server in (*self.servers[start:], *self.servers[:start]):
            if server.weight > 0:
                self.last = server
                return server
        return None

    def __str__(self) -> str:
        """`FWM 0x100 rr`, or `TCP 10.0.0.1:80 rr`."""
        if self.mark:
            return f"FWM {self.mark:#x} {self.scheduler}"
        return f"{_name(self.proto)} {ip_text(self.address)}:{self.port} {self.scheduler}"


@dataclass(eq=False, slots=True)
class IpvsConnection:
    """A connection that has its real server: the client's end, the virtual one and the server's.

    `tracked`: its packets keep their conntrack entry (net.ipv4.vs.conntrack was 1 when it began).
    """

    proto: int
    client: tuple[int, int]
    virtual: tuple[int, int]
    end: tuple[int, int]
    service: VirtualService
    server: RealServer
    tracked: bool = False

    @property
    def incoming(self) -> Flow:
        """What the client's packets look like."""
        return Flow(self.proto, *self.client, *self.virtual)

    @property
    def outgoing(self) -> Flow:
        """What the server's packets look like."""
        return Flow(self.proto, *self.end, *self.client)


class Ipvs:
    """The services and connections of one namespace."""

    def __init__(self) -> None:
        """None of either."""
        self.services: dict[tuple[int, int, int, int], VirtualService] = {}
        self._incoming: dict[Flow, IpvsConnection] = {}
        self._outgoing: dict[Flow, IpvsConnection] = {}

    def add(self, service: VirtualService) -> VirtualService:
        """Add a service; one that is there under the same mark or address stays, and is given back."""
        return self.services.setdefault(service.key, service)

    def remove(self, service: VirtualService) -> None:
        """Take a service out, with its real servers."""
        self.services.pop(service.key, None)
        for server in service.servers:
            server.available = False

    def find(self, mark: int, proto: int, address: int, port: int) -> VirtualService | None:
        """The service that a packet is for: by its mark, else by where it goes (ip_vs_service_find)."""
        found = self.services.get((mark, 0, 0, 0)) if mark else None
        return found or self.services.get((0, proto, address, port))

    def connect(self, flow: Flow, service: VirtualService, server: RealServer, *, tracked: bool) -> IpvsConnection:
        """Note which server a client's flow goes to (ip_vs_conn_new)."""
        made = IpvsConnection(flow.proto, flow[1:3], flow[3:5], (server.address, server.port or flow.dport),
                              service, server, tracked)  # fmt: skip
        self._incoming[made.incoming] = made
        self._outgoing[made.outgoing] = made
        return made

    def incoming(self, flow: Flow) -> IpvsConnection | None:
        """The connection of a client's packet (ip_vs_conn_in_get)."""
        return self._incoming.get(flow)

    def outgoing(self, flow: Flow) -> IpvsConnection | None:
        """The connection of a server's packet (ip_vs_conn_out_get)."""
        return self._outgoing.get(flow)

    def forget(self, connection: IpvsConnection) -> None:
        """Take a connection out (ip_vs_conn_expire_now)."""
        self._incoming.pop(connection.incoming, None)
        self._outgoing.pop(connection.outgoing, None)

    def connections(self) -> list[IpvsConnection]:
        """The connections, oldest first."""
        return list(self._incoming.values())

    def text(self) -> str:
        """What /proc/net/ip_vs shows; every connection counts as active."""
        return _HEAD + "".join(self._shown(service) for service in self.services.values())

    def _shown(self, service: VirtualService) -> str:
        flags = f"{service.flags} " if service.flags else ""
        if service.mark:
            line = f"FWM  {service.mark:08X} {service.scheduler} {flags}\n"
        else:
            where = f"{service.address:08X}:{service.port:04X}"
            line = f"{_name(service.proto)}  {where} {service.scheduler}  {flags}\n"
        for one in service.servers:
            active = sum(connection.server is one for connection in self._incoming.values())
            where = f"{one.address:08X}:{one.port:04X}"
            line += f"  -> {where}      {one.method:<7} {one.weight:<6} {active:<10} {0:<10}\n"
        return line


def parse(text: str, file: str = "ipvs") -> list[VirtualService]:
    r"""Read /proc/net/ip_vs; SourceError where a line is none of its own.

    Example:
        >>> [service] = parse("FWM  00000100 rr \n  -> 0A000004:0000      Masq    1      0          0\n")
        >>> str(service), [str(server) for server in service.servers]
        ('FWM 0x100 rr', ['10.0.0.4'])
    """
    found: list[VirtualService] = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or words[:2] in (["IP", "Virtual"], ["Prot", "LocalAddress:Port"], ["->", "RemoteAddress:Port"]):
            continue
        try:
            if words[0] == "->":
                address, port = _end(words[1])
                if words[2] not in METHODS:
                    raise ValueError(words[2])
                found[-1].servers.append(RealServer(address, port, int(words[3]), words[2]))
            else:
                found.append(_service(words))
        except (ValueError, IndexError, KeyError):
            raise SourceError(f"no line of /proc/net/ip_vs: {line.strip()!r}", file=file, line=number, column=1,
                              hint="copy the file as the kernel prints it") from None  # fmt: skip
    return found


def _service(words: list[str]) -> VirtualService:
    flags = " ".join(words[3:])
    if words[0] == "FWM":
        mark = int(words[1], 16)
        if not 0 < mark < 2**32:
            raise ValueError(words[1])
        return VirtualService(mark, scheduler=words[2], flags=flags)
    return VirtualService(0, PROTOCOLS[words[0]], *_end(words[1]), scheduler=words[2], flags=flags)


def _end(text: str) -> tuple[int, int]:
    address, colon, port = text.partition(":")
    if len(address) != 8 or len(port) != 4 or not colon:
        raise ValueError(text)
    return int(address, 16), int(port, 16)


def _name(proto: int) -> str:
    return next(name for name, number in PROTOCOLS.items() if number == proto)


def unmodelled(services: list[VirtualService]) -> Iterator[str]:
    """What of some services is taken otherwise than the kernel does it, in words."""
    for service in services:
        if service.scheduler != "rr":
            yield f"{service}: the scheduler {service.scheduler} is taken as rr"
        if service.flags:
            yield f"{service}: {service.flags} is not modelled"
