"""Behind a real PgBouncer in transaction mode, where prepared statements would reach the wrong session."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest

from rig import PgBouncer
from surf_data.embedded.account import account_for
from surf_data.kernel.postgres import DatabaseManager

Connection = psycopg.Connection[Any]
Opener = Callable[..., DatabaseManager]

pytestmark = pytest.mark.skipif(PgBouncer.program is None, reason="PgBouncer is not installed")


@pytest.fixture
def bouncer_url(watcher: Connection, open_folder: Path) -> Iterator[str]:
    """Start a PgBouncer before the empty database, and return the URL that leads through it."""
    bouncer = PgBouncer(open_folder, account_for(None), watcher.info)
    yield bouncer.url
    bouncer.stop()


def test_every_answer_is_the_caller_s_own(
    open_database: Opener, bouncer_url: str, load: Callable[..., Any], watcher: Connection
) -> None:
    """Ten threads with a query each, over two server sessions, get their own answers, and nothing is prepared."""
    names = [f"q{number}" for number in range(10)]
    queries = load({f"{name}(x)^": f"SELECT '{name}'::text AS name, :x::int8 AS x;" for name in names})
    prepared = load({"prepared()$": "SELECT count(*) FROM pg_prepared_statements;"}).prepared
    database = open_database(database_url=bouncer_url, pool_max_size=10, pool_timeout=60)
    barrier = threading.Barrier(10)

    def ask(name: str) -> bool:
        barrier.wait()
        answers = [getattr(queries, name)(database, x=number) == (name, number) for number in range(100)]
        with database.transaction() as tx:
            answers += [getattr(queries, name)(tx, x=number) == (name, number) for number in range(100)]
        return all(answers)

    with ThreadPoolExecutor(10) as threads:
        assert all(threads.map(ask, names))
    assert database._connector.behind_pooler
    assert [prepared(database) for _ in range(10)] == [0] * 10
    shown = "SELECT count(DISTINCT pid) FROM pg_stat_activity WHERE datname = current_database() AND query ~ 'q[0-9]'"
    assert watcher.execute(shown).fetchone()[0] <= 2


def test_streams_and_copy_work(open_database: Opener, bouncer_url: str, load: Callable[..., Any]) -> None:
    """Cursors within their transaction, and COPY, do not mind a pooler."""
    queries = load(
        {
            "note_create()#": "CREATE TABLE note (id bigint);",
            "note_copy()#": "COPY note FROM STDIN;",
            "note_list()": "SELECT n.id FROM note AS n ORDER BY n.id;",
        }
    )
    database = open_database(database_url=bouncer_url)
    queries.note_create(database)
    with queries.note_copy(database) as writer:
        for number in range(2500):
            writer.write_row((number,))
    with queries.note_list_cursor(database) as rows:
        assert [number for (number,) in rows] == list(range(2500))
