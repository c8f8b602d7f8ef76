"""The few system calls that Python 3.11 has no function for: namespaces, mounts, and what a process dies with."""

from __future__ import annotations

import ctypes
import os

from simnet.errors import HostError

NEWNS, NEWUTS, NEWIPC, NEWPID, NEWNET = 0x00020000, 0x04000000, 0x08000000, 0x20000000, 0x40000000
BIND, RECURSIVE, PRIVATE = 4096, 16384, 1 << 18
_DETACH = 2
_PDEATHSIG = 1
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_SETHOSTNAME_MAX = 64


def _call(what: str, result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise HostError(f"{what}: {os.strerror(number)}", "run it as root" if os.geteuid() else "")


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _path(path: str) -> bytes | None:
    return os.fsencode(path) if path else None


def unshare(kinds: int) -> None:
    """Give this thread new namespaces of these kinds; HostError where the kernel refuses."""
    _call("cannot make namespaces", _libc().unshare(kinds))


def setns(file: int, kind: int) -> None:
    """Put this thread into the namespace of an open file; HostError where the kernel refuses."""
    _call("cannot enter a namespace", _libc().setns(file, kind))


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    """Mount as `mount -t KIND -o OPTIONS SOURCE TARGET` would; HostError where the kernel refuses."""
    done = _libc().mount(
        _path(source), _path(target), _path(kind), ctypes.c_ulong(flags), options.encode() if options else None
    )
    _call(f"cannot mount {source or kind} on {target}", done)


def pivot_root(new: str) -> None:
    """Make `new` (a mount point) the root of this mount namespace and let go of the old one."""
    os.chdir(new)
    number = _PIVOT_ROOT.get(os.uname().machine)
    if number is None:
        raise HostError(f"pivot_root is not known for {os.uname().machine}")
    # the old root lies over the new one until it is detached: pivot_root(2), "pivot_root(".", ".")"
    _call(f"cannot make {new} the root", _libc().syscall(number, b".", b"."))
    _call("cannot let go of the old root", _libc().umount2(b".", _DETACH))
    os.chdir("/")


def sethostname(name: str) -> None:
    """Name this UTS namespace."""
    text = name.encode()[:_SETHOSTNAME_MAX]
    _call("cannot set the host name", _libc().sethostname(text, len(text)))


def die_with_parent(signal: int) -> None:
    """Let the kernel send this process a signal when the thread that started it ends."""
    _call("cannot follow the parent process", _libc().prctl(_PDEATHSIG, signal, 0, 0, 0))
