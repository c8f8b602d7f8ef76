"""`arp`: the neighbours in the old form.

Models: busybox 1.35.
Leaves out: names of hosts, and changes (use `ip neigh`).
"""

from __future__ import annotations

from simnet.answer import Answer
from simnet.net.address import ip_text, parse_ip

from .ending import Ending, unmodelled
from .place import Place


def arp(place: Place, words: list[str], _stdin: str) -> Answer:
    """`arp [-n] [-a] [-i DEVICE] [HOST]`."""
    device, wanted, given = "", 0, list(words)
    while given:
        word = given.pop(0)
        if word == "-i" and given:
            device = given.pop(0)
        elif word.startswith("-") and set(word[1:]) <= set("navD") and len(word) > 1:
            continue
        elif word.startswith("-"):
            raise unmodelled("arp", f"arp {word}")
        else:
            try:
                wanted = parse_ip(word)
            except ValueError:
                raise Ending(f"arp: {word}: Unknown host") from None
    namespace = place.namespace
    known = [
        *namespace.neighbours.items(),
        *((key, "") for key in namespace.waiting if key not in namespace.neighbours),
    ]
    out = ""
    for (name, address), mac in known:
        if device in {"", name} and wanted in {0, address}:
            out += f"? ({ip_text(address)}) at {f'{mac} [ether] ' if mac else '<incomplete> '} on {name}\n"
    if (wanted or device) and not out:
        return Answer(f"No match found in {len(known)} entries\n")
    return Answer(out)
