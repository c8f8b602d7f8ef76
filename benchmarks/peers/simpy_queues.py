"""Both workloads in SimPy: a process a station, which takes jobs from a store.

python simpy_queues.py path PACKETS HOPS GAP SERVICE
python simpy_queues.py ring COMPLETIONS STATIONS CUSTOMERS SERVICE

Times are in ns.
"""

import json
import random
import sys
import time

import simpy


def path(packets, hops, gap, service):
    """A source, hops in a row, a sink that notes delays."""
    env = simpy.Environment()
    queues = [simpy.Store(env) for _ in range(hops)]
    delays = []

    def generate():
        for _ in range(packets):
            yield env.timeout(random.expovariate(1 / gap))
            queues[0].put(env.now)

    def serve(at):
        while True:
            began = yield queues[at].get()
            yield env.timeout(service)
            if at + 1 < hops:
                queues[at + 1].put(began)
            else:
                delays.append(env.now - began)

    env.process(generate())
    for at in range(hops):
        env.process(serve(at))
    env.run()
    return len(delays), sum(delays) / len(delays)


def ring(completions, stations, customers, service):
    """Customers that go round."""
    env = simpy.Environment()
    queues = [simpy.Store(env) for _ in range(stations)]
    done = 0

    def serve(at):
        nonlocal done
        while True:
            customer = yield queues[at].get()
            yield env.timeout(random.expovariate(1 / service))
            done += 1
            queues[(at + 1) % stations].put(customer)

    for at in range(stations):
        env.process(serve(at))
    for customer in range(customers):
        queues[0].put(customer)
    env.run(until=completions / stations * service * (customers + stations - 1) / customers)
    return done, None


random.seed(1)
given = [int(word) for word in sys.argv[2:]]
begin = time.perf_counter()
done, mean = (path if sys.argv[1] == "path" else ring)(*given)
print(json.dumps({"seconds": time.perf_counter() - begin, "done": done, "mean_ns": mean}))
