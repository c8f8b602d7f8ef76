"""The clock: what a walk costs, where packets wait for each other, and what comes of it.

costs       price lists from models/costs/, each figure with its unit, statistic, hardware and source
model       a queueing network as data: stations, exchanges, flows
validate    what a model must keep to
lengths     how long queues were in the course of a run
arrivals    when the exchanges of an open flow begin
engine      runs a model: the one entry for all engines, which are equal to the nanosecond

reference   SimPy processes (`clock`: its cores and links), slow and plain
loop        an event loop in plain Python
compiled    the same in numba (`kernel`)
tandem      closed forms, where they are exact (`path`, `ring`, `alone`; `station` is what they share)
"""
