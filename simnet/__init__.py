"""simnet: what really happens to a packet on a Docker host, without root and without Docker."""

__version__ = "0.1.0"
