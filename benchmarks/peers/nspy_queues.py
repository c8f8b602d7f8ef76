"""The FIFO path in ns.py: its packet generator, a port a hop, its sink. It has no closed networks.

python nspy_queues.py path PACKETS HOPS GAP SERVICE

Times are in ns.
"""

import json
import random
import sys
import time

import simpy
from ns.packet.dist_generator import DistPacketGenerator
from ns.packet.sink import PacketSink
from ns.port.port import Port

packets, hops, gap, service = (int(word) for word in sys.argv[2:])
random.seed(1)
env = simpy.Environment()
source = DistPacketGenerator(env, "source", lambda: random.expovariate(1 / gap), lambda: 1000, size=1000 * packets)
ports = [Port(env, rate=8000 / service) for _ in range(hops)]
sink = PacketSink(env, rec_arrivals=False)
source.out = ports[0]
for port, after in zip(ports, [*ports[1:], sink], strict=True):
    port.out = after
begin = time.perf_counter()
env.run()
seconds = time.perf_counter() - begin
# a packet is stamped one gap before it is sent
delays = [delay for flow in sink.waits.values() for delay in flow]
print(json.dumps({"seconds": seconds, "done": len(delays), "mean_ns": sum(delays) / len(delays) - gap}))
