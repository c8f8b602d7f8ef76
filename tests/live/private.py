"""What tests of private sites share: the command in a process of its own, and what a site may leave behind."""

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

from simnet.live.host.scratch import RUN
from simnet.live.private.site import Site

MAIN = "from simnet.cli.main import main; main()"
# what verbs import late is read first: the folder of the checkout may be root's alone
_NOBODY = f"""
import os
import simnet.cli.live, simnet.cli.snapshot, simnet.live.private.down, simnet.live.private.up, simnet.live.snapshot.take
import simnet.live.snapshot.files, simnet.scenario.snapshot
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
{MAIN}
"""
ROOT = Path(__file__).parents[2]


def started(*words, program=MAIN, before=(), **options):
    """The command `simnet` started, by words that go before it, its outputs in pipes as text."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})}
    return subprocess.Popen([*before, sys.executable, "-c", program, *map(str, words)], env=environment, text=True,
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


def simnet_as_nobody(*words):
    """The same, of a user who may do nothing."""
    return simnet(*words, program=_NOBODY)


@contextmanager
def run_of_its_own():
    """Words by which a command sees a /run of its own, where no other test's command sweeps."""
    keep = ["unshare", "--mount", "sh", "-c", "mount -t tmpfs none /run && echo && exec cat"]
    with subprocess.Popen(keep, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        yield ["nsenter", f"--mount=/proc/{process.pid}/ns/mnt"]


def left(site: Site) -> list[str]:
    """What there is of a site: files, processes, control groups, mounts."""
    found = [str(path) for path in (site.folder, RUN / f"{site.name}.lock") if path.exists()]
    found += [f"process {pid}" for pid in sorted(site.processes())]
    found += [str(path) for path in Path("/sys/fs/cgroup").rglob(f"*{site.cgroup}*")]
    mounts = Path("/proc/self/mountinfo").read_text("utf-8").splitlines()
    return found + [line for line in mounts if f"/{site.name}/" in line]
