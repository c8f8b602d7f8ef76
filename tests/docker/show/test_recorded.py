"""Commands that look print what real engines printed, after the same commands."""

import re

import pytest

from simnet.docker.command.cli import Session
from simnet.docker.show.commands import looks

from .recorded import VERSIONS, answers, blank, looped, words

# commands with what simnet does not know: programs that end, pauses, new names, how an engine was built
_NOT_MODELLED = ("rename", "pause", "unpause", "kill", "restart", "prune", "info", "version", "exec", "top")
# words that depend on the release of Go that a client was built with, and a fault of one release of the engine: it
# refuses two random host ports for one port of a container, and the numbers that it tried are used up
_OTHERWISE = {
    ("20.10", "docker inspect -f '{{ .Name ) }}' cc"), ("28.5.2", "docker inspect -f '{{eq .Name 1}}' cc"),
    ("28.5.2", "docker port c4"), ("28.5.2", "docker port c1"),
}  # fmt: skip


def replayed(version, name):
    """Pairs of what simnet and what the engine answered to each command that looks."""
    session = Session(version)
    for said in answers(version, name):
        for command in looped(said):
            given = words(command)
            if given[0] != "docker":
                continue
            if given[1] in _NOT_MODELLED:
                if given[1] == "rename":
                    return
                continue
            answer = session.execute(given)
            if given[1] == "run" and "-d" not in given and answer.code == 0:
                session.engine.stop(given[given.index("--name") + 1])
                session.engine.find(given[given.index("--name") + 1]).exit_code = 0
            if looks(given[1:]):
                yield command, said, answer


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ["show-containers", "show-networks", "host-ports", "container-internal"])
def test_answers_are_those_of_the_engine(version, name):
    wrong = []
    together = {}
    for command, said, answer in replayed(version, name):
        key = id(said)
        before = together.get(key, (said, "", "", 0))
        together[key] = said, before[1] + answer.out, before[2] + answer.err, answer.code
        del command
    for said, out, err, code in together.values():
        own, engine = blank(out + err), blank(said.text)
        if version == "20.10" and said.command.startswith("docker port"):
            own, engine = sorted(own.splitlines()), sorted(engine.splitlines())
        if (own, code) != (engine, said.code) and (version, said.command) not in _OTHERWISE:
            wrong.append(f"$ {said.command}\n--- engine {said.code}\n{engine}\n--- simnet {code}\n{own}")
    assert not wrong, "\n\n".join(wrong)


@pytest.mark.parametrize("version", VERSIONS)
def test_lines_that_cannot_be_read_are_refused_in_the_words_of_the_version(version):
    wanted = {"docker inspect", "docker port", "docker network inspect", "docker ps --nope", "docker ps extra"}
    found = [
        said for name in ("mistakes", "show-containers") for said in answers(version, name) if said.command in wanted
    ]
    assert len(found) == len(wanted)
    for said in found:
        answer = Session(version).execute(words(said.command))
        assert (answer.out, answer.err, answer.code) == ("", said.text, said.code)


@pytest.mark.parametrize("version", VERSIONS)
def test_tables_have_the_columns_of_the_engine(version):
    """The very spaces: the columns' widths depend on what is in them alone."""
    session = Session(version)
    for said in answers(version, "show-networks"):
        if said.command.startswith(("docker run", "docker network create", "docker network connect")):
            session.run(said.command)
        if said.command == r"docker ps --format 'table {{.ID}}\t{{.Names}}\t{{upper .Names}}'":
            assert re.sub("[0-9a-f]{12}", "ID", session.run(said.command).out) == re.sub(
                "[0-9a-f]{12}", "ID", said.text
            )
            return
    raise AssertionError
