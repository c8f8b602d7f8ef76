"""`netstat`: the sockets that listen, or the routing table.

Models: busybox 1.35.
Leaves out: connections, and sockets of the Unix domain.
"""

from __future__ import annotations

from simnet.answer import Answer

from .ending import Options, unmodelled
from .place import Place
from .route import table
from .sockets import listening


def netstat(place: Place, words: list[str], _stdin: str) -> Answer:
    """`netstat -l[ntu]` or `netstat -r[n]`."""
    asked = Options("netstat", words, flags="lntur", real="aewxp").flags
    if "r" in asked:
        return Answer(table(place, numeric="n" in asked, old=True))
    if "l" not in asked or "n" not in asked or not asked & {"t", "u"}:
        raise unmodelled("netstat", "netstat without -l, -n and one of -t and -u")
    out = "Active Internet connections (only servers)\n"
    out += "Proto Recv-Q Send-Q Local Address           Foreign Address         State       \n"
    for proto, letter in (("tcp", "t"), ("udp", "u")):
        for one in listening(place.namespace, {proto} if letter in asked else set()):
            state = "LISTEN" if proto == "tcp" else ""
            peer = ":::*" if one.six else "0.0.0.0:*"
            out += f"{proto:<5} {0:>6} {0:>6} {f'{one.address}:{one.port}':<23} {peer:<23} {state:<12}\n"
    return Answer(out)
