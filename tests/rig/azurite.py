"""An Azurite of the tests' own: Microsoft's emulator of Azure Blob Storage."""

import os
import shutil
import socket
import subprocess
from contextlib import suppress
from pathlib import Path

from rig.seaweed import end_with_parent, free_ports
from rig.waiting import eventually

#: The account that the emulator has, and its documented key.
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


class AzuriteServer:
    """An Azurite on loopback that keeps blobs in memory. It reports nothing to its makers.

    Arguments:
        folder: an empty folder.
    """

    #: The program; ``None`` if it is neither on the PATH nor in the folder that ``AZURITE`` names (``npm install``).
    program: str | None = shutil.which(
        "azurite-blob", path=os.pathsep.join([os.environ.get("AZURITE", ""), os.environ.get("PATH", "")])
    )

    def __init__(self, folder: Path) -> None:
        [self.port] = free_ports(1)
        options = ["--inMemoryPersistence", "--disableTelemetry", "--skipApiVersionCheck", "--silent"]
        address = ["--blobHost", "127.0.0.1", "--blobPort", str(self.port)]
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [str(self.program), *options, *address],
                cwd=folder,
                stdout=log,
                stderr=log,
                preexec_fn=end_with_parent,  # noqa: PLW1509 - as there
            )
        eventually(self._answers)

    @property
    def connection_string(self) -> str:
        """What clients need to know, as Azure's portal shows it."""
        endpoint = f"http://127.0.0.1:{self.port}/{ACCOUNT}"
        return f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};BlobEndpoint={endpoint};"

    def _answers(self) -> bool:
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", self.port)):
            return True
        return False

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait(30)
