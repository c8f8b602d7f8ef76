"""A command of this machine: a list of words, never a line for a shell, and its failure as one message."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence

from simnet.errors import HostError

# who brings a command that is missing, as Debian names it
PACKAGES = {
    "bridge": "iproute2",
    "busybox": "busybox-static",
    "conntrack": "conntrack",
    "docker": "docker.io",
    "dockerd": "docker.io",
    "ip": "iproute2",
    "iptables": "iptables",
    "iptables-restore": "iptables",
    "iptables-save": "iptables",
    "nft": "nftables",
    "nsenter": "util-linux",
    "ss": "iproute2",
    "ssh": "openssh-client",
    "unshare": "util-linux",
}
PATIENCE = 60.0
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def find(name: str) -> str:
    """Where a command is, looked for in PATH and where administrators' commands lie; HostError without it.

    Example:
        >>> find("sh").rpartition("/")[2]
        'sh'
    """
    path = shutil.which(name) or shutil.which(name, path=_PATH)
    if path is None:
        package = PACKAGES.get(name)
        raise HostError(f"the command {name!r} is missing", f"install it: apt-get install {package}" if package else "")
    return path


def run(words: Sequence[str], *, stdin: str = "", patience: float = PATIENCE) -> str:
    """What a command prints; HostError with its own words where it fails or takes longer than `patience` (s).

    The words go to the kernel as they are: no shell reads them.

    Example:
        >>> run(["echo", "-n", "$HOME; true"])
        '$HOME; true'
    """
    try:
        done = subprocess.run(
            [find(words[0]), *words[1:]], input=stdin, capture_output=True, text=True, errors="replace",
            check=False, timeout=patience,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise HostError(f"{' '.join(words)}: no end after {patience:g} s") from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise HostError(f"{' '.join(words)}: {said[-1] if said else f'exit code {done.returncode}'}")
    return done.stdout
