"""Matches on what the kernel knows of the packet: marks, and its connection."""

from __future__ import annotations

from ...skb import ESTABLISHED, INVALID, NEW, RELATED, UNTRACKED
from .. import values
from ..context import Context
from ..rule import Option, Test
from .module import Module, all_of, bang, each, find, span, within


def _mark(option: Option, _proto: int) -> Test:
    value, mask = values.value_mask(option.values[0])
    negated = option.negated
    return lambda c: (c.skb.mark & mask == value) != negated


def _connmark(option: Option, _proto: int) -> Test:
    value, mask = values.value_mask(option.values[0])
    negated = option.negated

    def test(c: Context) -> bool:
        found = c.skb.connection
        return found is not None and (found.mark & mask == value) != negated

    return test


def _show_mark(word: str, options: tuple[Option, ...], plain: str = "") -> str:
    value, mask = values.value_mask(options[-1].values[0])
    text = f"0x{value:x}" + ("" if mask == 0xFFFFFFFF else f"/0x{mask:x}")
    return f"{word} match {'! ' if options[-1].negated else plain}{text}"


# in the order in which they are printed
_STATES = (INVALID, NEW, RELATED, ESTABLISHED, UNTRACKED, "SNAT", "DNAT")
_STATUSES = ("NONE", "EXPECTED", "SEEN_REPLY", "ASSURED", "CONFIRMED")


def connection_states(c: Context) -> set[str]:
    """The states that `--ctstate` may ask for and that this packet has."""
    found = c.skb.connection
    if found is None:
        return {UNTRACKED if c.skb.untracked else INVALID}
    states = {c.skb.state}
    if found.src_nat:
        states.add("SNAT")
    if found.dst_nat:
        states.add("DNAT")
    return states


def _words(option: Option, known: tuple[str, ...]) -> set[str]:
    wanted = {name.upper() for name in option.values[0].split(",")}
    if not wanted <= set(known):
        raise ValueError(f"no connection {option.name.removeprefix('--ct').removeprefix('--')} "
                         f"{min(wanted - set(known))!r}")  # fmt: skip
    return wanted


def _ctstate(option: Option) -> Test:
    wanted = _words(option, _STATES)
    negated = option.negated
    return lambda c: bool(connection_states(c) & wanted) != negated


def _conntrack(options: tuple[Option, ...], _proto: int) -> Test:
    """As xt_conntrack: without a connection only `--ctstate` is looked at, and the rest fails if it stands alone."""
    states = [_ctstate(option) for option in options if option.name == "--ctstate"]
    rest = [_connection_field(option) for option in options if option.name != "--ctstate"]
    by_state = all_of(states) if states else None
    by_rest = all_of(rest) if rest else None

    def test(c: Context) -> bool | None:
        if by_state is not None and not by_state(c):
            return False
        if c.skb.connection is None:
            return by_state is not None
        return by_rest is None or by_rest(c)

    return test


def _connection_field(option: Option) -> Test:
    name, negated = option.name, option.negated
    text = option.values[0]
    if name == "--ctdir":
        wanted_reply = text.upper() == "REPLY"
        return lambda c: (c.skb.reply == wanted_reply) != negated
    if name == "--ctproto":
        proto = _ctproto(text)
        return lambda c: (c.skb.connection is not None and c.skb.connection.original.proto == proto) != negated
    if name == "--ctstatus":
        wanted = _words(option, _STATUSES) - {"NONE"}
        return lambda c: (c.skb.connection is not None and bool(c.skb.connection.status_names() & wanted)) != negated
    if name in {"--ctorigsrc", "--ctorigdst", "--ctreplsrc", "--ctrepldst"}:
        block, mask = values.block(text)
        block &= mask
        reply, source = name[4:8] == "repl", name.endswith("src")

        def address(c: Context) -> bool:
            assert c.skb.connection is not None
            side = c.skb.connection.reply if reply else c.skb.connection.original
            return ((side.src if source else side.dst) & mask == block) != negated

        return address
    if name in {"--ctorigsrcport", "--ctorigdstport", "--ctreplsrcport", "--ctrepldstport"}:
        low, high = values.port_range(text)
        reply, source = name[4:8] == "repl", "src" in name

        def port(c: Context) -> int:
            assert c.skb.connection is not None
            side = c.skb.connection.reply if reply else c.skb.connection.original
            return side.sport if source else side.dport

        return within(port, low, high, negated)
    values.number_range(text, 0xFFFFFFFF)
    return lambda _: None  # --ctexpire: how long an entry still lives is not in a snapshot


def _state(option: Option, _proto: int) -> Test:
    return _ctstate(option)


def _ctproto(text: str) -> int:
    return values.number(text, 255) if text[:1].isdigit() else values.protocol(text)


_ADDRESSES = ("--ctorigsrc", "--ctorigdst", "--ctreplsrc", "--ctrepldst")
_PORTS = ("--ctorigsrcport", "--ctorigdstport", "--ctreplsrcport", "--ctrepldstport")


def block_text(text: str, *, numeric: bool) -> str:
    """A block as conntrack and ipvs print it: a mask with gaps is left out, and without -n two blocks have names."""
    address, mask = values.block(text)
    wide = ":" in text
    if not numeric and not address:
        return "anywhere"
    length, width = mask.bit_count(), 128 if wide else 32
    contiguous = mask == (1 << width) - (1 << width - length)
    tail = f"/{length}" if contiguous and length < width else ""
    loopback = address == (1 if wide else 0x7F000001)
    return ("localhost" if loopback and not numeric else values.address_text(address, wide=wide)) + tail


def _field_text(option: Option, *, numeric: bool) -> str:
    name, text = option.name, option.values[0]
    if name == "--ctproto":
        return str(_ctproto(text))
    if name in _ADDRESSES:
        return block_text(text, numeric=numeric)
    if name in _PORTS:
        return span(*values.port_range(text))
    if name == "--ctexpire":
        return span(*values.number_range(text, 0xFFFFFFFF))
    known = _STATES if name == "--ctstate" else _STATUSES
    wanted = _words(option, known)
    # what says nothing beside others is printed alone
    return ",".join(word for word in known if word in wanted and (word != "NONE" or len(wanted) == 1))


def _show_conntrack(options: tuple[Option, ...], numeric: bool) -> str:
    words = []
    for name in ("--ctstate", "--ctproto", *_ADDRESSES, *_PORTS, "--ctstatus", "--ctexpire"):
        option = find(options, name)
        if option is not None:
            words.append(f"{bang(option)}{name[2:]} {_field_text(option, numeric=numeric)}")
    direction = find(options, "--ctdir")
    if direction is not None:
        reply = (direction.values[0].upper() == "REPLY") != direction.negated
        words.append(f"ctdir {'REPLY' if reply else 'ORIGINAL'}")
    return " ".join(words)


def _show_state(options: tuple[Option, ...], _numeric: bool) -> str:
    wanted = _words(options[-1], _STATES)
    return f"{bang(options[-1])}state {','.join(word for word in _STATES if word in wanted)}"


MODULES = {
    "mark": Module({"--mark": 1}, each(_mark), lambda options, _: _show_mark("mark", options)),
    "connmark": Module({"--mark": 1}, each(_connmark), lambda options, _: _show_mark("connmark", options, " ")),
    "conntrack": Module(
        {"--ctstate": 1, "--ctdir": 1, "--ctproto": 1, "--ctstatus": 1, "--ctexpire": 1,
         **dict.fromkeys(_ADDRESSES, 1), **dict.fromkeys(_PORTS, 1)},
        _conntrack,
        _show_conntrack,
        "how long a connection's entry still lives is not in a snapshot",
        sure=lambda options, _proto: all(option.name != "--ctexpire" for option in options),
    ),
    "state": Module({"--state": 1}, each(_state), _show_state),
}  # fmt: skip
