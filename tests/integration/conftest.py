"""What several tests look at: a database, folders that servers can reach, processes, and what is left."""

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import psutil
import psycopg
import pytest


@pytest.fixture
def server(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """Return a connection to the empty database that sees what others have committed."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def constant_switching() -> Iterator[None]:
    """Let the interpreter change from thread to thread whenever it can."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.fixture
def data_folder() -> Iterator[Path]:
    """Return a path for data where the account that runs the servers can reach it; pytest's folders are private."""
    parent = Path(tempfile.mkdtemp(prefix="test-embedded-", dir="/tmp"))
    parent.chmod(0o755)
    yield parent / "data"
    shutil.rmtree(parent)


@pytest.fixture
def ask() -> Callable[..., Any]:
    """Return a function that returns the first column of a query's first row."""

    def first(database_url: str, query: str) -> Any:
        with psycopg.connect(database_url, autocommit=True) as connection:
            result = connection.execute(query.encode())
            row = result.fetchone() if result.description else None
            return row[0] if row else None

    return first


@pytest.fixture
def processes() -> Callable[..., list[psutil.Process]]:
    """Return a function that lists the running processes with a text on their command line."""

    def listed(trace: str | Path, *, but: int | None = None) -> list[psutil.Process]:
        return [
            process
            for process in psutil.process_iter(["cmdline"])
            if str(trace) in " ".join(process.info["cmdline"] or ()) and process.pid != but
        ]

    return listed


@pytest.fixture
def supervisor(processes: Callable[..., list[psutil.Process]]) -> Callable[[str | Path], psutil.Process]:
    """Return a function that returns the supervisor of a folder."""

    def only(directory: str | Path) -> psutil.Process:
        [found] = processes(f"surf_data.embedded.supervisor {directory} ")
        return found

    return only


@pytest.fixture
def sockets() -> Callable[[str], Path]:
    """Return a function that returns the folder of the sockets."""
    return lambda database_url: Path(parse_qs(urlsplit(database_url).query)["host"][0])


@pytest.fixture
def remains(
    processes: Callable[..., list[psutil.Process]], sockets: Callable[[str], Path]
) -> Callable[[str, str | Path], list[object]]:
    """Return a function that lists what is left of servers: processes, and the folder of the sockets."""

    def left(database_url: str, directory: str | Path) -> list[object]:
        place = sockets(database_url)
        return [*([place] if place.exists() else []), *processes(place), *processes(directory)]

    return left


@pytest.fixture
def lamp_id(admin: psycopg.Connection[Any]) -> UUID:
    """Store a lamp, without an entry."""
    lamp_id = uuid4()
    admin.execute(
        """
        INSERT INTO lamp_registry (lamp_id, email, email_key, name, password_hash, location_index)
        VALUES (%s, 'kai@example.org', 'kai@example.org', 'Kai', 'hash', 0)
        """,
        [lamp_id],
    )
    return lamp_id
