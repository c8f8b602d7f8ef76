"""How fast queueing models run: ours beside their peers, in one run, each peer in an environment of its own.

    python benchmarks/queueing.py [--environments FOLDER] [--only path,ring,memory] [--rounds 3]

path    a FIFO path of 6 hops, Poisson arrivals, constant service at 76 % load, every packet's delay returned
ring    a closed network: 64 flows that cycle over 10 stations with exponential service
busy    64 closed flows of exchanges of 10 visits to 6 bounded stations; as it is, and with work after the reply
memory  10⁷ packets through the path, and the most memory that this takes

What each of the peers computes is checked against our figures before its rate is printed. Slow ones do less of the
same; a rate is what counts: packet-hops, or completions, a second. A peer is installed by pip on its first use; for
ns-3 a C++ program is compiled against what its wheel holds. Results are the best of a few rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from simnet.errors import UsageError
from simnet.sim.queueing import engine
from simnet.sim.queueing.arrivals import Poisson
from simnet.sim.queueing.model import Exchange, Flow, Model, Run, Station, Visit

HOPS, GAP, SERVICE = 6, 667, 504
STATIONS, CUSTOMERS, MEAN = 10, 64, 1000
PROGRAMS = Path(__file__).parent / "peers"


@dataclass
class Peer:
    """A simulator to compare with: its name, its package, its program, and how much of a workload it does."""

    name: str
    package: str
    program: str
    path: int = 0
    ring: int = 0


PEERS = (
    Peer("Cimba (Python models)", "cimba", "cimba_queues.py", path=1_000_000, ring=3_000_000),
    Peer("ns-3 (C++, no IP)", "ns3", "ns3_path.cc", path=200_000),
    Peer("ns.py", "ns.py", "nspy_queues.py", path=30_000),
    Peer("SimPy", "simpy", "simpy_queues.py", path=30_000, ring=200_000),
    Peer("Ciw", "ciw", "ciw_queues.py", path=10_000, ring=50_000),
)


def said(*command: str | Path) -> str:
    """What a command prints; its last words, as an error, where it fails."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError((done.stderr or done.stdout).strip().splitlines()[-1])
    return done.stdout


def prepare(peer: Peer, folder: Path) -> list[str | Path]:
    """The command that runs a peer; it is installed where it is not there yet."""
    home = folder / peer.package
    python = home / "bin" / "python"
    if not python.exists():
        venv.create(home, with_pip=True)
    said(python, "-m", "pip", "install", "--quiet", peer.package)
    if not peer.program.endswith(".cc"):
        return [python, PROGRAMS / peer.program]
    if shutil.which("g++") is None:
        raise RuntimeError("no g++ to compile its program")
    root = next(home.glob("lib/python*/site-packages/ns3"))
    libraries = [next((root / "lib64").glob(f"libns3*-{name}.so")) for name in ("core", "network", "point-to-point")]
    compiled = home / "path"
    options = ["-std=c++20", "-O2", "-DNS3_LOG_DISABLE", f"-I{root / 'include'}", f"-Wl,-rpath,{root / 'lib64'}"]
    said("g++", *options, PROGRAMS / peer.program, "-o", compiled, *libraries)
    return [compiled]


def path_model(packets: int) -> Model:
    """The FIFO path."""
    way = Exchange(tuple(Visit(at, SERVICE, 0, at - 1, record=at == HOPS - 1) for at in range(HOPS)))
    stations = tuple(Station(f"hop{at}") for at in range(HOPS))
    return Model(stations, (way,), (Flow((0,), limit=packets, arrivals=Poisson(1e9 / GAP)),))


def ring_run(completions: int) -> Run:
    """The closed network, for the time in which so many services end, about: it is busy to N / (N + M - 1)."""
    last = STATIONS - 1
    visits = (Visit(at, 0, MEAN, at - 1, release=at == last, record=at == last) for at in range(STATIONS))
    stations = tuple(Station(f"s{at}") for at in range(STATIONS))
    model = Model(stations, (Exchange(tuple(visits)),), (Flow((0,)),) * CUSTOMERS)
    return Run(model, 1, completions * MEAN * (CUSTOMERS + last) // (STATIONS * CUSTOMERS))


def busy_model(visits: int, *, after: bool) -> Model:
    """Requests and replies through bounded queues; with work `after` the reply two exchanges of a flow overlap."""
    fixed = 300, 500, 700, 1200, 400, 800, 350, 600, 500, 250
    way = 0, 1, 2, 3, 4, 5, 4, 3, 2, 1
    last = 8 if after else 9
    visited = (
        Visit(way[at], fixed[at], 0, at - 1, 50, release=at == last, record=at == last, bounded=at % 2 == 0)
        for at in range(10)
    )
    flows = tuple(Flow((0,), limit=visits // 640, think=100 * at) for at in range(64))
    return Model(tuple(Station(f"s{at}", capacity=1000) for at in range(6)), (Exchange(tuple(visited)),), flows)


def delays(run: Run, name: str) -> np.ndarray:
    """The time from begin to end of every measurement of a run."""
    return np.concatenate([block.ended - block.began for block in engine.blocks(run, name)])


def best(make: Callable[[int], Run], count: int, name: str, rounds: int) -> float:
    """Visits a second in the best of some rounds."""
    rates = []
    for _ in range(rounds):
        run = make(count)
        begin = time.perf_counter()
        delays(run, name)
        seconds = time.perf_counter() - begin
        rates.append(float(run.tally.jobs.sum()) / seconds)
    return max(rates)


def ours(make: Callable[[int], Run], work: dict[str, int], rounds: int) -> list[float]:
    """Print our engines' rates on a workload, each doing as much of it as is said."""
    rates = []
    for name, count in work.items():
        try:
            delays(make(1000), name)
            rates.append(best(make, count, name, rounds))
        except UsageError as error:
            print(f"  simnet {name:24} could not be had: {error}")
            continue
        print(f"  simnet {name:24} {rates[-1] / 1e6:9.2f} M/s")
    return rates


def peers(work: str, folder: Path, given: list[int], fastest: float, mean: float, rounds: int) -> None:
    """Print the peers' rates on a workload, and how many times ours that is."""
    for peer in PEERS:
        count = getattr(peer, work)
        if not count:
            print(f"  {peer.name:31} has no program for this one")
            continue
        try:
            command = prepare(peer, folder)
            words = [] if peer.program.endswith(".cc") else [work]
            runs = [json.loads(said(*command, *words, str(count), *map(str, given))) for _ in range(rounds)]
        except (RuntimeError, OSError, StopIteration, json.JSONDecodeError) as error:
            print(f"  {peer.name:31} could not be had: {error}")
            continue
        if work == "path" and abs(runs[0]["mean_ns"] / mean - 1) > 0.05:
            sys.exit(f"{peer.name} finds a mean delay of {runs[0]['mean_ns']:.0f} ns, we {mean:.0f}")
        each = HOPS if work == "path" else 1
        rate = max(run["done"] * each / run["seconds"] for run in runs)
        print(f"  {peer.name:31} {rate / 1e6:9.2f} M/s   simnet's fastest is {fastest / rate:6.1f} × as fast")


def memory() -> None:
    """Run 10⁷ packets, delays summed up and let go, and print what that took."""
    begin, count, total = time.perf_counter(), 0, 0
    for block in engine.blocks(Run(path_model(10_000_000), 1)):
        count, total = count + len(block), total + int((block.ended - block.began).sum())
    seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  {count:,} packets × {HOPS} hops in {seconds:.1f} s, mean {total / count:.0f} ns; at most {peak:.0f} MB")


def main() -> None:
    """Measure and print."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "simnet-benchmarks"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--environments", type=Path, default=cache, help="where the peers' environments are made")
    parser.add_argument("--only", default="memory,path,ring,busy")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    only = asked.only.split(",")
    if "memory" in only:
        # first: it is the most memory so far that counts
        print("memory")
        memory()
    if "path" in only:
        print(f"path: {HOPS} hops, packet-hops a second")
        work = {"auto": 1_000_000, "compiled": 1_000_000, "loop": 50_000}
        rates = ours(lambda count: Run(path_model(count), 1), work, asked.rounds)
        mean = float(delays(Run(path_model(1_000_000), 1), "auto").mean())
        peers("path", asked.environments, [HOPS, GAP, SERVICE], rates[0], mean, asked.rounds)
    if "ring" in only:
        print(f"ring: {CUSTOMERS} flows over {STATIONS} stations, completions a second")
        work = {"compiled": 6_400_000, "tandem": 2_560_000, "loop": 256_000}
        rates = ours(ring_run, work, asked.rounds)
        peers("ring", asked.environments, [STATIONS, CUSTOMERS, MEAN], max(rates), 0, asked.rounds)
    if "busy" in only:
        for title, after in (("one visit at a time", False), ("with work after the reply", True)):
            print(f"busy: 64 flows, 10 visits each to 6 bounded stations, {title}, visits a second")
            work = {"compiled": 6_400_000, "loop": 256_000}
            ours(lambda count, after=after: Run(busy_model(count, after=after), 1), work, asked.rounds)


if __name__ == "__main__":
    main()
