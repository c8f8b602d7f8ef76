"""Plays a recorded session with a real engine on the model, and gives both outputs of each command side by side.

A recording holds `$ command`, what it printed, and `[exit N]` where that is not 0. Ids differ, so those of the real
engine are replaced by those of the model, in the order in which both gave them out.
"""

import re
import shlex

from simnet.answer import Answer
from simnet.docker import conflicts
from simnet.docker.command.cli import Session
from simnet.docker.container import dns, files, inside
from simnet.errors import Refused
from simnet.net.address import ip_text, parse_ip

ID = re.compile(r"^[0-9a-f]{64}$", re.MULTILINE)


def blocks(text):
    """Command and output, for each command of a recording."""
    for block in re.split(r"(?m)^\$ ", text)[1:]:
        command, _, output = block.partition("\n")
        yield command, output


def play(path, resolv="search example.test\nnameserver 192.0.2.1\n", daemon=""):
    """(command, what the real engine printed, what the model prints) for each command of a file."""
    session = Session(path.parent.name)
    session.script(daemon)
    session.engine.host_files[files.RESOLV] = resolv
    ids = {}
    for command, output in blocks(path.read_text()):
        answer = run(session, command)
        ours = answer.out + answer.err + (f"[exit {answer.code}]\n" if answer.code else "")
        for real, made in zip(ID.findall(output), ID.findall(ours), strict=False):
            ids |= {real: made, real[:12]: made[:12]}
        yield command, translated(output, ids), ours


def translated(text, ids):
    """A text with the model's ids in place of the real engine's."""
    return re.sub("|".join(ids) or "$^", lambda found: ids[found[0]], text)


def run(session, command):
    """One command on the model."""
    words = shlex.split(command.partition(" | ")[0])
    if words[1] == "exec":
        return execute(session, words[2], words[3:])
    if words[1] == "ps":
        names = {"created": "Created", "running": "Up"}
        shown = [f"{one.name} {names.get(one.state, 'Exited')}" for one in session.engine.containers.values()]
        return Answer("".join(f"{line}\n" for line in reversed(shown)))
    if words[1] == "run" and "--rm" in words:
        made = session.execute([word for word in words if word != "--rm"])
        if made.code:
            return made
        answer = execute(session, made.out.strip(), words[words.index("busybox") + 1 :])
        session.engine.remove(made.out.strip(), force=True)
        return Answer(answer.out, made.err + answer.err, answer.code)
    return session.execute(words)


def execute(session, name, words):
    """`docker exec`: the commands that look at names, files and namespaces."""
    engine = session.engine
    try:
        one = engine.find(name)
        conflicts.check_exec(engine, one)
    except Refused as error:
        return Answer("", f"Error response from daemon: {error}\n", 1)
    known = {
        "ps": lambda: inside.ps(engine, one),
        "hostname": lambda: inside.hostname(engine, one) + "\n",
        "ls -l /proc/self/ns": lambda: inside.links(engine, one),
    }
    if " ".join(words) in known:
        return Answer(known[" ".join(words)]())
    if words[0] == "nslookup":
        return lookup(engine, one, words[1])
    assert words[0] == "cat", words
    seen = inside.readable(engine, one)
    return Answer("".join(seen[path] for path in words[1:]))


def lookup(engine, one, name):
    """What is found for a name or an address, a line each."""
    if re.fullmatch(r"[0-9.]+", name):
        found = [dns.pointer(engine, one, parse_ip(name))]
    else:
        found = sorted(map(ip_text, dns.ask(engine, one, name)))
    return Answer("".join(f"{line}\n" for line in found if line))
