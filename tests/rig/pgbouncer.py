"""A PgBouncer of a test's own."""

import os
import shutil
import subprocess
from pathlib import Path
from urllib.parse import quote

import psycopg

from rig.waiting import eventually
from surf_data.embedded.account import Account

_CONFIGURATION = """\
[databases]
{database} = host={host} port={port} user={user}
[pgbouncer]
unix_socket_dir = {folder}
listen_port = 5432
auth_type = any
pool_mode = transaction
default_pool_size = 2
max_client_conn = 100
"""


class PgBouncer:
    """A PgBouncer in transaction mode, with two connections to a server for all its clients.

    Arguments:
        folder: a folder with a short path, as sockets must have one.
        account: who runs it; it refuses root.
        server: where it leads to.
        user: as whom; when not given, as the one who is connected there.
    """

    #: The program; ``None`` if it is not installed. It is often outside the PATH of those who are not root.
    program: str | None = shutil.which(
        "pgbouncer", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    )

    def __init__(self, folder: Path, account: Account, server: psycopg.ConnectionInfo, user: str = "") -> None:
        user = user or server.user
        configuration = _CONFIGURATION.format(
            database=server.dbname, host=server.host, port=server.port, user=user, folder=folder
        )
        (folder / "pgbouncer.ini").write_text(configuration)
        account.give(folder)
        with (folder / "log").open("wb") as log:
            self._process: subprocess.Popen[bytes] = account.spawn(
                [str(self.program), str(folder / "pgbouncer.ini")], log
            )
        #: The URL of the server's database that leads through it.
        self.url = f"postgresql://{user}@/{server.dbname}?host={quote(str(folder), safe='')}"
        eventually((folder / ".s.PGSQL.5432").exists)

    def stop(self) -> None:
        """Stop it."""
        self._process.terminate()
        self._process.wait(30)

    @classmethod
    def version(cls) -> str:
        """Return the installed version: ``1.18.0``."""
        said = subprocess.run([str(cls.program), "--version"], capture_output=True, text=True, check=True).stdout
        return said.split()[1]
