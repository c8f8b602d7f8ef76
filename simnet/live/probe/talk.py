"""One probe with real sockets: a client and the servers, played by one thread that never waits longer than it must."""

import contextlib
import errno
import select
import socket
import struct
import time
from dataclasses import dataclass

from simnet.net.address import parse_ip
from simnet.net.conversation import Probe
from simnet.net.network import SECOND

# shorter than the least time after which TCP sends anything again
PATIENCE = 0.15
_VERDICTS = {"ECONNREFUSED": "refused", "ECONNRESET": "reset", "ENETUNREACH": "net-unreachable",
             "EHOSTUNREACH": "host-unreachable"}  # fmt: skip


@dataclass(frozen=True)
class Ask:
    """What is sent, from where, and how."""

    frm: str
    proto: str
    dst: str
    dport: int
    sport: int
    ttl: int = 64
    size: int = 0

    @property
    def probe(self):
        """The same as a question to a network; both sides wait equally long."""
        patience = int(PATIENCE * SECOND)
        return Probe(self.frm, parse_ip(self.dst), self.dport, self.proto, self.sport, self.ttl, self.size, patience)

    def __str__(self):
        ttl = f" ttl {self.ttl}" if self.ttl != 64 else ""
        size = f" size {self.size}" if self.size else ""
        return f"{self.proto} {self.frm}:{self.sport} → {self.dst}:{self.dport}{ttl}{size}"


def _verdict(number):
    name = errno.errorcode.get(number, str(number))
    return _VERDICTS.get(name, name.lower())


class Conversation:
    """The sockets of one probe; closing resets what is still open, so that nothing of it comes later."""

    def __init__(self, host, ask, servers):
        self.host, self.ask = host, ask
        self.server_saw = ""
        self._listeners, self._accepted, self._peers = {}, {}, {}
        self._client = None
        for place, proto, address, port in servers:
            self._listen(place, proto, address, port)

    def _listen(self, place, proto, address, port):
        kind = socket.SOCK_STREAM if proto == "tcp" else socket.SOCK_DGRAM
        server = self.host.socket(place, socket.AF_INET, kind)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((address, port))
        server.setblocking(False)
        if proto == "tcp":
            server.listen(4)
        self._listeners[server] = proto

    def close(self):
        reset = struct.pack("=ii", 1, 0)
        for one in [*self._accepted, *([self._client] if self._client else [])]:
            if one.type == socket.SOCK_STREAM:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
            one.close()
        for one in self._listeners:
            one.close()

    def play(self):
        """The verdict, in simnet's words."""
        try:
            begin = {"tcp": self._tcp, "udp": self._udp, "icmp": self._ping}[self.ask.proto]
            return begin()
        except OSError as error:
            return _verdict(error.errno)

    def _open(self, kind, proto=0):
        self._client = self.host.socket(self.ask.frm, socket.AF_INET, kind, proto)
        self._client.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, self.ask.ttl)
        self._client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if not proto:
            self._client.bind(("0.0.0.0", self.ask.sport))
        self._client.setblocking(False)
        return self._client

    def _until(self, done, *, writing=False):
        """Let the servers serve until the client is ready and `done` gives a verdict."""
        end = time.monotonic() + PATIENCE
        while (left := end - time.monotonic()) > 0:
            readers = [*self._listeners, *(one for one, open_ in self._accepted.items() if open_), self._client]
            ready, writable, _ = select.select(readers, [self._client] if writing else [], [], left)
            for one in ready:
                if one is not self._client:
                    self._serve(one)
            if (self._client in ready or self._client in writable) and (verdict := done()):
                return verdict
        return "timeout"

    def _serve(self, one):
        try:
            if self._listeners.get(one) == "tcp":
                accepted, peer = one.accept()
                accepted.setblocking(False)
                self._accepted[accepted] = True
                self._peers[accepted] = peer
            elif one in self._listeners:
                _, peer = one.recvfrom(65536)
                self.server_saw = self.server_saw or f"{peer[0]}:{peer[1]}"
                one.sendto(f"{peer[0]}:{peer[1]}>:{one.getsockname()[1]}".encode(), peer)
            else:
                self._answer(one)
        except OSError:
            if one in self._accepted:
                self._accepted[one] = False

    def _answer(self, one):
        self._accepted[one] = False
        if one.recv(65536):
            peer, own = self._peers[one], one.getsockname()
            self.server_saw = self.server_saw or f"{peer[0]}:{peer[1]}"
            one.send(f"{peer[0]}:{peer[1]}>{own[0]}:{own[1]}".encode())
        one.shutdown(socket.SHUT_WR)

    @property
    def _data(self):
        return b"h" * self.ask.size if self.ask.size else b"hi"

    def _tcp(self):
        client = self._open(socket.SOCK_STREAM)
        error = client.connect_ex((self.ask.dst, self.ask.dport))
        if error not in {0, errno.EINPROGRESS}:
            return _verdict(error)

        def connected():
            failed = client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if failed:  # what a program does whose connection failed: close it, at once
                with contextlib.suppress(OSError):
                    client.shutdown(socket.SHUT_WR)
            return _verdict(failed) if failed else "connected"

        verdict = self._until(connected, writing=True)
        if verdict != "connected":
            return verdict
        client.send(self._data)
        verdict = self._until(lambda: "reply" if client.recv(65536) else "reset")
        if verdict in {"reply", "reset"}:
            client.shutdown(socket.SHUT_WR)
        return verdict

    def _udp(self):
        client = self._open(socket.SOCK_DGRAM)
        client.connect((self.ask.dst, self.ask.dport))
        client.send(self._data)
        return self._until(lambda: "reply" if client.recv(65536) else "")

    def _ping(self):
        client = self._open(socket.SOCK_RAW, socket.IPPROTO_ICMP)
        ident = self.ask.sport
        message = struct.pack("!BBHHH", 8, 0, 0, ident, 0) + bytes(self.ask.size or 56)
        message = message[:2] + struct.pack("!H", _checksum(message)) + message[4:]
        try:
            client.sendto(message, (self.ask.dst, 0))
        except OSError as error:  # ping tells of one error, and waits in vain after any other
            return "net-unreachable" if error.errno == errno.ENETUNREACH else "timeout"

        def answered():
            got = client.recv(65536)[20:]
            if got[0] == 0 and got[4:6] == struct.pack("!H", ident):
                return "reply"
            if got[0] == 11 and got[32:34] == struct.pack("!H", ident):
                return "ttl-exceeded"
            return ""

        return self._until(answered)


def _checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF
