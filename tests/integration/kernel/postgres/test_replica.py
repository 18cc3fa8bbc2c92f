"""Reads from a replica: a standby that follows a server of the tests' own. What faults do to it is in tests/faults."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rig import PostgresServer, eventually
from rig.postgres import other_postgres, standby
from surf_data.embedded.postgres import installations
from surf_data.errors import ConfigurationError, DatabaseError
from surf_data.kernel.postgres import DatabaseManager

Opener = Callable[..., DatabaseManager]

# As many as the primary allows.
CONNECTIONS = ("-c", "max_connections=200")
QUERIES = {
    "note_count()$": "-- replica: ok\nSELECT count(*) FROM note;",
    "note_first()$": "SELECT id FROM note LIMIT 1;",
    "note_insert(id)!": "INSERT INTO note VALUES (:id::int8);",
    "broken()$": "-- replica: ok\nSELECT 1 / 0;",
    # Ends its own session, unless it is at the primary.
    "fragile()$": "-- replica: ok\nSELECT pg_is_in_recovery() AND pg_terminate_backend(pg_backend_pid(), 10000);",
}


@pytest.fixture(scope="module")
def primary() -> Iterator[PostgresServer]:
    """Start a server."""
    with other_postgres(installations()[18]) as server:
        server.execute("CREATE TABLE note (id int8 PRIMARY KEY)")
        yield server


@pytest.fixture(scope="module")
def replica(primary: PostgresServer) -> Iterator[PostgresServer]:
    """Start a standby of it."""
    with standby(primary, *CONNECTIONS) as server:
        yield server


@pytest.fixture
def queries(load: Callable[..., Any], primary: PostgresServer) -> Any:
    """Load queries about notes, of which there are none."""
    primary.execute("TRUNCATE note")
    return load(QUERIES)


@pytest.fixture
def database(open_database: Opener, queries: Any, primary: PostgresServer, replica: PostgresServer) -> DatabaseManager:
    """Open both, and wait until reads go to the replica."""
    opened = open_database(database_url=primary.url, replica_url=replica.url, pool_max_size=2)
    lsn = primary.execute("SELECT pg_current_wal_flush_lsn()::text")
    eventually(lambda: replica.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", lsn))
    eventually(lambda: queries.note_count(opened) == 0 and reads(opened))
    return opened


def reads(database: DatabaseManager) -> int:
    """Return how many reads the replica has served."""
    return database.replica_statistics()["reads"]


def test_a_writer_reads_what_it_has_written(database: DatabaseManager, queries: Any, replica: PostgresServer) -> None:
    """While the replica lacks a write, by a statement or a transaction, the primary is read; then the replica again."""
    before = reads(database)
    with database.transaction() as tx:
        assert queries.note_count(tx) == 0
    assert queries.note_first(database) is None
    assert queries.note_count(database) == 0
    assert reads(database) == before + 1
    replica.execute("SELECT pg_wal_replay_pause()")
    queries.note_insert(database, id=1)
    assert queries.note_count(database) == 1
    with database.transaction() as tx:
        queries.note_insert(tx, id=2)
    assert queries.note_count(database) == 2
    assert reads(database) == before + 1
    replica.execute("SELECT pg_wal_replay_resume()")
    eventually(lambda: queries.note_count(database) == 2 and reads(database) > before + 1)


def test_a_query_that_is_wrong_is_not_asked_again(
    database: DatabaseManager, queries: Any, refused: Callable[..., Any]
) -> None:
    """What the replica refuses for a reason of the query's own is refused, and the replica is asked the next time."""
    before = database.replica_statistics()
    assert refused(lambda: queries.broken(database), DatabaseError).sqlstate == "22012"
    assert queries.note_count(database) == 0
    assert database.replica_statistics() == {**before, "reads": before["reads"] + 2}


def test_a_read_whose_connection_to_the_replica_is_lost(database: DatabaseManager, queries: Any) -> None:
    """A read that is under way when the replica ends its connection is served by the primary, and so are the next."""
    before = database.replica_statistics()
    assert queries.fragile(database) is False
    assert queries.note_count(database) == 0
    assert database.replica_statistics() == {"reads": before["reads"] + 1, "fallbacks": before["fallbacks"] + 1}


@pytest.mark.filterwarnings("ignore:This process.*fork:DeprecationWarning")
def test_a_child_reads_from_the_replica(database: DatabaseManager, queries: Any) -> None:
    """A forked child has connections of its own to the replica."""
    child = os.fork()
    if not child:
        counted = reads(database), queries.note_count(database), reads(database)
        os._exit(counted != (0, 0, 1))
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert queries.note_count(database) == 0


def test_a_primary_is_no_replica(open_database: Opener, queries: Any, primary: PostgresServer) -> None:
    """A replica's URL that leads to a primary does no harm, since nothing is read there; a malformed one is refused."""
    database = open_database(database_url=primary.url, replica_url=primary.url, pool_max_size=2)
    assert queries.note_count(database) == 0
    assert database.replica_statistics() == {"reads": 0, "fallbacks": 1}
    nowhere = open_database(database_url=primary.url, replica_url="host=/nowhere", pool_max_size=2)
    assert queries.note_count(nowhere) == 0
    assert nowhere.replica_statistics() == {"reads": 0, "fallbacks": 1}
    with pytest.raises(ConfigurationError) as caught:
        open_database(database_url=primary.url, replica_url="host=x pasword=tube-ride-8211")
    assert (caught.value.setting, "tube-ride" in str(caught.value)) == ("replica_url", False)
