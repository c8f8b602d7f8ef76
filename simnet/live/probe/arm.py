"""The kernel's rule trace for one flow at a time, in one namespace.

A table of nft's own marks the flow's packets (`meta nftrace`) before any rule sees them. The table belongs to the `nft`
that made it (`flags owner`): when that ends, as it does when this process ends in any way, the kernel removes it. The
rules of iptables are not touched.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable

from simnet.errors import HostError
from simnet.live.host import command
from simnet.live.host.namespace import NetworkNamespace

TABLE = "simnet-trace"
# before defragmentation, conntrack and every table of iptables
_CHAINS = {"pre": "prerouting", "out": "output"}
_PRIORITY = -450
_END = b"}\n"


def check_traceable() -> None:
    """HostError where this machine's iptables writes rules that the kernel's trace does not name.

    The legacy iptables has tables of its own in the kernel; what is traced here are those of nf_tables.
    """
    version = command.run(["iptables", "--version"]).strip()
    if version.endswith("(legacy)"):
        raise HostError(f"{version}: the kernel's rule trace names rules of nf_tables alone",
                        "validate --live needs iptables-nft; simnet snapshot and trace do without")  # fmt: skip


class Arm:
    """The trace of one namespace, armed for what `flows` names; closing disarms it.

    Example (needs root):
        >>> from simnet.live.host.namespace import NetworkNamespace
        >>> with NetworkNamespace.made("h1") as space, Arm(space) as arm:  # doctest: +SKIP
        ...     arm.flows(["tcp sport 40001", "tcp dport 40001"])
    """

    def __init__(self, space: NetworkNamespace) -> None:
        """Start nft there; HostError where it is missing or the kernel knows no tables with an owner."""
        self._space = space
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        self._nft = space.start(["nft", "-i"], env={"LC_ALL": "C"}, **pipes)  # without HOME it keeps no history
        chains = [
            f"add chain ip {TABLE} {name} {{ type filter hook {hook} priority {_PRIORITY}; policy accept; }}"
            for name, hook in _CHAINS.items()
        ]
        try:
            self._say(f"add table ip {TABLE} {{ flags owner; }}", *chains)
        except HostError:
            self.close()
            raise

    def flows(self, matches: Iterable[str]) -> None:
        """Trace what one of these nft expressions matches, and nothing else."""
        lines = [f"flush chain ip {TABLE} {name}" for name in _CHAINS]
        lines += [f"add rule ip {TABLE} {name} {match} meta nftrace set 1" for match in matches for name in _CHAINS]
        self._say(*lines)

    def close(self) -> None:
        """Let nft end, and the table with it."""
        assert self._nft.stdin is not None and self._nft.stdout is not None
        self._nft.stdin.close()
        self._nft.stdout.close()
        self._nft.wait()

    def __enter__(self) -> Arm:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _say(self, *lines: str) -> None:
        """Have nft do this; what it prints of the table afterwards says that it is done."""
        assert self._nft.stdin is not None and self._nft.stdout is not None
        said = []
        try:
            self._nft.stdin.write("".join(f"{line}\n" for line in (*lines, f"list table ip {TABLE}")).encode())
            self._nft.stdin.flush()
        except BrokenPipeError:
            pass
        for line in iter(self._nft.stdout.readline, b""):
            if line == _END:
                break
            said.append(line.decode(errors="replace"))
        wrong = next((line for line in said if line.startswith("Error:")), None)
        if wrong and "Operation not permitted" in wrong:
            raise HostError(f"{self._space.name}: another validate --live is asking here", "wait until it has ended")
        if wrong or not said:
            why = (wrong or "nft ended").removeprefix("Error:").strip()
            raise HostError(f"{self._space.name}: the rule trace cannot be armed: {why}",
                            "it needs Linux 5.12 or newer and nft 1.0 or newer")  # fmt: skip
