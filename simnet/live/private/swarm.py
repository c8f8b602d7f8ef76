"""The hosts of a private site in one swarm: the first manages it, the others join."""

from __future__ import annotations

from collections.abc import Callable

from .site import Site


def join(site: Site, progress: Callable[[str], object] = lambda _: None) -> None:
    """Make a swarm of all hosts; HostError with the engine's words where one refuses."""
    hosts = [machine.name for machine in site.machines().values() if machine.docker]
    progress(f"swarm of {', '.join(hosts)}")
    first = site.engine(hosts[0])
    first.docker("swarm", "init", "--advertise-addr", "eth0")
    token = first.docker("swarm", "join-token", "-q", "worker").strip()
    manager = first.docker("node", "inspect", "self", "--format", "{{.ManagerStatus.Addr}}").strip()
    for host in hosts[1:]:
        site.engine(host).docker("swarm", "join", "--token", token, "--advertise-addr", "eth0", manager)
