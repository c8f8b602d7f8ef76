"""The keys of a compose file, and what each may hold: the compose specification as plain data.

A kind is a text of words (`string`, `integer`, `number`, `boolean`, `null`), one of which the value must be, or an
`Items`, a `Keys`, or a tuple of kinds of which one must fit. `check.py` holds files against it.

Models: schema/compose-spec.json as compose 2.40 has it.
Leaves out: bounds of numbers, and formats of keys that do not touch the network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Items:
    """A list of one kind of things; `unique`: no two of them are the same."""

    of: Kind
    unique: bool = False


@dataclass(frozen=True, slots=True)
class OneOf:
    """Text that is one of some words."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Like:
    """Text in which a pattern is found."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Keys:
    """A mapping: its known keys; what all `others` hold whose name fits `names`; whether `x-…` or nothing may be there.

    Where it is not `strict`, a name that fits none of these is passed over.
    """

    known: Mapping[str, Kind] = field(default_factory=dict)
    others: Kind | None = None
    names: str = ".+"
    extensible: bool = True
    needed: tuple[str, ...] = ()
    nullable: bool = False
    strict: bool = True


Kind: TypeAlias = str | Items | OneOf | Like | Keys | tuple["Kind", ...]

NAME = r"^[a-zA-Z0-9._-]+$"
TEXT, FLAG, WHOLE, NUMBER = "string", "boolean string", "integer string", "number string"
TEXTS = Items(TEXT, unique=True)
_TEXT_OR_TEXTS = (TEXT, TEXTS)
_PAIRS = (Keys(others="string number boolean null", extensible=False), TEXTS)
_HOSTS = (Keys(others=(TEXT, Items(TEXT)), extensible=False), TEXTS)
_COMMAND = ("null", TEXT, Items(TEXT))
_OPTIONS = Keys(others=NUMBER)
_EXTERNAL = (FLAG, Keys({"name": TEXT}))
_FILES = Items((TEXT, Keys({"source": TEXT, "target": TEXT, "uid": TEXT, "gid": TEXT, "mode": NUMBER})))
_ULIMITS = Keys(others=(WHOLE, Keys({"hard": WHOLE, "soft": WHOLE}, needed=("soft", "hard"))), names="^[a-z]+$")
_DEVICE = Keys({"capabilities": TEXTS, "count": WHOLE, "device_ids": TEXTS, "driver": TEXT, "options": _PAIRS})
_GENERIC = Items(Keys({"discrete_resource_spec": Keys({"kind": TEXT, "value": NUMBER})}))
_HOOKS = Items(
    Keys({"command": _COMMAND, "user": TEXT, "privileged": FLAG, "working_dir": TEXT, "environment": _PAIRS},
         needed=("command",))
)  # fmt: skip

_BUILD = (
    TEXT,
    Keys({
        **dict.fromkeys(("context", "dockerfile", "dockerfile_inline", "network", "target", "isolation"), TEXT),
        **dict.fromkeys(("entitlements", "cache_from", "cache_to", "tags", "platforms"), Items(TEXT)),
        **dict.fromkeys(("args", "ssh", "labels", "additional_contexts"), _PAIRS),
        **dict.fromkeys(("no_cache", "provenance", "sbom", "pull", "privileged"), FLAG),
        "shm_size": WHOLE, "extra_hosts": _HOSTS, "secrets": _FILES, "ulimits": _ULIMITS,
    }),
)  # fmt: skip

_UPDATE = Keys({
    "parallelism": WHOLE, "delay": TEXT, "failure_action": TEXT, "monitor": TEXT, "max_failure_ratio": NUMBER,
    "order": OneOf(("start-first", "stop-first")),
})  # fmt: skip
_DEPLOY = Keys({
    "mode": TEXT, "endpoint_mode": TEXT, "replicas": WHOLE, "labels": _PAIRS, "rollback_config": _UPDATE,
    "update_config": _UPDATE,
    "resources": Keys({
        "limits": Keys({"cpus": NUMBER, "memory": TEXT, "pids": WHOLE}),
        "reservations": Keys({
            "cpus": NUMBER, "memory": TEXT, "generic_resources": _GENERIC, "devices": Items(_DEVICE),
        }),
    }),
    "restart_policy": Keys({"condition": TEXT, "delay": TEXT, "max_attempts": WHOLE, "window": TEXT}),
    "placement": Keys({
        "constraints": Items(TEXT), "preferences": Items(Keys({"spread": TEXT})), "max_replicas_per_node": WHOLE,
    }),
}, nullable=True)  # fmt: skip

_PORT = Keys({
    "name": TEXT, "mode": TEXT, "host_ip": TEXT, "target": WHOLE, "published": WHOLE, "protocol": TEXT,
    "app_protocol": TEXT,
})  # fmt: skip
_ATTACHMENT = Keys({
    "aliases": TEXTS, "interface_name": TEXT, "ipv4_address": TEXT, "ipv6_address": TEXT, "link_local_ips": TEXTS,
    "mac_address": TEXT, "driver_opts": _OPTIONS, "priority": "number", "gw_priority": "number",
})  # fmt: skip
_DEPENDENCY = Keys({
    "restart": FLAG, "required": "boolean",
    "condition": OneOf(("service_started", "service_healthy", "service_completed_successfully")),
}, needed=("condition",))  # fmt: skip
_VOLUME_MOUNT = Keys({
    "type": OneOf(("bind", "volume", "tmpfs", "cluster", "npipe", "image")),
    "source": TEXT, "target": TEXT, "read_only": FLAG, "consistency": TEXT,
    "bind": Keys({
        "propagation": TEXT, "create_host_path": FLAG, "selinux": OneOf(("z", "Z")),
        "recursive": OneOf(("enabled", "disabled", "writable", "readonly")),
    }),
    "volume": Keys({"labels": _PAIRS, "nocopy": FLAG, "subpath": TEXT}),
    "tmpfs": Keys({"size": WHOLE, "mode": NUMBER}),
    "image": Keys({"subpath": TEXT}),
}, needed=("type",))  # fmt: skip
_HEALTHCHECK = Keys({
    "disable": FLAG, "interval": TEXT, "retries": NUMBER, "test": (TEXT, Items(TEXT)), "timeout": TEXT,
    "start_period": TEXT, "start_interval": TEXT,
})  # fmt: skip
_BLKIO = Keys({
    **dict.fromkeys(("device_read_bps", "device_read_iops", "device_write_bps", "device_write_iops"),
                    Items(Keys({"path": TEXT, "rate": WHOLE}, extensible=False))),
    "weight": WHOLE, "weight_device": Items(Keys({"path": TEXT, "weight": WHOLE}, extensible=False)),
}, extensible=False)  # fmt: skip
_WATCH = Items(
    Keys({
        "path": TEXT, "target": TEXT, "ignore": _TEXT_OR_TEXTS, "include": _TEXT_OR_TEXTS, "initial_sync": "boolean",
        "action": OneOf(("rebuild", "sync", "restart", "sync+restart", "sync+exec")),
        "exec": Keys({"command": _COMMAND, "user": TEXT, "privileged": FLAG, "working_dir": TEXT,
                      "environment": _PAIRS}),
    }, needed=("path", "action"))
)  # fmt: skip

SERVICE = Keys({
    **dict.fromkeys(
        ("cgroup_parent", "cpuset", "domainname", "hostname", "image", "ipc", "isolation", "mac_address",
         "network_mode", "platform", "pull_refresh_after", "restart", "runtime", "stop_grace_period", "stop_signal",
         "user", "uts", "userns_mode", "working_dir"), TEXT),
    **dict.fromkeys(
        ("attach", "init", "oom_kill_disable", "privileged", "read_only", "stdin_open", "tty"), FLAG),
    **dict.fromkeys(
        ("cpu_count", "cpu_percent", "mem_reservation", "mem_swappiness", "oom_score_adj", "scale"), WHOLE),
    **dict.fromkeys(
        ("cpu_shares", "cpu_quota", "cpu_period", "cpu_rt_period", "cpu_rt_runtime", "cpus", "mem_limit",
         "memswap_limit", "pids_limit", "shm_size"), NUMBER),
    **dict.fromkeys(
        ("cap_add", "cap_drop", "device_cgroup_rules", "dns_opt", "external_links", "links", "profiles",
         "security_opt", "volumes_from"), TEXTS),
    **dict.fromkeys(("dns", "dns_search", "tmpfs"), _TEXT_OR_TEXTS),
    **dict.fromkeys(("annotations", "environment", "labels", "sysctls"), _PAIRS),
    **dict.fromkeys(("command", "entrypoint"), _COMMAND),
    **dict.fromkeys(("configs", "secrets"), _FILES),
    **dict.fromkeys(("post_start", "pre_stop"), _HOOKS),
    "blkio_config": _BLKIO,
    "build": _BUILD,
    "cgroup": OneOf(("host", "private")),
    "container_name": Like("[a-zA-Z0-9][a-zA-Z0-9_.-]+"),
    "credential_spec": Keys({"config": TEXT, "file": TEXT, "registry": TEXT}),
    "depends_on": (TEXTS, Keys(others=_DEPENDENCY, names=NAME, extensible=False)),
    "deploy": _DEPLOY,
    "develop": Keys({"watch": _WATCH}, nullable=True),
    "devices": Items((TEXT, Keys({"source": TEXT, "target": TEXT, "permissions": TEXT}, needed=("source",)))),
    "env_file": (TEXT, Items((TEXT, Keys({"path": TEXT, "format": TEXT, "required": FLAG}, needed=("path",))))),
    "expose": Items(NUMBER, unique=True),
    "extends": (TEXT, Keys({"service": TEXT, "file": TEXT}, extensible=False, needed=("service",))),
    "extra_hosts": _HOSTS,
    "gpus": (OneOf(("all",)), Items(_DEVICE)),
    "group_add": Items(NUMBER, unique=True),
    "healthcheck": _HEALTHCHECK,
    "label_file": (TEXT, Items(TEXT)),
    "logging": Keys({"driver": TEXT, "options": Keys(others="string number null")}),
    "models": (TEXTS, Keys(others=(Keys({"endpoint_var": TEXT, "model_var": TEXT}), "null"), names=NAME)),
    "networks": (TEXTS, Keys(others=(_ATTACHMENT, "null"), names=NAME, extensible=False)),
    "oom_score_adj": WHOLE,
    "pid": "string null",
    "ports": Items(("number", TEXT, _PORT), unique=True),
    "provider": Keys({
        "type": TEXT,
        "options": Keys(others=("string number boolean", Items("string number boolean"))),
    }, needed=("type",)),
    "pull_policy": Like("always|never|build|if_not_present|missing|refresh|daily|weekly|every_([0-9]+[wdhms])+"),
    "storage_opt": Keys(others=(NUMBER, "boolean null")),
    "ulimits": _ULIMITS,
    "use_api_socket": "boolean",
    "volumes": Items((TEXT, _VOLUME_MOUNT), unique=True),
})  # fmt: skip

NETWORK = Keys({
    "name": TEXT, "driver": TEXT, "driver_opts": _OPTIONS, "external": _EXTERNAL, "labels": _PAIRS,
    **dict.fromkeys(("internal", "enable_ipv4", "enable_ipv6", "attachable"), FLAG),
    "ipam": Keys({
        "driver": TEXT, "options": Keys(others=TEXT, extensible=False),
        "config": Items(Keys({
            "subnet": TEXT, "ip_range": TEXT, "gateway": TEXT,
            "aux_addresses": Keys(others=TEXT, extensible=False),
        })),
    }),
}, nullable=True)  # fmt: skip
_VOLUME = Keys({"name": TEXT, "driver": TEXT, "driver_opts": _OPTIONS, "external": _EXTERNAL, "labels": _PAIRS},
               nullable=True)  # fmt: skip
_STORED: dict[str, Kind] = {"name": TEXT, "environment": TEXT, "file": TEXT, "external": _EXTERNAL, "labels": _PAIRS,
           "template_driver": TEXT}  # fmt: skip
_MODEL = Keys({"name": TEXT, "model": TEXT, "context_size": "integer", "runtime_flags": Items(TEXT)},
              needed=("model",))  # fmt: skip
_INCLUDE = (
    TEXT,
    Keys({"path": _TEXT_OR_TEXTS, "env_file": _TEXT_OR_TEXTS, "project_directory": TEXT}, extensible=False),
)

TOP = Keys({
    "version": TEXT,
    "name": TEXT,
    "include": Items(_INCLUDE),
    "services": Keys(others=SERVICE, names=NAME, extensible=False),
    "models": Keys(others=_MODEL, names=NAME, strict=False),
    "networks": Keys(others=NETWORK, names=NAME, strict=False),
    "volumes": Keys(others=_VOLUME, names=NAME, extensible=False),
    "secrets": Keys(others=Keys({**_STORED, "driver": TEXT, "driver_opts": _OPTIONS}), names=NAME, extensible=False),
    "configs": Keys(others=Keys({**_STORED, "content": TEXT}), names=NAME, extensible=False),
})  # fmt: skip

# the keys of a service that mean something to a network; all others are read and left alone
SERVICE_USED = frozenset((
    "build", "cap_add", "container_name", "depends_on", "deploy", "dns", "dns_opt", "dns_search", "domainname",
    "expose", "extends", "external_links", "extra_hosts", "hostname", "image", "ipc", "links", "mac_address",
    "network_mode", "networks", "pid", "ports", "privileged", "profiles", "scale", "sysctls", "userns_mode", "uts",
    "command", "volumes_from",
))  # fmt: skip
DEPLOY_USED = frozenset(("mode", "endpoint_mode", "replicas"))
NETWORK_USED = frozenset((
    "name", "driver", "driver_opts", "external", "internal", "enable_ipv4", "enable_ipv6", "attachable", "ipam",
))  # fmt: skip
TOP_USED = frozenset(("version", "name", "include", "services", "networks"))
