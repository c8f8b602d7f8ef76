"""The files of a snapshot as a host sends them, read from a tar without trust, and written as a folder in one step."""

from __future__ import annotations

import io
import re
import shutil
import tarfile
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from simnet.errors import SourceError, UsageError

NEEDED = ("ip-addr.json", "ip-route.json", "iptables-save")
OF_NAMESPACE = {
    *NEEDED, "ip-rule.json", "ip-neigh.json", "bridge-fdb.json", "sysctl", "listen", "ipvs", "ipset",
    "iptables-nat-L-n", "iptables-nat-L-n-v", "iptables-filter-L-n", "iptables-filter-L-n-v",
    "iptables-legacy-save", "nft-tables",
}  # fmt: skip
OF_HOST = {"docker-inspect.json", "docker-network-inspect.json", "docker-version.json"}
_HOST = "h1"  # what the script calls it
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,254}")


def is_name(text: str) -> bool:
    """Whether a word is what Docker allows as a container's name; nothing else becomes a folder.

    Example:
        >>> [is_name(text) for text in ("web", "shop_db.1", "../../x", "-rf", "a;b", "a b")]
        [True, True, False, False, False, False]
    """
    return _NAME.fullmatch(text) is not None


def read_tar(packed: bytes, sender: str) -> dict[str, bytes]:
    """The files of the one host in a tar, by their path below it (`web/ip-addr.json`).

    SourceError for a tar that is broken, holds what belongs to no snapshot, or lacks what one cannot do without.
    """
    files: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(packed), mode="r:") as tar:
            for member in tar:
                host, _, path = member.name.partition("/")
                if member.isdir() and host == _HOST and _is_folder(path):
                    continue
                content = tar.extractfile(member) if member.isreg() and not member.issparse() else None
                if content is None or host != _HOST or not _is_file(path) or path in files:
                    raise SourceError(f"{member.name!r} came, which belongs to no snapshot", file=sender)
                files[path] = content.read()
    except (tarfile.TarError, EOFError, UnicodeError, ValueError) as error:
        raise SourceError(f"what came is no whole tar: {error}", file=sender,
                          hint="is anything else printed at login?") from None  # fmt: skip
    lacking = [name for name in NEEDED if f"host/{name}" not in files]
    if lacking:
        raise SourceError(f"of the host's own namespace {', '.join(lacking)} did not come", file=sender)
    return files


def _is_folder(path: str) -> bool:
    return not path.strip("/") or is_name(path.rstrip("/"))


def _is_file(path: str) -> bool:
    space, slash, file = path.partition("/")
    return is_name(space) and file in OF_NAMESPACE if slash else path in OF_HOST


def check_target(folder: Path, hosts: Iterable[str], *, replace: bool = False) -> None:
    """Refuse a folder that holds anything but a snapshot, and hosts that it has already, unless to `replace` them."""
    if not folder.parent.is_dir():
        raise UsageError(f"no folder {str(folder.parent)!r}")
    if not folder.exists():
        return
    if not folder.is_dir():
        raise UsageError(f"{folder} is a file; name a folder")
    there = sorted(path.name for path in folder.iterdir())
    strange = [name for name in there if not (folder / name / "host" / "ip-addr.json").is_file()]
    if strange:
        raise UsageError(f"{folder} holds {strange[0]!r}, which is no host's snapshot; name a new folder")
    twice = [name for name in hosts if name in there]
    if twice and not replace:
        raise UsageError(f"{folder} holds {twice[0]!r} already; --force replaces it, --name names another")


def write(folder: Path, hosts: Mapping[str, Mapping[str, bytes]], *, replace: bool = False) -> None:
    """Write hosts into a snapshot folder, each whole or not at all: made beside it, then renamed."""
    check_target(folder, hosts, replace=replace)
    made = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        for host, files in hosts.items():
            for path, content in files.items():
                target = made / "new" / host / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
        if not folder.exists():
            (made / "new").rename(folder)
            return
        (made / "old").mkdir()
        for host in hosts:
            if (folder / host).exists():
                (folder / host).rename(made / "old" / host)
            (made / "new" / host).rename(folder / host)
    finally:
        shutil.rmtree(made)
