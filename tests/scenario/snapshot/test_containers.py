"""Containers that share a namespace go by the place that has it, over any number of steps and in any order."""

import json

import pytest

from simnet.scenario import snapshot

LO = [{"ifindex": 1, "ifname": "lo", "link_type": "loopback", "flags": ["UP"], "mtu": 65536}]
MODES = {"web": "bridge", "side": "container:web", "third": "container:side", "up": "host", "top": "container:up"}


def load(folder, containers):
    for place in ("host", "web"):
        target = folder / "h1" / place
        target.mkdir(parents=True)
        (target / "ip-addr.json").write_text(json.dumps(LO))
        (target / "ip-route.json").write_text("[]")
        (target / "iptables-save").write_text("")
    found = [{"Id": name * 12, "Name": f"/{name}", "HostConfig": {"NetworkMode": mode}} for name, mode in containers]
    (folder / "h1/docker-inspect.json").write_text(json.dumps(found))
    return snapshot.load(folder)


@pytest.mark.parametrize("turn", [1, -1], ids=["oldest first", "newest first"])
def test_a_chain_of_shared_namespaces(tmp_path, turn):
    by_id = {name: mode.replace("side", "side" * 12) for name, mode in MODES.items()}
    network = load(tmp_path, list(by_id.items())[::turn])
    assert {name: network.find(f"h1/{name}").place for name in MODES} == {
        "web": "h1/web", "side": "h1/web", "third": "h1/web", "up": "h1/host", "top": "h1/host",
    }  # fmt: skip


def test_a_namespace_that_is_not_there(tmp_path):
    network = load(tmp_path, [("lost", "container:gone"), ("a", "container:b"), ("b", "container:a")])
    assert not any(f"h1/{name}" in network.aliases for name in ("lost", "a", "b"))
