"""Which socket a packet belongs to: the one that pins down most."""

import pytest

from simnet.net.namespace import NetNamespace
from simnet.net.network import Network
from simnet.net.socket import DatagramSocket, Listener, Pinger, Sockets
from tests.net.build import APP, GATEWAY, WEB, build, talk


def test_a_listener_on_the_very_address_goes_first():
    sockets = Sockets()
    for one in (Listener(0, 80, "any"), Listener(WEB, 80, "web"), Listener(0, 81, "other")):
        sockets.open(one)
    assert sockets.listener(WEB, 80).by == "web"
    assert sockets.listener(APP, 80).by == "any"
    assert sockets.listener(WEB, 82) is None


@pytest.mark.parametrize(
    ("local", "remote", "by"),
    [
        (WEB, (APP, 9), "connected"),
        (WEB, (APP, 10), "bound"),
        (GATEWAY, (APP, 10), "any"),
        (GATEWAY, (APP, 9), "any"),
    ],
)
def test_datagram_sockets(local, remote, by):
    here = NetNamespace("h1/host", Network())
    sockets = Sockets(
        datagrams=[
            DatagramSocket(here, 0, 53, "any"),
            DatagramSocket(here, WEB, 53, "bound"),
            DatagramSocket(here, WEB, 53, "connected", peer=(APP, 9)),
        ]
    )
    assert sockets.datagram(local, 53, *remote).by == by
    assert sockets.datagram(local, 54, *remote) is None


def test_pingers_by_identifier():
    sockets = Sockets(pingers=[Pinger(1, "one"), Pinger(2, "two")])
    assert sockets.pinger(2).by == "two"
    assert sockets.pinger(3) is None


def test_free_ports_differ():
    sockets = Sockets()
    assert len({sockets.free_port() for _ in range(9)}) == 9


def test_free_ports_begin_anew():
    sockets = Sockets()
    ports = [sockets.free_port() for _ in range(20_000)]
    assert {port % 2 for port in ports} == {1}
    assert (min(ports), max(ports)) == (32769, 60999)
    assert len(set(ports)) == (60999 - 32769) // 2 + 1


def test_what_is_listened_on():
    here = NetNamespace("h1/host", Network())
    sockets = Sockets(
        [Listener(0, 80, "a")], datagrams=[DatagramSocket(here, 0, 53, "b"), DatagramSocket(here, 0, 9, "c", (1, 2))]
    )
    assert [str(one) for one in sockets] == ["tcp 0.0.0.0:80", "udp 0.0.0.0:53"]


def test_two_servers_on_one_port():
    servers = ["h1/web tcp 0.0.0.0 80", "h1/web tcp 172.17.0.2 80"]
    trace = talk(build(), "h1/app", "172.17.0.2", 80, servers=servers)
    assert "delivered to server (tcp 172.17.0.2:80)" in [str(step) for step in trace.steps]
