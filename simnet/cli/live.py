"""`simnet live`: private Docker hosts on this machine, with real engines, in namespaces of their own."""

from __future__ import annotations

import os

import click

from simnet.errors import HostError, UsageError

NAME = click.option("--name", default="", metavar="NAME", help="Which private site, where there are several.")


@click.group("live")
def command() -> None:
    """Put up private Docker hosts with real engines, use them, and take them down.

    They live in namespaces of their own: rules, routes, devices and files of this machine stay as they are. Root is
    needed, and Docker's engine (docker.io) with busybox-static.
    """


def _say(text: str) -> None:
    click.echo(text, err=True)


@command.command("up", epilog="Example: simnet live up --hosts 2 --swarm")
@click.option("--hosts", default=1, show_default=True, metavar="N", help="How many Docker hosts: h1, h2 …")
@click.option("--engine-root", "roots", multiple=True, metavar="DIR", type=click.Path(exists=True, file_okay=False),
              help="A root folder with another dockerd, as debootstrap makes one; of each host in turn.")  # fmt: skip
@click.option("--daemon", "options", multiple=True, metavar="KEY=VALUE", help="An option of dockerd: icc=false.")
@click.option("--swarm", is_flag=True, help="Join the hosts in a swarm, so that overlay networks can be made.")
@click.option("--name", default="site", show_default=True, metavar="NAME", help="What the site is called.")
def up(hosts: int, roots: tuple[str, ...], options: tuple[str, ...], swarm: bool, name: str) -> None:
    """Put up hosts with an engine each, and an outside machine `wan` at 192.0.2.1, on one cable."""
    from simnet.live.private.site import Site
    from simnet.live.private.swarm import join
    from simnet.live.private.up import plain, up

    site = Site.named(name)
    machines = up(site, plain(hosts), roots, [f"--{option}" for option in options], _say)
    if swarm:
        join(site, _say)
    for machine in machines:
        where = f"DOCKER_HOST=unix://{site.socket(machine.name)}" if machine.docker else "an outside machine"
        click.echo(f"{machine.name}  {where}")
    first = machines[0].name
    _say(f"use them:        simnet live exec {first} -- docker run -d -p 8080:80 --name web busybox sleep 9999")
    _say("try the model:   simnet validate --live")
    _say("take them down:  simnet live down")


@command.command("down")
@NAME
@click.option("--all", "every", is_flag=True, help="Every private site.")
def down(name: str, every: bool) -> None:
    """Take a private site down, and whatever a killed command left."""
    from simnet.live.private.down import down, sweep
    from simnet.live.private.site import Site, sites, up_sites

    for left in sweep():
        click.echo(f"removed what was left of {left}", err=True)
    if name:
        chosen = [Site.named(name)]
    else:
        chosen = sites() if every else up_sites()
        if len(chosen) > 1 and not every:
            names = ", ".join(site.name for site in chosen)
            raise UsageError(f"several private sites are up: {names}; say --name or --all")
    for site in chosen:
        if not down(site) and name:
            raise HostError(f"there is no private site {name!r}")
        click.echo(f"{site.name} is down", err=True)


@command.command("status")
def status() -> None:
    """Say which private sites are up, their machines, and how to reach them."""
    from simnet.live.private.site import up_sites

    for site in up_sites():
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
    from simnet.live.command import find
    from simnet.live.private.site import the_site

    site = the_site(name)
    host = place.partition("/")[0]
    space = site.namespace(host) if host == place else site.container(place)
    if site.machine(host).docker:
        os.environ["DOCKER_HOST"] = f"unix://{site.socket(host)}"
    path = find(words[0])
    with space.entered():
        os.execv(path, words)
