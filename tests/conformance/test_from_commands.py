"""Built from its commands alone, a recorded host gives the kernel's verdicts and walks; no snapshot is read.

What a host's commands cannot say is taken from the recording: the addresses of the machines, and the outside machine's
own routes. Bridges that were given no name are called after a random id: they are told apart by their order.
"""

import json
import re

import pytest

from simnet.export.json import answer_json
from simnet.lab.lab import Lab, split_place
from simnet.net.address import Prefix, parse_ip
from simnet.net.conversation import Probe
from simnet.net.route import Route
from simnet.scenario.question import Listen, ask
from tests.conformance.compare import differences, options
from tests.conformance.test_recordings import expected_of, names, unpacked

BRIDGE = re.compile(r"\bbr-[0-9a-f]{12}\b")


def version_of(recording):
    text = (unpacked(recording) / "snapshot/h1/docker-version.json").read_text("utf-8")
    return re.search(r'"Name":\s*"Engine",\s*"Version":\s*"([^"]+)"', text)[1]


def addresses(recording, machine, device):
    """What a machine's own device had, before Docker and beside it."""
    links = json.loads((unpacked(recording) / f"snapshot/{machine}/host/ip-addr.json").read_text("utf-8"))
    found = next(link for link in links if link["ifname"] == device)["addr_info"]
    return [f"{one['local']}/{one['prefixlen']}" for one in found if one["family"] == "inet" and one["scope"] != "host"]


def own_routes(recording):
    """The routes that somebody gave the outside machine."""
    found = json.loads((unpacked(recording) / "snapshot/wan/host/ip-route.json").read_text("utf-8"))
    for route in found:
        if route.get("protocol") != "kernel" and "table" not in route and ":" not in route["dst"]:
            gateway, source = (parse_ip(route.get(key, "0.0.0.0")) for key in ("gateway", "prefsrc"))
            yield Route(Prefix.parse(route["dst"]), "eth0", gateway, source)


def built(recording):
    """The lab that a recording's commands lead to."""
    lab = Lab()
    folder = unpacked(recording)
    hosts = sorted(path.name for path in (folder / "snapshot").iterdir() if path.name != "wan")
    for host in hosts:
        lab.host(host, version_of(recording), *addresses(recording, host, "eth0"), gateway="192.0.2.1")
    lab.machine("wan", *addresses(recording, "wan", "br0"), *addresses(recording, "wan", "lo"))
    lab.network.find("wan").fib.add(own_routes(recording))
    lab.start()
    for line in (folder / "commands.txt").read_text("utf-8").splitlines():
        place, command = split_place(line, {*hosts, "wan"}.__contains__)
        answer = lab.run(command, place)
        assert answer.code == 0, (line, str(answer))
    return lab


def same_names(text):
    """The bridges without a name of their own as br-1, br-2, … in the order of their appearance."""
    seen = {}
    return BRIDGE.sub(lambda found: seen.setdefault(found[0], f"br-{len(seen) + 1}"), text)


def suited(recording):
    """Recordings whose commands are all of the host's set-up."""
    return not recording.startswith(("hostrules", "hostpolicy"))


CASES = [(recording, name) for recording in names() if suited(recording) for name in expected_of(recording)]


@pytest.mark.parametrize(("recording", "name"), CASES, ids=["/".join(case) for case in CASES])
def test_commands_lead_to_what_the_kernel_did(recording, name):
    expected = json.loads(same_names(json.dumps(expected_of(recording)[name] | {"devices": {}})))
    proto = expected["proto"]
    port, sport = (0, 40000) if proto == "icmp" else (expected["dport"], expected["sport"])
    probe = Probe(expected["frm"], parse_ip(expected["dst"]), port, proto, sport, **options(expected))
    listens = [Listen(place, kind, parse_ip(address), number) for place, kind, address, number in expected["servers"]]
    answer = ask(lambda: built(recording).network, probe, tuple(listens))
    found = json.loads(same_names(json.dumps(answer_json(answer))))
    assert "\n".join(differences(expected, found)) == ""
