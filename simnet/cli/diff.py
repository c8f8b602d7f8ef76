"""`simnet diff`: what changes between two sources, or between two engines, options or sysctls of one."""

from __future__ import annotations

import json

import click

from simnet.errors import UsageError
from simnet.scenario.plan import Setting
from simnet.scenario.source import Source, read_source

# the first character keeps click from filling the lines
_EXAMPLE = """\b
Example:
  simnet diff scenarios/basics/modes.yaml --engine 20.10 --engine 28.5
  simnet diff scenarios/basics/modes.yaml --set h1.daemon.userland-proxy=false
  simnet diff before.yaml after.yaml
"""


def sides(
    sources: tuple[str, ...], engines: tuple[str, ...], settings: tuple[str, ...]
) -> tuple[Source, Source, tuple[str, str]]:
    """The two sides of a comparison, and what to call them."""
    if not 1 <= len(sources) <= 2:
        raise UsageError("give one source with --engine or --set, or two sources")
    if len(engines) > 2:
        raise UsageError("--engine may be given twice: for the first side and for the second")
    changes = [Setting.parse(text) for text in settings]
    old_engine, new_engine = (engines * 2)[:2] if len(engines) == 1 and len(sources) == 2 else (("", "", *engines)[-2:])
    first, second = (*sources, *sources)[:2]
    if len(sources) == 1 and len(engines) < 2 and not changes and not engines:
        raise UsageError("one source alone has no other side: add --engine twice, or --set, or a second source")
    before = read_source(first, old_engine)
    after = read_source(second, new_engine or (old_engine if changes else ""), changes)
    names = (_name(first, old_engine, ()), _name(second, new_engine, settings))
    return before, after, names


def _name(source: str, engine: str, settings: tuple[str, ...]) -> str:
    return ", ".join([source, *([f"engine {engine}"] if engine else []), *settings])


@click.command("diff", epilog=_EXAMPLE)
@click.argument("sources", nargs=-1, required=True, metavar="A [B]")
@click.option("--engine", "engines", multiple=True, metavar="VERSION", help="Engine of each side; give it twice.")
@click.option("--set", "settings", multiple=True, metavar="HOST.…=VALUE",
              help="A setting of the second side: h1.sysctl.net.ipv4.ip_forward=0, h1.daemon.icc=false.")  # fmt: skip
@click.option("--flows-only", is_flag=True, help="Text: leave out the rules.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--exit-code", is_flag=True, help="End with 1 where a flow changes, as git diff does.")
def command(sources: tuple[str, ...], engines: tuple[str, ...], settings: tuple[str, ...], form: str, *,
            flows_only: bool, exit_code: bool) -> None:  # fmt: skip
    """Say what changes from A to B, or of A alone from one engine or setting to another.

    Every chain is compared, and every pair of places and listening port is tried on both sides.
    """
    from simnet.study.diff import diff

    found = diff(*sides(sources, engines, settings))
    if form == "json":
        from simnet.export.study import diff_json

        click.echo(json.dumps(diff_json(found), indent=1))
    else:
        from simnet.draw.diff import render

        click.echo(render(found, rules=not flows_only))
    if exit_code and found.flows:
        raise click.exceptions.Exit(1)
