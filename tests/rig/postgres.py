"""A PostgreSQL server of a test's own."""

import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import psycopg

from rig.waiting import eventually
from surf_data.embedded.account import Account, account_for
from surf_data.embedded.folder import Folder
from surf_data.embedded.postgres import initialize, usable_programs

# The kernel keeps what a killed server has written, so only a power failure would need more.
_OPTIONS = ("-c", "listen_addresses=", "-c", "port=5432", "-c", "fsync=off", "-c", "max_wal_size=64MB")


class PostgresServer:
    """A PostgreSQL server that can be stopped, started again, halted and killed.

    Arguments:
        folder: a folder of the account with a short path, as sockets must have one. Its data is in ``data`` there.
        programs: the folder of PostgreSQL's programs, usable for the account.
        account: who runs it.
    """

    def __init__(self, folder: Path, programs: Path, account: Account) -> None:
        self.folder = folder
        self.programs = programs
        self.account = account
        #: The folder of its data.
        self.data = folder / "data"
        #: The path of its socket.
        self.path = str(folder / ".s.PGSQL.5432")
        #: The URL of the database ``surf_data`` for its superuser, by its socket.
        self.url = f"postgresql://surf_data@/surf_data?host={quote(str(folder), safe='')}&port=5432"
        self._process: subprocess.Popen[bytes] | None = None

    def url_for(self, login: str, host: str = "") -> str:
        """Return the URL of the same database for others, by its socket or through ``HOST:PORT``.

        Arguments:
            login: the role, with ``:`` and a password if it has one.
            host: what leads to the server, without TLS.
        """
        if host:
            return f"postgresql://{login}@{host}/surf_data?sslmode=disable"
        return self.url.replace("://surf_data@", f"://{login}@")

    def start(self, *options: str) -> None:
        """Start with more options for its command line, and wait until it lets clients in."""
        command = [str(self.programs / "postgres"), "-D", str(self.data), *_OPTIONS]
        command += ["-c", f"unix_socket_directories={self.folder}", *options]
        with (self.folder / "log").open("ab") as log:
            self._process = self.account.spawn(command, log)
        eventually(self._answers)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop, and wait until it is gone.

        Arguments:
            how: ``SIGINT`` ends all sessions and writes everything, ``SIGQUIT`` ends at once, ``SIGTERM`` waits for
                the sessions to end.
        """
        if self._process:
            self.resume()
            self._process.send_signal(how)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                # Told to stop just after it has recovered from a crash, PostgreSQL 18.4 may keep its checkpointer and
                # its I/O workers, and never end.
                self._process.send_signal(signal.SIGQUIT)
                self._process.wait(60)

    def kill(self) -> None:
        """End all its processes without a warning, and wait until they are gone."""
        processes = self.processes()
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)
        assert self._process is not None
        self._process.wait(60)
        # Its other processes are reaped by the machine's first process, at some later time.
        eventually(lambda: not any(_runs(process) for process in processes))

    def halt(self) -> None:
        """Let it hang: its connections stay, and nothing is answered."""
        assert self._process is not None
        # It starts no others from here on.
        psutil.Process(self._process.pid).suspend()
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                process.suspend()

    def resume(self) -> None:
        """Let it go on after `halt`."""
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                process.resume()

    def processes(self) -> list[psutil.Process]:
        """Return its processes, the first of them first."""
        assert self._process is not None
        try:
            first = psutil.Process(self._process.pid)
            return [first, *first.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def execute(self, sql: str, *parameters: Any) -> Any:
        """Run ``sql`` as the superuser, and return the first column of its first row, if it has one."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            result = connection.execute(sql.encode(), parameters)
            row = result.fetchone() if result.description else None
            return row[0] if row else None

    def log(self) -> str:
        """Return what the server has logged."""
        return (self.folder / "log").read_text()

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log()
        try:
            psycopg.connect(self.url, connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def other_postgres(programs: Path, *options: str) -> Iterator[PostgresServer]:
    """Run another PostgreSQL than the embedded ones for a block.

    Arguments:
        programs: the folder of ``postgres`` and ``initdb``.
        options: more for its command line.
    """
    account = account_for(None)
    with tempfile.TemporaryDirectory(prefix="surf_data-test-") as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)
        account.give(folder)
        programs = usable_programs(programs, account, folder)
        initialize(Folder(folder, account), programs, durable=False)
        (folder / "postgres").rename(folder / "data")
        server = PostgresServer(folder, programs, account)
        server.start("-c", "max_connections=200", *options)
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def standby(primary: PostgresServer, *options: str) -> Iterator[PostgresServer]:
    """Run a standby of a server for a block, made by pg_basebackup.

    Arguments:
        primary: the server.
        options: more for the command line of the standby, which has to allow as much as the primary does.
    """
    with tempfile.TemporaryDirectory(prefix="surf_data-test-") as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)
        primary.account.give(folder)
        server = PostgresServer(folder, primary.programs, primary.account)
        command = [str(primary.programs / "pg_basebackup"), "--host", str(primary.folder), "--port", "5432"]
        command += ["--username", "surf_data", "--write-recovery-conf", "--checkpoint=fast", "--no-sync"]
        copied = primary.account.run([*command, "--pgdata", str(server.data)])
        assert copied.returncode == 0, copied.stderr
        server.start(*options)
        try:
            yield server
        finally:
            server.stop()


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
