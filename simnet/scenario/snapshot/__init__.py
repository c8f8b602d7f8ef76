"""A snapshot folder, as standard commands print one, read into a `Network`.

load.py         the folder: hosts, their namespaces, notes on what was missing
files.py        one file: JSON or text, with errors that say where
interfaces.py   `ip addr`, `ip route`, `ip rule`, `ip neigh`, `bridge fdb`, sysctls  →  one namespace
wiring.py       which veth is whose peer, which machines share a cable, which tunnel has which underlay
containers.py   `docker inspect`: other names of a namespace, and the docker-proxies of published ports
"""

from .load import load

__all__ = ["load"]
