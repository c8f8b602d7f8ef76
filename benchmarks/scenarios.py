"""How fast real scenarios run, the model's own steps and prices: a published port under load, and the modes compared.

    python benchmarks/scenarios.py [--rounds 3]

nat      64 clients ask one published port without a pause: requests simulated in a second of host time, by recorded
         ways in the compiled loop and the plain one, and by SimPy over the same ways and over the walks themselves
modes    `simnet compare` of five modes, 10,000 round trips each, as a new process; with a figure, and without
import   `import simnet` in a new process, less what starting Python takes

No peer knows NAT or Docker's rules; SimPy is the peer here, running what ours runs. The best of a few rounds counts.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from simnet.net.address import parse_ip
from simnet.scenario.source import read_source
from simnet.sim.experiment import WALKS, Experiment, Plan
from simnet.sim.prices.costs import load
from simnet.sim.traffic import Traffic

MODES = ("host", "bridge", "nat", "container", "overlay")
# exchanges of each of 64 clients
LENGTHS = {"compiled": 50_000, "loop": 500, "reference": 200, WALKS: 20}


def nat(rounds: int) -> None:
    """Requests a second through a published port, engine by engine."""
    source = read_source("scenarios/performance/modes.yaml")
    for proto in ("udp", "tcp"):
        traffic = Traffic("nat", "wan", parse_ip("192.0.2.2"), 8080, proto, parallel=64)
        began = time.perf_counter()
        experiment = Experiment(lambda: source.open().network, [traffic], load())
        kinds = len(experiment.ways.ways)
        print(f"nat, {proto}: 64 clients recorded in {time.perf_counter() - began:.2f} s, {kinds} kinds of exchange")
        rates = {engine: max(_rate(experiment, engine) for _ in range(rounds)) for engine in LENGTHS}
        for engine, rate in rates.items():
            ways, walks = rate / rates["reference"], rate / rates[WALKS]
            print(f"  {engine:9}  {rate:12,.0f} requests/s  {ways:7.1f} × SimPy over ways, {walks:6.0f} × over walks")


def _rate(experiment: Experiment, engine: str) -> float:
    plan = Plan(exchanges=LENGTHS[engine], engine=engine)
    if engine == "compiled":
        next(experiment.run(Plan(exchanges=10, engine=engine)))  # compile, or load what was compiled
    outcome = next(experiment.run(plan))
    return outcome.flows["nat"].latency.count / outcome.took


def modes(rounds: int) -> None:
    """Seconds of a new process that compares five modes."""
    words = [str(Path(sys.executable).parent / "simnet"), "compare", "--packets", "10000"]
    for mode in MODES:
        words += ["--mode", mode]
    with tempfile.TemporaryDirectory() as folder:
        for name, more in (("without a figure", []), ("with a figure", ["-o", f"{folder}/modes.png"])):
            print(f"modes, {name}: {_process([*words, *more], rounds):.2f} s")


def imports(rounds: int) -> None:
    """Seconds that importing simnet adds to a process."""
    bare, whole = (_process([sys.executable, "-c", code], rounds * 3) for code in ("pass", "import simnet"))
    print(f"import simnet: {whole - bare:.3f} s (Python alone {bare:.3f} s)")


def _process(words: list[str], rounds: int) -> float:
    """The least time of a process, the first of which may write what Python compiles."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    times = []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        subprocess.run(words, check=True, capture_output=True, env=environment)
        times.append(time.perf_counter() - began)
    return min(times[1:])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    wanted = parser.parse_args()
    nat(wanted.rounds)
    modes(wanted.rounds)
    imports(wanted.rounds)
