"""The words of an iptables command, sorted into what is to be done and the rule that is meant.

Models: do_parse of iptables/xshared.c, of iptables 1.8.9.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ..netfilter.matches import MODULES
from ..netfilter.targets import EXTENSIONS, UNMODELLED, VERDICTS
from . import names

# commands, and how many words each takes: required, then optional
COMMANDS = {"-A": (1, 0), "-C": (1, 0), "-D": (1, 1), "-I": (1, 1), "-R": (1, 1), "-L": (0, 2), "-S": (0, 2),
            "-F": (0, 1), "-Z": (0, 2), "-N": (1, 0), "-X": (0, 1), "-E": (1, 1), "-P": (1, 1)}  # fmt: skip
_RULE = frozenset("ACDIR")
# options of the command itself: the number of values, and the commands that they may stand with (empty: any)
_FLAGS = {"-n": (0, "L"), "-x": (0, "L"), "--line-numbers": (0, "L"), "-v": (0, ""), "-4": (0, ""), "-6": (0, ""),
          "-t": (1, ""), "-c": (2, "AIRP")}  # fmt: skip
_OWN = {"-s": 1, "-d": 1, "-i": 1, "-o": 1, "-p": 1, "-f": 0, "-j": 1, "-g": 1}
_LONG = {
    "append": "-A", "check": "-C", "delete": "-D", "insert": "-I", "replace": "-R", "list": "-L", "list-rules": "-S",
    "flush": "-F", "zero": "-Z", "new-chain": "-N", "delete-chain": "-X", "rename-chain": "-E", "policy": "-P",
    "source": "-s", "src": "-s", "destination": "-d", "dst": "-d", "in-interface": "-i", "out-interface": "-o",
    "protocol": "-p", "proto": "-p", "fragments": "-f", "fragment": "-f", "jump": "-j", "goto": "-g", "match": "-m",
    "numeric": "-n", "exact": "-x", "line-numbers": "--line-numbers", "verbose": "-v", "table": "-t",
    "set-counters": "-c", "wait": "-w", "wait-interval": "-W", "ipv4": "-4", "ipv6": "-6", "new": "-N",
    "modprobe": "-M",
}  # fmt: skip
# modules that iptables has and the project does not model: their options are taken as they come
_UNMODELLED = frozenset({"connlabel", "dccp", "ipcomp", "nfacct", "osf", "rateest", "standard"})
_IMPLIED = {1: "icmp", 6: "tcp", 17: "udp", 50: "esp", 51: "ah", 58: "icmp6", 132: "sctp", 136: "udplite"}


class CommandError(Exception):
    """What iptables says when it refuses, and its exit code.

    `usage`: the message is one of bad usage, with the hint at `iptables -h`; else it is the kernel's answer.
    """

    def __init__(self, message: str, code: int = 2, *, bare: bool = False) -> None:
        self.message, self.code, self.bare = message, code, bare
        super().__init__(message)


def refused(what: str) -> CommandError:
    """The answer where something is not there or is in the way."""
    return CommandError(what, 1)


NO_SUCH = "No chain/target/match by that name"
BAD_RULE = "Bad rule (does a matching rule exist in that chain?)"


@dataclass
class Request:
    """A command taken apart: what to do, on which chain, and the words of the rule (sources and targets apart)."""

    command: str = ""
    chain: str = ""
    extra: str = ""
    table: str = "filter"
    zero: bool = False
    sources: list[tuple[str, bool]] = field(default_factory=list)
    targets: list[tuple[str, bool]] = field(default_factory=list)
    rule: list[str] = field(default_factory=list)
    flags: set[str] = field(default_factory=set)
    counters: tuple[int, int] | None = None
    used: dict[str, str] = field(default_factory=dict)
    proto: int = 0
    modules: list[str] = field(default_factory=list)
    target: str = ""


class Reader:
    """Reads the words of one command; `take` gives a `Request` or raises `CommandError`."""

    def __init__(self, words: list[str]) -> None:
        self.words, self.at = self._split(words), 0
        self.request = Request()

    @staticmethod
    def _split(words: list[str]) -> list[str]:
        """Bundled letters apart: `-nvL` is `-n -v -L`, `-tnat` is `-t nat`."""
        found: list[str] = []
        for word in words:
            rest = word[1:]
            if not re.fullmatch(r"-[A-Za-z46].+", word, re.DOTALL) or (found and found[-1] in _TAKES_TEXT):
                found.append(word)
                continue
            while rest:
                letter, rest = f"-{rest[0]}", rest[1:]
                found.append(letter)
                if rest and letter not in {"-n", "-x", "-v", "-f", "-4", "-6"}:
                    found.append(rest)
                    break
        return found

    def _more(self) -> bool:
        return self.at < len(self.words)

    def _argument(self, option: str) -> str:
        if not self._more():
            raise CommandError(f'option "{option}" requires an argument')
        self.at += 1
        return self.words[self.at - 1]

    def _optional(self) -> str:
        if self._more() and not self.words[self.at].startswith(("-", "!")):
            self.at += 1
            return self.words[self.at - 1]
        return ""

    def take(self) -> Request:
        """Read everything."""
        request, inverted = self.request, False
        while self._more():
            self.at += 1
            word = self.words[self.at - 1]
            if word == "!":
                if inverted:
                    raise CommandError("multiple consecutive ! not allowed")
                if not self._more():
                    raise CommandError("nothing appropriate following !")
                inverted = True
                continue
            if not word.startswith("-") or word == "-":
                raise CommandError(f"Bad argument `{word}'", bare=True)
            self._option(word, inverted=inverted)
            inverted = False
        if not request.command:
            raise CommandError("no command specified")
        for name, shown in request.used.items():
            allowed = _FLAGS[name][1] if name in _FLAGS else "ACDIR"
            if allowed and request.command[1] not in allowed:
                raise CommandError(f"Illegal option `{shown}' with this command")
        return request

    def _option(self, word: str, *, inverted: bool) -> None:
        name = self._name(word)
        if name in COMMANDS:
            self._command(name)
        elif name in {"-w", "-W"}:
            self._optional()
        elif name == "-M":
            self._argument(word)
        elif name in _FLAGS:
            self._flag(name, word)
        elif name == "-m":
            self._load(self._argument(word))
        elif name in _OWN:
            self._own(name, word, inverted=inverted)
        else:
            self._extension(name, inverted=inverted)

    def _options(self) -> list[str]:
        """The options of the target and the matches that are loaded, and of the one that -p implies."""
        loaded = [*self.request.modules, _IMPLIED.get(self.request.proto, "")]
        target = EXTENSIONS.get(self.request.target)
        found = [
            option for name in loaded if name in MODULES for option in (*MODULES[name].arity, *MODULES[name].loose)
        ]
        return found + list(target.arity if target is not None else ())

    def _name(self, word: str) -> str:
        """An option's full spelling, the short one where it is the command's own; a long one may be cut short."""
        options = self._options() if word.startswith("--") else [word]
        if word in options:
            return word
        if word[2:] in _LONG:
            return _LONG[word[2:]]
        fitting = {option for option in options if option.startswith(word)}
        fitting |= {short for name, short in _LONG.items() if name.startswith(word[2:])}
        return fitting.pop() if len(fitting) == 1 and len(word) > 3 else word

    def _command(self, name: str) -> None:
        request = self.request
        if {name, request.command} == {"-Z", "-L"} or {name, request.command} == {"-Z", "-S"}:
            request.zero = True
            if name == "-Z":
                self._optional()
                return
        elif request.command:
            raise CommandError(f"Cannot use {name} with {request.command}")
        request.command = name
        required, optional = COMMANDS[name]
        given = self._argument(name) if required else self._optional()
        request.chain = given
        if optional and given and (name in "-D-I-R-E-P" or optional == 2):
            request.extra = self._optional()
        if name in {"-D", "-I", "-L", "-S", "-Z", "-R"} and request.extra:
            if not re.fullmatch(r"0*[1-9]\d*", request.extra):
                raise CommandError(f"Invalid rule number `{request.extra}'")
        elif name == "-R":
            raise CommandError("-R requires a rule number")
        elif name == "-E" and not request.extra:
            raise CommandError("-E requires old-chain-name and new-chain-name")
        elif name == "-P" and not request.extra:
            raise CommandError("-P requires a chain and a policy")

    def _flag(self, name: str, word: str) -> None:
        request = self.request
        if name == "-t":
            request.table = self._argument(word)
            return
        if name == "-c":
            first, second = self._optional(), self._optional()
            if not first or not second:
                raise CommandError("-c requires packet and byte counter")
            for text, what in ((first, "packet"), (second, "byte")):
                if not text.isdigit():
                    raise CommandError(f"-c {what} counter not numeric")
            request.counters = int(first), int(second)
        request.flags.add(name)
        request.used[name] = name if name.startswith("--") else name[:2]

    def _own(self, name: str, word: str, *, inverted: bool) -> None:
        request = self.request
        if inverted and name in {"-j", "-g"}:
            raise CommandError(f"cannot have ! before {name}")
        kind = "-j" if name == "-g" else name
        if kind in request.used:
            raise CommandError(f"multiple {name} flags not allowed")
        request.used[kind] = name
        if name == "-f":
            request.rule += ["!", "-f"] if inverted else ["-f"]
            return
        text = self._argument(word)
        if text == "!" and name not in {"-j", "-g"}:
            inverted, text = True, self._argument(word)
        if name in {"-s", "-d"}:
            parts = [address(part) for part in text.split(",")]
            if inverted and len(parts) > 1:
                raise CommandError("! not allowed with multiple source or destination IP addresses")
            (request.sources if name == "-s" else request.targets).extend((part, inverted) for part in parts)
            return
        if name == "-p":
            text = self._protocol(text)
        elif name in {"-i", "-o"} and len(text) > 15:
            raise CommandError(f"interface name `{text}' must be shorter than IFNAMSIZ (15)")
        elif name == "-j" and text not in VERDICTS and (text in EXTENSIONS or text in UNMODELLED):
            request.target = text
        request.rule += [*(["!"] if inverted else []), name, text]

    def _protocol(self, text: str) -> str:
        try:
            self.request.proto = names.protocol_number(text)
        except ValueError:
            raise CommandError(f'unknown protocol "{text.lower()}" specified') from None
        return text.lower()

    def _load(self, name: str) -> None:
        if name not in MODULES and name not in _UNMODELLED:
            raise CommandError(f"Couldn't load match `{name}':No such file or directory\n")
        self.request.modules.append(name)
        self.request.rule += ["-m", name]

    def _extension(self, word: str, *, inverted: bool) -> None:
        """An option of the target, of a match that is loaded, or of the one that -p implies."""
        request = self.request
        if request.target in EXTENSIONS and word in EXTENSIONS[request.target].arity:
            self._values(word, EXTENSIONS[request.target].arity[word], inverted=inverted)
            return
        for name in reversed(request.modules):
            if self._of_module(name, word, inverted=inverted):
                return
        implied = _IMPLIED.get(request.proto, "")
        if implied in MODULES and word in MODULES[implied].arity and implied not in request.modules:
            self._load(implied)
            self._of_module(implied, word, inverted=inverted)
            return
        open_ended = [name for name in request.modules if name not in MODULES]
        if not open_ended and request.target not in UNMODELLED:
            raise CommandError(f'unknown option "{word}"')
        request.rule += [*(["!"] if inverted else []), word]
        while self._more() and not self.words[self.at].startswith("-") and self.words[self.at] != "!":
            request.rule.append(self._argument(word))

    def _of_module(self, name: str, word: str, *, inverted: bool) -> bool:
        """Take an option of a match; False where it has no such option."""
        module = MODULES.get(name)
        if module is None or (word not in module.arity and word not in module.loose):
            return False
        if word in module.loose:
            given = self._optional()
            self.request.rule += [*(["!"] if inverted else []), word, *([given] if given else [])]
        else:
            self._values(word, module.arity[word], inverted=inverted)
        return True

    def _values(self, word: str, count: int, *, inverted: bool) -> None:
        given: list[str] = []
        for _ in range(count):
            text = self._argument(word)
            if text == "!" and not inverted and not given:
                inverted, text = True, self._argument(word)
            given.append(text)
        self.request.rule += [*(["!"] if inverted else []), word, *given]


# options after which a word that looks like several is a text
_TAKES_TEXT = frozenset({
    "-A", "-C", "-D", "-I", "-R", "-N", "-E", "-P", "-s", "-d", "-i", "-o", "-p", "-j", "-g", "-m", "-t", "--comment",
    "--log-prefix", "--nflog-prefix", "--ulog-prefix", "--string", "--hex-string",
})  # fmt: skip


def address(text: str) -> str:
    """One address of -s or -d in full form: `10/8` is `10.0.0.0/8`; a name is not found, for nothing is looked up."""
    host, slash, mask = text.partition("/")
    if ":" in host:
        return text
    if host == "localhost":
        host = "127.0.0.1"
    parts = host.split(".")
    if not all(re.fullmatch(r"\d{1,3}", part) and int(part) <= 255 for part in parts) or len(parts) > 4:
        raise CommandError(f"host/network `{host}' not found")
    host = ".".join([*parts, *["0"] * (4 - len(parts))])
    if not slash:
        return host
    bits = mask.split(".")
    if not (re.fullmatch(r"\d{1,2}", mask) and int(mask) <= 32) and not (
        len(bits) == 4 and all(re.fullmatch(r"\d{1,3}", part) and int(part) <= 255 for part in bits)
    ):
        raise CommandError(f"invalid mask `{mask}' specified")
    return f"{host}/{mask}"
