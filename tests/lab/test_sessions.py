"""Sessions at the real tools, recorded: the lab answers each command as they did.

A session in tests/lab/sessions holds commands (`h1$ …`), what was printed (errors last), and the exit code (`=> N`).
The network is that of `world`, with a server on port 80 of `app`.
"""

from pathlib import Path

import pytest

from tests.lab.world import Model, Real, steps

SESSIONS = sorted((Path(__file__).parent / "sessions").glob("*.session"))


@pytest.mark.parametrize("path", SESSIONS, ids=lambda path: path.stem)
def test_answers_as_the_real_tools_did(path):
    model = Model()
    recorded = steps(path.read_text())
    answers = [model.run(place, script) for place, script, _ in recorded]
    wrong = [(step, got) for step, got in zip(recorded, answers, strict=True) if step[2] != got]
    assert wrong == []


@pytest.mark.live
@pytest.mark.parametrize("path", SESSIONS, ids=lambda path: path.stem)
def test_the_real_tools_still_answer_so(path):
    recorded = steps(path.read_text())
    for last in (False, True):  # a busy machine may keep a packet too long: what differs must do so twice
        with Real() as real:
            answers = [real.run(place, script) for place, script, _ in recorded]
        found = [[*step[:2], got] for step, got in zip(recorded, answers, strict=True)]
        if found == recorded or last:
            break
    assert found == recorded
