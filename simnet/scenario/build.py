"""A plan made into a lab: machines, engines, then every command in order; a refusal names its place in the file."""

from __future__ import annotations

from ipaddress import IPv4Interface

from simnet.docker.document import Value
from simnet.docker.engine import Engine
from simnet.docker.options import ContainerOptions, NetworkOptions
from simnet.errors import SourceError
from simnet.lab.lab import Lab
from simnet.net.address import Prefix, parse_ip
from simnet.net.device import Physical
from simnet.net.namespace import NetNamespace
from simnet.net.route import Route

from .located import located, settled
from .plan import Command, HostPlan, MachinePlan, Made, Plan
from .problems import Problems
from .question import Listen, serve
from .timing_plan import MachineHardware

# what listens in each task of a service goes by this in place of a container's name
SERVICE = "service "


def build(plan: Plan) -> Lab:
    """Make the lab that a plan describes; ScenarioError names everything that an engine or the kernel refused.

    Example:
        >>> from .scenario_file import read
        >>> lab = build(read("hosts: {h1: {containers: {web: {publish: '8080:80'}}}}", "a.yaml"))
        >>> str(lab.engine("h1").find("web").endpoints["bridge"].address)
        '172.17.0.2'
    """
    lab, problems = Lab(), Problems()
    for host in plan.hosts:
        with problems.caught():
            _host(lab, host)
    for machine in plan.machines:
        with problems.caught():
            _machine(lab, machine)
    problems.settle()
    lab.start()
    lab.told |= plan.told
    for command in plan.commands:
        with problems.caught():
            _run(lab, command)
    problems.settle()
    for listen, origin in plan.listens:
        with problems.caught():
            _listen(lab, listen, origin)
    problems.settle()
    lab.network.notes += plan.notes
    _name_services(lab)
    for name, places in plan.names.items():
        lab.network.nicknames.update(dict.fromkeys((name, f"{places[0].partition('/')[0]}/{name}"), places[0]))
    return lab


def _name_services(lab: Lab) -> None:
    """Let a service's name mean its first task that runs."""
    for session in lab.sessions.values():
        cluster = session.engine.swarm.cluster
        for service in cluster.services.values() if cluster is not None else ():
            running = [f"{node.name}/{task.name}" for node, task in service.tasks if task.running]
            if running:
                lab.network.nicknames.setdefault(service.name, running[0])


def _host(lab: Lab, host: HostPlan) -> None:
    with located(host.origin):
        _checked(host.addresses, host.gateway)
        session = lab.host(host.name, host.engine, *host.addresses, gateway=host.gateway, wire=host.wire, mtu=host.mtu)
        session.namespace.sysctls.update(host.sysctl)
        _offload(session.namespace, host.hardware)
        if host.daemon:
            settled(session.execute(["dockerd", *host.daemon_words()]))
        _ = session.engine


def _machine(lab: Lab, machine: MachinePlan) -> None:
    with located(machine.origin):
        _checked(machine.addresses, machine.gateway, *(via for _, via in machine.routes))
        lab.machine(machine.name, *machine.addresses, gateway=machine.gateway, wire=machine.wire)
        _offload(lab.network.find(machine.name), machine.hardware)
        routes = [Route(Prefix.parse(to), "eth0", parse_ip(via)) for to, via in machine.routes]
        lab.network.find(machine.name).fib.add(routes)


def _offload(namespace: NetNamespace, hardware: MachineHardware) -> None:
    """Let a machine's card do what the file says that it does."""
    for device in namespace.devices.values():
        if isinstance(device, Physical):
            for feature, does in hardware.offload.items():
                setattr(device, feature, does)


def _checked(addresses: tuple[str, ...], *hops: str) -> None:
    for address in addresses:
        try:
            IPv4Interface(address)
        except ValueError:
            raise SourceError(f"{address!r} is no address", hint="write 192.0.2.2/24") from None
        if "/" not in address:
            raise SourceError(f"{address!r} lacks the length of its network", hint=f"write {address}/24")
    for hop in hops:
        if hop:
            parse_ip(hop)


def _run(lab: Lab, command: Command | Made) -> None:
    """Run one command; where it fails, say so of the value that it came from."""
    with located(command.origin):
        host = command.place.partition("/")[0]
        if isinstance(command, Made):
            _make(lab.engine(host), command.options)
        elif len(command.words) == 1:
            settled(lab.run(command.words[0], command.place), command.origin)
        else:
            settled(lab.sessions[host].execute(list(command.words)), command.origin)


def _make(engine: Engine, options: NetworkOptions | ContainerOptions) -> None:
    if isinstance(options, NetworkOptions):
        engine.create_network(options)
    else:
        engine.run(options)
    engine.namespace.rules_changed()


def _listen(lab: Lab, listen: Listen, origin: Value) -> None:
    """Start a server; in a service it listens in every task."""
    with located(origin):
        if not listen.place.partition("/")[2].startswith(SERVICE):
            serve(lab.network, listen)
            return
        host, _, name = listen.place.partition(f"/{SERVICE}")
        cluster = lab.engine(host).swarm.cluster
        service = cluster.services.get(name) if cluster is not None else None
        for node, task in service.tasks if service is not None else ():
            if task.running:
                serve(lab.network, Listen(f"{node.name}/{task.name}", listen.proto, listen.address, listen.port))
