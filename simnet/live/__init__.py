"""The real host: snapshots of one, its recordings, simnet held against it, private ones, this machine's prices.

host/        this machine and its Docker hosts: commands, namespaces, engines
snapshot/    snapshots of real hosts, here or by ssh
questions/   what is worth asking a host, from its snapshot alone
probe/       real packets, and what the kernel says of them
recording/   a snapshot with the kernel's answers
agreement/   whether simnet says the same
private/     private Docker hosts, in namespaces of their own
calibrate/   this machine's prices, and what they predict
"""
