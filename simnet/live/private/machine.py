"""The process that is one machine of a private site: `python -m simnet.live.private.machine SPEC`.

It makes namespaces of its own (network, mounts, processes, host name, IPC), and in them becomes process 1 of a machine
whose root is the given one, written to in memory only. All that runs on the machine is below this process: when it is
killed, the kernel ends every process there, and devices, rules and mounts go with the last of them.

It says `made` on standard output, waits for `go` on standard input, starts the engine, and waits for `keep`. Where the
input ends before that, whoever made it is gone, and it goes as well.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Thread

from simnet.live.host import kernel

SOCKET = "docker.sock"
LOG = "log"
# where a root may be put together from several file systems
_MOUNTED = ("usr", "opt")
_IN_MEMORY = ("run", "tmp", "etc/docker", "var/lib/docker")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True)
class Spec:
    """What a machine is to be: its name, the folder that it shares with the outside, its root, its engine's options.

    `engine` None: a machine without Docker.
    """

    name: str
    folder: str
    root: str = "/"
    engine: tuple[str, ...] | None = None

    def text(self) -> str:
        """The form that `main` takes."""
        return json.dumps(asdict(self))

    @classmethod
    def parse(cls, text: str) -> Spec:
        """Read that form."""
        found = json.loads(text)
        engine = found.pop("engine")
        return cls(**found, engine=None if engine is None else tuple(engine))


def main(text: str) -> int:
    """Be the machine; returns when it ends."""
    spec = Spec.parse(text)
    kernel.unshare(kernel.NEWNS | kernel.NEWNET | kernel.NEWPID | kernel.NEWUTS | kernel.NEWIPC)
    first = os.fork()
    if not first:
        kernel.die_with_parent(signal.SIGKILL)
        _live(spec)
    _, status = os.waitpid(first, 0)
    return os.waitstatus_to_exitcode(status)


def _live(spec: Spec) -> None:
    """Be process 1: set the machine up, start its engine, bury its dead."""
    kernel.sethostname(spec.name)
    _root(spec)
    print("made", flush=True)  # noqa: T201 - the other end of the pipe waits for it
    if sys.stdin.readline() != "go\n":
        os._exit(1)
    engine = None if spec.engine is None else _engine(spec, spec.engine)
    Thread(target=_follow, daemon=True).start()
    while True:
        try:
            child, status = os.wait()
        except ChildProcessError:
            signal.pause()
            continue
        if engine is not None and child == engine.pid:
            os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def _follow() -> None:
    """End with whoever made the machine, unless it says `keep`."""
    if sys.stdin.readline() != "keep\n":
        os._exit(1)


def _root(spec: Spec) -> None:
    """Give the machine its root: the given one below, memory above, with /proc of its own and one folder shared."""
    kernel.mount("", "/", flags=kernel.RECURSIVE | kernel.PRIVATE)
    base = Path(spec.folder, "root")
    kernel.mount("tmpfs", str(base), "tmpfs")
    new, upper, work = (base / name for name in ("new", "upper", "work"))
    for folder in (new, upper, work):
        folder.mkdir()
    kernel.mount("overlay", str(new), "overlay", options=f"lowerdir={spec.root},upperdir={upper},workdir={work}")
    for name in _MOUNTED:
        if os.path.ismount(Path(spec.root, name)):
            kernel.mount(str(Path(spec.root, name)), str(new / name), flags=kernel.BIND | kernel.RECURSIVE)
    for name in _IN_MEMORY:
        (new / name).mkdir(parents=True, exist_ok=True)
        kernel.mount("tmpfs", str(new / name), "tmpfs")
    for name in ("sys", "dev"):
        (new / name).mkdir(exist_ok=True)
        kernel.mount(f"/{name}", str(new / name), flags=kernel.BIND | kernel.RECURSIVE)
    (new / "proc").mkdir(exist_ok=True)
    kernel.mount("proc", str(new / "proc"), "proc")
    shared = new / spec.folder.lstrip("/")
    shared.mkdir(parents=True)
    kernel.mount(spec.folder, str(shared), flags=kernel.BIND)
    kernel.pivot_root(str(new))


def _engine(spec: Spec, options: tuple[str, ...]) -> subprocess.Popen[bytes]:
    words = ["dockerd", "-H", f"unix://{spec.folder}/{SOCKET}", "-H", "unix:///var/run/docker.sock", *options]
    environment = {**os.environ, "PATH": _PATH, "HOME": "/root"}
    return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=sys.stderr, env=environment)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
