"""Compose files as people have them, read into what an engine is asked for; no engine is run.

load.py          a path  →  a `Project`; whether a YAML file is a compose file
project.py       the project, its networks and services: plain frozen data
files.py         which files, which variables, what name
dotenv.py        `.env`
tree.py          YAML 1.2  →  values that know their places
interpolate.py   `${NAME:-default}`
layers.py        files one over the other; `extends`, `include`
merge.py         the rules of laying one over the other; `!reset`, `!override`
spec.py          the keys that there are, and what each may hold
check.py         a file held against them
canonical.py     short forms written out
ports.py         `8080:80`, short and long
networks.py      `networks:`
services.py      a service, and the containers that it becomes
consistency.py   profiles; names that nothing bears; circles
"""

from .load import is_compose, read
from .ports import Port
from .project import Dependency, Project, ProjectNetwork, Service, ServiceNetwork

__all__ = ["Dependency", "Port", "Project", "ProjectNetwork", "Service", "ServiceNetwork", "is_compose", "read"]
