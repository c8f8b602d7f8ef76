"""Options as docker's commands take them: the way back from what `commands` reads.

Example:
    >>> from simnet.docker.options import ContainerOptions, NetworkOptions
    >>> " ".join(words(NetworkOptions("n1", internal=True)))
    'docker network create --driver bridge --internal n1'
    >>> from simnet.docker.publish import parse
    >>> " ".join(words(ContainerOptions("web", "nginx", ports=tuple(parse("8080:80")))))
    'docker run --detach --name web --publish 8080:80/tcp nginx'
"""

from __future__ import annotations

from collections.abc import Iterator

from simnet.docker.options import Attachment, ContainerOptions, NetworkOptions

# flags of `docker run` that a field of the same name holds, once or any number of times
_ONCE = ("hostname", "domainname", "mac_address", "pid", "ipc", "uts", "userns")
_MANY = {"dns": "dns", "dns_search": "dns-search", "dns_options": "dns-option", "extra_hosts": "add-host"}


def words(options: NetworkOptions | ContainerOptions) -> list[str]:
    """The words of the command that makes a network, or makes a container and starts it in the background.

    Reading them gives the options again. What only `docker network connect` can say (`Attachment.links`) is left out.
    """
    if isinstance(options, NetworkOptions):
        return ["docker", "network", "create", *_network(options), options.name]
    return ["docker", "run", "--detach", *_container(options), options.image, *options.command]


def connect(container: str, attachment: Attachment) -> list[str]:
    """The words that join a container to one more network.

    Example:
        >>> " ".join(connect("web", Attachment("back", "10.0.0.9", aliases=("db",))))
        'docker network connect --ip 10.0.0.9 --alias db back web'
    """
    priority = str(attachment.gateway_priority or "")
    flags = [*_flag("ip", attachment.address), *_flag("ip6", attachment.address6), *_flag("gw-priority", priority)]
    flags += [word for alias in attachment.aliases for word in ("--alias", alias)]
    flags += [word for pair in attachment.links for word in ("--link", ":".join(pair))]
    return ["docker", "network", "connect", *flags, attachment.network, container]


def _flag(name: str, value: object) -> tuple[str, ...]:
    return (f"--{name}", str(value)) if value else ()


def _network(options: NetworkOptions) -> Iterator[str]:
    yield from ("--driver", options.driver)
    for switch in ("internal", "ipv6", "attachable"):
        if getattr(options, switch):
            yield f"--{switch}"
    for subnet in (options.subnet, options.subnet6):
        yield from _flag("subnet", subnet)
    for gateway in (options.gateway, options.gateway6):
        yield from _flag("gateway", gateway)
    yield from _flag("ip-range", options.ip_range)
    for name, address in options.auxiliary:
        yield from ("--aux-address", f"{name}={address}")
    for key, value in options.told:
        yield from ("--opt", f"{key}={value}")


def _container(options: ContainerOptions) -> Iterator[str]:
    yield from _flag("name", options.name)
    if not options.attachments:
        yield from ("--network", options.network)
    for number, attachment in enumerate(options.attachments):
        yield from _joined(attachment, first=not number)
    for port in options.ports:
        yield from ("--publish", str(port))
    if options.publish_all:
        yield "--publish-all"
    for number, proto in options.exposed:
        yield from ("--expose", f"{number}/{proto}")
    for name, alias in options.links:
        yield from ("--link", f"{name}:{alias}")
    for field in _ONCE:
        yield from _flag(field.replace("_", "-"), getattr(options, field))
    for field, flag in _MANY.items():
        for value in getattr(options, field):
            yield from (f"--{flag}", value)
    for key, value in options.sysctls:
        yield from ("--sysctl", f"{key}={value}")


def _joined(attachment: Attachment, *, first: bool) -> Iterator[str]:
    """One network; the first takes flags of its own, so that clients that know no `name=…` take it as well."""
    parts = [("name", attachment.network), ("mac-address", attachment.mac_address),
             ("gw-priority", str(attachment.gateway_priority or ""))]  # fmt: skip
    if not first:
        parts += [("ip", attachment.address), ("ip6", attachment.address6)]
        parts += [("alias", alias) for alias in attachment.aliases]
    told = [f"{key}={value}" for key, value in parts if value]
    # the default network is not named where nothing is said of it: links are refused as soon as it is
    if not first or len(told) > 1 or attachment != Attachment("bridge"):
        yield from ("--network", ",".join(told) if not first or len(told) > 1 else attachment.network)
    if first:
        yield from (*_flag("ip", attachment.address), *_flag("ip6", attachment.address6))
        for alias in attachment.aliases:
            yield from ("--network-alias", alias)
