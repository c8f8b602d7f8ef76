"""The places of real hosts, each with its network namespace, and their snapshot.

A place is named as in a recording: `h1/host` (or `h1`), `h1/web`, `h1/1-…` (an overlay network's sandbox), `wan/host`.
A container that shares a namespace is a place, too, but only one name of each namespace is watched.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from simnet.errors import HostError
from simnet.live.host.engine import Engine
from simnet.live.host.namespace import NetworkNamespace
from simnet.live.snapshot.files import is_name, write
from simnet.live.snapshot.take import Taken, take
from simnet.scenario.snapshot.containers import published

from . import counting

_SANDBOX = re.compile(r"\d+-\w+|lb_\w+|ingress_sbox")
_SANDBOXES = ("run/docker/netns", "var/run/docker/netns")

Notes = Callable[[str], object]


class Ground:
    """Docker hosts by their engines, and outside machines by their namespaces; closing lets go of all."""

    def __init__(self, engines: Mapping[str, Engine], outside: Mapping[str, NetworkNamespace]) -> None:
        """Open every namespace; HostError where an engine does not answer."""
        self.engines, self.outside = dict(engines), dict(outside)
        self.spaces: dict[str, NetworkNamespace] = {}
        self.watched: list[str] = []
        self.containers: set[str] = set()
        # where a port of a host leads: by protocol and port, the addresses and ports of containers
        self.published: dict[tuple[str, int], set[tuple[str, int]]] = {}
        self._open = ExitStack()
        try:
            for host, engine in engines.items():
                self._host(host, engine)
        except BaseException:
            self.close()
            raise
        for name, space in outside.items():
            self._watch(f"{name}/host", space)
            self.spaces[name] = space

    def _watch(self, place: str, space: NetworkNamespace) -> None:
        self.spaces[place] = space
        self.watched.append(place)

    def _host(self, host: str, engine: Engine) -> None:
        own = self._open.enter_context(engine.namespace(f"{host}/host"))
        self._watch(f"{host}/host", own)
        self.spaces[host] = own
        containers = {str(one["Id"]): one for one in engine.inspect() if is_name(one["Name"].lstrip("/"))}
        for one in containers.values():
            mode = str(one["HostConfig"]["NetworkMode"])
            runs = one["State"]["Pid"] and one["NetworkSettings"].get("SandboxKey")
            if runs and mode != "host" and not mode.startswith("container:"):
                place = f"{host}/{one['Name'].lstrip('/')}"
                self._watch(place, self._open.enter_context(engine.sandbox(one)))
                self.containers.add(place)
        for one in containers.values():
            self._publish(one)
            mode = str(one["HostConfig"]["NetworkMode"])
            other = containers.get(mode.removeprefix("container:"), {"Name": ""})
            shared = f"{host}/{'host' if mode == 'host' else other['Name'].lstrip('/')}"
            if shared in self.spaces:
                self.spaces.setdefault(f"{host}/{one['Name'].lstrip('/')}", self.spaces[shared])
        folder = next((engine.root / name for name in _SANDBOXES if (engine.root / name).is_dir()), None)
        for file in sorted(folder.iterdir()) if folder is not None else ():
            if _SANDBOX.fullmatch(file.name):
                self._watch(f"{host}/{file.name}", self._open.enter_context(NetworkNamespace(file, file.name)))

    def _publish(self, container: dict[str, Any]) -> None:
        """Note a container's published ports, by what `docker inspect` tells."""
        networks = (container["NetworkSettings"].get("Networks") or {}).values()
        addresses = [one["IPAddress"] for one in networks if one.get("IPAddress")]
        for port in published(container):
            leads = self.published.setdefault((port.proto, port.outer), set())
            leads |= {(address, port.inner) for address in addresses}

    def snapshot(self, folder: Path, note: Notes = lambda _: None) -> None:
        """Write a snapshot of all hosts and outside machines; `note` is told what there is to say."""
        taken: dict[str, Taken] = {host: take(engine.host) for host, engine in self.engines.items()}
        for name, space in self.outside.items():
            with space.entered():
                taken[name] = take(docker=False)
        for name, one in taken.items():
            for text in one.notes:
                note(f"{name}: {text}")
        write(folder, {name: one.files for name, one in taken.items()})

    def state(self) -> dict[str, object]:
        """What must stay as it is while probes are sent: rules, devices, containers; lacks what does not answer."""
        found: dict[str, object] = {}
        for host, engine in self.engines.items():
            with suppress(HostError):
                found[f"the containers of {host}"] = sorted(
                    (one["Id"], one["State"]["Pid"], one["NetworkSettings"].get("SandboxKey"))
                    for one in engine.inspect()
                )
        for place in self.watched:
            with suppress(HostError):
                found[f"the rules of {place}"] = list(counting.read(self.spaces[place]))
                links = self.spaces[place].run(["ip", "-br", "link"]).splitlines()
                found[f"the devices of {place}"] = sorted(line.split()[0] for line in links)
        return found

    def close(self) -> None:
        """Let go of the namespaces of hosts and containers."""
        self._open.close()

    def __enter__(self) -> Ground:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def addresses(space: NetworkNamespace) -> list[str]:
    """The IPv4 addresses of a namespace."""
    lines = space.run(["ip", "-br", "-4", "addr"]).splitlines()
    found = [word.partition("/")[0] for line in lines for word in line.split()[2:] if "/" in word]
    if not found:
        raise HostError(f"{space.name} has no address at all, not even that of lo")
    return found
