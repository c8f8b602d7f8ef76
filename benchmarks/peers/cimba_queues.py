"""Both workloads in Cimba: its compiled Python models on its C engine, a process a station.

python cimba_queues.py path PACKETS HOPS GAP SERVICE
python cimba_queues.py ring COMPLETIONS STATIONS CUSTOMERS SERVICE

Times are in ns.
"""

import json
import sys
import time

import cimba as cb
from cimba import inputs


class Hop(cb.Model):
    """A queue, and its server that takes a constant time."""

    inbox: cb.Store[int] = cb.Store()
    outbox: cb.Ref[cb.Store[int]]
    service: cb.Param[float]

    @cb.process
    def serve(self):
        """Serve one packet after the other."""
        while True:
            packet = self.inbox.get()
            cb.hold(self.service)
            self.outbox.put(packet)


class Path(cb.Model):
    """Hops in a row, a source and a sink."""

    hops: list[Hop]
    first: cb.Ref[cb.Store[int]]
    end: cb.Store[int] = cb.Store()
    gap: cb.Input[float]
    began: cb.Array[float]
    packets: cb.Param[int]
    delays: cb.Dataset = cb.Dataset()
    mean: cb.Output[float]
    done: cb.Output[float]

    @cb.process
    def generate(self):
        """Let packets come at random."""
        for packet in range(self.packets):
            cb.hold(self.gap.next())
            self.began[packet] = cb.now()
            self.first.put(packet)

    @cb.process
    def sink(self):
        """Note how long each was on its way."""
        for _ in range(self.packets):
            packet = self.end.get()
            self.delays.record(cb.now() - self.began[packet])
        cb.end_trial()

    @cb.on_end
    def measure(self):
        """Tell what came of it."""
        self.mean = self.delays.sample_mean()
        self.done = self.delays.sample_count()


class Station(cb.Model):
    """A queue, and its server that takes an exponential time."""

    inbox: cb.Store[int] = cb.Store()
    outbox: cb.Ref[cb.Store[int]]
    service: cb.Input[float]
    served: cb.Array[int]
    done: cb.Output[float]

    @cb.process
    def serve(self):
        """Serve one customer after the other."""
        while True:
            customer = self.inbox.get()
            cb.hold(self.service.next())
            self.served[0] += 1
            self.outbox.put(customer)

    @cb.on_end
    def measure(self):
        """Tell how many it served."""
        self.done = self.served[0]


class Ring(cb.Model):
    """Stations in a ring."""

    stations: list[Station]
    first: cb.Ref[cb.Store[int]]
    customers: cb.Param[int]

    @cb.process
    def fill(self):
        """Let all customers begin at the first station."""
        for customer in range(self.customers):
            self.first.put(customer)


def path(packets, hops, gap, service):
    """A path, and how long it can take."""
    model = Path()
    model.packets, model.began, model.gap = packets, cb.Array(packets), inputs.dist.exponential(mean=gap)
    row = [Hop() for _ in range(hops)]
    for hop, after in zip(row, [*row[1:], None], strict=True):
        hop.service = float(service)
        hop.outbox = model.end if after is None else after.inbox
    model.hops, model.first = row, row[0].inbox
    return model, packets * gap * 10


def ring(completions, stations, customers, service):
    """A ring, and how long it takes for so many completions, about (it is busy to N / (N + M - 1))."""
    model = Ring()
    row = [Station() for _ in range(stations)]
    for station, after in zip(row, [*row[1:], row[0]], strict=True):
        station.service, station.served = inputs.dist.exponential(mean=float(service)), cb.Array(1)
        station.outbox = after.inbox
    model.stations, model.first, model.customers = row, row[0].inbox, customers
    return model, completions / stations * service * (customers + stations - 1) / customers


def run(work, count, *rest):
    """Run a workload; the seconds it took, and what came of it."""
    model, duration = (path if work == "path" else ring)(count, *rest)
    experiment = cb.Experiment(model, replications=1, window=cb.Window(duration=duration), seed=1)
    begin = time.perf_counter()
    results = experiment.run()
    seconds = time.perf_counter() - begin
    measured = [model] if work == "path" else model.stations
    done = sum(float(results[one].done.values.ravel()[0]) for one in measured)
    mean = float(results[model].mean.values.ravel()[0]) if work == "path" else None
    return {"seconds": seconds, "done": done, "mean_ns": mean}


given = [int(word) for word in sys.argv[2:]]
run(sys.argv[1], 100, *given[1:])  # compiles
print(json.dumps(run(sys.argv[1], *given)))
