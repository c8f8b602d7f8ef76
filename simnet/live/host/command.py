"""A command of this machine: a list of words, never a line for a shell, and its failure as one message."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence

from simnet.answer import Answer
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


def answer(
    words: Sequence[str], *, stdin: str = "", patience: float = PATIENCE, env: Mapping[str, str] | None = None
) -> Answer:
    """What a command says and ends with; HostError where it is missing or takes longer than `patience` (s).

    The words go to the kernel as they are: no shell reads them.

    Example:
        >>> answer(["echo", "-n", "$HOME; true"])
        Answer(out='$HOME; true', err='', code=0)
    """
    try:
        done = subprocess.run(
            [find(words[0]), *words[1:]], input=stdin, capture_output=True, text=True, errors="replace",
            check=False, timeout=patience, env=env,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise HostError(f"{' '.join(words)}: no end after {patience:g} s") from None
    return Answer(done.stdout, done.stderr, done.returncode)


def run(words: Sequence[str], *, stdin: str = "", patience: float = PATIENCE) -> str:
    """What a command prints; HostError with its own words where it fails (see `answer`)."""
    done = answer(words, stdin=stdin, patience=patience)
    if done.code:
        said = (done.err or done.out).strip().splitlines()
        raise HostError(f"{' '.join(words)}: {said[-1] if said else f'exit code {done.code}'}")
    return done.out
