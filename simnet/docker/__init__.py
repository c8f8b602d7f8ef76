"""A Docker engine in miniature: options in; namespaces, devices, rules and proxies out.

engine.py      one engine: what its commands do, in order
networks.py    networks; ipam.py their addresses; drivers/ their devices
endpoints.py   containers on networks: the way out, published ports (ports.py, publish.py), links
sandbox.py     the namespace that endpoints are in; host.py the machine below
proxy.py       docker-proxy
objects.py     what the engine keeps; options.py what it is asked for
conflicts.py   options that do not go together
rules/         the rules of a version, from models/docker, and the hand that puts them in
container/     the six namespaces, names, files of /etc, DNS
swarm/         nodes, services, load balancers
command/       docker's own grammar and refusals
show/          what docker prints; gotemplate/ is `--format`
document.py    YAML with places, for data files and scenarios
"""
