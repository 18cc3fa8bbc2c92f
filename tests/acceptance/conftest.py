"""The command line as its users have it: a process of its own."""

import contextlib
import os
import pty
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import psycopg
import pytest
import redis

from rig.command_line import CommandLine

#: The password in every URL that a test hands to a command; no command may show it.
PASSWORD = "tube-ride-8211"
COMMAND = (sys.executable, "-m", "surf_data")
#: Longer than any command takes: what hangs fails.
SECONDS = 120


@attrs.frozen
class Finished:
    """A command that has ended."""

    #: The exit code.
    code: int
    #: What it wrote to standard output.
    out: str
    #: What it wrote to standard error.
    err: str

    def error(self, code: int = 1) -> str:
        """Return the one line on standard error, after checking that it failed with this exit code."""
        assert code == self.code, self
        [line] = self.err.splitlines()
        assert line.startswith("surf-data: ")
        return line.removeprefix("surf-data: ")


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """Return the environment without anything that would change what the command line does."""
    others = ("SURF_DATA_", "PG", "COLUMNS", "NO_COLOR", "FORCE_COLOR", "TERM")
    return {**{name: value for name, value in os.environ.items() if not name.startswith(others)}, "TERM": "xterm"}


@pytest.fixture(scope="session")
def interruptible(environment: dict[str, str]) -> dict[str, str]:
    """Return the environment for a command that a signal ends at any moment: without coverage.

    Coverage holds a lock of its own while it first sees a file, and a signal's handler would wait for it forever.
    """
    return {name: value for name, value in environment.items() if name != "COVERAGE_PROCESS_CONFIG"}


@pytest.fixture(scope="session")
def command_line() -> Iterator[CommandLine]:
    """Return what forks for a command."""
    forking = CommandLine()
    yield forking
    forking.close()


@pytest.fixture
def cli(environment: dict[str, str], command_line: CommandLine) -> Callable[..., Finished]:
    """Return a function that runs ``surf-data``; the password in the URLs must not come out of it."""

    def run(
        *arguments: str,
        database: str | None = None,
        redis: str | None = None,
        variables: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        command: tuple[str, ...] = COMMAND,
    ) -> Finished:
        urls = {"SURF_DATA_DATABASE_URL": database, "SURF_DATA_REDIS_URL": redis}
        settings = {name: value for name, value in urls.items() if value is not None}
        variables = {**environment, **settings, **(variables or {})}
        if command is COMMAND and command_line.runs(variables):
            ended = command_line.run(arguments, variables, stdin, SECONDS)
            finished = Finished(ended.code, ended.out.decode(), ended.err.decode())
        else:
            done = subprocess.run(
                [*command, *arguments],
                env=variables,
                input=stdin,
                capture_output=True,
                check=False,
                timeout=SECONDS,
            )
            finished = Finished(done.returncode, done.stdout.decode(), done.stderr.decode())
        assert PASSWORD not in finished.out + finished.err
        assert "Traceback" not in finished.err
        return finished

    return run


@pytest.fixture
def terminal(environment: dict[str, str]) -> Callable[..., str]:
    """Return a function that runs ``surf-data`` on a terminal and returns what that receives."""

    def run(*arguments: str, stdin: bytes | None = None, **variables: str) -> str:
        ours, theirs = pty.openpty()
        with subprocess.Popen(
            [*COMMAND, *arguments],
            env={**environment, **variables},
            stdin=theirs if stdin is None else subprocess.PIPE,
            stdout=theirs,
            stderr=theirs,
        ) as process:
            os.close(theirs)
            if process.stdin is not None:
                process.stdin.write(stdin or b"")
                process.stdin.close()
            shown = b""
            # When the last writer has gone, Linux answers with an error.
            with contextlib.suppress(OSError):
                while part := os.read(ours, 65536):
                    shown += part
        os.close(ours)
        assert process.returncode == 0, shown
        return shown.decode()

    return run


@pytest.fixture
def scratch() -> Iterator[Path]:
    """Return an empty folder that is open to the account that runs embedded servers; pytest's are not."""
    with tempfile.TemporaryDirectory(prefix="surf-data-test-") as folder:
        Path(folder).chmod(0o1777)
        yield Path(folder)


@pytest.fixture
def guarded_url(migrated_url: str, admin: psycopg.Connection[Any]) -> Iterator[str]:
    """Return the URL of the migrated database for a role with the password, as PostgreSQL checks it."""
    [file] = admin.execute("SHOW hba_file").fetchone() or [""]
    rules = Path(file).read_text("utf-8")
    admin.execute(f"CREATE ROLE surfer LOGIN SUPERUSER PASSWORD '{PASSWORD}'".encode())
    Path(file).write_text(f"local all surfer scram-sha-256\n{rules}", "utf-8")
    admin.execute("SELECT pg_reload_conf()")
    url = migrated_url.replace("://surf_data@", f"://surfer:{PASSWORD}@")
    try:
        # The server reads its rules when it gets round to it.
        wrong = url.replace(PASSWORD, "wrong")
        while True:
            try:
                psycopg.connect(wrong).close()
            except psycopg.OperationalError:
                break
        yield url
    finally:
        Path(file).write_text(rules, "utf-8")
        admin.execute("SELECT pg_reload_conf()")
        admin.execute("DROP ROLE surfer")


@pytest.fixture
def redis_user(redis_url: str) -> Iterator[Callable[..., str]]:
    """Return a function that makes a Redis user with the password and some permissions, and returns the URL for it."""
    with redis.Redis.from_url(redis_url) as client:

        def create(*permissions: str) -> str:
            client.execute_command("ACL", "SETUSER", "surfer", "reset", "on", f">{PASSWORD}", "~*", *permissions)
            return redis_url.replace("://", f"://surfer:{PASSWORD}@", 1)

        yield create
        client.execute_command("ACL", "DELUSER", "surfer")
