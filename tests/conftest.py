"""What all tests share: hypothesis profiles, and what a test needs of the machine, with a loud word where it lacks."""

import os
import shutil
import subprocess
from collections import Counter
from functools import cache

import pytest
from hypothesis import settings

settings.register_profile("dev", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev"))


def _fails(*command):
    """Say why a command did not succeed; None when it did."""
    if shutil.which(command[0]) is None:
        return f"no command `{command[0]}`"
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0:
        return None
    said = (done.stderr or done.stdout).strip().splitlines()
    return f"`{' '.join(command)}` failed: {said[-1] if said else f'exit {done.returncode}'}"


@cache
def _live_lacks():
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "not root"
    return _fails("ip", "-V") or _fails("iptables", "--version") or _fails("unshare", "--net", "true")


@cache
def _engine_lacks():
    return (
        _live_lacks() or _fails("dockerd", "--version") or _fails("docker", "--version") or _fails("nft", "--version")
        or _image_lacks()
    )  # fmt: skip


def _image_lacks():
    """Say why no image can be made for an engine; None when one can."""
    from simnet.errors import HostError
    from simnet.live.private.image import archive

    try:
        archive()
    except HostError as error:
        return str(error)
    return None


@cache
def _ipset_lacks():
    return _live_lacks() or _fails("ipset", "--version")


LACKS = {"live": _live_lacks, "engine": _engine_lacks, "ipset": _ipset_lacks}


def pytest_collection_modifyitems(items):
    for item in items:
        for marker, lacks in LACKS.items():
            if item.get_closest_marker(marker) and (reason := lacks()):
                item.add_marker(pytest.mark.skip(reason=f"{marker}: {reason}"))


def _groups(report):
    """The groups that a skipped report belongs to, by its markers or by its folder."""
    words = {*getattr(report, "keywords", ()), *report.nodeid.split("::")[0].split("/")}
    return [marker for marker in LACKS if marker in words]


def pytest_terminal_summary(terminalreporter):
    skipped = Counter()
    for report in terminalreporter.stats.get("skipped", ()):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        for group in _groups(report):
            skipped[group, reason.removeprefix("Skipped: ").removeprefix(f"{group}: ")] += 1
    if not skipped:
        return
    terminalreporter.section("NOT TESTED ON THIS MACHINE", sep="!", red=True, bold=True)
    for (group, reason), count in sorted(skipped.items()):
        terminalreporter.line(f"{group}: {count} skipped: {reason}", red=True, bold=True)
