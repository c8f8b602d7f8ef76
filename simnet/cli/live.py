"""`simnet live`: private Docker hosts on this machine, with real engines, in namespaces of their own."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import click

from simnet.errors import UnknownName, UsageError

if TYPE_CHECKING:
    from simnet.live.private.site import Machine, Site

NAME = click.option("--name", "--site", "name", default="", metavar="NAME",
                    help="Which private site, where there are several.")  # fmt: skip


@click.group("live")
def command() -> None:
    """Put up private Docker hosts with real engines, use them, and take them down.

    They live in namespaces of their own: rules, routes, devices and files of this machine stay as they are. Root is
    needed, and Docker's engine (docker.io) with busybox-static.
    """


def _say(text: str) -> None:
    click.echo(text, err=True)


def _note(text: str) -> None:
    _say(f"note: {text}")


# the first character keeps click from filling the lines
_UP = """\b
Example:
  simnet live up --hosts 2 --swarm
  simnet live up scenarios/basics/modes.yaml && simnet validate --live scenarios/basics/modes.yaml
"""


@command.command("up", epilog=_UP)
@click.argument("source", required=False, default="")
@click.option("--hosts", type=click.IntRange(1, 200), metavar="N", help="How many Docker hosts: h1, h2 … (1)")
@click.option("--swarm", is_flag=True, help="Join the hosts in a swarm, so that overlay networks can be made.")
@click.option("--engine-root", "roots", multiple=True, metavar="DIR", type=click.Path(exists=True, file_okay=False),
              help="A root folder with another dockerd, as debootstrap makes one; of each host in turn.")  # fmt: skip
@click.option("--daemon", "options", multiple=True, metavar="KEY=VALUE", help="An option of dockerd: icc=false.")
@click.option(
    "--name", "--site", "name", default="site", show_default=True, metavar="NAME", help="What the site is called."
)
def up(
    source: str, hosts: int | None, *, swarm: bool, roots: tuple[str, ...], options: tuple[str, ...], name: str
) -> None:
    """Put up Docker hosts with an engine each, on one cable with an outside machine `wan`.

    SOURCE is a scenario or a compose file: its hosts, machines, networks and containers are made. Every image is
    busybox under another name; who listens there is up to you, or to `simnet validate --live SOURCE`.
    """
    from simnet.live.private.site import Site
    from simnet.live.private.up import plain, up
    from simnet.scenario.source import read_source

    site, words = Site.named(name), [_daemon(option) for option in options]
    if source:
        if hosts or swarm:
            raise UsageError("--hosts and --swarm are said by SOURCE itself")
        read = read_source(source)
        if read.plan is None:
            raise UsageError(f"{source} is a snapshot, which does not say how it was made; name a scenario")
        for text in read.notes:
            _note(text)
        plan = read.plan
    else:
        plan = plain(hosts or 1, swarm=swarm)
    machines = up(site, plan, roots, words, _say, _note)
    _told(site, machines, source)


def _daemon(option: str) -> str:
    """An option of dockerd, as it takes it."""
    if not re.match(r"[a-z0-9][a-z0-9-]*=", option):
        raise UsageError(f"--daemon {option}: write KEY=VALUE, as in --daemon icc=false")
    return f"--{option}"


def _told(site: Site, machines: list[Machine], source: str) -> None:
    """Say what is up, and what can be typed now."""
    for machine in machines:
        where = f"DOCKER_HOST=unix://{site.socket(machine.name)}" if machine.docker else "an outside machine"
        click.echo(f"{machine.name}  {where}")
    first = machines[0].name
    if not source:
        _say(f"use them:        {site.verb('exec')} {first} -- docker run -d -p 8080:80 --name web busybox")
    # DOCKER_HOST would come before a private site
    named = f" --site {site.name}" if site.named_apart or os.environ.get("DOCKER_HOST") else ""
    _say(f"try the model:   simnet validate --live{named} {source}".rstrip())
    _say(f"take them down:  {site.verb('down')}")


@command.command("down")
@NAME
@click.option("--all", "every", is_flag=True, help="Every private site.")
def down(name: str, every: bool) -> None:
    """Take a private site down, and whatever a killed command left."""
    from simnet.live.host import needs
    from simnet.live.private.down import down, sweep
    from simnet.live.private.site import Site, sites, up_sites

    needs.root("live down")
    chosen = [Site.named(name)] if name else []
    removed = sweep()
    for left in removed:
        click.echo(f"removed what was left of {left}", err=True)
    if not name:
        chosen = sites() if every else up_sites()
        if len(chosen) > 1 and not every:
            names = ", ".join(site.name for site in chosen)
            raise UsageError(f"several private sites are up: {names}; say which with --name, or --all")
    for site in chosen:
        if down(site):
            click.echo(f"{site.name} is down", err=True)
        elif name and name not in removed:
            raise UnknownName("private site", name, [one.name for one in sites()])


@command.command("status")
@NAME
def status(name: str) -> None:
    """Say which private sites are up, their machines, and how to reach them."""
    from simnet.live.host import needs
    from simnet.live.private.site import sites, the_site

    needs.root("live status")
    for site in [the_site(name)] if name else sites():
        if not site.up:
            if said := site.half_made:
                click.echo(said)
            continue
        alive = site.processes()
        for machine in site.machines().values():
            if not machine.name.startswith("."):
                state = "up" if machine.pid in alive else "died"
                how = f"DOCKER_HOST=unix://{site.socket(machine.name)}" if machine.docker else ""
                click.echo(f"{site.name}  {machine.name:<8} {state:<5} {how}".rstrip())


@command.command("exec", context_settings={"ignore_unknown_options": True})
@NAME
@click.argument("place")
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED)
def execute(name: str, place: str, words: tuple[str, ...]) -> None:
    """Run a command of this machine in the network of PLACE (h1, wan, h1/web), with DOCKER_HOST set to its engine."""
    from simnet.live.host import needs
    from simnet.live.host.command import find
    from simnet.live.private.site import the_site

    needs.root("live exec")
    site = the_site(name)
    path, environment = find(words[0]), site.environment(place)
    with site.space(place).entered():
        os.execve(path, words, environment)
