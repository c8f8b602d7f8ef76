"""A Docker engine of this machine, by its socket: its process, its host's and its containers' namespaces.

An engine need not live in this machine's own namespaces. The process at the other end of its socket (`SO_PEERCRED`)
tells where it lives: its `/proc/PID/ns/net` is the Docker host's network, and below its `/proc/PID/root` lie the
sandbox files that `docker inspect` speaks of.
"""

from __future__ import annotations

import json
import os
import socket
import struct
from pathlib import Path
from typing import Any

from simnet.errors import HostError, UsageError
from simnet.live.host import command
from simnet.live.host.namespace import NetworkNamespace

DEFAULT = "unix:///var/run/docker.sock"


class Engine:
    """The engine that listens at a Unix socket.

    With systemd's socket activation the process at the other end is process 1, whose namespaces are the host's.

    Example:
        >>> Engine("unix:///run/docker.sock")
        <Engine unix:///run/docker.sock>
        >>> Engine("tcp://192.0.2.2:2375")
        Traceback (most recent call last):
        simnet.errors.UsageError: tcp://192.0.2.2:2375 is no Unix socket; write unix:///path/docker.sock
    """

    def __init__(self, host: str = "") -> None:
        """Take `unix://…` or a path; without one DOCKER_HOST, else /var/run/docker.sock. No context is followed."""
        host = host or os.environ.get("DOCKER_HOST", "") or DEFAULT
        path = host.removeprefix("unix://")
        if not path.startswith("/"):
            raise UsageError(f"{host} is no Unix socket; write unix:///path/docker.sock")
        self.socket = Path(path)

    def __repr__(self) -> str:
        return f"<Engine {self.host}>"

    @property
    def host(self) -> str:
        """The socket as DOCKER_HOST and `docker -H` take it."""
        return f"unix://{self.socket}"

    @property
    def pid(self) -> int:
        """The process that listens there; HostError where none does or none can be seen from here."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(command.PATIENCE)
            try:
                connection.connect(str(self.socket))
            except OSError as error:
                why = error.strerror or str(error)
                raise HostError(f"no Docker engine answers at {self.host}: {why}", _next_step(error)) from None
            credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        pid: int = struct.unpack("3i", credentials)[0]
        if not pid:
            raise HostError(
                f"the engine at {self.host} is in another PID namespace", "run this on the Docker host itself"
            )
        return pid

    @property
    def root(self) -> Path:
        """The folder that the engine calls `/`."""
        return Path(f"/proc/{self.pid}/root")

    def namespace(self, name: str = "") -> NetworkNamespace:
        """The network namespace of the Docker host."""
        return NetworkNamespace.of(self.pid, name or f"the engine at {self.host}")

    def sandbox(self, container: dict[str, Any]) -> NetworkNamespace:
        """The network namespace of a container that `inspect` told of; HostError where it has none of its own."""
        key, name = str(container["NetworkSettings"].get("SandboxKey", "")), str(container["Name"]).lstrip("/")
        if not key or not container["State"]["Pid"]:  # a paused container has both, one that starts anew only the key
            raise HostError(f"the container {name} has no network namespace of its own", "is it running?")
        root = self.root
        path = root / key.lstrip("/")
        if not path.exists():  # /var/run may be a link to /run, which from here leads out of the engine's root
            path = root / key.removeprefix("/var").lstrip("/")
        return NetworkNamespace(path, name)

    def docker(self, *words: str, stdin: str = "", patience: float = command.PATIENCE) -> str:
        """What a docker command prints; HostError where it fails."""
        return command.run(["docker", "-H", self.host, *words], stdin=stdin, patience=patience)

    def inspect(self) -> list[dict[str, Any]]:
        """What `docker inspect` says of all containers, those that have ended as well."""
        ids = self.docker("ps", "--all", "--quiet", "--no-trunc").split()
        found: list[dict[str, Any]] = json.loads(self.docker("inspect", "--type", "container", *ids)) if ids else []
        return found

    def networks(self) -> list[dict[str, Any]]:
        """What `docker network inspect` says of all networks."""
        ids = self.docker("network", "ls", "--quiet", "--no-trunc").split()
        found: list[dict[str, Any]] = json.loads(self.docker("network", "inspect", *ids)) if ids else []
        return found


def _next_step(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "run it as root, or as a member of the group docker"
    return "start it, or name its socket (unix:///path/docker.sock)"
