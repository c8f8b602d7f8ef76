"""`simnet snapshot`: real Docker hosts as a folder that the other verbs read."""

from __future__ import annotations

from pathlib import Path

import click

from simnet.errors import UsageError


@click.command(
    "snapshot", epilog="Example: sudo simnet snapshot -o snap, then: simnet trace snap --from h1 --to 1.1.1.1"
)
@click.option("-o", "folder", type=click.Path(path_type=Path), default="snapshot", show_default=True, metavar="DIR",
              help="Where it goes; a snapshot that is there gets the hosts added.")  # fmt: skip
@click.option("--host", "hosts", multiple=True, metavar="HOST",
              help="ssh://USER@HOST[:PORT] or unix:///path/docker.sock, repeatable; default DOCKER_HOST.")  # fmt: skip
@click.option("--name", "names", multiple=True, metavar="NAME", help="Each host's name in the snapshot: h1, h2, …")
@click.option("--keep-secrets", is_flag=True,
              help="Environment variables, labels, command lines, mounts and log options as well.")  # fmt: skip
@click.option("--no-docker", is_flag=True, help="The machine's own namespace alone: an outside machine, a router.")
@click.option("--force", is_flag=True, help="Replace hosts that DIR holds already.")
@click.option("--script", is_flag=True, help="Print the shell script that does it, for hosts without Python.")
def command(folder: Path, hosts: tuple[str, ...], names: tuple[str, ...], keep_secrets: bool, no_docker: bool,
            force: bool, script: bool) -> None:  # fmt: skip
    """Take a snapshot of a real Docker host: what standard commands print in each network namespace.

    It reads only, and needs root on the host (or sudo without a password).
    """
    from simnet.live.snapshot import files as snapshot_files
    from simnet.live.snapshot import take as snapshot
    from simnet.scenario.snapshot import load

    if script:
        click.echo(snapshot.SCRIPT.read_text(encoding="utf-8"), nl=False)
        return
    asked = hosts or ("",)
    called = _names(names, len(asked))
    snapshot_files.check_target(folder, called, replace=force)
    taken = {}
    for name, host in zip(called, asked, strict=True):
        taken[name] = snapshot.take(host, docker=not no_docker, keep_secrets=keep_secrets)
        for note in taken[name].notes:
            click.echo(f"note: {name}: {note}", err=True)
    snapshot_files.write(folder, {name: one.files for name, one in taken.items()}, replace=force)
    for name, one in taken.items():
        click.echo(f"wrote {folder / name}: {', '.join(one.namespaces)}", err=True)
    load(folder)


def _names(given: tuple[str, ...], count: int) -> list[str]:
    """A name for each host: those that were given, then h1, h2 and so on."""
    from simnet.live.snapshot.files import is_name

    names = [*given, *(f"h{number}" for number in range(len(given) + 1, count + 1))]
    if len(given) > count:
        raise UsageError(f"{len(given)} names for {count} host{'s' * (count > 1)}; give a --host for each")
    for name in given:
        if not is_name(name):
            raise UsageError(f"--name {name!r}: letters, digits, '_', '.' and '-', a letter or digit first")
    if len(set(names)) < len(names):
        raise UsageError(f"two hosts have one name: {', '.join(names)}; give each its --name")
    return names
