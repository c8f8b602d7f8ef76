"""The clock: what a walk costs, where packets wait for each other, and what comes of it.

prices/         what a step costs
queueing/       stations and flows, and the engines that run them
hardware        CPUs and wires as stations, and who runs where; toeplitz: the hash that spreads flows
traffic         who sends what to whom
programs        the clients and servers that do it, over the stack's own sockets
stage           a network made ready: flows tried, clients and servers in their places
work            a schedule that turns what the stack hands over into work for CPUs
recorder, ways  each exchange played once at time zero and kept as visits to stations: a model to run
walks           the walks themselves with SimPy's clock, nothing kept
experiment      all of this from one end to the other; histogram: the latencies
"""
