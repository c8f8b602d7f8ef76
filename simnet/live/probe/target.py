"""Which real hosts are meant: those named, a private site, or the machine's own; and their outside machines."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from simnet.errors import UsageError
from simnet.live.host import needs
from simnet.live.host.engine import Engine
from simnet.live.private.site import Site, the_site, up_sites

from .ground import Ground
from .outside import outside

_WAN = "wan"


@contextmanager
def ground(hosts: Sequence[str] = (), site: str = "", *, reach: bool = True) -> Iterator[Ground]:
    """The places of the hosts with these sockets (`h1`, `h2` …), of a private site, or of the machine's own engine.

    Where nothing is named, DOCKER_HOST counts, then a private site that is up, then /var/run/docker.sock. A host that
    is no private one is given an outside machine, unless `reach` is off. HostError where there is no such host.
    """
    needs.root("validate --live")
    if hosts and site:
        raise UsageError("--host and --site name different hosts; give one of them")
    remote = next((host for host in hosts if host.startswith("ssh://")), "")
    if remote:
        raise UsageError(f"{remote}: real packets need this to run on the host itself; simnet snapshot works by ssh")
    if site or not (hosts or os.environ.get("DOCKER_HOST") or not up_sites()):
        with _private(the_site(site)) as found:
            yield found
        return
    engines = {f"h{number}": Engine(host) for number, host in enumerate(hosts or [""], 1)}
    with ExitStack() as stack:
        machines = {}
        if reach:
            first = stack.enter_context(next(iter(engines.values())).namespace())
            machines[_WAN] = stack.enter_context(outside(first))
        yield stack.enter_context(Ground(engines, machines))


@contextmanager
def _private(site: Site) -> Iterator[Ground]:
    machines = [machine for machine in site.machines().values() if not machine.name.startswith(".")]
    with ExitStack() as stack:
        spaces = {one.name: stack.enter_context(site.namespace(one.name)) for one in machines}
        engines = {one.name: site.engine(one.name) for one in machines if one.docker}
        outer = {one.name: spaces[one.name] for one in machines if not one.docker}
        yield stack.enter_context(Ground(engines, outer))
