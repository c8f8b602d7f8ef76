"""What an earlier probe leaves behind that would spoil a later one, and how long it takes to go.

- A kernel answers with few ICMP errors at once: six for each address and one more a second (`icmp_ratelimit`), and so
  many for all (`icmp_msgs_per_sec`). It counts those that it withholds.
- A packet to a next hop that does not answer waits for three seconds; then comes its ICMP error. Meanwhile what others
  send there waits as well.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from simnet.live.host.namespace import NetworkNamespace

# how long it takes until a kernel may send the next ICMP error to an address (s)
REFILL = 1.05
# how long next hops are waited for, and how often they are looked at (s)
_PATIENCE, _INTERVAL = 4.0, 0.1
_WITHHELD = ("OutRateLimitGlobal", "OutRateLimitHost")


class Calm:
    """Says of some namespaces whether all is over in them."""

    def __init__(self, spaces: Sequence[NetworkNamespace]) -> None:
        self._spaces = spaces

    def withheld(self) -> int:
        """How many ICMP errors were withheld so far (0 where a kernel before 6.1 does not tell)."""
        return sum(_withheld(space) for space in self._spaces)

    def wait(self) -> None:
        """Wait until no packet waits for its next hop any more."""
        end = time.monotonic() + _PATIENCE
        while any(_awaited(space) for space in self._spaces) and time.monotonic() < end:
            time.sleep(_INTERVAL)


def _withheld(space: NetworkNamespace) -> int:
    with space.entered():
        lines = Path("/proc/thread-self/net/snmp").read_text("ascii").splitlines()
    names, values = (line.split()[1:] for line in lines if line.startswith("Icmp:"))
    return sum(int(value) for name, value in zip(names, values, strict=True) if name in _WITHHELD)


def _awaited(space: NetworkNamespace) -> bool:
    return bool(space.run(["ip", "-4", "neigh", "show", "nud", "incomplete"]).strip())
