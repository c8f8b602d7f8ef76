r"""Docker's commands that only look: their words, flags and usage, and what they answer of an engine.

Example:
    >>> from simnet.docker.command.cli import Session
    >>> session = Session("28.5.2")
    >>> _ = session.run("docker run -d --name web busybox")
    >>> look(session.engine, ["inspect", "-f", "{{.NetworkSettings.IPAddress}}", "web"])
    Answer(out='172.17.0.2\n', err='', code=0)
    >>> look(session.engine, ["port", "nope"]).err
    'Error response from daemon: No such container: nope\n'
    >>> look(session.engine, ["run"]) is None
    True
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simnet.answer import Answer
from simnet.docker.command import usage
from simnet.docker.command.flags import SWITCH, VALUE, BadFlag, Given, read
from simnet.docker.command.since import since
from simnet.docker.show import container_document, containers, networks, published, services, versions
from simnet.docker.show.documents import Missing, inspect
from simnet.errors import Refused, TemplateError

if TYPE_CHECKING:
    from simnet.docker.engine import Engine

# kinds of refusals that the client words itself
_CLIENT = {"port_unpublished": "Error: ", "service_unlisted": ""}


@dataclass(frozen=True, slots=True)
class Look:
    """A command that looks: usage, how many words it needs and takes, its flags, and what it does."""

    usage: usage.Usage
    act: Callable[[Engine, Given], Answer | str]
    known: Mapping[str, str]
    short: Mapping[str, str]


def looks(words: list[str]) -> str:
    """The name of the command (without `docker`) that the words are, if it is one that looks.

    Example:
        >>> looks(["network", "ls", "-q"]), looks(["network", "rm", "n1"])
        ('network ls', '')
    """
    return next((text for text in (" ".join(words[:2]), " ".join(words[:1])) if text in LOOKS), "")


def look(engine: Engine, words: list[str]) -> Answer | None:
    """Answer a command that looks; None where the words are no such command."""
    name = looks(words)
    if not name:
        return None
    one = LOOKS[name]
    try:
        given = read(words[len(name.split()) :], one.known, one.short)
        wrong = usage.wrong_count(engine.version, one.usage, len(given.words))
        if wrong:
            return Answer(err=wrong, code=1)
        said = one.act(engine, given)
    except BadFlag as error:
        return Answer(err=usage.bad_flag(engine.version, one.usage, str(error)), code=125)
    except TemplateError as error:
        return Answer(err=f"{error}\n", code=64 if "version" in name else 1)
    except Refused as error:
        return Answer(err=f"{_before(engine, error)}{error}\n", code=1)
    return Answer(said) if isinstance(said, str) else said


def _before(engine: Engine, error: Refused) -> str:
    """What stands before a refusal: who words it."""
    if error.kind == "container_unknown" and not since(engine.version, 25):
        return "Error: "
    return _CLIENT.get(error.kind, "Error response from daemon: ")


# -- what the commands do ----------------------------------------------------------------------------------------------


def _ps(engine: Engine, given: Given) -> str:
    text = given.last("last", "0")
    try:
        last = 1 if given.on("latest") else int(text)
    except ValueError:
        message = f'strconv.ParseInt: parsing "{text}": invalid syntax'
        raise BadFlag(f'invalid argument "{text}" for "-n, --last" flag: {message}') from None
    return containers.ps(
        engine, all_of_them=given.on("all"), quiet=given.on("quiet"), whole=given.on("no-trunc"),
        form=given.last("format"), filters=given.all("filter"), last=max(last, 0), size=given.on("size"),
    )  # fmt: skip


def _port(engine: Engine, given: Given) -> str:
    return published.port(engine, *given.words)


def _network_ls(engine: Engine, given: Given) -> str:
    return networks.ls(engine, quiet=given.on("quiet"), whole=given.on("no-trunc"), form=given.last("format"),
                       filters=given.all("filter"))  # fmt: skip


def _network(engine: Engine, name: str) -> dict[str, Any]:
    return networks.document(engine, engine.networks.find(name))


def _container(engine: Engine, name: str) -> dict[str, Any]:
    return container_document.document(engine, engine.find(name.removeprefix("/")))


def _inspect(kind: str) -> Callable[[Engine, Given], Answer]:
    """`docker inspect` of containers, of networks, or of whatever has the name (``)."""

    def answer(engine: Engine, given: Given) -> Answer:
        wanted = given.last("type") or kind

        def find(name: str) -> dict[str, Any]:
            for one, of in (("container", _container), ("network", _network)):
                if wanted in {one, ""}:
                    try:
                        return of(engine, name)
                    except Refused as error:
                        refusal = error
            if wanted == "":
                raise Missing(f"Error: No such object: {name}")
            if since(engine.version, 25):
                raise Missing(f"Error response from daemon: {refusal}")
            raise Missing(f"Error: No such {wanted}: {name}")

        return inspect(given.words, find, given.last("format"))

    return answer


def _service_ls(engine: Engine, given: Given) -> str:
    return services.ls(engine, quiet=given.on("quiet"), form=given.last("format"))


def _service_ps(engine: Engine, given: Given) -> str:
    return services.ps(engine, given.words, quiet=given.on("quiet"), whole=given.on("no-trunc"),
                       form=given.last("format"))  # fmt: skip


def _node_ls(engine: Engine, given: Given) -> str:
    return services.nodes(engine, quiet=given.on("quiet"), form=given.last("format"))


def _version(engine: Engine, given: Given) -> str:
    return versions.version(engine, given.last("format"))


def _info(engine: Engine, _given: Given) -> str:
    return versions.info(engine)


_LIST = {"quiet": SWITCH, "no-trunc": SWITCH, "format": VALUE, "filter": VALUE}
_LIST_SHORT = {"q": "quiet", "f": "filter"}
_PS = {**_LIST, "all": SWITCH, "latest": SWITCH, "last": VALUE, "size": SWITCH}
_PS_SHORT = {**_LIST_SHORT, "a": "all", "l": "latest", "n": "last", "s": "size"}
_INSPECT = {"format": VALUE, "size": SWITCH, "type": VALUE, "verbose": SWITCH}
_INSPECT_SHORT = {"f": "format", "s": "size", "v": "verbose"}
_FORM, _FORM_SHORT = {"format": VALUE}, {"f": "format"}
_Usage = usage.Usage
LOOKS: dict[str, Look] = {
    "ps": Look(_Usage("docker ps", "[OPTIONS]", "List containers"), _ps, _PS, _PS_SHORT),
    "container ls": Look(_Usage("docker container ls", "[OPTIONS]", "List containers"), _ps, _PS, _PS_SHORT),
    "port": Look(
        _Usage("docker port", "CONTAINER [PRIVATE_PORT[/PROTO]]",
               "List port mappings or a specific mapping for the container", 1, 2), _port, {}, {}),
    "inspect": Look(
        _Usage("docker inspect", "[OPTIONS] NAME|ID [NAME|ID...]", "Return low-level information on Docker objects",
               1, None), _inspect(""), _INSPECT, _INSPECT_SHORT),
    "container inspect": Look(
        _Usage("docker container inspect", "[OPTIONS] CONTAINER [CONTAINER...]",
               "Display detailed information on one or more containers", 1, None), _inspect("container"), _INSPECT,
        _INSPECT_SHORT),
    "network inspect": Look(
        _Usage("docker network inspect", "[OPTIONS] NETWORK [NETWORK...]",
               "Display detailed information on one or more networks", 1, None), _inspect("network"), _INSPECT,
        _INSPECT_SHORT),
    "network ls": Look(_Usage("docker network ls", "[OPTIONS]", "List networks"), _network_ls, _LIST, _LIST_SHORT),
    "service ls": Look(_Usage("docker service ls", "[OPTIONS]", "List services"), _service_ls, _LIST, _LIST_SHORT),
    "service ps": Look(
        _Usage("docker service ps", "[OPTIONS] SERVICE [SERVICE...]", "List the tasks of one or more services", 1,
               None), _service_ps, {**_LIST, "no-resolve": SWITCH}, _LIST_SHORT),
    "node ls": Look(_Usage("docker node ls", "[OPTIONS]", "List nodes in the swarm"), _node_ls, _LIST, _LIST_SHORT),
    "version": Look(_Usage("docker version", "[OPTIONS]", "Show the Docker version information"), _version, _FORM,
                    _FORM_SHORT),
    "info": Look(_Usage("docker info", "[OPTIONS]", "Display system-wide information"), _info, _FORM, _FORM_SHORT),
}  # fmt: skip
