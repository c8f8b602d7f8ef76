"""A question put to a network that stays as it is: a child process asks, and only the answer comes back.

A network holds sockets, programs and tables that a conversation changes; a process that ends takes its changes along.
"""

import gc
import json
import os
import traceback

from simnet.export.json import answer_json
from simnet.scenario.question import ask


def probed(network, recorded):
    """The JSON of the answer to a recorded probe; AssertionError with the child's traceback where it failed."""
    out, into = os.pipe()
    child = os.fork()
    if not child:
        gc.disable()  # going through all that the parent has would take longer than the probe
        try:
            text = json.dumps(_asked(network, recorded))
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


def _asked(network, recorded):
    return answer_json(ask(lambda: network, recorded.probe, recorded.servers, assume=False))
