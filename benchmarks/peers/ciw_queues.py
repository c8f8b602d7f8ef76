"""Both workloads in Ciw, which keeps a record of every customer at every node.

python ciw_queues.py path PACKETS HOPS GAP SERVICE
python ciw_queues.py ring COMPLETIONS STATIONS CUSTOMERS SERVICE

Times are in ns.
"""

import json
import sys
import time
from collections import defaultdict

import ciw

work = sys.argv[1]
count, nodes, third, service = (int(word) for word in sys.argv[2:])
onward = [[float(to == at + 1) for to in range(nodes)] for at in range(nodes)]
if work == "path":
    first, batch = ciw.dists.Exponential(1 / third), 1
    services = [ciw.dists.Deterministic(service)] * nodes
    horizon = count * third
else:
    first, batch = ciw.dists.Sequential([1e-3, float("inf")]), third
    services = [ciw.dists.Exponential(1 / service)] * nodes
    onward[-1][0] = 1.0
    horizon = count / nodes * service * (third + nodes - 1) / third
network = ciw.create_network(
    arrival_distributions=[first, *[None] * (nodes - 1)],
    batching_distributions=[ciw.dists.Deterministic(batch), *[ciw.dists.Deterministic(1)] * (nodes - 1)],
    service_distributions=services,
    number_of_servers=[1] * nodes,
    routing=onward,
)
ciw.seed(1)
simulation = ciw.Simulation(network)
begin = time.perf_counter()
simulation.simulate_until_max_time(horizon)
records = simulation.get_all_records()
seconds = time.perf_counter() - begin
found = {"seconds": seconds, "done": len(records), "mean_ns": None}
if work == "path":
    ways = defaultdict(list)
    for record in records:
        ways[record.id_number].append(record)
    whole = [way for way in ways.values() if len(way) == nodes]
    delays = [max(one.exit_date for one in way) - min(one.arrival_date for one in way) for way in whole]
    found |= {"done": len(records) / nodes, "mean_ns": sum(delays) / len(delays)}
print(json.dumps(found))
