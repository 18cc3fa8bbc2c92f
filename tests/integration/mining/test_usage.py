"""The requirement's usage blocks run with nothing changed but their import lines."""

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timezone

import pytest
from psycopg import sql

from surf_data import mining
from surf_data.mining import CycleRecord, PgsqlActionDAO, PgsqlConnectionError, ProcessInfoRecord

logger = logging.getLogger("usage")


@pytest.fixture
def environment(mining_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the access objects of the process find their servers in the environment."""
    monkeypatch.setenv("SURF_DATA_DATABASE_URL", mining_url)
    monkeypatch.setenv("SURF_DATA_REDIS_URL", redis_url)
    yield
    mining.close_all_connections()


@pytest.mark.usefixtures("environment")
def test_basic_query_operations(cycle: Callable[..., CycleRecord]) -> None:
    """A table-based query and a composed one read what was inserted."""
    with PgsqlActionDAO() as dao:
        dao.insert_new_data(cycle())
        dao.insert_new_data(cycle(cycle_status="COMPLETE"))
    # Using context manager (recommended)
    with PgsqlActionDAO() as dao:
        # Table-based query
        result = dao.pull_data_from_table(
            single_query={
                "table": "asset_cycles",
                "target_columns": ["asset_guid", "cycle_status"],
                "target_filter": "cycle_status = 'INPROGRESS'",
                "target_limit": 100,
                "target_order": "created_date DESC",
            }
        )

        # Custom SQL query
        custom_result = dao.pull_data_from_table(
            custom_query={
                "query": sql.SQL("SELECT COUNT(*) as total FROM {schema}.{table} WHERE status = %s").format(
                    schema=sql.Identifier("dx"), table=sql.Identifier("asset_cycles")
                ),
                "params": ["COMPLETE"],
            }
        )
    assert result == [{"asset_guid": "truck-1", "cycle_status": "INPROGRESS"}]
    assert custom_result == [{"total": 1}]


@pytest.mark.usefixtures("environment")
def test_record_operations() -> None:
    """A cycle is inserted, updated and archived."""
    # Insert new record
    cycle = CycleRecord(
        asset_guid="truck-123",
        cycle_status="INPROGRESS",
        site_guid="site-456",
        current_work_state_id=3,
        created_date=datetime.now(timezone.utc),
        updated_date=datetime.now(timezone.utc),
    )

    with PgsqlActionDAO() as dao:
        # Insert new record
        dao.insert_new_data(cycle)

        # Update existing record (after setting primary key)
        cycle.cycle_status = "COMPLETE"
        cycle.updated_date = datetime.now(timezone.utc)
        dao.update_data(cycle)

        # Insert to final table (for completed cycles)
        dao.insert_new_final_cycle_data(cycle)
    final = PgsqlActionDAO().pull_data_from_table(single_query={"table": "asset_cycle_vlx"})
    assert final is not None
    assert [(row["asset_guid"], row["cycle_status"]) for row in final] == [("truck-123", "COMPLETE")]


@pytest.mark.usefixtures("environment")
def test_error_handling() -> None:
    """A table that is not allowed is a PgsqlConnectionError with its two attributes."""
    caught: list[PgsqlConnectionError] = []
    try:
        with PgsqlActionDAO() as dao:
            dao.pull_data_from_table(single_query={"table": "users"})
    except PgsqlConnectionError as e:
        logger.error(f"Database connection failed: {e}")
        logger.error(f"Original exception: {e.original_exception}")
        logger.error(f"Connection details: {e.connection_details}")
        caught.append(e)
    assert len(caught) == 1


@pytest.mark.usefixtures("environment")
def test_connection_management(cycle: Callable[..., CycleRecord]) -> None:
    """An object works in a with block, and by itself until it is closed."""
    record = cycle()
    # ✅ Always use context managers
    with PgsqlActionDAO() as dao:
        dao.insert_new_data(record)

    record = cycle(cycle_number=2)
    # ❌ Avoid manual connection management
    dao = PgsqlActionDAO()
    try:
        dao.insert_new_data(record)
    finally:
        dao.close_connection()  # Easy to forget
    assert len(dao.pull_data_from_table(single_query={"table": "asset_cycles"}) or []) == 2


@pytest.mark.usefixtures("environment")
def test_specific_exceptions() -> None:
    """A query given by position is read; one without a table is a ValueError."""
    outcomes: list[str] = []
    for query in ({"table": "asset_cycles"}, {"target_limit": 1}):
        # ✅ Handle specific exceptions
        try:
            with PgsqlActionDAO() as dao:
                result = dao.pull_data_from_table(query)
                outcomes.append(str(result))
        except PgsqlConnectionError as e:
            # Handle connection issues
            logger.error(f"Database unavailable: {e}")
        except ValueError as e:
            # Handle validation errors
            logger.error(f"Invalid data: {e}")
            outcomes.append("ValueError")
    assert outcomes == ["None", "ValueError"]


@pytest.mark.usefixtures("environment")
def test_query_construction(cycle: Callable[..., CycleRecord]) -> None:
    """A composed query finds a table without a schema."""
    dao = PgsqlActionDAO()
    dao.insert_new_data(cycle(cycle_status="ACTIVE"))
    # ✅ Use parameterized queries
    query = sql.SQL("SELECT * FROM {table} WHERE status = %s").format(table=sql.Identifier("asset_cycles"))
    params = ["ACTIVE"]
    rows = dao.pull_data_from_table({"query": query, "params": params})
    assert rows is not None
    assert rows[0]["status"] == "ACTIVE"


@pytest.mark.usefixtures("environment")
def test_transaction_management(
    cycle: Callable[..., CycleRecord], checkpoint: Callable[..., ProcessInfoRecord]
) -> None:
    """Two inserts and commit() are one unit; after rollback() neither is there."""
    cycle_record, process_record = cycle(), checkpoint()
    # ✅ Use transactions for related operations
    with PgsqlActionDAO() as dao:
        try:
            dao.insert_new_data(cycle_record)
            dao.insert_new_data(process_record)
            dao.commit()
        except Exception:
            dao.rollback()
            raise
    assert len(dao.pull_data_from_table(single_query={"table": "process_checkpoints"}) or []) == 1

    cycle_record, process_record = cycle(cycle_number=2), checkpoint()
    with pytest.raises(PgsqlConnectionError), PgsqlActionDAO() as dao:
        try:
            dao.insert_new_data(cycle_record)
            dao.insert_new_data(process_record)
            dao.commit()
        except Exception:
            dao.rollback()
            raise
    assert len(dao.pull_data_from_table(single_query={"table": "asset_cycles"}) or []) == 1
    assert cycle_record.is_new_record()


@pytest.mark.usefixtures("environment")
def test_end_to_end_cycle_operations(cycle: Callable[..., CycleRecord]) -> None:
    """Insert, query, update and delete are a complete cycle."""
    with PgsqlActionDAO() as dao:
        record = cycle()
        key = dao.insert_new_data(record)
        rows = dao.pull_data_from_table(
            single_query={"table": CycleRecord.TABLE_NAME, "target_filter": f"asset_cycle_vlx_id = {key}"}
        )
        assert rows is not None
        read = CycleRecord(**rows[0])
        assert read == record
        read.cycle_status = "INVALID"
        dao.update_data(read)
        assert dao.delete_data(read) is True
        assert dao.pull_data_from_table(single_query={"table": "asset_cycle_tmp_vlx"}) is None
