"""Linux networking in miniature: packets, namespaces, devices, routes, netfilter, sockets.

Standard library only. Knows no Docker, no clock and no files.
"""
