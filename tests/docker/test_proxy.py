"""docker-proxy over UDP: a backend socket for each client, made anew when the network forgot it."""

import pytest

from simnet.docker.proxy import NAME
from simnet.net.address import parse_ip
from simnet.net.conversation import Probe, converse
from simnet.net.step import Origin
from simnet.study.modes import hosts

LOCALHOST = parse_ip("127.0.0.1")


def ask(network, sport=40000, **said):
    trace = converse(network, Probe("h1", LOCALHOST, 8080, "udp", sport, **said))
    sockets = network.find("h1").sockets
    sockets.datagrams = [one for one in sockets.datagrams if one.by != "client"]  # it has ended
    proxied = [step for step in trace.steps if isinstance(step, Origin) and step.by == NAME]
    return trace.verdict, len(proxied)


def backends(network):
    """The ports of the proxies' sockets that have a peer."""
    return [one.port for one in network.find("h1").sockets.datagrams if one.by == NAME and one.peer is not None]


@pytest.fixture(params=["20.10", "28.5"])
def network(request):
    return hosts(request.param).open().network


def test_one_client_has_one_backend(network):
    for _ in range(3):
        assert ask(network) == ("reply", 2)
    assert len(backends(network)) == 1


def test_each_client_has_its_own(network):
    for sport in (40000, 40001, 40002):
        assert ask(network, sport) == ("reply", 2)
    assert len(set(backends(network))) == 3


def test_a_client_is_served_after_the_network_forgot(network):
    assert ask(network) == ("reply", 2)
    for _ in range(3):
        network.forget_connections()
        assert backends(network) == []
        assert ask(network) == ("reply", 2)
        assert len(backends(network)) == 1


def test_tcp_is_served_after_the_network_forgot(network):
    for _ in range(3):
        trace = converse(network, Probe("h1", LOCALHOST, 8080))
        assert trace.verdict == "reply"
        network.forget_connections()
