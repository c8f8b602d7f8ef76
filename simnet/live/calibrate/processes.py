"""Processes beside the one that measures: a server that sleeps until it is asked, and docker-proxy itself.

They die with this process, killed by the kernel if need be, and so no namespace is kept by them.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from simnet.errors import HostError
from simnet.live.host import command, kernel
from simnet.net.address import ip_text

from . import echo
from .replica import Replica

_ENGINE_FOLDERS = ("/usr/libexec/docker", "/usr/local/lib/docker")
# the file that docker-proxy says "0\\n" to as soon as it listens (cmd/docker-proxy/main.go)
_SPEAKS = 3
_MORTAL = partial(kernel.die_with_parent, signal.SIGKILL)


def docker_proxy() -> str:
    """Where the engine's docker-proxy is; HostError without one.

    Example:
        >>> docker_proxy()  # doctest: +SKIP
        '/usr/bin/docker-proxy'
    """
    for folder in _ENGINE_FOLDERS:
        if (Path(folder) / "docker-proxy").exists():
            return str(Path(folder) / "docker-proxy")
    return command.find("docker-proxy")


@contextmanager
def echoing(server: socket.socket, cpu: int) -> Iterator[None]:
    """A process on a CPU that answers what comes to a connected socket."""
    number = server.fileno()
    words = [sys.executable, "-S", "-E", echo.__file__, str(number), str(cpu)]
    process = subprocess.Popen(words, pass_fds=[number], preexec_fn=_MORTAL)  # noqa: PLW1509 - no lock is taken in it
    try:
        yield
    finally:
        process.kill()
        process.wait()


@contextmanager
def proxying(replica: Replica, proto: str, front: tuple[str, int, int], back: tuple[int, int]) -> Iterator[None]:
    """A docker-proxy at a place, address and port (`front`), for a container's address and port (`back`)."""
    place, address, port = front
    words = [docker_proxy(), "-proto", proto, "-host-ip", ip_text(address), "-host-port", str(port),
             "-container-ip", ip_text(back[0]), "-container-port", str(back[1])]  # fmt: skip
    said, says = os.pipe()  # with these open, no file that Popen opens for itself has the number that is taken below
    quiet = subprocess.DEVNULL
    process = replica.space(place).start(words, stdout=quiet, stderr=quiet, close_fds=False,
                                         preexec_fn=partial(_speak, says))  # fmt: skip
    os.close(says)
    try:
        with os.fdopen(said, "rb") as answer:
            if answer.readline() != b"0\n":
                raise HostError(f"docker-proxy does not listen on port {port}")
        yield
    finally:
        process.kill()
        process.wait()


def _speak(says: int) -> None:
    """Let a docker-proxy say whether it listens: the engine gives it a pipe for that."""
    _MORTAL()
    os.dup2(says, _SPEAKS)
    os.set_inheritable(_SPEAKS, True)
