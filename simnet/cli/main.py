"""The command itself: finds the verb's file, runs it, and turns simnet's own errors into one line and an exit code."""

from __future__ import annotations

import importlib
import io
import os
import sys
from typing import Any

import click

from simnet import __version__
from simnet.errors import SimnetError, nearest

# verb: what it does; the file simnet/cli/VERB.py holds a command `command`
VERBS = {
    "trace": "Follow one conversation through a source, rule by rule.",
    "rules": "Print a rule set as iptables does, or say what is in it.",
    "compare": "Compare Docker's network modes, side by side.",
    "run": "Play the traffic of a scenario with a clock: latency, throughput, what it costs.",
    "sweep": "Run a scenario's traffic at many points, kept and resumable.",
    "diff": "Say what changes between two sources, engines or settings: rules and flows.",
    "matrix": "Say who reaches whom.",
    "check": "Try the claims of a scenario or compose file.",
    "validate": "Hold the model against what a real kernel did.",
    "namespaces": "Say which namespaces each container has, and who shares them.",
    "lab": "Type docker, iptables, ip … against a model host.",
    "exec": "Run one such command in one place of a source.",
    "schema": "Print the JSON Schema of scenarios, for editors.",
    "live": "Put up private Docker hosts with real engines, and take them down.",
    "calibrate": "Measure this machine's prices, and try what they predict.",
    "snapshot": "Take a snapshot of a real Docker host.",
    "draw": "Draw the way of a packet over hosts, namespaces and devices.",
}


class _Verbs(click.Group):
    """A group whose verbs are imported only when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        command: click.Command = importlib.import_module(f"simnet.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            raise click.UsageError(f"no verb {args[0]!r}{nearest(args[0], VERBS)}", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="simnet")
def cli() -> None:
    """What really happens to a packet on a Docker host, without root and without Docker."""


def main(args: list[str] | None = None) -> Any:
    """Run the command; exits 2 for bad usage, 3 for a source that cannot be read, 1 where output cannot be written."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that lacks a letter still gets the rest
    try:
        outcome = cli.main(args=args, standalone_mode=False)
        sys.stdout.flush()
        if isinstance(outcome, int) and outcome:
            sys.exit(outcome)  # what a verb ended with by click's Exit
        return outcome
    except click.exceptions.Abort:
        click.echo("simnet: stopped", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except SimnetError as error:
        click.echo(f"simnet: {error}", err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:
        what = f" {error.filename}" if error.filename else ""
        click.echo(f"simnet: cannot read or write{what}: {error.strerror or error}", err=True)
        sys.stderr.flush()
        os._exit(1)  # what is buffered cannot be written either
