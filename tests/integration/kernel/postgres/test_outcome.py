"""What became of a transaction whose COMMIT got no answer, as the server itself says it."""

from itertools import count
from typing import Any

import attrs
import psycopg
import pytest

from surf_data.kernel.postgres import DatabaseManager
from surf_data.kernel.postgres.connection import Connection
from surf_data.kernel.postgres.outcome import commit_status
from surf_data.kernel.postgres.session import CommitProbe


@pytest.fixture
def committed(database: DatabaseManager, watcher: psycopg.Connection[Any]) -> CommitProbe:
    """Return the probe of a transaction that was committed."""
    [(last,)] = watcher.execute("SELECT pg_current_xact_id()::text").fetchall()
    with database._connector.connect() as connection:
        return CommitProbe(transaction=last, server=connection.server, stats_epoch=connection.stats_epoch)


@pytest.fixture
def aborted(committed: CommitProbe, watcher: psycopg.Connection[Any]) -> CommitProbe:
    """Return the probe of a transaction that was rolled back."""
    with watcher.transaction(force_rollback=True):
        [(last,)] = watcher.execute("SELECT pg_current_xact_id()::text").fetchall()
    return attrs.evolve(committed, transaction=last)


def test_an_id_that_the_server_has_not_reached_was_not_committed(
    database: DatabaseManager, committed: CommitProbe
) -> None:
    """A server that crashed before it wrote anything of a transaction does not know its id any more."""
    late = attrs.evolve(committed, transaction=str(int(committed.transaction) + 1_000_000))
    found = [commit_status(probe, database._connector.connect, timeout=30) for probe in (committed, late)]
    assert found == [True, False]


def test_another_server_knows_nothing_of_a_transaction(database: DatabaseManager, committed: CommitProbe) -> None:
    """Ids are counted by each server on its own, so an answer from another one is none."""
    elsewhere = attrs.evolve(committed, server="another")
    assert commit_status(elsewhere, database._connector.connect, timeout=30) is None


def test_after_a_crash_only_what_was_not_committed_is_certain(
    database: DatabaseManager, committed: CommitProbe, aborted: CommitProbe
) -> None:
    """A crash may give an id to another transaction, which may have been committed in place of this one."""
    before = [attrs.evolve(probe, stats_epoch="another") for probe in (committed, aborted)]
    assert [commit_status(probe, database._connector.connect, timeout=30) for probe in before] == [None, False]


def test_of_a_cluster_only_a_commit_is_certain(
    database: DatabaseManager, committed: CommitProbe, aborted: CommitProbe
) -> None:
    """A coordinator that has rolled back does not know whether a worker has committed."""
    on_cluster = [attrs.evolve(probe, is_cluster=True) for probe in (committed, aborted)]
    assert [commit_status(probe, database._connector.connect, timeout=30) for probe in on_cluster] == [True, None]


def test_a_transaction_that_goes_on_has_no_status(
    database: DatabaseManager, committed: CommitProbe, watcher: psycopg.Connection[Any]
) -> None:
    """While the server has not noticed that its client is away, it is asked again until the time is over."""
    with watcher.transaction():
        [(current,)] = watcher.execute("SELECT pg_current_xact_id()::text").fetchall()
        going_on = attrs.evolve(committed, transaction=current)
        assert commit_status(going_on, database._connector.connect, timeout=0.2) is None


def test_a_server_that_is_away_is_asked_again(database: DatabaseManager, committed: CommitProbe) -> None:
    """A connection that cannot be opened, or is lost on the way, is no answer: the next one may be."""
    attempts = count(1)

    def connect() -> Connection:
        attempt = next(attempts)
        if attempt == 1:
            return Connection.connect("host=127.0.0.1 port=1")
        connection = database._connector.connect()
        if attempt == 2:
            connection.close()
        return connection

    assert commit_status(committed, connect, timeout=30) is True
    assert next(attempts) == 4
