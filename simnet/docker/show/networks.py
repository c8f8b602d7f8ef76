"""`docker network ls` and `docker network inspect`.

Models: formatter of cli/command/network of docker/cli, daemon/network.go (buildNetworkResource) of moby.
Leaves out: labels, auxiliary addresses; driver options that were given their default value are shown as not given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from simnet.docker.command.since import since
from simnet.docker.objects import identity
from simnet.docker.options import DRIVER_OPTIONS, NetworkOptions
from simnet.docker.show import clock
from simnet.docker.show.table import Shape
from simnet.errors import Refused
from simnet.net.address import ip_text

if TYPE_CHECKING:
    from simnet.docker.engine import Engine
    from simnet.docker.objects import Endpoint, Network

SHAPE = Shape(
    "*network.networkContext",
    {
        "CreatedAt": "CREATED AT", "Driver": "DRIVER", "ID": "NETWORK ID", "IPv4": "IPV4", "IPv6": "IPV6",
        "Internal": "INTERNAL", "Labels": "LABELS", "Name": "NAME", "Scope": "SCOPE",
    },
    "table {{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}",
    raw=("network_id: {{.ID}}\nname: {{.Name}}\ndriver: {{.Driver}}\nscope: {{.Scope}}\n", "network_id: {{.ID}}"),
)  # fmt: skip
_PREDEFINED = {"bridge", "host", "none"}
# what a driver option is when nobody gives it
_PLAIN = NetworkOptions("")


def _go(value: object) -> str:
    """A value as Go prints it: `true`, `false`, a number, text."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def scope(network: Network) -> str:
    """`swarm` for what all nodes of a swarm share, else `local`."""
    return "swarm" if network.options.driver == "overlay" else "local"


def ls(engine: Engine, *, quiet: bool = False, whole: bool = False, form: str = "", filters: Sequence[str] = ()) -> str:
    """`docker network ls`, by name; `whole` is `--no-trunc`. TemplateError or Refused in docker's words.

    Example:
        >>> from simnet.docker.engine import Engine
        >>> print(ls(Engine("28.5.2"), form="{{.Name}} {{.Driver}} {{.Scope}}"), end="")
        bridge bridge local
        host host local
        none null local
    """
    found = sorted(engine.networks.by_name.values(), key=lambda one: one.name)
    tests = [_filter(text) for text in filters]
    for key in {key for key, _ in tests}:
        found = [one for one in found if any(test(one) for other, test in tests if other == key)]
    rows = []
    for network in found:
        columns: dict[str, Any] = {
            "CreatedAt": clock.CREATED_AT, "Driver": network.options.driver,
            "ID": network.id if whole else network.id[:12], "IPv4": "true", "IPv6": _go(network.options.ipv6),
            "Internal": _go(network.internal), "Labels": "", "Name": network.name, "Scope": scope(network),
        }  # fmt: skip
        if not since(engine.version, 28):
            del columns["IPv4"]
        rows.append(columns)
    return SHAPE.text(rows, form, quiet=quiet)


def _filter(text: str) -> tuple[str, Callable[[Network], bool]]:
    """The test that `-f` asks for."""
    key, _, value = text.partition("=")
    tests: dict[str, Callable[[Network], bool]] = {
        "name": lambda one: value in one.name,
        "id": lambda one: one.id.startswith(value),
        "driver": lambda one: one.options.driver == value,
        "scope": lambda one: scope(one) == value,
        "type": lambda one: (one.name in _PREDEFINED) == (value == "builtin"),
        "dangling": lambda one: (not one.endpoints and one.name not in _PREDEFINED) == (value in {"true", "1"}),
    }
    if key not in tests:
        raise Refused("filter_unknown", f"invalid filter '{key}'")
    return key, tests[key]


def document(engine: Engine, network: Network) -> dict[str, Any]:
    """Everything that `docker network inspect` shows of a network, in docker's order.

    Example:
        >>> from simnet.docker.command.cli import Session
        >>> session = Session("28.5.2")
        >>> _ = session.run("docker network create --subnet 10.9.0.0/24 -o com.docker.network.bridge.name=br1 n1")
        >>> found = document(session.engine, session.engine.networks.find("n1"))
        >>> found["IPAM"]["Config"], found["Options"]
        ([{'Subnet': '10.9.0.0/24'}], {'com.docker.network.bridge.name': 'br1'})
    """
    options = network.options
    made: dict[str, Any] = {
        "Name": network.name, "Id": network.id, "Created": clock.MOMENT, "Scope": scope(network),
        "Driver": options.driver, "EnableIPv4": True, "EnableIPv6": options.ipv6, "IPAM": _ipam(engine, network),
        "Internal": options.internal, "Attachable": options.attachable, "Ingress": network.name == "ingress",
        "ConfigFrom": {"Network": ""}, "ConfigOnly": False, "Containers": _containers(engine, network),
        "Options": _options(network), "Labels": {},
    }  # fmt: skip
    if not since(engine.version, 28):
        del made["EnableIPv4"]
    if network.shared is not None and engine.swarm.cluster is not None:
        made["Peers"] = [
            {"Name": identity("peer", name, 0)[:12], "IP": ip_text(node.address)}
            for name, node in engine.swarm.cluster.nodes.items()
            if name in network.shared.hosts
        ]
    return made


def _ipam(engine: Engine, network: Network) -> dict[str, Any]:
    options = network.options
    plain = network.name in {*_PREDEFINED, "docker_gwbridge"} or options.driver == "overlay"
    config: list[dict[str, Any]] | None = []
    for family, given, gateway, asked in (
        (4, options.subnet, network.gateway, options.gateway),
        (6, options.subnet6, network.gateway6, options.gateway6),
    ):
        subnet = network.subnet(family)
        if subnet is None:
            continue
        block: dict[str, Any] = {"Subnet": str(subnet)}
        if family == 4 and options.ip_range is not None:
            block["IPRange"] = str(options.ip_range)
        # an engine fills in the gateway where it chose the subnet, too; up to 24 not that of the default bridge
        chosen = given is None and not (network.name == "bridge" and not since(engine.version, 25))
        if (asked or chosen or options.driver == "overlay") and gateway is not None:
            block["Gateway"] = str(asked or gateway)
        auxiliary = {name: address for name, address in options.auxiliary if (":" in address) == (family == 6)}
        if auxiliary:
            block["AuxiliaryAddresses"] = auxiliary
        config = [*(config or []), block]
    if not config and since(engine.version, 25):
        config = None
    if since(engine.version, 25) and options.subnet is None and options.subnet6 is not None and config:
        config.reverse()
    return {"Driver": "default", "Options": None if plain else {}, "Config": config}


def _containers(engine: Engine, network: Network) -> dict[str, dict[str, str]]:
    """Who is on the network on this host, by id."""
    found: dict[str, dict[str, str]] = {}
    ids = {one.name: one.id for one in engine.containers.values()}
    for endpoint in network.endpoints.values():
        key, name = ids.get(endpoint.name, endpoint.name), endpoint.name
        if endpoint.name not in ids:
            key, name = _balancer(network)
        elif network is engine.swarm.gateway_network:
            name = f"gateway_{identity('sandbox', endpoint.name, 0)[:12]}"
        found[key] = _place(endpoint, name)
    if network.name in {"host", "none"}:
        for one in engine.containers.values():
            if one.running and one.options.network == network.name:
                key = identity("endpoint", f"{one.name} {network.name}", 0)
                found[one.id] = {
                    "Name": one.name,
                    "EndpointID": key,
                    "MacAddress": "",
                    "IPv4Address": "",
                    "IPv6Address": "",
                }
    return dict(sorted(found.items()))


def _balancer(network: Network) -> tuple[str, str]:
    """Key and name of an endpoint that is not a container's: a network's load balancer, or the routing mesh's own."""
    if network.options.driver != "overlay":
        return "ingress-sbox", "gateway_ingress-sbox"
    if network.name == "ingress":
        return "ingress-sbox", "ingress-endpoint"
    return f"lb-{network.name}", f"{network.name}-endpoint"


def _place(endpoint: Endpoint, name: str) -> dict[str, str]:
    addresses = {}
    for family, key in ((4, "IPv4Address"), (6, "IPv6Address")):
        address, subnet = endpoint.of(family), endpoint.network.subnet(family)
        addresses[key] = f"{address}/{subnet.prefixlen}" if address is not None and subnet is not None else ""
    return {"Name": name, "EndpointID": endpoint.id, "MacAddress": endpoint.mac, **addresses}


def _options(network: Network) -> dict[str, str]:
    options = network.options
    if network.name == "bridge":
        given = {"com.docker.network.bridge.default_bridge": "true"}
        given |= {
            "com.docker.network.bridge.enable_icc": _go(options.icc),
            "com.docker.network.bridge.enable_ip_masquerade": _go(options.masquerade),
            "com.docker.network.bridge.host_binding_ipv4": options.host_binding or "0.0.0.0",
            "com.docker.network.bridge.name": network.bridge, "com.docker.network.driver.mtu": str(options.mtu),
        }  # fmt: skip
        return given
    if network.name == "docker_gwbridge":
        return {
            "com.docker.network.bridge.enable_icc": "false", "com.docker.network.bridge.enable_ip_masquerade": "true",
            "com.docker.network.bridge.name": network.bridge,
        }  # fmt: skip
    found: dict[str, str] = {}
    for key, field in DRIVER_OPTIONS.items():
        if key.endswith("vlan_mode") and not key.startswith(options.driver):
            continue
        value = getattr(options, field)
        if value != getattr(_PLAIN, field):
            found[key] = "" if key == "encrypted" else _go(value)
    found |= options.told
    if network.shared is not None:
        found["com.docker.network.driver.overlay.vxlanid_list"] = str(network.shared.vni)
    return dict(sorted(found.items()))
