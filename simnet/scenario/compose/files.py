"""Which files make up a project, what its variables are, and what it is called.

Models: compose-go's cli package.
Leaves out: looking for a compose file in the folders above; files on standard input and from the network.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from simnet.docker.document import Value
from simnet.errors import ScenarioError, SourceError

from ..default_files import DEFAULT_FILES
from . import dotenv
from .interpolate import InvalidTemplate, Lookup, MissingVariable, substitute
from .tree import Findings, mapping_of

OVERRIDE_FILES = (
    "compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml",
)  # fmt: skip
_PROJECT = re.compile(r"[a-z0-9][a-z0-9_-]*")


def chosen(path: Path, files: Sequence[Path], environ: Lookup, findings: Findings) -> list[Path]:
    """The files of a project, the first one first; ScenarioError where there is none.

    `path` is a folder, or a file. In a folder, COMPOSE_FILE names them, or they are the first default file and the
    first override file beside it; a file with a default name stands for its folder. With `files` it is just these,
    after `path` where that is a file.
    """
    if files:
        return [*([] if path.is_dir() else [path]), *files]
    if not path.is_dir() and path.name not in DEFAULT_FILES:
        return [path]
    folder = path if path.is_dir() else path.parent
    named = environ("COMPOSE_FILE")
    if path.is_dir() and named:
        separator = environ("COMPOSE_PATH_SEPARATOR") or ":"
        return [folder / one for one in named.split(separator)]
    mains = [folder / name for name in DEFAULT_FILES if (folder / name).is_file()]
    if not mains:
        hint = f"looked for {', '.join(DEFAULT_FILES)}"
        raise ScenarioError([SourceError("no configuration file provided: not found", file=str(path), hint=hint)])
    overrides = [folder / name for name in OVERRIDE_FILES if (folder / name).is_file()]
    main = mains[0] if path.is_dir() else path
    for kind, found in (("config", mains), ("override", overrides)):
        if found[1:]:
            findings.note(f"Found multiple {kind} files with supported names: {', '.join(map(str, found))}")
            findings.note(f"Using {main if kind == 'config' else found[0]}")
    return [main, *overrides[:1]]


def text_at(path: Path) -> str:
    """A file's text; SourceError where it cannot be read."""
    try:
        return path.read_bytes().decode()
    except FileNotFoundError:
        raise SourceError("no such file or directory", file=str(path)) from None
    except UnicodeDecodeError as error:
        raise SourceError("yaml: invalid UTF-8", file=str(path), hint=f"byte {error.start} begins no letter") from None
    except OSError as error:
        raise SourceError((error.strerror or "cannot be read").lower(), file=str(path)) from None


def variables(paths: Sequence[Path], environ: Mapping[str, str], findings: Findings) -> dict[str, str]:
    """The environment, with what files like `.env` add to it."""
    found = dict(environ)
    for path in paths:
        before = dict(found)

        def unset(name: str) -> None:
            findings.note(f'The "{name}" variable is not set. Defaulting to a blank string.')

        try:
            added = dotenv.parse(text_at(path), before.get, unset)
        except dotenv.BadLine as error:
            findings.problems.append(SourceError(str(error), file=str(path), line=error.line))
        except MissingVariable as error:
            findings.problems.append(SourceError(str(error), file=str(path)))
        except InvalidTemplate as error:
            findings.problems.append(SourceError(f'Invalid template: "{error}"', file=str(path)))
        except SourceError as error:
            findings.problems.append(error)
        else:
            found = {**added, **found}
    return found


def project_name(given: str, tops: Sequence[Value], folder: Path, environ: Lookup, findings: Findings) -> str:
    """What a project is called: as given, by COMPOSE_PROJECT_NAME, by the last file that has a `name`, by its folder.

    Raises ScenarioError where the name may not be one.
    """
    wanted = given or environ("COMPOSE_PROJECT_NAME")
    if wanted:
        if not _PROJECT.fullmatch(wanted):
            message = (
                f'invalid project name "{wanted}": must consist only of lowercase alphanumeric characters, hyphens, '
                "and underscores as well as start with a letter or number"
            )
            findings.problems.append(SourceError(message, hint=f"such as {normalised(wanted) or 'web'}"))
        return wanted
    for top in reversed(tops):
        named = mapping_of(top).get("name")
        if named is not None and isinstance(named.held, str) and named.held:
            try:
                return normalised(substitute(named.held, environ))
            except ValueError:
                return normalised(named.held)
    found = normalised(folder.resolve().name)
    if not found:
        hint = "give one, or set `name:` at the top of the file"
        findings.problems.append(SourceError("project name must not be empty", file=str(folder), hint=hint))
    return found


def normalised(name: str) -> str:
    """A name made into one that a project may have.

    Example:
        >>> normalised("My App (2)"), normalised("_x.y")
        ('myapp2', 'xy')
    """
    return re.sub(r"[^-_a-z0-9]", "", name.lower()).lstrip("_-")
