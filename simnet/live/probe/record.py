"""Real hosts recorded: their snapshot, probes chosen for them, and the kernel's answer to each."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from simnet.errors import HostError, UnknownName
from simnet.live.questions.choose import FIRST_PORT, Choice, Chosen, choose
from simnet.live.questions.questions import Question
from simnet.live.recording.recorded import Recorded
from simnet.live.recording.recording import Recording

from .announce import announce
from .ask import Observer
from .ground import Ground, Notes

# how many ports pass in a second, and after how many seconds they begin anew
_PORTS_A_SECOND, _ROUND = 33, 360


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which probes: `most` (0: all that there are), of these names (`*` stands for anything), and some of one's own."""

    most: int = 0
    names: Sequence[str] = ()
    own: Sequence[Question] = ()


def record(
    ground: Ground, folder: Path, wanted: Wanted, note: Notes, progress: Callable[[int, int], None]
) -> Recording:
    """Take a snapshot into `folder`, ask every probe, and write what the kernel answered beside it.

    `note` is told of what is left out (a probe whose server cannot listen), and of what others changed meanwhile on the
    hosts. HostError where there is none to ask.
    """
    for place in ground.watched:
        if not place.endswith("/host"):
            announce(ground.spaces[place])
    before = ground.state()
    ground.snapshot(folder / "snapshot", note)
    chosen = choose(folder / "snapshot", wanted.most, wanted.own, _first_port(time.time()))
    for text in chosen.notes:
        note(text)
    choices = _named(chosen, wanted.names)
    asked: list[Recorded] = []
    with Observer(ground) as observer:
        for place, names in observer.restless.items():
            for table, rule, _ in sorted(names):
                note(f"{place}: other traffic raises {table} {rule}; its counter is passed over")
        for number, choice in enumerate(choices, 1):
            progress(number, len(choices))
            if missing := _missing(ground, choice):
                note(f"{choice.probe.name} is left out: there is no {missing[0]} here")
                continue
            try:
                asked.append(observer.ask(choice.probe, choice.existing))
            except OSError as error:
                note(f"{choice.probe.name} is left out: {error.strerror}")
    after = ground.state()
    for what in before:
        if after.get(what) != before[what]:
            note(f"{what} changed while probes were sent, so what differs may come of that; ask again")
    recording = Recording(folder, tuple(asked))
    recording.write()
    return Recording.read(folder)


def _first_port(now: float) -> int:
    """Where this run's clients' ports begin; no run begins where one of the last minutes has been.

    Conntrack remembers what UDP and ping asked for up to three minutes, and would take the same again for a known flow.
    Ports go by the clock, faster than probes can be asked, and come round after six minutes.

    Example:
        >>> [_first_port(seconds) for seconds in (0, 10, 360)]
        [20001, 20331, 20001]
    """
    return FIRST_PORT + int(now) % _ROUND * _PORTS_A_SECOND


def _named(chosen: Chosen, names: Sequence[str]) -> list[Choice]:
    found = [one for one in chosen.choices if not names or any(fnmatchcase(one.probe.name, name) for name in names)]
    if not chosen.choices:
        raise HostError("there is nothing to ask these hosts", "run containers on them, with published ports")
    if not found:
        raise UnknownName("probe", names[0], [one.probe.name for one in chosen.choices])
    return found


def _missing(ground: Ground, choice: Choice) -> list[str]:
    """The places of a probe that are not there, as a scenario may speak of some."""
    places = [choice.probe.frm, *(server.place for server in choice.probe.servers)]
    return [place for place in places if place not in ground.spaces]
