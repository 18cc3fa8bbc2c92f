"""The PostgreSQL kernel on a real server, with tables and queries that know nothing of lamps."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from surf_data import embedded
from surf_data.kernel import settings
from surf_data.kernel.postgres import DatabaseManager, load_queries

#: Seconds after which something that should have happened by now is a failure.
DEADLINE = 30.0


@pytest.fixture
def watcher(empty_database: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    """Return a connection of its own to the empty database, which sees what others have committed."""
    empty_database.autocommit = True
    return empty_database


@pytest.fixture
def open_database(database_url: str) -> Iterator[Callable[..., DatabaseManager]]:
    """Return a function that opens the empty database with more settings; all are closed in the end."""
    with ExitStack() as opened:

        def open_with(*, observer: Any = None, **keywords: Any) -> DatabaseManager:
            loaded = settings.load({}, **{"database_url": database_url, "pool_min_size": 1, **keywords})
            database = DatabaseManager(loaded, observer=observer)
            opened.callback(database.close)
            return database

        yield open_with


@pytest.fixture
def database(open_database: Callable[..., DatabaseManager]) -> DatabaseManager:
    """Open the empty database with up to five connections."""
    return open_database(pool_max_size=5)


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Any]:
    """Return a function that loads queries from texts, each given by its name, parameters and operator."""

    def loaded(texts: dict[str, str], **keywords: Any) -> Any:
        queries = [f"-- name: {header}\n-- For a test.\n{sql}\n" for header, sql in texts.items()]
        path = tmp_path / f"queries-{time.monotonic_ns()}" / "shop.sql"
        path.parent.mkdir()
        path.write_text("\n".join(queries), encoding="utf-8")
        return load_queries(path.parent, **keywords)

    return loaded


def wait_until(condition: Callable[[], object]) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, "it has not happened"
        time.sleep(0.01)


@pytest.fixture
def eventually() -> Callable[[Callable[[], object]], None]:
    """Return the function that waits until something is true."""
    return wait_until


class PrivateServer:
    """A PostgreSQL that a test may stop, and let in whom it wants."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._servers = embedded.start(folder / "data", redis=False)
        #: The URL of its database, for its superuser, by its socket.
        self.url = self._servers.database_url

    def execute(self, sql: str) -> None:
        """Run ``sql`` as the superuser."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql.encode())

    @property
    def socket_folder(self) -> str:
        """The folder of its socket."""
        return parse_qs(urlsplit(self.url).query)["host"][0]

    def let_in(self, rules: str) -> None:
        """Replace the rules of who may connect, pg_hba.conf."""
        (self._folder / "data" / "postgres" / "pg_hba.conf").write_text(rules)
        reloads = self.log().count("received SIGHUP")
        self.execute("SELECT pg_reload_conf()")
        wait_until(lambda: self.log().count("received SIGHUP") > reloads)

    def log(self) -> str:
        """Return what the server has logged."""
        return "".join(path.read_text() for path in sorted(self._folder.rglob("postgres*.log*")))

    def stop(self) -> None:
        """Stop it; its data stays."""
        self._servers.stop()


@pytest.fixture
def private_server(open_folder: Path) -> Iterator[PrivateServer]:
    """Start a PostgreSQL of the test's own."""
    server = PrivateServer(open_folder)
    yield server
    server.stop()
