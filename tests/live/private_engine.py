"""A Docker engine for a test: dockerd in network, mount and process namespaces of its own, which all end with it."""

import io
import os
import shutil
import signal
import subprocess
import tarfile
import time
from pathlib import Path

from simnet.errors import HostError
from simnet.live.host.engine import Engine
from simnet.live.host.namespace import NetworkNamespace

_PATIENCE = 60


class PrivateEngine(Engine):
    """An engine with the image `busybox`, at 192.0.2.2, cabled to `wan` at 192.0.2.1; `folder` has a short path."""

    def __init__(self, folder: Path, *options: str) -> None:
        super().__init__(f"unix://{folder}/docker.sock")
        self._network, self.wan = NetworkNamespace.made("h1"), NetworkNamespace.made("wan")
        self._network.run(["ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", self.wan.path])
        for namespace, address in ((self._network, "192.0.2.2/24"), (self.wan, "192.0.2.1/24")):
            for words in ("link set lo up", f"addr add {address} dev eth0", "link set eth0 up"):
                namespace.run(["ip", *words.split()])
        self._log = (folder / "log").open("wb")
        self._process = self._network.start(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
             "dockerd", "--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec", "--pidfile", f"{folder}/pid",
             "--host", self.host, *options],
            stdout=self._log, stderr=self._log,
        )  # fmt: skip
        try:
            self._await(folder / "log")
            self._import()
        except BaseException:
            self._end()
            raise

    def _await(self, log: Path) -> None:
        for _ in range(_PATIENCE * 4):
            try:
                self.docker("version")
            except HostError:
                assert self._process.poll() is None, log.read_text()[-2000:]
                time.sleep(0.25)
            else:
                return
        raise AssertionError(log.read_text()[-2000:])

    def _import(self) -> None:
        """No registry is in reach: the image is busybox and nothing else."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            tar.add(os.path.realpath(shutil.which("busybox") or "/bin/busybox"), "bin/busybox")
            link = tarfile.TarInfo("bin/sh")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
        subprocess.run(["docker", "-H", self.host, "import", "-", "busybox"], input=packed.getvalue(), check=True,
                       capture_output=True)  # fmt: skip

    def start(self, name: str, *options: str, command: tuple[str, ...] = ("busybox", "sleep", "3600")) -> str:
        """Start a container; its id."""
        return self.docker("run", "--detach", "--name", name, *options, "busybox", *command).strip()

    def stop(self) -> None:
        """End its containers, which leaves no control groups, and the engine; the kernel takes down the namespaces."""
        try:
            if ids := self.docker("ps", "--all", "--quiet").split():
                self.docker("rm", "--force", *ids)
        finally:
            self._end()

    def _end(self) -> None:
        end(self._process)
        self._log.close()
        self._network.close()
        self.wan.close()


def end(process: subprocess.Popen[bytes]) -> None:
    """End a command that runs another in new namespaces: that one dies first, and with it all that it started there."""
    for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
        os.kill(int(child), signal.SIGKILL)
    try:
        process.wait(_PATIENCE / 10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
