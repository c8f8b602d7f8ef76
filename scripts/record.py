"""Record a case with a real engine: `python scripts/record.py CASE.txt OUT.tar.xz [--engine-root DIR]`; needs root.

A case (see `tests/recordings/cases`) is a text with a line for each thing to do, or a `#` and words about it:

    up: --hosts 2 --swarm --daemon icc=false                    options of `simnet live up`; none are needed
    h1: docker run -d -p 8080:80 --name web busybox sleep 9999  a command, as `simnet live exec h1 --` runs it
    wire: h1 eth1 wan eth1                                      another cable between two machines
    ask: wan tcp 192.0.2.2:8080 h1/web:tcp:0.0.0.0:80           a probe of one's own, and who is to listen for it

A `?` before a line lets its command fail (an engine may refuse). Probes that `simnet validate --live` chooses follow
one's own. The recording is packed, with its case as `commands.txt`, and simnet is held against it: exit code 1 where
they differ.
"""

from __future__ import annotations

import argparse
import re
import shlex
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from simnet.cli.main import main as simnet
from simnet.errors import HostError, SimnetError
from simnet.live.agreement.report import render
from simnet.live.agreement.validate import AGREES, validate
from simnet.live.host.scratch import scratch
from simnet.live.private.down import down
from simnet.live.private.site import Site
from simnet.live.probe.record import Wanted, record
from simnet.live.probe.target import ground
from simnet.live.questions.questions import Question
from simnet.live.recording.recording import Recording
from simnet.scenario.question import Listen, address_of, port_of


def lines(case: str) -> Iterator[tuple[str, list[str]]]:
    """What a case says, line by line: what is before the colon, and the words after it."""
    for line in case.splitlines():
        if line and not line.startswith("#"):
            head, _, rest = line.partition(": ")
            yield head, shlex.split(rest)


def question(words: list[str]) -> Question:
    """A probe of one's own: `FROM PROTO ADDRESS[:PORT] [-t TTL] [-s BYTES] [PLACE:PROTO:ADDRESS:PORT]…`."""
    frm, proto, to, *rest = words
    address, _, port = to.partition(":")
    servers = tuple(Listen.parse(word) for word in rest if word.count(":") == 3)
    args = tuple(word for word in rest if word.count(":") != 3)
    number = port_of(port, f"ask: {to}") if port else 0
    return Question("asked", frm, address, proto, address_of(address, f"ask: {to}"), number, servers, args)


def _set_up(site: Site, case: str) -> None:
    for head, words in lines(case):
        place = head.lstrip("?")
        if place == "wire":
            one, device, other, peer = words
            with site.space(one) as space, site.space(other) as far:
                space.run(["ip", "link", "add", device, "type", "veth", "peer", "name", peer, "netns", far.path])
        elif place not in {"up", "ask"}:
            done = site.execute(place, words)
            if done.code and not head.startswith("?"):
                raise HostError(f"{head}: {' '.join(words)}: {done.err.strip()}")
            _say(done.err.strip()) if done.code else None


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - a script


def pack(recording: Recording, target: Path) -> None:
    """Pack a recording as a folder of the archive's name; who made it and when is left out, and whose kernel it was."""
    for path in recording.snapshot.glob("*/docker-version.json"):
        text = path.read_text("utf-8")
        path.write_text(re.sub(r'("KernelVersion": *"\d+\.\d+\.\d+)[^"]*"', r'\1"', text), "utf-8")

    def plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = member.mtime = 0
        member.uname = member.gname = ""
        return member

    with tarfile.open(target, "w:xz", preset=9) as archive:
        archive.add(recording.folder, target.name.removesuffix(".tar.xz"), filter=plain)


def recorded(site: Site, case: str, root: str, most: int, target: Path) -> bool:
    """Record a case on a site that is put up for it; gives whether simnet says the same."""
    options = [word for head, words in lines(case) if head == "up" for word in words]
    own = tuple(question(words) for head, words in lines(case) if head == "ask")
    simnet(["live", "up", "--name", site.name, "--engine-root", root, *options])
    try:
        _set_up(site, case)
        with ground(site=site.name) as there, scratch() as folder:
            found = record(there, folder, Wanted(most, (), own), _say, lambda *_: None)
            found = replace(found, commands=case)
            found.write()
            pack(found, target)
            findings = list(validate(found))
    finally:
        down(site)
    _say(render(findings))
    return all(finding.status == AGREES for finding in findings)


def main() -> int:
    """Record what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--engine-root", default="/", metavar="DIR")
    parser.add_argument("--probes", type=int, default=60, metavar="N")
    parser.add_argument("--name", default="record", metavar="NAME", help="what the private site is called meanwhile")
    asked = parser.parse_args()
    try:
        same = recorded(Site.named(asked.name), asked.case.read_text("utf-8"), asked.engine_root, asked.probes,
                        asked.target)  # fmt: skip
    except SimnetError as error:
        _say(f"record: {error}")
        return error.exit_code
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
