r"""Tables and `--format` of docker's commands: what is printed of each row.

Models: cli/command/formatter (formatter.go, custom.go) of docker/cli, text/tabwriter of Go with docker's settings.

Example:
    >>> names = Shape(
    ...     "*formatter.ContainerContext", {"Names": "NAMES", "Ports": "PORTS"}, "table {{.Names}}\t{{.Ports}}"
    ... )
    >>> rows = [{"Names": "web", "Ports": "80/tcp"}, {"Names": "a-long-name", "Ports": "81/tcp"}]
    >>> print(names.text(rows, ""), end="")
    NAMES         PORTS
    web           80/tcp
    a-long-name   81/tcp
    >>> print(names.text(rows, "{{.Names}}"), end="")
    web
    a-long-name
    >>> print(names.text(rows[:1], "json"), end="")
    {"Names":"web","Ports":"80/tcp"}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simnet.docker.gotemplate.template import Record, Template
from simnet.errors import TemplateError

# docker's tabwriter: no cell is narrower than this, and this much stands between columns
_NARROWEST, _BETWEEN = 10, 3


@dataclass(frozen=True, slots=True)
class Shape:
    """What a command prints of its rows: the fields, each with its heading, and the table without `--format`.

    `kind` is the type that Go names where a field is not there, `raw` the template of `--format raw`. `strict`: the
    template is tried on a row of nothing first, as `ps` does, and its errors are worded as there.
    """

    kind: str
    headings: Mapping[str, str]
    table: str
    raw: tuple[str, str] = ("", "")
    strict: bool = False

    def text(self, rows: Sequence[Mapping[str, Any]], form: str = "", *, quiet: bool = False) -> str:
        """All rows as `--format` wants them (`table`, `json`, a template, `table` and a template).

        `quiet`: the ids alone. TemplateError in docker's words where the template is wrong.
        """
        form = form or "table"
        if form == "raw":
            form = self.raw[quiet]
        elif form == "table":
            form = "{{.ID}}" if quiet else self.table
        elif form == "json":
            form = "{{json .}}"
        heads = form.startswith("table")
        form = form.removeprefix("table").strip() if heads else form
        wrong = (
            ("failed to parse template", "failed to execute template")
            if self.strict
            else ("template parsing error",) * 2
        )
        try:
            template = Template(form.replace("\\t", "\t").replace("\\n", "\n"))
        except TemplateError as error:
            raise TemplateError(f"{wrong[0]}: {error}") from None
        lines = [template.execute(Record(self.kind, self.headings))] if heads else []
        try:
            if self.strict:
                template.execute(Record(self.kind, dict.fromkeys(self.headings, "")))
            lines += [template.execute(Record(self.kind, row)) for row in rows]
        except TemplateError as error:
            raise TemplateError(f"{wrong[1]}: {error}") from None
        return "".join(f"{line}\n" for line in (columns(lines) if heads else lines))


def columns(lines: Sequence[str]) -> list[str]:
    r"""Lines with tabs as lines with columns; the last cell of a line is as long as it is.

    Example:
        >>> columns(["ID\tNAME", "0123456789ab\tweb"])
        ['ID             NAME', '0123456789ab   web']
    """
    cells = [line.split("\t") for line in lines]
    widths: dict[int, int] = {}
    for row in cells:
        for number, cell in enumerate(row[:-1]):
            widths[number] = max(widths.get(number, _NARROWEST), len(cell) + _BETWEEN)
    return ["".join(cell.ljust(widths[number]) for number, cell in enumerate(row[:-1])) + row[-1] for row in cells]
