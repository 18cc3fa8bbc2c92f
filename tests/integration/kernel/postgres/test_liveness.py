"""Whether an idle connection can be lent, by what has arrived on it."""

from collections.abc import Callable
from typing import Any

import psycopg

from surf_data.kernel.postgres import DatabaseManager
from surf_data.kernel.postgres.connection import Connection
from surf_data.kernel.postgres.liveness import is_alive


def test_a_notice_does_not_end_a_connection(
    database: DatabaseManager, watcher: psycopg.Connection[Any], eventually: Callable[[Callable[[], object]], None]
) -> None:
    """A server that goes away sends a notice; one that sends another still answers, and the connection is lent."""
    found: list[bool] = []

    def noticed(connection: Connection) -> bool:
        found.append(is_alive(connection))
        return connection.notice.raised

    with database._connector.connect() as connection:
        for statement in ("SET client_min_messages = debug1", "SET trace_notify = on", "LISTEN shop"):
            connection.execute(statement)
        watcher.execute("NOTIFY shop")
        eventually(lambda: noticed(connection))
    assert all(found)
