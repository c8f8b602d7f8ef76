"""Targets: what a rule does to the packets that it matches.

A target answers with a verdict: `ACCEPT`, `DROP`, `RETURN`, `CONTINUE`, or `JUMP`. One that is not modelled, or whose
doing a snapshot cannot tell, is kept, printed back, and undecided: the walk goes on as if it had done nothing, and
says so.

    extension.py   what a target is
    reject.py      drop and answer
    translate.py   addresses and ports
    marks.py       marks of packets and connections
    header.py      what stands in the packet
    report.py      somebody is told
    divert.py      somebody else takes over

Models: net/netfilter/xt_*.c and net/ipv4/netfilter/ipt_*.c of Linux 6.x; text forms as iptables 1.8.9.
"""

from . import divert, header, marks, reject, report, translate
from .extension import ACCEPT, CONTINUE, DROP, JUMP, RETURN, Act, Extension, Given, Target, Unknown, checked
from .reject import REJECT_CODES

EXTENSIONS: dict[str, Extension] = {
    name: checked(extension)
    for module in (reject, translate, marks, header, report, divert)
    for name, extension in module.EXTENSIONS.items()
}

VERDICTS = {"ACCEPT": ACCEPT, "DROP": DROP, "RETURN": RETURN}

# extensions that exist and are not modelled: a jump to one of these is no missing chain
UNMODELLED = frozenset({
    "DNPT", "MIRROR", "QUEUE", "SNPT", "FLOWOFFLOAD", "RAWDNAT", "RAWSNAT", "STEAL", "TARPIT",
})  # fmt: skip

__all__ = [
    "ACCEPT", "CONTINUE", "DROP", "EXTENSIONS", "JUMP", "REJECT_CODES", "RETURN", "UNMODELLED", "VERDICTS", "Act",
    "Extension", "Given", "Target", "Unknown",
]  # fmt: skip
