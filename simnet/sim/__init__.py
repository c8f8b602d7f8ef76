"""The clock: what a walk costs, where packets wait for each other, and what comes of it.

costs       price lists from models/costs/, each figure with its unit, statistic, hardware and source
model       a queueing network as data: stations, exchanges, flows
clock       SimPy: cores and links that serve jobs in the order of their arrival
reference, loop, compiled, tandem    engines that run a model, equal to the nanosecond
"""
