"""This machine and its Docker hosts: commands, namespaces, engines, what is missing, what is left behind.

command.py     a command of this machine, its words and its failures
kernel.py      the system calls that Python has no function for
namespace.py   one network namespace: sockets and commands in it
engine.py      a Docker engine by its socket: its process, its host's and its containers' namespaces
needs.py       what is missing (root, a tool, a feature of the kernel), as one line each
scratch.py     folders for what a command is still working on
"""
