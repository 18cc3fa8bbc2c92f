"""Forked children: connections of their own, and no way to disturb their parent."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psycopg
import pytest

from surf_data.errors import DatabaseUnavailable
from surf_data.kernel.postgres import DatabaseManager

Connection = psycopg.Connection[Any]
Opener = Callable[..., DatabaseManager]

# Python 3.12 warns of every fork in a process with threads, which a pool always has.
pytestmark = pytest.mark.filterwarnings("ignore:This process.*fork:DeprecationWarning")


@pytest.fixture
def database(open_database: Opener) -> DatabaseManager:
    """Open the empty database with one connection."""
    return open_database(pool_max_size=1)


@pytest.fixture
def queries(load: Callable[..., Any], watcher: Connection) -> Any:
    """Load queries about the session itself and about a table, and create it."""
    watcher.execute("CREATE TABLE note (id bigint)")
    return load(
        {
            "backend()$": "SELECT pg_backend_pid();",
            "same(x)$": "SELECT :x::text;",
            "sleep(seconds)$": "SELECT pg_sleep(:seconds::float8);",
            "note_insert(id)!": "INSERT INTO note VALUES (:id::int8);",
            "note_count()$": "SELECT count(*) FROM note;",
        }
    )


def in_child(work: Callable[[], object]) -> Callable[[], Any]:
    """Run ``work`` in a forked child, and return a function that waits for it and returns its result."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        # The exit code is all that is left if even this fails.
        with suppress(BaseException):
            os.write(writing, json.dumps(_outcome(work)).encode())
        os._exit(0)
    os.close(writing)

    def result() -> Any:
        with os.fdopen(reading, "rb") as pipe:
            said = pipe.read()
        os.waitpid(child, 0)
        return json.loads(said)

    return result


def _outcome(work: Callable[[], object]) -> object:
    try:
        return work()
    except BaseException as error:  # noqa: BLE001 - told to the parent
        return f"{type(error).__name__}: {error}"


def test_a_child_has_connections_of_its_own(database: DatabaseManager, queries: Any) -> None:
    """Parent and child query at the same time on different backends, and each gets its own answers."""
    parent = queries.backend(database)

    def work() -> object:
        answers = [queries.same(database, x=f"child {number}") == f"child {number}" for number in range(300)]
        return [queries.backend(database), all(answers)]

    children = [in_child(work) for _ in range(2)]
    for number in range(300):
        assert queries.same(database, x=f"parent {number}") == f"parent {number}"
    outcomes = [child() for child in children]
    assert [correct for _, correct in outcomes] == [True, True]
    assert len({parent, *(backend for backend, _ in outcomes)}) == 3
    assert queries.backend(database) == parent


def test_statistics_begin_anew_in_a_child(database: DatabaseManager, queries: Any) -> None:
    """A child counts its own queries only, and the parent does not count the child's."""
    queries.backend(database)

    def work() -> object:
        before = [database.statistics(), database.get_pool_status()["size"]]
        queries.same(database, x="a")
        return [*before, {name: found["count"] for name, found in database.statistics().items()}]

    assert in_child(work)() == [{}, 0, {"same": 1}]
    assert {name: found["count"] for name, found in database.statistics().items()} == {"backend": 1}


def test_a_transaction_stays_with_the_parent(database: DatabaseManager, queries: Any, watcher: Connection) -> None:
    """A child forked within a transaction cannot use, commit or undo it; the parent goes on as if nothing had been."""

    def leave(tx: Any) -> Callable[[], object]:
        def work() -> object:
            return queries.note_count(tx)

        return work

    outcomes = []
    with database.transaction() as tx:
        queries.note_insert(tx, id=1)
        outcomes.append(in_child(leave(tx)))
        assert outcomes[0]() == "DatabaseUnavailable: note_count failed: connection lost"
        queries.note_insert(tx, id=2)
    assert watcher.execute("SELECT count(*) FROM note").fetchone() == (2,)


@pytest.mark.parametrize(
    ("ending", "outcome"), [("well", "DatabaseUnavailable"), ("badly", "ZeroDivisionError")], ids=["well", "badly"]
)
def test_a_child_that_leaves_the_block_changes_nothing(
    database: DatabaseManager, queries: Any, watcher: Connection, ending: str, outcome: str
) -> None:
    """A child that unwinds out of its parent's transaction, with an error or without, sends nothing on its behalf."""
    transaction = database.transaction()

    def leave() -> object:
        error = ZeroDivisionError() if ending == "badly" else None
        if not transaction.__exit__(type(error) if error else None, error, None) and error:
            raise error
        return "left"

    with transaction as tx:
        queries.note_insert(tx, id=1)
        assert str(in_child(leave)()).startswith(outcome)
        queries.note_insert(tx, id=2)
    assert watcher.execute("SELECT id FROM note ORDER BY id").fetchall() == [(1,), (2,)]


def test_a_child_may_close_what_it_inherited(database: DatabaseManager, queries: Any) -> None:
    """Closing the data layer in the child leaves the parent's open; what is closed at the fork stays closed."""
    backend = queries.backend(database)

    def work() -> object:
        database.close()
        return queries.backend(database)

    assert in_child(work)() == "DatabaseUnavailable: the data layer is closed"
    assert queries.backend(database) == backend
    database.close()
    assert in_child(lambda: queries.backend(database))() == "DatabaseUnavailable: the data layer is closed"


def test_locks_of_other_threads_do_not_hang_a_child(database: DatabaseManager, queries: Any) -> None:
    """A child forked while other threads hold every lock and a connection works all the same."""
    queries.backend(database)
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with database._pool._opening, database._observation._records["backend"].lock, database.transaction():
            held.set()
            done.wait()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    try:
        assert isinstance(in_child(lambda: queries.backend(database))(), int)
    finally:
        done.set()
        holder.join()


def test_a_child_may_have_children(database: DatabaseManager, queries: Any) -> None:
    """Each generation has connections of its own."""
    parent = queries.backend(database)

    def work() -> object:
        child = queries.backend(database)
        grandchild = in_child(lambda: queries.backend(database))()
        return [child, grandchild, queries.backend(database)]

    child, grandchild, again = in_child(work)()
    assert len({parent, child, grandchild}) == 3
    assert child == again
    assert queries.backend(database) == parent


def test_processes_of_multiprocessing_are_served(database: DatabaseManager, queries: Any) -> None:
    """A pool of worker processes that were forked uses the data layer that it inherited."""
    parent = queries.backend(database)
    _INHERITED.append(lambda: queries.backend(database))
    with multiprocessing.get_context("fork").Pool(2) as workers:
        answers = workers.map(_numbered_backend, range(20))
        # Ended in the usual way: terminated while it still starts, a process hangs in what measures the coverage.
        workers.close()
        workers.join()
    _INHERITED.clear()
    assert sorted(number for number, _ in answers) == list(range(20))
    assert parent not in {backend for _, backend in answers}
    assert queries.backend(database) == parent


# A worker process inherits what cannot be sent to it.
_INHERITED: list[Callable[[], int]] = []


def _numbered_backend(number: int) -> tuple[int, int]:
    return number, _INHERITED[0]()


PARENT = """
import os, sys, time
from pathlib import Path
from surf_data.kernel import settings
from surf_data.kernel.postgres import DatabaseManager, load_queries

url, folder, what = sys.argv[1:]
database = DatabaseManager(settings.load({}, database_url=url, application_name="the parent", pool_max_size=1))
queries = load_queries(Path(folder))
backend = queries.backend(database)
child = os.fork()
if what == "exit":
    if child == 0:
        sys.exit(0)
    os.waitpid(child, 0)
    print(queries.backend(database) == backend, flush=True)
    database.close()
elif child == 0:
    print(os.getpid(), flush=True)
    time.sleep(600)
else:
    time.sleep(600)
"""


def parent(database_url: str, folder: Any, what: str) -> list[str]:
    """Return the command that runs a parent process."""
    return [sys.executable, "-W", "ignore::DeprecationWarning", "-c", PARENT, database_url, str(folder), what]


def test_a_child_that_ends_in_the_usual_way_disturbs_nobody(database_url: str, sql_folder: Callable[..., Any]) -> None:
    """When the interpreter of a child tidies up, the parent's sessions stay."""
    folder = sql_folder(a="-- name: backend()$\n-- Who answers.\nSELECT pg_backend_pid();")
    done = subprocess.run(parent(database_url, folder, "exit"), capture_output=True, text=True, check=True, timeout=60)
    assert (done.stdout, done.stderr) == ("True\n", "")


def test_a_child_does_not_keep_the_sessions_of_a_dead_parent(
    database_url: str, sql_folder: Callable[..., Any], watcher: Connection, eventually: Any
) -> None:
    """When a parent is killed, the server ends its sessions, although a child lives on."""
    folder = sql_folder(a="-- name: backend()$\n-- Who answers.\nSELECT pg_backend_pid();")
    sessions = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'the parent'"
    with subprocess.Popen(parent(database_url, folder, "linger"), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        assert watcher.execute(sessions).fetchone()
        process.kill()
        try:
            eventually(lambda: not watcher.execute(sessions).fetchone())
        finally:
            os.kill(child, signal.SIGKILL)


def test_a_child_without_inheritance_is_not_bothered(open_database: Opener, refused: Callable[..., Any]) -> None:
    """A data layer that was never used is used by the child alone."""
    database = open_database()
    assert in_child(lambda: database.ping() > 0)() is True
    assert database.get_pool_status()["size"] == 0
    database.close()
    refused(database.ping, DatabaseUnavailable)
