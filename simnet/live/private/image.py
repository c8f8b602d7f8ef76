"""The image that every private engine is given: `busybox`, made of this machine's own static busybox.

A container of it that is told no command sleeps.
"""

from __future__ import annotations

import io
import struct
import subprocess
import tarfile
from pathlib import Path

from simnet.errors import HostError
from simnet.live.host import command

NAME = "busybox:latest"
_PT_INTERP = 3
_SLEEP = 'CMD ["sleep", "2147483647"]'
_APPLETS = ("arp", "cat", "echo", "hostname", "httpd", "ifconfig", "ip", "ls", "nc", "netstat", "nslookup", "ping",
            "ps", "route", "sh", "sleep", "top", "traceroute", "true", "wget")  # fmt: skip


def archive() -> bytes:
    """A root file system of busybox alone, as a tar; HostError without a busybox that needs no libraries."""
    path = Path(command.find("busybox"))
    if _interpreted(path.read_bytes()):
        raise HostError(f"{path} needs libraries, so it makes no image", "install it: apt-get install busybox-static")
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as tar:
        tar.add(path, "bin/busybox")
        for name in _APPLETS:
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
    return held.getvalue()


def _interpreted(data: bytes) -> bool:
    """Whether an ELF file (64 bit) asks for a program that loads libraries: it has a segment PT_INTERP."""
    if data[:5] != b"\x7fELF\x02":
        return True
    (start,) = struct.unpack_from("<Q", data, 32)
    size, number = struct.unpack_from("<HH", data, 54)
    return any(struct.unpack_from("<I", data, start + size * index)[0] == _PT_INTERP for index in range(number))


def load(socket: Path, image: bytes) -> None:
    """Import the image into an engine; HostError with the engine's words where it refuses."""
    words = [command.find("docker"), "-H", f"unix://{socket}", "import", "--change", _SLEEP, "-", NAME]
    done = subprocess.run(words, input=image, capture_output=True, check=False, timeout=60)
    if done.returncode:
        raise HostError(f"docker import: {done.stderr.decode(errors='replace').strip()}")
