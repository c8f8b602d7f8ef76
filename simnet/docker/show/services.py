"""`docker service ls`, `docker service ps` and `docker node ls`.

Models: formatter of cli/command/service, task and node of docker/cli.
Leaves out: tasks that were replaced, `service inspect`; a task's state is `Running` or, where it could not, `Rejected`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from simnet.docker.objects import identity
from simnet.docker.show import clock
from simnet.docker.show.published import shown
from simnet.docker.show.table import Shape
from simnet.errors import Refused

if TYPE_CHECKING:
    from simnet.docker.engine import Engine
    from simnet.docker.objects import Container
    from simnet.docker.options import ServicePort
    from simnet.docker.swarm.cluster import Cluster
    from simnet.docker.swarm.service import Service

SERVICES = Shape(
    "*service.serviceContext",
    {"ID": "ID", "Image": "IMAGE", "Mode": "MODE", "Name": "NAME", "Ports": "PORTS", "Replicas": "REPLICAS"},
    "table {{.ID}}\t{{.Name}}\t{{.Mode}}\t{{.Replicas}}\t{{.Image}}\t{{.Ports}}",
)
TASKS = Shape(
    "*task.taskContext",
    {
        "CurrentState": "CURRENT STATE", "DesiredState": "DESIRED STATE", "Error": "ERROR", "ID": "ID",
        "Image": "IMAGE", "Name": "NAME", "Node": "NODE", "Ports": "PORTS",
    },
    "table {{.ID}}\t{{.Name}}\t{{.Image}}\t{{.Node}}\t{{.DesiredState}}\t{{.CurrentState}}\t{{.Error}}\t{{.Ports}}",
)  # fmt: skip
NODES = Shape(
    "*node.nodeContext",
    {
        "Availability": "AVAILABILITY", "EngineVersion": "ENGINE VERSION", "Hostname": "HOSTNAME", "ID": "ID",
        "ManagerStatus": "MANAGER STATUS", "Self": "", "Status": "STATUS", "TLSStatus": "TLS STATUS",
    },
    "table {{.ID}} {{if .Self}}*{{else}} {{end}}\t{{.Hostname}}\t{{.Status}}\t{{.Availability}}\t{{.ManagerStatus}}"
    "\t{{.EngineVersion}}",
)  # fmt: skip
_WORKER = ("Worker nodes can't be used to view or modify cluster state. Please run this command on a manager node or "
           "promote the current node to a manager.")  # fmt: skip
_OUTSIDE = 'Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.'


def managed(engine: Engine) -> Cluster:
    """The swarm that this node manages; Refused in the engine's words where it does not."""
    cluster = engine.swarm.cluster
    if cluster is None or not engine.swarm.manages:
        advice = _OUTSIDE if cluster is None else _WORKER
        raise Refused("not_a_manager", f"This node is not a swarm manager. {advice}")
    return cluster


def node_id(name: str) -> str:
    """The id of a node: 25 digits, always the same ones for a name."""
    return identity("node", name, 0)[:25]


def ports(published: Sequence[ServicePort]) -> str:
    """The column PORTS of `service ls`: neighbouring ports together.

    Example:
        >>> from simnet.docker.options import ServicePort
        >>> ports([ServicePort(80, 8080), ServicePort(81, 8081), ServicePort(53, 53, "udp")])
        '*:8080-8081->80-81/tcp, *:53->53/udp'
    """
    groups: list[list[ServicePort]] = []
    for one in sorted(published, key=lambda one: (one.proto, one.published)):
        last = groups[-1][-1] if groups else None
        if last is not None and (one.proto, one.published, one.target) == (last.proto, last.published + 1,
                                                                           last.target + 1):  # fmt: skip
            groups[-1].append(one)
        else:
            groups.append([one])
    return ", ".join(_group(group) for group in groups)


def _group(group: list[ServicePort]) -> str:
    first, last = group[0], group[-1]
    if first is last:
        return f"*:{first.published}->{first.target}/{first.proto}"
    return f"*:{first.published}-{last.published}->{first.target}-{last.target}/{first.proto}"


def _image(name: str) -> str:
    return name if ":" in name else f"{name}:latest"


def ls(engine: Engine, *, quiet: bool = False, form: str = "") -> str:
    """`docker service ls`, by name.

    Example:
        >>> from simnet.docker.command.cli import Session
        >>> session = Session("28.5.2")
        >>> for line in ("swarm init", "service create --name web --replicas 2 -p 8080:80 busybox"):
        ...     _ = session.run(f"docker {line}")
        >>> print(ls(session.engine, form="{{.Name}} {{.Replicas}} {{.Ports}}"), end="")
        web 2/2 *:8080->80/tcp
    """
    cluster = managed(engine)
    rows = []
    for service in sorted(cluster.services.values(), key=lambda one: one.name):
        wanted = len(cluster.nodes) if service.options.everywhere else service.options.replicas
        running = sum(task.running for _, task in service.tasks)
        rows.append({
            "ID": service.id[:12], "Image": _image(service.options.image),
            "Mode": "global" if service.options.everywhere else "replicated", "Name": service.name,
            "Ports": ports(service.mesh_ports), "Replicas": f"{running}/{wanted}",
        })  # fmt: skip
    return SERVICES.text(rows, form, quiet=quiet)


def ps(engine: Engine, names: Sequence[str], *, quiet: bool = False, whole: bool = False, form: str = "") -> str:
    """`docker service ps`: the tasks of services; Refused where one is not there."""
    cluster = managed(engine)
    rows: list[dict[str, Any]] = []
    for name in names:
        service = cluster.services.get(name)
        if service is None:
            raise Refused("service_unlisted", f"no such service: {name}")
        rows += [_task(service, node, task, whole=whole) for node, task in service.tasks]
    return TASKS.text(rows, form, quiet=quiet)


def _task(service: Service, node: Engine, task: Container, *, whole: bool) -> dict[str, Any]:
    name, _, key = task.name.rpartition(".")
    host = [one for one in shown(node, task) if one.host]
    done = "Running" if task.running else "Rejected"
    return {
        "CurrentState": f"{done} {clock.AGO}", "DesiredState": "Running", "Error": "",
        "ID": key if whole else key[:12], "Image": _image(service.options.image), "Name": name, "Node": node.name,
        "Ports": ",".join(f"*:{one.number}->{one.key}" for one in host),
    }  # fmt: skip


def nodes(engine: Engine, *, quiet: bool = False, form: str = "") -> str:
    """`docker node ls`: by name; the first manager leads.

    Example:
        >>> from simnet.docker.command.cli import Session
        >>> session = Session("28.5.2")
        >>> _ = session.run("docker swarm init")
        >>> print(nodes(session.engine, form="{{.Hostname}} {{.Status}} {{.ManagerStatus}}"), end="")
        h1 Ready Leader
    """
    cluster = managed(engine)
    leader = next(name for name in cluster.nodes if name in cluster.managers)
    rows = []
    for name, node in sorted(cluster.nodes.items()):
        manager = "Leader" if name == leader else "Reachable" if name in cluster.managers else ""
        rows.append({
            "Availability": "Active", "EngineVersion": node.version, "Hostname": name, "ID": node_id(name),
            "ManagerStatus": manager, "Self": node is engine, "Status": "Ready", "TLSStatus": "Ready",
        })  # fmt: skip
    return NODES.text(rows, form, quiet=quiet)
