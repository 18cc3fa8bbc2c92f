"""What became of a transaction whose COMMIT got no answer, as the server itself says it."""

from typing import Any

import psycopg

from surf_data.kernel.postgres import DatabaseManager
from surf_data.kernel.postgres.outcome import commit_status
from surf_data.kernel.postgres.session import CommitProbe


def test_an_id_that_the_server_has_not_reached_was_not_committed(
    database: DatabaseManager, watcher: psycopg.Connection[Any]
) -> None:
    """A server that crashed before it wrote anything of a transaction does not know its id any more."""
    [(last,)] = watcher.execute("SELECT pg_current_xact_id()::text").fetchall()
    connect = database._connector.connect
    with connect() as connection:
        known = {"server": connection.server, "stats_epoch": connection.stats_epoch}
    found = [
        commit_status(CommitProbe(transaction=str(transaction), **known), connect, timeout=30)
        for transaction in (int(last), int(last) + 1_000_000)
    ]
    assert found == [True, False]
