"""One probe with real sockets: a client and the servers, played by one thread that never waits longer than it must."""

from __future__ import annotations

import contextlib
import errno
import select
import socket
import struct
import time
from collections.abc import Callable, Iterable, Mapping

from simnet.live.host.namespace import NetworkNamespace
from simnet.net.address import ip_text
from simnet.net.conversation import Probe
from simnet.net.network import SECOND
from simnet.scenario.question import Listen

# how long a probe's client waits (ns): shorter than the least time after which TCP sends anything again
PATIENCE = 3 * SECOND // 20
_VERDICTS = {"ECONNREFUSED": "refused", "ECONNRESET": "reset", "EPIPE": "reset", "ENETUNREACH": "net-unreachable",
             "EHOSTUNREACH": "host-unreachable"}  # fmt: skip
_ECHO, _ECHO_REPLY, _TIME_EXCEEDED = 8, 0, 11
_PING_SIZE = 56


def _verdict(number: int) -> str:
    name = errno.errorcode.get(number, str(number))
    return _VERDICTS.get(name, name.lower())


class Conversation:
    """The sockets of one probe; closing resets what is still open, so that nothing of it comes later.

    With `greet` the client only connects: who listens there is not ours, and is sent nothing.
    """

    def __init__(
        self, spaces: Mapping[str, NetworkNamespace], probe: Probe, servers: Iterable[Listen], *, greet: bool = False
    ) -> None:
        """Let the servers listen; OSError where one cannot."""
        self.probe = probe
        self.server_saw = self.served_at = ""
        self.opened = False
        self._spaces, self._greet = spaces, greet
        self._listeners: dict[socket.socket, str] = {}
        self._accepted: dict[socket.socket, bool] = {}
        self._peers: dict[socket.socket, tuple[str, int]] = {}
        self._client: socket.socket | None = None
        try:
            for server in servers:
                self._listen(server)
        except BaseException:
            self.close()
            raise

    def _listen(self, listen: Listen) -> None:
        kind = socket.SOCK_STREAM if listen.proto == "tcp" else socket.SOCK_DGRAM
        server = self._spaces[listen.place].socket(socket.AF_INET, kind)
        self._listeners[server] = listen.proto
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((ip_text(listen.address), listen.port))
        server.setblocking(False)
        if listen.proto == "tcp":
            server.listen(4)

    def __enter__(self) -> Conversation:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all sockets."""
        reset = struct.pack("=ii", 1, 0)
        for one in [*self._accepted, *([self._client] if self._client else [])]:
            if one.type == socket.SOCK_STREAM and not self._greet:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
            one.close()
        for one in self._listeners:
            one.close()

    def play(self) -> str:
        """The verdict, in simnet's words."""
        try:
            begin = {"tcp": self._tcp, "udp": self._udp, "icmp": self._ping}[self.probe.proto]
            return begin()
        except OSError as error:
            return _verdict(error.errno or 0)

    @property
    def _to(self) -> tuple[str, int]:
        return ip_text(self.probe.to), self.probe.port

    def _open(self, kind: int, proto: int = 0) -> socket.socket:
        self._client = client = self._spaces[self.probe.frm].socket(socket.AF_INET, kind, proto)
        client.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, self.probe.ttl)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if not proto:
            client.bind(("0.0.0.0", self.probe.sport))
        client.setblocking(False)
        return client

    def _until(self, client: socket.socket, done: Callable[[], str], *, writing: bool = False) -> str:
        """Let the servers serve until the client is ready and `done` gives a verdict."""
        end = time.monotonic() + self.probe.patience / SECOND
        while (left := end - time.monotonic()) > 0:
            readers = [*self._listeners, *(one for one, open_ in self._accepted.items() if open_), client]
            ready, writable, _ = select.select(readers, [client] if writing else [], [], left)
            for one in ready:
                if one is not client:
                    self._serve(one)
            if (client in ready or client in writable) and (verdict := done()):
                return verdict
        return "timeout"

    def _serve(self, one: socket.socket) -> None:
        try:
            if self._listeners.get(one) == "tcp":
                accepted, peer = one.accept()
                accepted.setblocking(False)
                self._accepted[accepted] = True
                self._peers[accepted] = peer
            elif one in self._listeners:
                _, peer = one.recvfrom(65536)
                self._saw(peer, ("", one.getsockname()[1]))
                one.sendto(self._told(peer, ("", one.getsockname()[1])), peer)
            else:
                self._answer(one)
        except OSError:
            if one in self._accepted:
                self._accepted[one] = False

    def _answer(self, one: socket.socket) -> None:
        self._accepted[one] = False
        if one.recv(65536):
            peer, own = self._peers[one], one.getsockname()
            self._saw(peer, own)
            one.send(self._told(peer, own))
        one.shutdown(socket.SHUT_WR)

    def _saw(self, peer: tuple[str, int], own: tuple[str, int]) -> None:
        """Keep what the first request showed."""
        if not self.server_saw:
            self.server_saw, self.served_at = f"{peer[0]}:{peer[1]}", f"{own[0]}:{own[1]}"

    @staticmethod
    def _told(peer: tuple[str, int], own: tuple[str, int]) -> bytes:
        """What a server answers: the two ends as it sees them."""
        return f"{peer[0]}:{peer[1]}>{own[0]}:{own[1]}".encode()

    @property
    def _data(self) -> bytes:
        return b"h" * self.probe.size if self.probe.size else b"hi"

    def _tcp(self) -> str:
        client = self._open(socket.SOCK_STREAM)
        error = client.connect_ex(self._to)
        if error not in {0, errno.EINPROGRESS}:
            return _verdict(error)

        def connected() -> str:
            failed = client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if failed:  # what a program does whose connection failed: close it, at once
                with contextlib.suppress(OSError):
                    client.shutdown(socket.SHUT_WR)
            return _verdict(failed) if failed else "connected"

        verdict = self._until(client, connected, writing=True)
        if verdict != "connected":
            return verdict
        self.opened = True
        if self._greet:
            return "reply"
        client.send(self._data)
        verdict = self._until(client, lambda: "reply" if client.recv(65536) else "reset")
        if verdict in {"reply", "reset"}:
            with contextlib.suppress(OSError):  # a reset may have come meanwhile
                client.shutdown(socket.SHUT_WR)
        return verdict

    def _udp(self) -> str:
        client = self._open(socket.SOCK_DGRAM)
        client.connect(self._to)
        client.send(self._data)
        return self._until(client, lambda: "reply" if client.recv(65536) else "")

    def _ping(self) -> str:
        client = self._open(socket.SOCK_RAW, socket.IPPROTO_ICMP)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)  # as busybox's ping has it
        ident = struct.pack("!H", self.probe.sport)
        message = struct.pack("!BBH", _ECHO, 0, 0) + ident + bytes(2 + (self.probe.size or _PING_SIZE))
        message = message[:2] + struct.pack("!H", _checksum(message)) + message[4:]
        try:
            client.sendto(message, (self._to[0], 0))
        except OSError as error:  # ping tells of one error, and waits in vain after any other
            return "net-unreachable" if error.errno == errno.ENETUNREACH else "timeout"

        def answered() -> str:
            got = client.recv(65536)[20:]
            if got[0] == _ECHO_REPLY and got[4:6] == ident:
                return "reply"
            if got[0] == _TIME_EXCEEDED and got[32:34] == ident:
                return "ttl-exceeded"
            return ""

        return self._until(client, answered)


def _checksum(data: bytes) -> int:
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF
