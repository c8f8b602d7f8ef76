"""What is typed at a place: docker's commands go to its engine, the others to the namespace."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from simnet.answer import Answer
from simnet.net.iptables.command import run as iptables

if TYPE_CHECKING:
    from .lab import Lab


def run(lab: Lab, script: str, place: str) -> Answer:
    """Run one command at a place."""
    words = shlex.split(script)
    host = place.partition("/")[0]
    if words[0] in {"docker", "dockerd"}:
        return lab.sessions[host].execute(words)
    if words[0] == "iptables":
        namespace = lab.network.find(place)
        answer = iptables(namespace.ruleset, words[1:])
        namespace.rules_changed()
        return answer
    return Answer("", f"sh: {words[0]}: not found\n", 127)
