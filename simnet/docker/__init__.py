"""A Docker engine in miniature: what it runs on a host, and the rules, devices and namespaces that it makes."""
