"""A network namespace of this machine, held open: sockets and commands in it.

A namespace made here has no name. It lasts as long as this process or one that runs in it; then the kernel takes it
down with all its devices and rules, however the process ended.
"""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

from simnet.errors import HostError
from simnet.live.host import command, kernel

_OWN = "/proc/thread-self/ns/net"


class NetworkNamespace:
    """One network namespace, by an open file of it; closing lets go of it.

    Example:
        >>> with NetworkNamespace.own() as here, here.entered():
        ...     here.inode == NetworkNamespace.own().inode
        True
    """

    def __init__(self, path: str | Path, name: str = "") -> None:
        """Open the namespace at `path` (`/proc/PID/ns/net`, a sandbox of Docker); HostError where there is none."""
        self.name = name or str(path)
        try:
            self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise HostError(f"cannot open the namespace of {self.name} ({path}): {error.strerror}") from None

    def __repr__(self) -> str:
        return f"<NetworkNamespace {self.name} {self.inode}>"

    @classmethod
    def own(cls) -> NetworkNamespace:
        """The namespace that this thread is in."""
        return cls(_OWN, "this machine")

    @classmethod
    def of(cls, pid: int, name: str = "") -> NetworkNamespace:
        """The namespace of a process."""
        return cls(f"/proc/{pid}/ns/net", name)

    @classmethod
    def made(cls, name: str) -> NetworkNamespace:
        """A new one, empty but for `lo`; HostError without root."""
        found: list[NetworkNamespace | HostError] = []

        def make() -> None:  # in a thread of its own, which ends in the new namespace; this one never leaves its own
            try:
                kernel.unshare(kernel.NEWNET)
                found.append(cls(_OWN, name))
            except HostError as error:
                found.append(error)

        thread = Thread(target=make)
        thread.start()
        thread.join()
        made = found[0]
        if isinstance(made, HostError):
            raise made
        return made

    @property
    def inode(self) -> int:
        """The kernel's number of it: two handles of one namespace have the same."""
        return os.fstat(self._file).st_ino

    @property
    def path(self) -> str:
        """A path that other processes of root can open while this one lives (`ip link … netns PATH`)."""
        return f"/proc/{os.getpid()}/fd/{self._file}"

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Let this thread be in the namespace; sockets and processes that it makes meanwhile stay in it."""
        own = os.open(_OWN, os.O_RDONLY | os.O_CLOEXEC)
        try:
            kernel.setns(self._file, kernel.NEWNET)
            try:
                yield
            finally:
                kernel.setns(own, kernel.NEWNET)
        finally:
            os.close(own)

    def socket(self, family: int, kind: int, proto: int = 0) -> socket.socket:
        """A socket in the namespace."""
        with self.entered():
            return socket.socket(family, kind, proto)

    def run(self, words: Sequence[str], *, stdin: str = "", patience: float = command.PATIENCE) -> str:
        """What a command prints there; HostError where it fails (see `command.run`)."""
        with self.entered():
            return command.run(words, stdin=stdin, patience=patience)

    def start(self, words: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
        """Start a command there; `options` go to Popen."""
        with self.entered():
            return subprocess.Popen([command.find(words[0]), *words[1:]], **options)

    def close(self) -> None:
        """Let go of it."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> NetworkNamespace:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
