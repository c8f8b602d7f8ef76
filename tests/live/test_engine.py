"""A real engine in namespaces of its own, found by its socket alone."""

import json

import pytest

from simnet.errors import HostError, UsageError
from simnet.live.host.engine import Engine
from simnet.live.host.namespace import NetworkNamespace
from tests.live.private_engine import PrivateEngine


def test_the_socket_is_the_one_that_was_asked_for_else_docker_host(monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", "unix:///run/other.sock")
    assert Engine().host == "unix:///run/other.sock"
    assert Engine("/run/docker.sock").host == "unix:///run/docker.sock"
    monkeypatch.delenv("DOCKER_HOST")
    assert Engine().host == "unix:///var/run/docker.sock"


def test_a_socket_of_another_kind_is_refused(monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", "tcp://192.0.2.2:2375")
    with pytest.raises(UsageError, match=r"tcp://192\.0\.2\.2:2375 is no Unix socket"):
        Engine()


def test_where_nobody_listens_one_line_says_so(tmp_path):
    with pytest.raises(HostError, match=r"no Docker engine answers at unix://.*: No such file or directory; start it"):
        _ = Engine(f"unix://{tmp_path}/docker.sock").pid


@pytest.mark.engine
def test_an_engine_leads_to_its_host_and_its_containers(short_path):
    engine = PrivateEngine(short_path)
    try:
        engine.start("web")
        engine.start("ended", command=("busybox", "true"))
        engine.docker("wait", "ended")
        found = {one["Name"]: one for one in Engine(engine.host).inspect()}
        assert sorted(found) == ["/ended", "/web"]
        with engine.namespace() as host, NetworkNamespace.own() as own:
            assert host.inode != own.inode
            assert "docker0" in {link["ifname"] for link in json.loads(host.run(["ip", "-j", "link"]))}
        with engine.sandbox(found["/web"]) as web:
            links = json.loads(web.run(["ip", "-j", "-4", "addr"]))
            assert links[1]["addr_info"][0]["local"] == found["/web"]["NetworkSettings"]["IPAddress"]
        with pytest.raises(HostError, match="ended has no network namespace of its own"):
            engine.sandbox(found["/ended"])
        assert {network["Name"] for network in engine.networks()} == {"bridge", "host", "none"}
    finally:
        engine.stop()
