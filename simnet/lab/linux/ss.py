"""`ss -l`: the sockets that listen, in columns as wide as they need to be.

Models: misc/ss.c of iproute2 6.1 with its output in a file or pipe.
Leaves out: connections, processes, timers and filters.
"""

from __future__ import annotations

from simnet.answer import Answer
from simnet.net.netfilter.services import name as service_name

from .ending import Ending, unmodelled
from .place import Place
from .sockets import Listening, listening

_LONG = {"--listening": "l", "--numeric": "n", "--tcp": "t", "--udp": "u", "--no-header": "H", "--ipv4": "4"}
_REAL = set("VhnrampeiOTDKbEsNFzZ0xwdSMQfA6aop") - {"n"}


def ss(place: Place, words: list[str], _stdin: str) -> Answer:
    """`ss -l[ntuH4]`."""
    asked: set[str] = set()
    for word in words:
        if word.startswith("--") or not word.startswith("-"):
            if word not in _LONG:
                raise unmodelled("ss", f"ss {word}")
            asked.add(_LONG[word])
            continue
        for letter in word[1:]:
            if letter not in "lntuH4":
                if letter in _REAL:
                    raise unmodelled("ss", f"ss -{letter}")
                raise Ending(
                    f"ss: invalid option -- '{letter}'\nUsage: ss [ OPTIONS ]\n       ss [ OPTIONS ] [ FILTER ]", 255
                )
            asked.add(letter)
    if "l" not in asked or not asked & {"t", "u"}:
        raise unmodelled("ss", "ss without -l and one of -t and -u")
    protos = {name for letter, name in (("t", "tcp"), ("u", "udp")) if letter in asked}
    found = [one for one in listening(place.namespace, protos) if not one.six or "4" not in asked]
    return Answer(table(found, both=len(protos) > 1, header="H" not in asked, numeric="n" in asked))


def table(found: list[Listening], *, both: bool, header: bool, numeric: bool) -> str:
    """The columns; `both`: the protocol is one of them."""
    rows = []
    if header:
        rows.append(
            ["Netid", "State", "Recv-Q", "Send-Q", "Local Address", ":Port", "Peer Address", ":Port", "Process"]
        )
    for one in found:
        port = str(one.port) if numeric else service_name(one.port, one.proto)
        own, any_peer = (f"[{one.address}]", "[::]") if one.six else (one.address, "0.0.0.0")
        rows.append([one.proto, one.state, "0", str(one.backlog), own, f":{port}", any_peer, ":*", ""])
    if not both:
        rows = [row[1:] for row in rows]
    first = 1 if both else 0
    widths = [max((len(row[at]) for row in rows), default=0) for at in range(first + 8)]
    widths[first + 1] = widths[first + 2] = 6
    return "".join(_line(row, widths, first) + "\n" for row in rows)


def _line(row: list[str], widths: list[int], first: int) -> str:
    """One line: columns on the left, addresses on the right of theirs against their ports."""
    text = "".join(f"{row[at]:<{widths[at]}} " for at in range(first + 3))
    local, peer = first + 3, first + 5
    text += f"{row[local]:>{widths[local]}}{row[local + 1]:<{widths[local + 1]}} "
    return text + f"{row[peer]:>{widths[peer]}}{row[peer + 1]:<{widths[peer + 1]}}{row[peer + 2]:<{widths[peer + 2]}}"
