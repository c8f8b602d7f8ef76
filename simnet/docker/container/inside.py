"""What a container's own commands show of its namespaces: names, processes, shared memory, users, mounts.

Each function gives what a busybox in the container prints; Refused where the container does not run.

Example:
    >>> from simnet.docker.command.cli import Session
    >>> session = Session("28.5.2")
    >>> session.script("docker run -d --name web --hostname box busybox sleep 60")
    >>> session.script("docker run -d --name spy --pid container:web busybox sleep 90")
    >>> engine = session.engine
    >>> hostname(engine, engine.find("web"))
    'box'
    >>> print(ps(engine, engine.find("web")), end="")
    PID   USER     COMMAND
        1 0        sleep 60
        7 0        sleep 90
       13 0        ps

Models: what runc and the engine's default profile set up, seen by busybox 1.35 in an image without /etc/passwd.
Leaves out: processes that a container's own one started, users other than root, and mounts of the host's cgroups.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simnet.docker.container.files import HOSTNAME, hostname_of, read
from simnet.docker.container.namespaces import DOCKERD_PID, HOST_NUMBERS, KINDS, Space, members

if TYPE_CHECKING:
    from simnet.docker.engine import Engine
    from simnet.docker.objects import Container

# where the users of a container begin on the host, and how many there are, when dockerd maps them (/etc/subuid)
_MAPPED, _MAPPED_COUNT = 100000, 65536
_ALL = 4294967295
_NO_DEVICES = "nosuid,nodev,noexec,relatime"
# what is mounted in every container: what, where, kind, options; /dev/shm and the three files of /etc come between
_BEFORE = (
    ("overlay", "/", "overlay", "rw,relatime"),
    ("proc", "/proc", "proc", f"rw,{_NO_DEVICES}"),
    ("tmpfs", "/dev", "tmpfs", "rw,nosuid,size=65536k,mode=755"),
    ("devpts", "/dev/pts", "devpts", "rw,nosuid,noexec,relatime,gid=5,mode=620,ptmxmode=666"),
    ("sysfs", "/sys", "sysfs", f"ro,{_NO_DEVICES}"),
    ("mqueue", "/dev/mqueue", "mqueue", f"rw,{_NO_DEVICES}"),
)
_AFTER = tuple(("proc", f"/proc/{name}", "proc", f"ro,{_NO_DEVICES}") for name in ("bus", "fs", "irq", "sys"))
_FILES = ("/etc/resolv.conf", "/etc/hostname", "/etc/hosts")


def hostname(engine: Engine, one: Container) -> str:
    """What `hostname` prints: the name in its UTS namespace."""
    shared = _space(engine, one, "uts") is engine.spaces.host["uts"]
    return engine.host_files[HOSTNAME].strip() if shared else hostname_of(engine, one)


def domainname(engine: Engine, one: Container) -> str:
    """`/proc/sys/kernel/domainname`: as `--domainname` has it, the kernel's `(none)` without."""
    shared = _space(engine, one, "uts") is engine.spaces.host["uts"]
    return "(none)" if shared else one.options.domainname or "(none)"


def interfaces(engine: Engine, one: Container) -> list[str]:
    """The interfaces of its network namespace by name, in the order of their indexes."""
    _space(engine, one, "net")
    devices = engine.namespace.network.find(f"{engine.name}/{one.name}").devices.values()
    return [device.name for device in sorted(devices, key=lambda device: device.ifindex)]


def ps(engine: Engine, one: Container, command: str = "ps") -> str:
    """What `docker exec CONTAINER ps` prints: all of its PID namespace, and the command itself, last."""
    space = _space(engine, one, "pid")
    seen = list(_processes(engine, one, space))
    own = max(number for number, _, _ in seen) + 6
    lines = [*seen, (own, _user(engine, one, one), command)]
    return "PID   USER     COMMAND\n" + "".join(f"{pid:5} {user:<8} {words}\n" for pid, user, words in lines)


def _processes(engine: Engine, viewer: Container, space: Space) -> list[tuple[int, int, str]]:
    """The processes of a PID namespace by number: number, user, words; of the host's own ones init and dockerd."""
    host = engine.spaces.host["pid"]
    if space is not host:
        there = [(space.pids[one.id], one) for one in members(engine, space)]
        return sorted((pid, _user(engine, one, viewer), _words(one)) for pid, one in there)
    # the host sees the processes of every PID namespace, under numbers of its own
    running = [(one.pid, _user(engine, one, viewer), _words(one)) for one in engine.containers.values() if one.running]
    return [(1, 0, "/sbin/init"), (DOCKERD_PID, 0, "dockerd"), *sorted(running)]


def _words(one: Container) -> str:
    """The command of a container's first process; the image's own where none was given."""
    return " ".join(one.options.command) or "sh"


def _user(engine: Engine, one: Container, viewer: Container) -> int:
    """The number of root in one container, as another one sees it."""
    own = _space(engine, one, "user")
    return 0 if own in (engine.spaces.host["user"], _space(engine, viewer, "user")) else _MAPPED


def links(engine: Engine, one: Container, when: str = "Jan  1 00:00") -> str:
    """What `ls -l /proc/self/ns` prints; `when` is the time that the files bear."""
    numbers = {**HOST_NUMBERS, **{kind: _space(engine, one, kind).number for kind in KINDS}}
    names = {**{kind: kind for kind in numbers}, "pid_for_children": "pid", "time_for_children": "time"}
    lines = (
        f"lrwxrwxrwx    1 0        0                0 {when} {name} -> {kind}:[{numbers[kind]}]\n"
        for name, kind in sorted(names.items())
    )
    return "total 0\n" + "".join(lines)


def uid_map(engine: Engine, one: Container) -> str:
    """`/proc/self/uid_map`: users of the container, whose they are on the host, and how many."""
    own = _space(engine, one, "user") is not engine.spaces.host["user"]
    first, count = (_MAPPED, _MAPPED_COUNT) if own else (0, _ALL)
    return f"{0:10} {first:10} {count:10}\n"


def readable(engine: Engine, one: Container) -> dict[str, str]:
    """The small files that a container can read, by path: those of /etc that the engine writes, and some of /proc."""
    return {
        **read(engine, one),
        "/proc/sys/kernel/hostname": hostname(engine, one) + "\n",
        "/proc/sys/kernel/domainname": domainname(engine, one) + "\n",
        "/proc/self/uid_map": uid_map(engine, one),
    }


def segments(engine: Engine, one: Container) -> list[str]:
    """The shared memory that it sees, one segment for each container in its IPC namespace, named after it."""
    return [other.name for other in members(engine, _space(engine, one, "ipc"))]


def mounts(engine: Engine, one: Container) -> str:
    """What `mount` prints: a root of its own, the kernel's file systems, /dev/shm by its IPC mode, the engine's files.

    Leaves out: the layers of the root, the host's cgroups and its disk's options, and paths that are masked.
    """
    _space(engine, one, "mnt")
    shm = {
        "none": (),
        "host": (("tmpfs", "/dev/shm", "tmpfs", "rw,nosuid,nodev"),),
    }.get(one.options.ipc, (("shm", "/dev/shm", "tmpfs", f"rw,{_NO_DEVICES},size=65536k"),))
    files = tuple(("/dev/vda1", path, "ext4", "rw,relatime") for path in _FILES)
    lines = (*_BEFORE, *shm, *files, *_AFTER)
    return "".join(f"{what} on {where} type {kind} ({options})\n" for what, where, kind, options in lines)


def _space(engine: Engine, one: Container, kind: str) -> Space:
    """A container's namespace of a kind; refused where it does not run."""
    if not one.running:
        raise engine.refusal("container_stopped", id=one.id)
    return one.spaces[kind]
