"""A match on what a program of the classic Berkeley packet filter answers: `-m bpf --bytecode`.

Docker tells the packets of encrypted overlay networks so: the program finds the tunnel's id in the VXLAN header.

Models: net/netfilter/xt_bpf.c and net/core/filter.c (bpf_convert_filter, bpf_check_classic, __skb_get_pay_offset).
Leaves out: programs that were loaded elsewhere (`--object-pinned`), and of the ancillary data all but the protocol,
the mark and the payload's offset: there the answer is undecided, as where bytes are read that are each host's own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from ...packet import IcmpMessage, Ip, IPv6, TcpSegment, UdpDatagram
from ..context import Context
from ..rule import Option, Test
from .image import Image
from .module import Module, find, value

_WORD = 0xFFFFFFFF
# what an instruction's low three bits say that it is
_LD, _LDX, _ST, _STX, _ALU, _JMP, _RET, _MISC = range(8)
# of a load: how much, and from where
_SIZES = {0x00: 4, 0x08: 2, 0x10: 1}
_IMM, _ABS, _IND, _MEM, _LEN, _MSH = 0x00, 0x20, 0x40, 0x60, 0x80, 0xA0
# negative offsets: of the network header (where the packet begins here), and of what the kernel knows beside the bytes
_NET, _BESIDE = -0x100000, -0x1000
_PROTOCOL, _MARK, _PAYLOAD = 0, 20, 52
_MOST, _CELLS = 64, 16
# the arithmetic instructions, and all that the kernel takes (bpf_check_classic)
_DIV, _MOD, _SHIFTS = 0x34, 0x94, (0x64, 0x74)
_CODES = {
    *(0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0x80, 0x00, 0x60), *(0x81, 0x01, 0x61, 0xB1), 0x02, 0x03, 0x84,
    *(operation | source for operation in range(0x04, 0xA5, 0x10) if operation != 0x84 for source in (0, 8)),
    0x05, *(0x15, 0x1D, 0x25, 0x2D, 0x35, 0x3D, 0x45, 0x4D), 0x06, 0x16, 0x07, 0x87,
}  # fmt: skip


class _Ends(Exception):
    """The program ends with an answer: what it returns, or None where that is not known."""

    def __init__(self, answer: int | None) -> None:
        self.answer = answer
        super().__init__(answer)


class _Instruction(NamedTuple):
    code: int
    yes: int
    no: int
    k: int


@dataclass(slots=True)
class _Machine:
    """The registers and cells of a run, and the packet that it looks at."""

    c: Context
    image: Image
    a: int = 0
    x: int = 0
    cells: list[int] = field(default_factory=lambda: [0] * _CELLS)

    def load(self, at: int, size: int) -> int:
        """Bytes of the packet, or one of the facts beside it; beyond the packet the program ends with 0."""
        if _BESIDE <= at < 0:
            return self._beside(at - _BESIDE)
        at = at - _NET if _NET <= at < 0 else at
        if at < 0:
            raise _Ends(None)
        if at + size > len(self.image.data):
            raise _Ends(0)
        if any(self.image.kinds[at : at + size]):
            raise _Ends(None)
        return int.from_bytes(self.image.data[at : at + size])

    def _beside(self, which: int) -> int:
        ip = self.c.ip
        if which == _PROTOCOL:
            return 0x86DD if isinstance(ip, IPv6) else 0x0800
        if which == _MARK:
            return self.c.skb.mark
        if which == _PAYLOAD:
            return _payload_offset(ip)
        raise _Ends(None)


def _payload_offset(ip: Ip) -> int:
    """Where the payload of the transport begins; in a later fragment, where the transport would."""
    transport = ip.transport
    if ip.fragment is not None and ip.fragment.offset:
        return ip.header
    if isinstance(transport, TcpSegment):
        return ip.header + 20 + transport.options
    return ip.header + (8 if isinstance(transport, UdpDatagram | IcmpMessage) else 0)


def program(text: str) -> list[_Instruction]:
    """Read `COUNT,CODE JT JF K,…`; ValueError where the kernel would refuse it.

    Example:
        >>> program("2,48 0 0 9,6 0 0 1")[1].k
        1
    """
    count, *parts = text.strip(" ,").split(",")
    rows = [part.split() for part in parts]
    if any(len(row) != 4 for row in rows):
        raise ValueError("bpf: an instruction is not CODE JT JF K")
    found = [_Instruction(*map(int, row)) for row in rows]
    if int(count) != len(found) or not 0 < len(found) <= _MOST:
        raise ValueError(f"bpf: {count} instructions announced, {len(found)} found")
    for at, one in enumerate(found):
        _check(one, len(found) - at - 1, at)
    if found[-1].code & 7 != _RET:
        raise ValueError("bpf: the last instruction does not return")
    return found


def _check(one: _Instruction, left: int, at: int) -> None:
    """Refuse what the kernel does not run; `left` instructions come after this one."""
    jumps = (one.k,) if one.code == _JMP else (one.yes, one.no) if one.code & 7 == _JMP else ()
    memory = one.code in {_LD | _MEM, _LDX | _MEM, _ST, _STX}
    if any(jump >= left for jump in jumps) or (memory and one.k >= _CELLS):
        raise ValueError(f"bpf: instruction {at} leads out of the program")
    fixed = (one.code in {_DIV, _MOD} and not one.k) or (one.code in _SHIFTS and one.k > 31)
    if one.code not in _CODES or fixed or not 0 <= one.k <= _WORD:
        raise ValueError(f"bpf: instruction {at} is none that the kernel runs")


def run(instructions: list[_Instruction], c: Context) -> int | None:
    """What a program answers for a packet; None where that hangs on what is not known."""
    machine, at = _Machine(c, Image(c.ip)), 0
    try:
        while True:
            at += 1 + _step(machine, instructions[at])
    except _Ends as end:
        return end.answer


def _step(m: _Machine, one: _Instruction) -> int:
    """Do one instruction; gives how many to leap over."""
    kind, operand = one.code & 7, m.x if one.code & 8 else one.k
    if kind == _LD:
        m.a = _loaded(m, one)
    elif kind == _LDX:
        m.x = (m.load(one.k, 1) & 0xF) << 2 if one.code & 0xE0 == _MSH else _loaded(m, one)
    elif kind in {_ST, _STX}:
        m.cells[one.k] = m.a if kind == _ST else m.x
    elif kind == _ALU:
        m.a = _reckoned(one.code & 0xF0, m.a, operand)
    elif kind == _JMP:
        return _leap(one, m.a, operand)
    elif kind == _RET:
        raise _Ends(m.a if one.code & 0x18 == 0x10 else one.k)
    elif one.code & 0x80:
        m.a = m.x
    else:
        m.x = m.a
    return 0


def _loaded(m: _Machine, one: _Instruction) -> int:
    mode = one.code & 0xE0
    if mode == _IMM:
        return one.k
    if mode == _MEM:
        return m.cells[one.k]
    if mode == _LEN:
        return len(m.image.data)
    signed = one.k - (1 << 32) if one.k >> 31 else one.k
    return m.load(signed + (m.x if mode == _IND else 0), _SIZES[one.code & 0x18])


def _reckoned(operation: int, a: int, b: int) -> int:
    """The result of an arithmetic instruction in 32 bits; a division by 0 ends the program with 0."""
    if operation in {0x30, 0x90} and not b:
        raise _Ends(0)
    results = {
        0x00: a + b, 0x10: a - b, 0x20: a * b, 0x30: a // (b or 1), 0x40: a | b, 0x50: a & b, 0x60: a << (b & 31),
        0x70: a >> (b & 31), 0x80: -a, 0x90: a % (b or 1), 0xA0: a ^ b,
    }  # fmt: skip
    return results[operation] & _WORD


def _leap(one: _Instruction, a: int, b: int) -> int:
    holds = {0x00: True, 0x10: a == b, 0x20: a > b, 0x30: a >= b, 0x40: bool(a & b)}[one.code & 0xF0]
    if not one.code & 0xF0:
        return one.k
    return one.yes if holds else one.no


def _bpf(options: tuple[Option, ...], _proto: int) -> Test:
    option = find(options, "--bytecode")
    if option is None:
        return lambda _c: None
    instructions = program(option.values[0])

    def test(c: Context) -> bool | None:
        answer = run(instructions, c)
        return None if answer is None else bool(answer)

    return test


def _show(options: tuple[Option, ...], _numeric: bool) -> str:
    option = find(options, "--bytecode")
    if option is None:
        return f"match bpf pinned {value(options, '--object-pinned')}"
    return f"match bpf {option.values[0].partition(',')[2]}\0"


MODULES = {
    "bpf": Module(
        {"--bytecode": 1, "--object-pinned": 1},
        _bpf,
        _show,
        "the program asks for what is not in a snapshot",
    ),
}
