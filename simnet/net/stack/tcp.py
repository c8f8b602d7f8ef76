"""TCP: a connection's handshake, data, close and reset, and what is sent again when no answer comes.

A `Stream` goes through SYN_SENT or SYN_RECV → ESTABLISHED → CLOSED; which side has sent its FIN is kept beside it.

Models: net/ipv4/tcp_{input,output,ipv4}.c of Linux 6.x.
Leaves out: windows, congestion, selective acknowledgement. Acknowledgements are delayed, and packets larger than a
segment, only where asked.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace

from ..address import ip_text
from ..namespace import NetNamespace
from ..packet import ACK, DEST_UNREACH, FIN, FRAG_NEEDED, LONGEST, PSH, RST, SYN, TCP, IcmpMessage, IPv4, TcpSegment
from ..skb import Skb
from ..socket import Listener
from ..step import Delivery, Drop, Step
from . import ip_output
from .ip_input import protocol, wake

# the kernel's first time-outs: of a SYN or SYN ACK (TCP_TIMEOUT_INIT), and the least one of data (TCP_RTO_MIN)
SYN_TIMEOUT = 1_000_000_000
DATA_TIMEOUT = 200_000_000
_SYN_OPTIONS, _OPTIONS = 20, 12
_HEADERS = 40
_DEFAULT_MSS = 536
# how often a SYN and data are sent again (tcp_syn_retries, tcp_retries2), the longest wait before that (TCP_RTO_MAX)
_SYN_RETRIES, _RETRIES, _LONGEST_TIMEOUT = 6, 15, 120_000_000_000
# acknowledgements of the same byte, beyond the first, that mean a loss
_REPEATS = 3
# how long an acknowledgement waits for data to ride on (TCP_DELACK_MIN)
_DELAY = 40_000_000


def _nothing(*_: object) -> None:
    return


class Stream:
    """One end of a TCP connection.

    A program sets `connected`, `received` (data), `acknowledged` (up to which number), `ended` (the peer's FIN) and
    `failed` (an errno), which are called as those happen, and sends with `write` and `close`; every one of these
    returns or starts a walk of packets. `delays_acks` lets an acknowledgement wait for data to ride on, or for a second
    segment. `largest` bytes go in one packet, which devices cut later (0: a segment); the network's if nobody says.
    """

    delays_acks = False

    def __init__(
        self, namespace: NetNamespace, local: tuple[int, int], remote: tuple[int, int], by: str, ttl: int = 64
    ) -> None:
        """An end at `local` (address, port) towards `remote`, held by the program `by`."""
        self.namespace, self.local, self.remote, self.by, self.ttl = namespace, local, remote, by, ttl
        self.largest = namespace.network.largest
        self.state = "CLOSED"
        self.connected: Callable[[], None] = _nothing
        self.received: Callable[[bytes], None] = _nothing
        self.acknowledged: Callable[[int], None] = _nothing
        self.ended: Callable[[], None] = _nothing
        self.failed: Callable[[str], None] = _nothing
        self.listener: Listener | None = None
        self.unread = False
        self.sequence, self.expected = 0, 0
        self.fin_sent, self.fin_seen = False, False
        self.peer_mss = self.path_mss = LONGEST
        self.soft_error = ""
        self._unsent: TcpSegment | None = None
        self._unacked: list[TcpSegment] = []
        self._timeout = SYN_TIMEOUT
        self._owed = self._due = 0
        self._early: dict[int, TcpSegment] = {}
        # the handshake acknowledges the SYN
        self._heard, self._repeats, self._recover, self._tries = 1, 0, 0, 0

    def __str__(self) -> str:
        """`tcp 172.17.0.3:22 peer 172.17.0.2:40001`."""
        return f"tcp {ip_text(self.local[0])}:{self.local[1]} peer {ip_text(self.remote[0])}:{self.remote[1]}"

    def _open(self) -> None:
        self.namespace.sockets.streams[*self.local, *self.remote] = self

    def _shut(self) -> None:
        self.state = "CLOSED"
        self._unacked.clear()
        self.namespace.sockets.streams.pop((*self.local, *self.remote), None)

    def connect(self) -> Generator[Step, None, None]:
        """Send the SYN."""
        self._open()
        self.state = "SYN_SENT"
        yield from self._send(SYN)

    def accept(self, listener: Listener) -> Generator[Step, None, None]:
        """Answer a SYN; the listener's program gets the stream once the handshake is complete."""
        self._open()
        self.state, self.listener, self.expected = "SYN_RECV", listener, 1
        yield from self._send(SYN | ACK)

    def write(self, data: bytes) -> Generator[Step, None, None]:
        """Send data, in segments that the way is known to take; nothing once the connection is gone."""
        if self.state == "CLOSED":
            return
        size = self.segment_size
        if self.largest > size:
            size *= self.largest // size
        for start in range(0, len(data), size):
            yield from self._send(PSH | ACK, data[start : start + size])

    @property
    def segment_size(self) -> int:
        """Bytes of data in a segment, by what is known of the way."""
        return max(min(self._own_mss(), self.peer_mss, self.path_mss) - _OPTIONS, 1)

    def _own_mss(self) -> int:
        """What a segment may hold, options included, by the MTU of the route (tcp_sync_mss)."""
        route = self.namespace.route_output(self.remote[0], self.local[0])
        if isinstance(route, str):
            return _DEFAULT_MSS
        device = self.namespace.output_device(route)
        return (route.mtu or (device.mtu if device is not None else 1500)) - _HEADERS

    def close(self) -> Generator[Step, None, None]:
        """Close this end: a FIN, or a reset where data was left unread."""
        if self.state == "CLOSED":
            return
        if self.unread:
            yield from self._transmit(TcpSegment(self.local[1], self.remote[1], RST | ACK, self.sequence, self.expected,
                                                 options=0))  # fmt: skip
            self._shut()
        elif not self.fin_sent:
            self.fin_sent = True
            if self._unsent is not None and self._unacked and self._unacked[-1] is self._unsent:
                # the FIN rides on data that could not leave (tcp_send_fin)
                last = self._unacked[-1] = replace(self._unsent, flags=self._unsent.flags | FIN)
                self.sequence += 1
                self._arm(last)
                yield from self._transmit(last)
            else:
                yield from self._send(FIN | ACK)

    def abandon(self) -> None:
        """Forget the connection without a word, as when its program ends while it is being opened."""
        self._shut()

    def _send(self, flags: int, data: bytes = b"") -> Generator[Step, None, None]:
        """Send a segment that must be acknowledged, and see to it that it is sent again if it is not."""
        options = _SYN_OPTIONS if flags & SYN else _OPTIONS
        mss = self._own_mss() if flags & SYN else 0
        segment = TcpSegment(self.local[1], self.remote[1], flags, self.sequence, self.expected, data, options, mss)
        self.sequence += len(data) + bool(flags & (SYN | FIN))
        self._unacked.append(segment)
        self._timeout = SYN_TIMEOUT if flags & SYN else DATA_TIMEOUT
        self._arm(segment)
        yield from self._transmit(segment)

    def _arm(self, segment: TcpSegment) -> None:
        self.namespace.network.after(self._timeout, lambda: self._again(segment))

    def _again(self, segment: TcpSegment) -> Generator[Step, None, None] | None:
        """Send a segment again if it is still the oldest one without an acknowledgement."""
        if not self._unacked or self._unacked[0] is not segment:
            if segment in self._unacked:
                self._arm(segment)
            return None
        self._tries += 1
        if self._tries > (_SYN_RETRIES if segment.flags & SYN else _RETRIES):
            self._shut()
            self.failed("ETIMEDOUT")
            return None
        self._timeout = min(self._timeout * 2, _LONGEST_TIMEOUT)
        self._recover = self.sequence
        self._arm(segment)
        return self._transmit(segment)

    def _transmit(self, segment: TcpSegment) -> Generator[Step, None, None]:
        packet = IPv4(self.local[0], self.remote[0], TCP, segment, ttl=self.ttl, df=True)
        skb = Skb(self.namespace.network.serial(), packet, by=self.by, socket=self)
        if self.largest and len(segment.data) > self.segment_size:
            skb.segment = self.segment_size
            skb.excess = len(segment.data) - skb.segment
        self._owed = self._due = 0
        errno = yield from ip_output.send(self.namespace, skb)
        self._unsent = segment if errno and segment.data else None

    def _acknowledge(self) -> Generator[Step, None, None]:
        segment = TcpSegment(self.local[1], self.remote[1], ACK, self.sequence, self.expected, options=_OPTIONS)
        yield from self._transmit(segment)

    def receive(self, segment: TcpSegment, skb: Skb) -> Generator[Step, None, None]:
        """Take in a segment (tcp_rcv_state_process)."""
        if segment.flags & RST:
            self._reset(segment)
            return
        if self.state == "SYN_SENT":
            yield from self._synchronise(segment, skb)
            return
        if segment.flags & SYN:
            # a SYN or SYN ACK again: our acknowledgement was lost
            if segment.flags & ACK:
                yield from self._acknowledge()
            elif self._unacked:
                yield from self._transmit(self._unacked[0])
            return
        if segment.flags & ACK:
            yield from self._take_acknowledgement(segment, skb)
        yield from self._take_data(segment, skb)

    def _reset(self, segment: TcpSegment) -> None:
        was = self.state
        if was == "SYN_SENT" and not segment.flags & ACK:
            return
        self._shut()
        if was == "SYN_SENT":
            self.failed("ECONNREFUSED")
        elif was == "ESTABLISHED":
            self.failed("ECONNRESET")

    def _synchronise(self, segment: TcpSegment, skb: Skb) -> Generator[Step, None, None]:
        if segment.flags & (SYN | ACK) != SYN | ACK:
            return
        self.state, self.expected = "ESTABLISHED", segment.seq + 1
        self.peer_mss = segment.mss or _DEFAULT_MSS
        self._unacked.clear()
        yield from self._acknowledge()
        yield from wake(self.namespace, skb)
        self.connected()

    def _take_acknowledgement(self, segment: TcpSegment, skb: Skb) -> Generator[Step, None, None]:
        self._unacked = [
            one for one in self._unacked if one.seq + len(one.data) + bool(one.flags & (SYN | FIN)) > segment.ack
        ]
        if self.state == "SYN_RECV" and not self._unacked:
            self.state = "ESTABLISHED"
            if self.listener is not None:
                yield from wake(self.namespace, skb)
                self.listener.accepted(self)
        elif self.state == "ESTABLISHED":
            yield from self._count_repeats(segment)
            self.acknowledged(segment.ack)

    def _count_repeats(self, segment: TcpSegment) -> Generator[Step, None, None]:
        """Send the oldest segment again at the third acknowledgement that asks for it (tcp_fastretrans_alert).

        After that, or a time-out, at each that acknowledges a part of what was under way then (RFC 6582).
        """
        advanced = segment.ack > self._heard
        repeated = segment.ack == self._heard and not segment.data and bool(self._unacked)
        self._repeats = self._repeats + 1 if repeated else 0
        self._heard = max(self._heard, segment.ack)
        if advanced:
            self._timeout, self._tries = DATA_TIMEOUT, 0
        if segment.ack >= self._recover:
            self._recover = 0
        if self._repeats == _REPEATS and not self._recover:
            self._recover = self.sequence
            yield from self._transmit(self._unacked[0])
        elif advanced and self._recover and self._unacked:
            yield from self._transmit(self._unacked[0])

    def _take_data(self, segment: TcpSegment, skb: Skb) -> Generator[Step, None, None]:
        """Take in data that is expected, with what came early and follows it (tcp_data_queue, tcp_ofo_queue)."""
        if not _length(segment):
            return
        if segment.seq != self.expected:
            if segment.seq > self.expected:
                self._early[segment.seq] = segment
            yield from self._acknowledge()
            return
        taken = [segment]
        self.expected += _length(segment)
        while (following := self._early.pop(self.expected, None)) is not None:
            taken.append(following)
            self.expected += _length(following)
        if self.fin_sent and self.state == "CLOSED":
            return
        if len(taken) == 1 and self._may_wait(segment):
            self._acknowledge_later()
        else:
            yield from self._acknowledge()
        yield from wake(self.namespace, skb)
        for one in taken:
            if one.data:
                self.received(one.data)
            if one.flags & FIN:
                self.fin_seen = True
                self.ended()

    def _acknowledge_later(self) -> None:
        """Acknowledge when the first data that is owed has waited long enough (tcp_send_delayed_ack)."""
        network = self.namespace.network
        if not self._due:
            due = self._due = network.now + _DELAY
            network.after(_DELAY, lambda: self._is_due(due))

    def _is_due(self, time: int) -> Generator[Step, None, None] | None:
        if self._due != time:  # what was owed then rode on something
            return None
        self._due = 0
        return self._acknowledge()

    def _may_wait(self, segment: TcpSegment) -> bool:
        """Whether data may be acknowledged later (__tcp_ack_snd_check): less than two segments are owed."""
        self._owed += len(segment.data)
        return self.delays_acks and not segment.flags & FIN and self._owed < 2 * self.segment_size

    def icmp_error(self, errno: str, message: IcmpMessage) -> None:
        """An ICMP error about this connection (tcp_v4_err): it ends a handshake, or makes segments smaller."""
        if message.type == DEST_UNREACH and message.code == FRAG_NEEDED:
            self.path_mss = max(message.mtu - _HEADERS, _OPTIONS + 1)
            self.namespace.network.defer(self._cut_again())
        elif self.state == "SYN_SENT":
            self._shut()
            self.failed(errno)
        else:
            self.soft_error = errno

    def _cut_again(self) -> Generator[Step, None, None]:
        """Send what is not acknowledged again, in segments that fit the path (tcp_simple_retransmit)."""
        size = max(self.path_mss - _OPTIONS, 1)
        waiting, self._unacked = self._unacked, []
        for segment in waiting:
            for start in range(0, len(segment.data), size) or (0,):
                piece = replace(segment, data=segment.data[start : start + size], seq=segment.seq + start)
                self._unacked.append(piece)
                self._arm(piece)
                yield from self._transmit(piece)


def _length(segment: TcpSegment) -> int:
    """How far a segment goes: its data, and a FIN."""
    return len(segment.data) + bool(segment.flags & FIN)


@protocol(TCP)
def receive(namespace: NetNamespace, skb: Skb) -> Generator[Step, None, None]:
    """Take in a segment: to its connection, to a listener if it is a SYN, else it is answered with a reset."""
    ip = skb.ip
    segment = ip.transport
    assert isinstance(segment, TcpSegment)
    stream = namespace.sockets.stream(ip.dst, segment.dport, ip.src, segment.sport)
    if stream is not None:
        yield Delivery(namespace.place, skb.serial, ip, str(stream), stream.by)
        yield from stream.receive(segment, skb)
        return
    listener = namespace.sockets.listener(ip.dst, segment.dport)
    if listener is not None and segment.flags & (SYN | ACK | RST) == SYN:
        yield Delivery(namespace.place, skb.serial, ip, str(listener), listener.by)
        child = Stream(namespace, (ip.dst, segment.dport), (ip.src, segment.sport), listener.by)
        child.peer_mss = segment.mss or _DEFAULT_MSS
        yield from child.accept(listener)
        return
    if segment.flags & RST:
        return
    yield Drop(namespace.place, skb.serial, ip, f"nobody listens on tcp port {segment.dport}")
    answer = Skb(namespace.network.serial(), replace(reset_for(ip, segment), tos=ip.tos & ~3), by="kernel")
    yield from ip_output.send(namespace, answer)


def reset_for(ip: IPv4, segment: TcpSegment) -> IPv4:
    """The reset that answers a segment."""
    flags = RST if segment.flags & ACK else RST | ACK
    answer = TcpSegment(segment.dport, segment.sport, flags, seq=segment.ack, ack=segment.seq + 1, options=0)
    return IPv4(ip.dst, ip.src, TCP, answer, df=True)
