"""What docker's client refuses of the options of `docker network create` before it asks the engine.

Models: cli/command/network/create.go of docker/cli.
"""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from simnet.docker.command.flags import BadFlag, Given
from simnet.docker.command.since import since


def check_network(version: str, given: Given) -> None:
    """Refuse options of `docker network create`: what belongs to a subnet must have one.

    Example:
        >>> check_network("28.5.2", Given({"gateway": ["10.8.0.1"]}, ["n1"]))
        Traceback (most recent call last):
        ...
        simnet.docker.command.flags.BadFlag: every ip-range or gateway must have a corresponding subnet
    """
    subnets, ranges, gateways = given.all("subnet"), given.all("ip-range"), given.all("gateway")
    if len(subnets) < max(len(ranges), len(gateways)):
        raise BadFlag("every ip-range or gateway must have a corresponding subnet", "client")
    for text in ranges:
        if since(version, 28) and not _is_block(text):
            raise BadFlag(f"invalid CIDR address: {text}", "client")
        if not any(_holds(subnet, text.partition("/")[0]) for subnet in subnets):
            raise BadFlag(f"no matching subnet for range {text}", "client")
    for text in gateways:
        if not any(_holds(subnet, text) for subnet in subnets):
            raise BadFlag(f"no matching subnet for gateway {text}", "client")


def _is_address(text: str) -> bool:
    try:
        ip_address(text.strip())
    except ValueError:
        return False
    return True


def _is_block(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return "/" in text


def _holds(subnet: str, address: str) -> bool:
    """Whether a subnet holds an address; nothing is held by what is no subnet, or holds what is no address."""
    return _is_block(subnet) and _is_address(address) and ip_address(address) in ip_network(subnet, strict=False)
