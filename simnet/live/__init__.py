"""The real host: snapshot, validate, private hosts, calibrate.

namespace.py    one network namespace of this machine: sockets and commands in it
engine.py       a Docker engine by its socket: its process, its host's and its containers' namespaces
snapshot.py     real Docker hosts read by snapshot.sh, here or by ssh
snapshot_files.py   what came as a tar, checked and written as a folder
command.py      a command of this machine, its words and its failures
needs.py        what is missing (root, a tool, a feature of the kernel), as one line each
"""
