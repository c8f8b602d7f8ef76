"""Real packets on a real host, and what the kernel says of them.

target.py     which hosts are meant
ground.py     the places of a host or a private site, each with its network namespace, and their snapshot
outside.py    an outside machine beside a host that has none
announce.py   every container says where it is, so that no bridge must flood
arm.py        the kernel's rule trace, for one flow at a time, by a table that goes when this process does
trace.py      that trace read: every chain walk of every traced packet
capture.py    each packet on each device
counting.py   what a probe adds to the rules' counters
talk.py       the conversation itself: a client and the servers
calm.py       what one probe leaves behind for the next, and when it is over
ask.py        one probe from start to end: what a recording holds of it
record.py     all probes of a host, as a recording
"""
