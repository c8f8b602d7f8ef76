"""Snapshots of real Docker hosts: one script reads a host, here or by ssh, and sends what it read as a tar.

Nothing but the script's own constant options and this machine's process numbers stands in its command line: names of
containers go nowhere near a shell's words, neither here nor on the host.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Timer
from urllib.parse import urlsplit

from simnet.errors import HostError, SourceError, UsageError
from simnet.live.host import command, needs
from simnet.live.host.engine import DEFAULT, Engine
from simnet.live.snapshot.files import read_tar

SCRIPT = Path(__file__).with_name("snapshot.sh")
PATIENCE = 600.0
LARGEST = 1 << 28
_HOST_FORMS = "ssh://USER@HOST[:PORT] or unix:///path/docker.sock"
_LACKS = 4
_SSH_FAILS = 255
# how ssh ends where the host is there and does not let one in
_REFUSED = ("Permission denied", "Host key verification failed", "Too many authentication failures")


@dataclass(frozen=True, slots=True)
class Taken:
    """What was read of one host: its files by their path below it, and what there is to say of them."""

    files: dict[str, bytes] = field(repr=False)
    notes: tuple[str, ...] = ()

    @property
    def namespaces(self) -> list[str]:
        """The namespaces that came, the host's own first."""
        found = {path.partition("/")[0] for path in self.files if "/" in path}
        return ["host", *sorted(found - {"host"})]


def take(host: str = "", *, docker: bool = True, keep_secrets: bool = False) -> Taken:
    """Read a Docker host: `unix:///path/docker.sock`, `ssh://USER@HOST[:PORT]`; without one DOCKER_HOST.

    Without `docker` the machine's own namespace alone. UsageError where `host` is none, HostError where it cannot be
    reached or lacks something, SourceError where what it sent is no snapshot.
    """
    if not host and (named := os.environ.get("DOCKER_HOST", "")):
        try:
            return take(named, docker=docker, keep_secrets=keep_secrets)
        except UsageError as error:
            raise UsageError(f"DOCKER_HOST: {error}; --host names another") from None
    host = host or DEFAULT
    options = ["--keep-secrets"] * keep_secrets + ["--no-docker"] * (not docker) + ["-"]
    if host.startswith("ssh://"):
        return _read(host, [*_ssh(host), "sh", "-s", "--", *options])
    if not host.startswith(("unix://", "/")):
        raise UsageError(f"no host {host!r}: it is {_HOST_FORMS}")
    needs.root_or_sudo("a snapshot of this machine")
    if not docker:
        return _read("this machine", ["sh", "-s", "--", *options])
    engine = Engine(host)
    try:
        pid = engine.pid
    except HostError as error:
        raise HostError(error.message, f"{error.hint}; --no-docker takes the machine's own namespace alone") from None
    return _read(engine.host, ["sh", "-s", "--", "--pid", str(pid), *options], DOCKER_HOST=engine.host)


def _ssh(host: str) -> list[str]:
    """The words that run a command on a host; it never asks for a password.

    Example:
        >>> _ssh("ssh://root@192.0.2.2:2222")[-4:]
        ['-p', '2222', '--', 'root@192.0.2.2']
    """
    wrong = UsageError(f"no host {host!r}: it is {_HOST_FORMS}")
    try:
        parts = urlsplit(host)
        name, port = parts.hostname, parts.port
    except ValueError:
        raise wrong from None
    destination = f"{parts.username}@{name}" if parts.username else str(name)
    plain = re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*(@[A-Za-z0-9:][A-Za-z0-9_.:%-]*)?", destination)
    if not plain or not name or parts.password or parts.path.strip("/") or parts.query or parts.fragment:
        raise wrong
    return ["ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=15", *(["-p", str(port)] if port else []), "--",
            destination]  # fmt: skip


def _read(sender: str, words: Sequence[str], **environment: str) -> Taken:
    """Run the script by these words, and read what it sends."""
    with (
        SCRIPT.open("rb") as script,
        tempfile.TemporaryFile() as said,
        subprocess.Popen(
            [command.find(words[0]), *words[1:]], stdin=script, stdout=subprocess.PIPE, stderr=said,
            env={**os.environ, **environment},
        ) as process,
    ):  # fmt: skip
        timer = Timer(PATIENCE, process.kill)
        timer.start()
        try:
            assert process.stdout is not None
            packed = process.stdout.read(LARGEST + 1)
            if len(packed) > LARGEST:
                process.kill()
                raise SourceError(f"more than {LARGEST >> 20} MiB came, which is no snapshot", file=sender)
            code = process.wait()
        finally:
            timer.cancel()
        said.seek(0)
        lines = [_printable(line) for line in said.read().decode(errors="replace").splitlines() if line.strip()]
    if code:
        raise _failure(sender, words[0], code, lines)
    return Taken(read_tar(packed, sender), tuple(lines))


def _failure(sender: str, program: str, code: int, lines: Sequence[str]) -> HostError:
    last = lines[-1] if lines else f"exit code {code}"
    if code == -9:
        return HostError(f"{sender}: no end after {PATIENCE:g} s")
    if program == "ssh" and code == _SSH_FAILS:
        refused = any(words in last for words in _REFUSED)
        return HostError(f"{sender}: {last}", "log in by hand once; ssh must get in without asking" if refused else "")
    return HostError(last if code == _LACKS and program != "ssh" else f"{sender}: {last}")


def _printable(line: str) -> str:
    """A line of another machine as a terminal may see it."""
    return "".join(letter if letter.isprintable() else "?" for letter in line.removeprefix("snapshot: "))
