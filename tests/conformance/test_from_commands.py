"""Built from its commands alone, a recorded host gives the kernel's verdicts and walks; no snapshot is read.

A lab is built once for a recording, and each probe asks it in a process of its own, which leaves no mark on it.

What a host's commands cannot say is taken from the recording: the addresses of the machines, and the outside machine's
own routes. Bridges that were given no name are called after a random id: they are told apart by their order.
"""

import json
import re
from functools import cache
from itertools import pairwise

import pytest

from simnet.lab.lab import Lab, split_place
from simnet.live.agreement.agreement import compare
from simnet.live.recording.recorded import Recorded
from simnet.net.address import Prefix, parse_ip
from simnet.net.route import Route
from tests.conformance.apart import probed
from tests.conformance.test_recordings import names, recording_of

BRIDGE = re.compile(r"\bbr-[0-9a-f]{12}\b")


def version_of(recording):
    text = (recording_of(recording).snapshot / "h1/docker-version.json").read_text("utf-8")
    return re.search(r'"Name":\s*"Engine",\s*"Version":\s*"([^"]+)"', text)[1]


def addresses(recording, machine, device):
    """What a machine's own device had, before Docker and beside it."""
    links = json.loads((recording_of(recording).snapshot / f"{machine}/host/ip-addr.json").read_text("utf-8"))
    found = next(link for link in links if link["ifname"] == device)["addr_info"]
    return [f"{one['local']}/{one['prefixlen']}" for one in found if one["family"] == "inet" and one["scope"] != "host"]


def own_routes(recording):
    """The routes that somebody gave the outside machine."""
    found = json.loads((recording_of(recording).snapshot / "wan/host/ip-route.json").read_text("utf-8"))
    for route in found:
        if route.get("protocol") != "kernel" and "table" not in route and ":" not in route["dst"]:
            gateway, source = (parse_ip(route.get(key, "0.0.0.0")) for key in ("gateway", "prefsrc"))
            yield Route(Prefix.parse(route["dst"]), "eth0", gateway, source)


def of_case(recording, commands):
    """The lab that a case's lines lead to (see scripts/record.py): they say what the machines are given, too."""
    lab = Lab()
    read = [line.partition(": ") for line in commands.splitlines() if not line.startswith("#")]
    options = next((rest.split() for head, _, rest in read if head == "up"), [])
    hosts = int(options[options.index("--hosts") + 1]) if "--hosts" in options else 1
    for number in range(1, hosts + 1):
        lab.host(f"h{number}", version_of(recording), f"192.0.2.{number + 1}/24", gateway="192.0.2.1")
    lab.machine("wan", "192.0.2.1/24")
    lab.network.find("wan").fib.add([Route(Prefix.parse("172.16.0.0/12"), "eth0", parse_ip("192.0.2.2"), 0)])
    daemon = [f"--{value}" for word, value in pairwise(options) if word == "--daemon"]
    for number in range(1, hosts + 1) if daemon else ():
        assert lab.run(f"dockerd {' '.join(daemon)}", f"h{number}").code == 0
    lab.start()
    if "--swarm" in options:
        assert lab.run("docker swarm init --advertise-addr 192.0.2.2", "h1").code == 0
        assert all(lab.run("docker swarm join 192.0.2.2:2377", f"h{n}").code == 0 for n in range(2, hosts + 1))
    for head, _, command in read:
        if head not in {"up", "ask"}:
            answer = lab.run(command, head.lstrip("?"))
            assert answer.code == 0 or head.startswith("?"), (head, command, str(answer))
    return lab


def built(recording):
    """The lab that a recording's commands lead to."""
    if recording_of(recording).commands.startswith("#"):
        return of_case(recording, recording_of(recording).commands)
    lab = Lab()
    found = recording_of(recording)
    hosts = sorted(path.name for path in found.snapshot.iterdir() if path.name != "wan")
    for host in hosts:
        lab.host(host, version_of(recording), *addresses(recording, host, "eth0"), gateway="192.0.2.1")
    lab.machine("wan", *addresses(recording, "wan", "br0"), *addresses(recording, "wan", "lo"))
    lab.network.find("wan").fib.add(own_routes(recording))
    lines = [split_place(line, {*hosts, "wan"}.__contains__) for line in found.commands.splitlines()]
    for place, command in sorted(lines, key=lambda line: not line[1].startswith("dockerd")):
        if not command.startswith("dockerd"):
            lab.start()
        answer = lab.run(command, place)
        assert answer.code == 0, (place, command, str(answer))
    return lab


@cache
def network_of(recording):
    return built(recording).network


def same_names(text):
    """The bridges without a name of their own as br-1, br-2, … in the order of their appearance."""
    seen = {}
    return BRIDGE.sub(lambda found: seen.setdefault(found[0], f"br-{len(seen) + 1}"), text)


def suited(recording):
    """Recordings whose commands the lab knows (no `rename`), and whose containers run no servers of their own."""
    return not recording.startswith(("hostrules", "hostpolicy", "listening", "odd"))


CASES = [(recording, name) for recording in names() if suited(recording) for name in recording_of(recording).by_name]


# the child runs nothing but the model and writes to its pipe, so that threads of the test runner do not matter to it
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize(("recording", "name"), CASES, ids=["/".join(case) for case in CASES])
def test_commands_lead_to_what_the_kernel_did(recording, name):
    entry = recording_of(recording).by_name[name].json() | {"devices": {}}
    recorded = Recorded.of(json.loads(same_names(json.dumps(entry))))
    found = json.loads(same_names(json.dumps(probed(network_of(recording), recorded))))
    assert str(compare(recorded, found)) == ""
