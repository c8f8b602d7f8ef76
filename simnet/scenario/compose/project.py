"""What a compose file asks for: networks, and services with the containers that they become.

Plain frozen data: nothing here starts an engine. Names are compose's; what an engine takes is in its own options.
`origin` is the value of the file, merged and with its short forms written out, that a thing comes from (None for the
implicit `default` network).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from simnet.docker.document import Value
from simnet.docker.options import ContainerOptions, NetworkOptions

from .ports import Port


@dataclass(frozen=True, slots=True)
class ProjectNetwork:
    """A network of a project: `key` in the file, and what docker is to create, if it is not `external`.

    `subnets` are all blocks under `ipam.config`, in order; the options hold the first of each family. `aux_addresses`
    are names and addresses that no container gets.
    """

    key: str
    options: NetworkOptions
    external: bool = False
    enable_ipv4: bool = True
    ipam_driver: str = ""
    subnets: tuple[str, ...] = ()
    aux_addresses: tuple[tuple[str, str], ...] = ()
    origin: Value | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ServiceNetwork:
    """A service on a network (`key` in the file): what `networks:` says of it there."""

    key: str
    aliases: tuple[str, ...] = ()
    ipv4_address: str = ""
    ipv6_address: str = ""
    link_local_ips: tuple[str, ...] = ()
    mac_address: str = ""
    interface_name: str = ""
    driver_opts: tuple[tuple[str, str], ...] = ()
    priority: int = 0
    gw_priority: int = 0


@dataclass(frozen=True, slots=True)
class Dependency:
    """What a service waits for; `declared` under `depends_on`, or implied by a link or a shared namespace."""

    service: str
    condition: str = "service_started"
    required: bool = True
    declared: bool = True


@dataclass(frozen=True, slots=True)
class Service:
    """A service, and the options of its containers (one for each replica, `project-service-1` and on).

    `network_mode`, `pid`, `ipc`, `uts`, `userns` stand as docker takes them: `service:NAME` has become
    `container:NAME`; `shares` is the service whose network namespace it uses. `networks` are in the order in which
    containers join them.
    """

    name: str
    containers: tuple[ContainerOptions, ...] = ()
    image: str = ""
    network_mode: str = ""
    shares: str = ""
    networks: tuple[ServiceNetwork, ...] = ()
    ports: tuple[Port, ...] = ()
    expose: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    external_links: tuple[str, ...] = ()
    depends_on: tuple[Dependency, ...] = ()
    container_name: str = ""
    hostname: str = ""
    domainname: str = ""
    mac_address: str = ""
    pid: str = ""
    ipc: str = ""
    uts: str = ""
    userns: str = ""
    dns: tuple[str, ...] = ()
    dns_search: tuple[str, ...] = ()
    dns_opt: tuple[str, ...] = ()
    extra_hosts: tuple[str, ...] = ()
    sysctls: tuple[tuple[str, str], ...] = ()
    command: tuple[str, ...] = ()
    cap_add: tuple[str, ...] = ()
    privileged: bool = False
    profiles: tuple[str, ...] = ()
    replicas: int = 1
    mode: str = "replicated"
    endpoint_mode: str = "vip"
    origin: Value | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Project:
    """A project: networks in the order of their creation, services in the order of their start.

    `notes` are compose's warnings, `ignored` the paths of keys that mean nothing to a network (`services.web.volumes`),
    `extensions` what stands under `x-simnet`, by the path of the mapping that has it (`""` for the file itself).
    """

    name: str
    networks: tuple[ProjectNetwork, ...] = ()
    services: tuple[Service, ...] = ()
    disabled: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    extensions: Mapping[str, Value] = field(default_factory=dict)

    def service(self, name: str) -> Service:
        """A service by its name; KeyError without one."""
        return {one.name: one for one in self.services}[name]

    def network(self, key: str) -> ProjectNetwork:
        """A network by its key in the file; KeyError without one."""
        return {one.key: one for one in self.networks}[key]
