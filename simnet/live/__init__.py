"""The real host: snapshot, validate, private hosts, calibrate.

namespace.py    one network namespace of this machine: sockets and commands in it
engine.py       a Docker engine by its socket: its process, its host's and its containers' namespaces
snapshot.py     real Docker hosts read by snapshot.sh, here or by ssh
snapshot_files.py   what came as a tar, checked and written as a folder
private/        private Docker hosts
probe/          real packets, and what the kernel says of them
command.py      a command of this machine, its words and its failures
recording.py    a recording: its snapshot and its probes, read, unpacked and written
recorded.py     one probe of a recording, to and from its entry
agreement.py    a trace held against a recorded probe: what differs, and at which step the two part
counters.py     what a probe added to the rules' counters, on both sides
validate.py     every probe of a recording, tried; report.py, validate_json.py, picture.py tell of it
questions.py    every question that is worth asking on the hosts of a snapshot
claimed.py      those that a scenario's claims and traffic ask
choose.py       which of them become probes: names, clients' ports, servers, a limit
calibrate/      this machine's prices, and what they predict
needs.py        what is missing (root, a tool, a feature of the kernel), as one line each
"""
