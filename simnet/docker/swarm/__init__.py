"""A swarm: what its managers agree on, a node's part of it, services with their tasks, load balancers."""
