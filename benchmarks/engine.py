"""How fast hosts are built from commands, and reachability is found: the figures that CHANGELOG and docs quote.

    python benchmarks/engine.py [ports|swarm|matrix]

CPU time of this process is what counts (`process_time`), wall time is printed beside it. There is no peer that builds
an engine's namespaces and rules without root; a real engine takes about 0.3 s a container.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from ipaddress import IPv4Network

from simnet.docker.engine import Engine
from simnet.docker.options import Attachment, ContainerOptions, NetworkOptions
from simnet.docker.publish import parse
from simnet.lab.lab import Lab
from simnet.scenario import scenario_file
from simnet.scenario.build import build
from simnet.scenario.source import Source
from simnet.study.matrix import matrix

CONTAINERS, HOSTS, SPREAD, RING = 1_000, 100, 10_000, 50


def ports() -> str:
    """1,000 containers with a published port each, on one host."""
    engine = Engine("28.5.2")
    for number in range(CONTAINERS):
        engine.run(ContainerOptions(f"c{number}", ports=tuple(parse(f"{10_000 + number}:80"))))
    return f"{CONTAINERS} containers with {CONTAINERS} published ports, {len(list(engine.ruleset.rules()))} rules"


def swarm() -> str:
    """10,000 containers on an overlay network over 100 hosts."""
    lab = Lab()
    for number in range(HOSTS):
        lab.host(f"h{number}", "28.5.2", f"192.0.2.{2 + number}/24")
    first = lab.engine("h0")
    first.swarm_init()
    for number in range(1, HOSTS):
        lab.engine(f"h{number}").swarm_join(first.address)
    mesh = NetworkOptions("mesh", driver="overlay", attachable=True, subnet=IPv4Network("10.50.0.0/16"))
    first.create_network(mesh)
    for number in range(SPREAD):
        options = ContainerOptions(f"c{number}", network="mesh", attachments=(Attachment("mesh"),))
        lab.engine(f"h{number % HOSTS}").run(options)
    return f"{HOSTS} swarm hosts with {SPREAD} containers, {len(lab.network.namespaces)} namespaces"


def reach() -> str:
    """Who reaches whom among 50 containers that all listen, with an outside machine."""
    lines = "".join(f"      c{number}: {{publish: '{8000 + number}:80'}}\n" for number in range(RING))
    text = f"hosts:\n  h1:\n    containers:\n{lines}machines: {{wan: {{}}}}\n"
    plan = scenario_file.read(text, "ring.yaml")
    found = matrix(Source("ring.yaml", lambda: build(plan), plan))
    answered = sum(cell.outcome.answered for cell in found.cells.values())
    return f"matrix of {RING} containers: {len(found.cells)} pairs, {answered} answered"


BENCHMARKS: dict[str, Callable[[], str]] = {"ports": ports, "swarm": swarm, "matrix": reach}


def main(wanted: list[str]) -> None:
    """Run the benchmarks that are wanted, or all."""
    for name in wanted or list(BENCHMARKS):
        wall, cpu = time.perf_counter(), time.process_time()
        said = BENCHMARKS[name]()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        sys.stdout.write(f"{said}: {cpu:.2f} s CPU, {wall:.2f} s wall, {memory:.0f} MiB at most\n")


if __name__ == "__main__":
    main(sys.argv[1:])
