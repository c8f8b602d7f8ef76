"""Queueing networks: what they are as data, and the engines that run them, equal to the nanosecond.

model       stations, exchanges, flows; what an engine must do with them (validate: what it may refuse)
arrivals    when open flows begin their exchanges
engine      chooses an engine, and falls back where a closed form ends
loop        the event loop in Python; compiled and its kernel: the same by numba
tandem      closed forms: path (open flows in a row), ring (closed flows in a circle), alone (one flow)
reference   SimPy processes, over clock's servers
lengths     queues over time
"""
