"""A question put to a network that stays as it is: a child process asks, and only the answer comes back.

A network holds sockets, programs and tables that a conversation changes; a process that ends takes its changes along.
"""

import gc
import json
import os
import traceback

from simnet.export.json import answer_json
from simnet.net.address import parse_ip
from simnet.net.conversation import Probe
from simnet.scenario.question import Listen, ask
from tests.conformance.compare import options


def probed(network, expected):
    """The JSON of the answer to a recorded probe; AssertionError with the child's traceback where it failed."""
    out, into = os.pipe()
    child = os.fork()
    if not child:
        gc.disable()  # going through all that the parent has would take longer than the probe
        try:
            text = json.dumps(_asked(network, expected))
        except BaseException:
            text = json.dumps({"failed": traceback.format_exc()})
        with os.fdopen(into, "w") as pipe:
            pipe.write(text)
        os._exit(0)
    os.close(into)
    with os.fdopen(out) as pipe:
        found = json.load(pipe)
    os.waitpid(child, 0)
    assert "failed" not in found, found["failed"]
    return found


def _asked(network, expected):
    proto = expected["proto"]
    port, sport = (0, 40000) if proto == "icmp" else (expected["dport"], expected["sport"])
    probe = Probe(expected["frm"], parse_ip(expected["dst"]), port, proto, sport, **options(expected))
    listens = [Listen(place, kind, parse_ip(address), number) for place, kind, address, number in expected["servers"]]
    return answer_json(ask(lambda: network, probe, tuple(listens), assume=False))
