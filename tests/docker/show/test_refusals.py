"""What is refused, and in which words: after the same commands engine and client of each version said the same."""

import re

import pytest

from simnet.docker.command.cli import Session
from simnet.docker.show.commands import looks

from .recorded import VERSIONS, answers, blank, words

# what simnet does not know: auxiliary addresses and subnets without a gateway (and what follows from them there),
# words of Debian's own builds about `-p`, networks named beside the host's, help texts, other commands
_OTHERWISE = re.compile(
    r"--aux-address|n2$|10\.6\.\d\.0/3[12]|n2r|n31|r1[05] |n1 c2$|p[3689]\b|p5 "
    r"|-p (?:abc|70000|80:80:80|8080:80/foo|8000-8002|1\.2\.3|8080: )"
    r"|--network host --network|docker network(?: nope)?$|docker (?:exec|rename|kill|restart|(?:network )?inspect|ps)"
)


def replayed(version, name):
    """Each command with what the engine and what simnet said."""
    session = Session(version)
    for said in answers(version, name):
        if said.command.startswith("docker ") and not _OTHERWISE.search(said.command):
            yield said, session.execute(words(said.command))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("name", "at_least"), [("namespaces-refused", 50), ("mistakes", 40)])
def test_refusals_are_worded_as_by_engine_and_client(version, name, at_least):
    wrong, compared = [], 0
    for said, answer in replayed(version, name):
        own, engine = blank(answer.out + answer.err), blank(said.text)
        compared += not looks(said.command.split()[1:])
        if (own, answer.code) != (engine, said.code):
            wrong.append(f"$ {said.command}\n--- engine {said.code}\n{engine}\n--- simnet {answer.code}\n{own}")
    assert not wrong, "\n\n".join(wrong)
    assert compared >= at_least
