"""Options that several verbs take: another engine, other settings."""

from __future__ import annotations

import click

ENGINE = click.option("--engine", default="", metavar="VERSION", help="Run every host with this engine (28.5, 20.10).")
SET = click.option("--set", "settings", multiple=True, metavar="HOST.…=VALUE",
                   help="Change a setting: h1.sysctl.net.ipv4.ip_forward=0, h1.daemon.icc=false.")  # fmt: skip
