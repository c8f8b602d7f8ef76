"""Private Docker hosts: real engines in namespaces of their own, for those who have no Docker host to spare.

site.py      a site: its machines, where their files lie, which sites there are
machine.py   the process that is one machine: its namespaces, its root, its engine
up.py        put a site up: machines, cables, engines, the image
down.py      take one down, whatever is left of it
"""
