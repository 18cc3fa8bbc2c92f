"""When an access object commits, and what is left when something goes wrong."""

import threading
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from rig import eventually
from surf_data import SurfDataError, mining
from surf_data.mining import (
    CycleRecord,
    DataAccessError,
    MiningDataLayer,
    PgsqlActionDAO,
    PgsqlBaseDAO,
    PgsqlConnectionError,
    ProcessInfoRecord,
    StatementFailed,
)

Admin = psycopg.Connection[Any]
Cycle = Callable[..., CycleRecord]
Checkpoint = Callable[..., ProcessInfoRecord]
Refused = Callable[..., SurfDataError]


@pytest.fixture
def stored(admin: Admin) -> Callable[[], int]:
    """Return a function that returns how many cycles others see."""

    def count() -> int:
        row = admin.execute("SELECT count(*) FROM mining.asset_cycles").fetchone()
        return row[0] if row else -1

    return count


def end_sessions(admin: Admin) -> None:
    """End the sessions of the service, as an operator would."""
    admin.execute("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE usename = 'mining_service'")


def test_outside_with(dao: PgsqlActionDAO, data: MiningDataLayer, cycle: Cycle, stored: Callable[[], int]) -> None:
    """Outside with, each call is committed when it returns; commit and rollback do nothing; no connection is held."""
    dao.insert_new_data(cycle())
    dao.rollback()
    dao.commit()
    assert stored() == 1
    assert not dao.in_transaction

    def is_idle() -> bool:
        status = data.database.get_pool_status()
        return status["idle_size"] == status["size"]

    # The pool may still be growing.
    eventually(is_idle)


def test_hours_of_use(dao: PgsqlActionDAO, admin: Admin, cycle: Cycle, stored: Callable[[], int]) -> None:
    """An object that lives for hours outside with survives that its connections are ended meanwhile."""
    for number in range(3):
        dao.insert_new_data(cycle(cycle_number=number + 1))
        end_sessions(admin)
    assert stored() == 3
    assert len(dao.pull_data_from_table(single_query={"table": "asset_cycles"}) or []) == 3


def test_clean_exit(dao: PgsqlActionDAO, cycle: Cycle, stored: Callable[[], int]) -> None:
    """Inside with, nothing is seen by others before the block ends well; reads before the first write begin nothing."""
    with dao as inside:
        assert inside is dao
        assert dao.pull_data_from_table(single_query={"table": "asset_cycles"}) is None
        assert not dao.in_transaction
        dao.insert_new_data(cycle())
        assert dao.in_transaction
        assert len(dao.pull_data_from_table(single_query={"table": "asset_cycles"}) or []) == 1
        assert stored() == 0
    assert (stored(), dao.in_transaction) == (1, False)


def test_exception(dao: PgsqlActionDAO, cycle: Cycle, stored: Callable[[], int]) -> None:
    """An exception rolls all of it back and goes on; records have no keys any more."""
    records = [cycle(), cycle(cycle_number=2), cycle(cycle_number=3)]
    with pytest.raises(LookupError), dao:
        dao.insert_new_data(records[0])
        dao.insert_many(records[1:])
        raise LookupError
    assert stored() == 0
    assert [record.id for record in records] == [None] * 3


def test_a_refused_call(dao: PgsqlActionDAO, cycle: Cycle, stored: Callable[[], int]) -> None:
    """A call that is refused inside with leaves what went before, and the block goes on."""
    with dao:
        dao.insert_new_data(cycle())
        with pytest.raises(StatementFailed):
            dao.insert_new_data(cycle())
        dao.insert_new_data(cycle(cycle_number=2))
    assert stored() == 2


def test_commit_and_rollback(dao: PgsqlActionDAO, cycle: Cycle, stored: Callable[[], int]) -> None:
    """Commit and rollback end a transaction within the block; the next write begins another."""
    with dao:
        dao.insert_new_data(cycle())
        dao.commit()
        dao.commit()
        assert stored() == 1
        record = cycle(cycle_number=2)
        dao.insert_new_data(record)
        dao.rollback()
        assert record.id is None
        dao.insert_new_data(record)
    assert stored() == 2


def test_close(dao: PgsqlActionDAO, cycle: Cycle, stored: Callable[[], int], caplog: pytest.LogCaptureFixture) -> None:
    """Closing rolls back what is open, with a warning; it may be done twice, and the object used again."""
    with dao:
        dao.insert_new_data(cycle())
        dao.close_connection()
        dao.close()
        dao.insert_new_data(cycle(cycle_number=2))
    assert stored() == 1
    [warning] = [record for record in caplog.records if record.levelname == "WARNING"]
    assert (warning.msg, warning.statements) == ("uncommitted work rolled back", 1)  # type: ignore[attr-defined]


def test_within_itself(dao: PgsqlActionDAO, refused: Refused) -> None:
    """A with block on the same object within another one is refused; afterwards the object works."""
    with dao:
        refused(dao.__enter__, DataAccessError)
    with dao:
        pass


def test_another_thread(dao: PgsqlActionDAO, cycle: Cycle, stored: Callable[[], int]) -> None:
    """While a transaction is open, calls of another thread are refused, and not mixed into it."""
    errors: list[BaseException] = []

    def other() -> None:
        for call in (lambda: dao.insert_new_data(cycle(cycle_number=2)), dao.commit, dao.rollback):
            with pytest.raises(DataAccessError) as caught:
                call()
            errors.append(caught.value)

    with dao:
        dao.insert_new_data(cycle())
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert len(errors) == 3
    assert stored() == 1


@pytest.mark.parametrize("moment", ["before a call", "before commit", "before an exception"])
def test_lost_within_a_transaction(
    dao: PgsqlActionDAO, admin: Admin, cycle: Cycle, stored: Callable[[], int], moment: str
) -> None:
    """A connection that is lost inside with takes the transaction along: it is an error, and no half is committed."""
    record = cycle()
    kind = LookupError if moment == "before an exception" else PgsqlConnectionError
    with pytest.raises(kind) as caught, dao:
        dao.insert_new_data(record)
        end_sessions(admin)
        if moment == "before a call":
            with pytest.raises(PgsqlConnectionError):
                dao.insert_new_data(cycle(cycle_number=2))
            # The next one says so, too, and begins no transaction of its own.
            dao.insert_new_data(cycle(cycle_number=3))
        if moment == "before an exception":
            raise LookupError
    assert (stored(), record.id, dao.in_transaction) == (0, None, False)
    assert not isinstance(caught.value, PgsqlConnectionError) or caught.value.outcome_unknown is False
    dao.insert_new_data(record)
    assert stored() == 1


def test_idle_for_too_long(dao: PgsqlActionDAO, cycle: Cycle, stored: Callable[[], int]) -> None:
    """A transaction that the server has ended because it was idle is an error at the next call."""
    with pytest.raises(PgsqlConnectionError), dao:
        dao.insert_new_data(cycle())
        assert dao._session is not None
        dao._session._connection.execute("SET idle_in_transaction_session_timeout = '10ms'")
        threading.Event().wait(0.2)
        dao.insert_new_data(cycle(cycle_number=2))
    assert stored() == 0


def test_errors_carry_nothing_of_the_driver(
    dao: PgsqlActionDAO, cycle: Cycle, refused: Refused, caplog: pytest.LogCaptureFixture
) -> None:
    """What a failed statement raises has our own error, the place of the server and no row, and is logged once."""
    dao.insert_new_data(cycle(asset_guid="hunter2"))
    error = refused(lambda: dao.insert_new_data(cycle(asset_guid="hunter2")), StatementFailed)
    assert isinstance(error, StatementFailed)
    assert isinstance(error.original_exception, mining.pgsql_base_dao.DatabaseError)
    assert error.connection_details is not None
    assert set(error.connection_details) == {"host", "port", "database", "user"}
    assert str(error).endswith(f" (Connection Details: {error.connection_details})")
    assert error.operation == "insert_new_data"
    assert not error.retryable
    assert "hunter2" not in f"{error!r} {vars(error)} {vars(error.original_exception)} {caplog.text}"
    assert [record.msg for record in caplog.records] == ["operation failed"]


def test_connect(data: MiningDataLayer, caplog: pytest.LogCaptureFixture) -> None:
    """Connecting makes a round trip now; a server that is not there is tried again, with a warning each time."""
    assert PgsqlBaseDAO(data).connect() is not None
    with mining.open("postgresql://absent:hunter2@127.0.0.1:1/none", pool_timeout=0.05, connect_timeout=1) as lost:
        dao = PgsqlBaseDAO(lost)
        dao.max_retries, dao.initial_backoff = 3, 0.001
        with pytest.raises(PgsqlConnectionError) as caught:
            dao.connect()
        assert dao.health_check() is False
        assert dao.pgsql_db_settings == {"host": "127.0.0.1", "port": "1", "database": "none", "user": "absent"}
    warnings = [record for record in caplog.records if record.msg == "attempt failed"]
    assert len(warnings) == 2
    assert "hunter2" not in f"{caught.value!r} {vars(caught.value)} {caplog.text}"
