"""A compose project as a plan: one host, an outside machine, and what `docker compose up` makes on the host.

What compose files cannot say stands under `x-simnet`, at the top (the host's engine and settings, outside machines,
claims) or in a service (`listen`). A service that says nothing else listens on the ports that it publishes and exposes,
and on those that its image is known to expose (models/images.yaml).
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from simnet.docker.container.images import ports_of
from simnet.docker.document import Value

from . import compose, scenario_file
from .compose import Project, Service
from .plan import Document, MachinePlan, Made, Plan
from .problems import Problems
from .question import Listen

HOST = "h1"


def read(path: Path) -> Plan:
    """Read a compose file or the folder that holds it; ScenarioError names all that is wrong with it.

    The plan's notes hold compose's warnings and the keys that mean nothing to a network.
    """
    project = compose.read(path)
    return _read(project, project.extensions.get("", Value({}, str(path), 1, 1)))


def _read(project: Project, top: Value) -> Plan:
    extension = scenario_file.read_extension(HOST, top)
    notes = list(project.notes)
    if project.ignored:
        notes.append(f"ignored (what an image does by itself is not modelled): {', '.join(project.ignored)}")
    made: list[Made] = []
    for network in project.networks:
        origin = network.origin or top
        if network.external:
            notes.append(f"network {network.options.name} is external; a plain bridge of that name is taken")
        made.append(Made(HOST, network.options, origin))
    for service in project.services:
        made += [Made(HOST, options, service.origin or top) for options in service.containers]
    listens, said = _listens(project)
    names = {service.name: tuple(f"{HOST}/{one.name}" for one in service.containers) for service in project.services}
    machines = extension.machines or (MachinePlan("wan", ("192.0.2.1/24",)),)
    title, commands = extension.title or project.name, (*made, *extension.commands)
    return Plan(title, extension.about, extension.hosts, machines, commands, (*listens, *extension.listens),
                extension.claims, (*notes, *said), names, frozenset(sum(names.values(), ())), extension.timing,
                Document(top, partial(_read, project), HOST))  # fmt: skip


def _listens(project: Project) -> tuple[list[tuple[Listen, Value]], list[str]]:
    """Who listens where, and what was taken from an image."""
    found: list[tuple[Listen, Value]] = []
    notes, problems = [], Problems()
    for service in project.services:
        origin = service.origin or Value({}, "", 0, 0)
        ports, from_image = _ports(service, problems)
        if from_image:
            shown = ", ".join(f"{proto}/{port}" for proto, _, port in from_image)
            notes.append(f"{service.name} listens on {shown}, as the image {service.image} exposes")
        for options in service.containers:
            place = f"{HOST}/{options.name}"
            found += [(Listen(place, *port), origin) for port in dict.fromkeys((*ports, *from_image))]
    problems.settle()
    return found, notes


Port = tuple[str, int, int]


def _ports(service: Service, problems: Problems) -> tuple[list[Port], list[Port]]:
    """A service's own ports (protocol, address, number), and those of its image where nothing says otherwise."""
    extension = (service.origin.held.get("x-simnet") if service.origin and isinstance(service.origin.held, dict) else
                 None)  # fmt: skip
    if extension is not None:
        with problems.caught():
            listed = extension.mapping(["listen"]).get("listen")
            if listed is not None:
                items = listed.held if isinstance(listed.held, list) else [listed]
                listens = [scenario_file.read_listen("x", item) for item in items]
                return [(one.proto, one.address, one.port) for one in listens], []
    ports = [(port.proto, 0, port.port) for one in service.containers[:1] for port in one.ports]
    ports += [(proto, 0, port) for one in service.containers[:1] for port, proto in one.exposed]
    own = [port for port in dict.fromkeys(ports) if port[0] in {"tcp", "udp"}]
    known = [(proto, 0, number) for proto, number in ports_of(service.image)]
    return own, [port for port in known if port not in own]
