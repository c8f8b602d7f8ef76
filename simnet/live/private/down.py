"""A private site taken down, whatever is left of it: its processes, its control groups, its files.

Namespaces, devices, rules and mounts go with the processes; so a site whose making was killed is no other case than one
that is up.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from simnet.errors import HostError
from simnet.live.host import scratch

from .site import Site, lock, sites

_CGROUPS = Path("/sys/fs/cgroup")
_PATIENCE = 20.0


def down(site: Site) -> bool:
    """Take a site down; gives whether there was anything of it.

    HostError where something would not go, or another process is making it.
    """
    with lock(site) as free:
        if not free:
            raise HostError(f"the private site {site.name!r} is in the hands of another process", "end that first")
        there = clear(site)
    scratch.leave()
    return there


def clear(site: Site) -> bool:
    """The same for whoever holds the site."""
    there = site.folder.exists() or bool(site.processes())
    _thaw(site)
    _end(site)
    for group in _groups(site):
        _remove_group(group)
    shutil.rmtree(site.folder, ignore_errors=True)
    if site.folder.exists():
        raise HostError(f"{site.folder} cannot be removed")
    return there


def sweep() -> list[str]:
    """Remove what killed commands left half made; gives the names of such sites. One being made is left alone."""
    scratch.sweep()
    found = []
    for site in sites():
        with lock(site) as free:
            if free and not site.up and clear(site):
                found.append(site.name)
    scratch.leave()
    return found


def _thaw(site: Site) -> None:
    """Let containers that were paused run, so that they can be killed."""
    for group in _groups(site):
        for name, word in (("freezer.state", "THAWED"), ("cgroup.freeze", "0")):
            for file in group.rglob(name):
                with contextlib.suppress(OSError):
                    file.write_text(word, "ascii")


def _end(site: Site) -> None:
    """Kill its processes until none is left."""
    deadline = time.monotonic() + _PATIENCE
    while found := site.processes():
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            raise HostError(
                f"processes {', '.join(map(str, sorted(found)))} of the private site {site.name!r} do not end"
            )
        time.sleep(0.02)


def _groups(site: Site) -> Iterator[Path]:
    """The site's control groups: one for each hierarchy of version 1, or the one of version 2."""
    for pattern in (site.cgroup, f"*/{site.cgroup}"):
        yield from _CGROUPS.glob(pattern)


def _remove_group(group: Path) -> None:
    """Remove a control group with those below it, once their last processes are gone."""
    deadline = time.monotonic() + _PATIENCE
    while group.exists():
        for folder, _, _ in os.walk(group, topdown=False):
            with contextlib.suppress(OSError):
                Path(folder).rmdir()
        if time.monotonic() > deadline:
            raise HostError(f"the control group {group} cannot be removed")
        time.sleep(0.01)
