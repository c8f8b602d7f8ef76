"""How a command ends early: with what it says and its exit code; and how short options are read.

Models: bb_show_usage and getopt32 of busybox 1.35.
"""

from __future__ import annotations

from simnet.answer import Answer

from .usage import BANNER, USAGE


class Ending(Exception):
    """A command is over; `answer` is what it said."""

    def __init__(self, err: str, code: int = 1, out: str = "") -> None:
        """End with a message (without its newline)."""
        super().__init__(err)
        self.answer = Answer(out, f"{err}\n" if err else "", code)


def unmodelled(tool: str, what: str) -> Ending:
    """The end of a command that the real tool has and simnet does not."""
    return Ending(f"simnet's {tool} does not model `{what}`", 2)


def usage(tool: str, before: str = "", code: int = 1) -> Ending:
    """What busybox says where it was called wrongly; `before` stands in a line of its own before it."""
    said = f"{before}\n" if before else ""
    return Ending(f"{said}{BANNER}\n\nUsage: {USAGE[tool]}", code)


class Options:
    """Short options: flags that were given, values by letter, and the words that are left.

    `real` are letters that the tool has and simnet does not model, those before a `|` without a value.

    Example:
        >>> asked = Options("ping", ["-qc2", "web"], flags="q", values="c")
        >>> asked.flags, asked.values, asked.words
        ({'q'}, {'c': '2'}, ['web'])
    """

    def __init__(self, tool: str, given: list[str], *, flags: str = "", values: str = "", real: str = "") -> None:
        """Read the words; an Ending where the tool has no such option, or simnet does not model it."""
        self.tool, self.flags, self.values, self.words = tool, set[str](), dict[str, str](), list[str]()
        self.times: dict[str, int] = {}
        waiting = list(given)
        while waiting:
            word = waiting.pop(0)
            if word == "--":
                self.words += waiting
                return
            if not word.startswith("-") or word == "-":
                self.words.append(word)
                continue
            self._letters(word[1:], waiting, flags, values, real)

    def _letters(self, letters: str, waiting: list[str], flags: str, values: str, real: str) -> None:
        while letters:
            letter, letters = letters[0], letters[1:]
            if letter in flags:
                self.flags.add(letter)
                self.times[letter] = self.times.get(letter, 0) + 1
            elif letter in values:
                if not letters and not waiting:
                    raise usage(self.tool, f"{self.tool}: option requires an argument -- '{letter}'")
                self.values[letter] = letters or waiting.pop(0)
                return
            elif letter in real:
                raise unmodelled(self.tool, f"{self.tool} -{letter}")
            else:
                raise usage(self.tool, f"{self.tool}: invalid option -- '{letter}'")

    def number(self, letter: str, default: int) -> int:
        """The value of an option as a number."""
        text = self.values.get(letter, str(default))
        if not text.isdigit():
            raise Ending(f"{self.tool}: invalid number '{text}'")
        return int(text)
