"""What tests of private sites share: the command in a process of its own, and what a site may leave behind."""

import os
import subprocess
import sys
from pathlib import Path

from simnet.live.host.scratch import RUN
from simnet.live.private.site import Site

MAIN = "from simnet.cli.main import main; main()"
ROOT = Path(__file__).parents[2]


def started(*words, **options):
    """The command `simnet` started, its outputs in pipes as text."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})}
    return subprocess.Popen([sys.executable, "-c", MAIN, *map(str, words)], env=environment, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)  # fmt: skip


def simnet(*words, patience=120, **options):
    """What it prints, what it says, and what it ends with."""
    with started(*words, **options) as process:
        try:
            out, err = process.communicate(timeout=patience)
        except BaseException:
            process.kill()
            raise
    return out, err, process.returncode


def left(site: Site) -> list[str]:
    """What there is of a site: files, processes, control groups, mounts."""
    found = [str(path) for path in (site.folder, RUN / f"{site.name}.lock") if path.exists()]
    found += [f"process {pid}" for pid in sorted(site.processes())]
    found += [str(path) for path in Path("/sys/fs/cgroup").rglob(f"*{site.cgroup}*")]
    mounts = Path("/proc/self/mountinfo").read_text("utf-8").splitlines()
    return found + [line for line in mounts if f"/{site.name}/" in line]
