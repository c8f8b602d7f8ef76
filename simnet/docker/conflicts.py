r"""Options of a container that exclude each other, and namespaces that cannot be joined, in the engine's own words.

Some are refused when the container is made, some when it is started (then it stays behind, created).

Example:
    >>> from simnet.docker.command.cli import Session
    >>> session = Session("28.5.2")
    >>> session.script("docker run -d --name web busybox")
    >>> print(session.run("docker run -d --network container:web -p 80:80 busybox").err.splitlines()[0])
    docker: Error response from daemon: conflicting options: port publishing and the container type network mode
    >>> session.run("docker run -d --network host -p 80:80 busybox").err
    'WARNING: Published ports are discarded when using host network mode\n'

Models: runconfig/hostconfig_unix.go, daemon/daemon_unix.go, daemon/oci_linux.go and daemon/container_operations_unix.go
of moby, and libcontainer/configs/validate of runc.
Leaves out: privileged containers, a donor's user namespace that does not fit, sysctls that the kernel does not have.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from simnet.docker.options import ContainerOptions
from simnet.errors import Refused

if TYPE_CHECKING:
    from simnet.docker.engine import Engine
    from simnet.docker.objects import Container, Network

_JOIN = "container:"
# what of the IPC namespace has sysctls
_IPC_SYSCTLS = {"kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax",
                "kernel.shmmni", "kernel.shm_rmid_forced"}  # fmt: skip
_IPC_MODES = ("", "private", "shareable", "none", "host")


def check_options(engine: Engine, options: ContainerOptions) -> None:
    """What is refused when a container is made."""
    network, features = options.network, engine.layout.features
    joins, shares = network.startswith(_JOIN), network == "host" or network.startswith(_JOIN)
    published = bool(options.ports) or options.publish_all
    for kind, refused in (
        ("network_mode_empty", network == _JOIN),
        ("conflict_hostname_network", joins and options.hostname),
        ("conflict_links_container", joins and options.links),
        ("conflict_dns_network", joins and options.dns),
        ("conflict_hosts_network", joins and options.extra_hosts),
        ("conflict_mac_network", shares and options.mac_address and "refuses_mac_of_shared_network" in features),
        ("conflict_publish_network", joins and published),
        ("conflict_expose_network", joins and options.exposed),
        ("conflict_hostname_uts", options.uts == "host" and options.hostname),
        ("conflict_links_host", network == "host" and options.links),
        ("remap_pid", _maps_users(engine, options) and options.pid == "host"),
        ("remap_network", _maps_users(engine, options) and network == "host"),
    ):
        if refused:
            raise engine.refusal(kind)
    if shares and "silent_default" not in features and _has_address(options):
        raise engine.refusal("address_on_shared" if joins else "address_on_default", network=network)
    if "checks_ipc_at_start" not in features:
        _check_ipc_mode(engine, options)
    if network in {"bridge", ""}:
        for parent, _ in options.links:
            if parent not in engine.containers:
                raise engine.refusal("link_unknown", name=parent)


def _has_address(options: ContainerOptions) -> bool:
    return any(at.address or at.address6 for at in options.attachments)


def by_id(engine: Engine, options: ContainerOptions) -> ContainerOptions:
    """The options with the containers whose namespaces are shared by their ids, as the engine keeps them."""
    pid, ipc = (_by_id(engine, mode, needed=True) for mode in (options.pid, options.ipc))
    return replace(options, network=_by_id(engine, options.network), pid=pid, ipc=ipc)


def _by_id(engine: Engine, mode: str, *, needed: bool = False) -> str:
    if not mode.startswith(_JOIN) or mode == _JOIN:
        return mode
    try:
        return _JOIN + engine.find(mode.removeprefix(_JOIN)).id
    except Refused:
        if needed:
            raise
        return mode


def _maps_users(engine: Engine, options: ContainerOptions) -> bool:
    return bool(engine.options.userns_remap) and options.userns != "host"


def _check_ipc_mode(engine: Engine, options: ContainerOptions) -> None:
    if options.ipc not in _IPC_MODES and not options.ipc.startswith(_JOIN):
        raise engine.refusal("ipc_mode_unknown", value=options.ipc)


def warnings(engine: Engine, options: ContainerOptions) -> list[str]:
    """What the engine warns of when it makes a container."""
    found = []
    if not engine.namespace.forwards:
        found.append("IPv4 forwarding is disabled. Networking will not work.")
    if options.network == "host" and options.ports:
        found.append("Published ports are discarded when using host network mode")
    return found


def check_network(engine: Engine, one: Container) -> None:
    """The container whose network namespace is to be shared must be there, run, and be another one."""
    mode = one.options.network
    if mode == "host" and _has_address(one.options):
        raise engine.refusal("address_on_default", network=mode)
    if not mode.startswith(_JOIN):
        return
    try:
        other = engine.find(mode.removeprefix(_JOIN))
    except Refused as error:
        raise Refused(error.kind, engine.layout.say("join_failed", reason=error)) from None
    if other is one:
        raise engine.refusal("join_own")
    if not other.running:
        raise engine.refusal("join_stopped", name=other.name, id=other.id, value=other.state)


def check_links(engine: Engine, one: Container) -> None:
    """Those linked over the default bridge must be on it, and run."""
    for parent, alias in one.options.links if "bridge" in one.endpoints else ():
        other = engine.containers.get(parent)
        if other is not None and all(at.network != "bridge" for at in other.options.attachments):
            raise engine.refusal("link_elsewhere", name=other.name, id=other.id)
        if other is None or not other.running:
            raise engine.refusal("link_stopped", name=parent, other=f"/{one.name}/{alias}")


def check_runtime(engine: Engine, one: Container) -> None:
    """What is refused at the start of a container once its network stands: namespaces to join, sysctls."""
    options = one.options
    if "checks_ipc_at_start" in engine.layout.features:
        _check_ipc_mode(engine, options)
    _check_ipc(engine, options.ipc)
    _check_pid(engine, options.pid)
    reason = _runtime_reason(engine, options)
    if reason:
        raise engine.refusal("runtime_failed", reason=reason)


def check_exec(engine: Engine, one: Container) -> None:
    """What is refused of `docker exec`: a container that does not run, or has a link to one that does not."""
    if not one.running:
        raise engine.refusal("container_stopped", id=one.id)
    check_links(engine, one)


def _check_ipc(engine: Engine, mode: str) -> None:
    if not mode.startswith(_JOIN):
        return
    name = mode.removeprefix(_JOIN)
    if not name:
        raise engine.refusal("ipc_unnamed")
    other = engine.containers.get(name) or next((one for one in engine.containers.values() if one.id == name), None)
    if other is None:
        raise engine.refusal("ipc_gone", id=name)
    if not other.running:
        raise engine.refusal("ipc_stopped", id=other.id)
    if other.options.ipc in {"", "private", "none"}:
        raise engine.refusal("ipc_private", id=other.id)


def _check_pid(engine: Engine, mode: str) -> None:
    if not mode.startswith(_JOIN):
        return
    name = mode.removeprefix(_JOIN)
    other = next((one for one in engine.containers.values() if name in {one.id, one.name}), None)
    if other is None:
        raise engine.refusal("pid_gone", id=name)
    if not other.running:
        raise engine.refusal("pid_stopped", id=other.id)


def _runtime_reason(engine: Engine, options: ContainerOptions) -> str:
    """What runc says of sysctls that would be the host's, and of a mount that a mapped user may not make."""
    for key, _ in options.sysctls:
        if key.startswith("net.") and options.network == "host":
            return f'sysctl "{key}" not allowed in host network namespace'
        if (key in _IPC_SYSCTLS or key.startswith("fs.mqueue.")) and options.ipc == "host":
            return f'sysctl "{key}" is not allowed in the hosts ipc namespace'
    if options.domainname and options.uts == "host":
        return 'sysctl "kernel.domainname" is not in a separate kernel namespace'
    if _maps_users(engine, options) and options.ipc == "host":
        return engine.layout.say("remap_ipc")
    return ""


def check_connect(engine: Engine, one: Container, network: Network) -> None:
    """Whether a container may be put on a further network."""
    if one.options.network == "host" or one.options.network.startswith(_JOIN):
        raise engine.refusal("shared_connect")
    if network.name == "host":
        raise engine.refusal("host_connect")
    here = {at.network for at in one.options.attachments}
    if "none" in here or (here and network.name == "none"):
        raise engine.refusal("none_connect")


def check_disconnect(engine: Engine, one: Container, network: Network) -> None:
    """Whether a container may leave a network."""
    if network.name == "host" and one.options.network == "host":
        raise engine.refusal("host_disconnect")
