"""Inserting, updating, deleting and archiving records."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from surf_data import SurfDataError
from surf_data.mining import (
    CycleRecord,
    DataAccessError,
    MiningDataLayer,
    PgsqlActionDAO,
    PgsqlConnectionError,
    ProcessInfoRecord,
    StatementFailed,
    cycles,
    pgsql_action_dao,
)

Admin = psycopg.Connection[Any]
Cycle = Callable[..., CycleRecord]
Checkpoint = Callable[..., ProcessInfoRecord]
Refused = Callable[..., SurfDataError]

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)

#: A value of each column that is neither a default nor like another one.
FULL: dict[str, Any] = {
    "cycle_number": 7,
    "cycle_status": "OUTLIER",
    "current_work_state_id": 2,
    "previous_work_state_id": 3,
    "current_segment": "DUMP_TIME",
    "tmp_idle_near_loader": '{"a": "\u00fc"}',
    "current_area": "DUMP",
    "outlier_type_id": 4,
}


def full(cycle: Cycle) -> CycleRecord:
    """Return a cycle in which every column has a value of its own."""
    values = dict(FULL)
    for position, name in enumerate(CycleRecord.get_column_names()):
        if name.endswith(("_utc", "_date")):
            values[name] = NOON + timedelta(seconds=position)
        elif name.endswith(("_latitude", "_longitude", "_distance", "_seconds")):
            values[name] = position + 0.5
        elif name.endswith("_guid"):
            values[name] = f"guid {position}"
        elif name.startswith(("is_", "all_")):
            values[name] = position % 2 == 0
    return cycle(**values)


def rows(dao: PgsqlActionDAO, table: str = "asset_cycle_tmp_vlx") -> list[dict[str, Any]]:
    """Return all rows of a table, the oldest first."""
    return dao.pull_data_from_table(single_query={"table": table, "target_order": "created_date"}) or []


@pytest.mark.parametrize("count", [1, 2])
def test_every_column(dao: PgsqlActionDAO, cycle: Cycle, count: int) -> None:
    """Every column is stored and read unchanged, by INSERT and by COPY, by UPDATE, and in the final table."""
    records = [full(cycle) for _ in range(count)]
    keys = dao.insert_new_data(records)
    assert keys == [record.id for record in records]
    assert [CycleRecord(**row) for row in rows(dao)] == records
    for record in records:
        record.cycle_status = "COMPLETE"
        record.outlier_type_id = None
        assert dao.update_data(record) is True
    assert [CycleRecord(**row) for row in rows(dao)] == records
    assert dao.insert_new_final_cycle_data(records) == count
    final = [CycleRecord(**{**row, "asset_cycle_vlx_id": None}) for row in rows(dao, "asset_cycle_vlx")]
    assert final == [CycleRecord(**{**record.to_dict(), "asset_cycle_vlx_id": None}) for record in records]


def test_naive_times_mean_utc(dao: PgsqlActionDAO, cycle: Cycle) -> None:
    """A time without a zone is stored as UTC, whatever the session's zone; one with a zone as what it stands for."""
    record = cycle(load_start_utc=NOON.replace(tzinfo=None), load_end_utc=datetime.fromisoformat("2026-11-02T14:00+02"))
    dao.insert_new_data(record)
    [row] = rows(dao)
    assert (row["load_start_utc"], row["load_end_utc"]) == (NOON, NOON)


def test_keys(dao: PgsqlActionDAO, cycle: Cycle, checkpoint: Checkpoint) -> None:
    """Inserting sets the key, for a batch of both kinds in its order; none is given twice."""
    single = cycle()
    assert dao.insert_new_data(single) == single.id == single.asset_cycle_vlx_id
    mixed = [checkpoint(), cycle(cycle_number=2), checkpoint(asset_guid="truck-2"), cycle(cycle_number=3)]
    keys = dao.insert_many(iter(mixed))
    assert keys == [record.id for record in mixed]
    assert dao.insert_many([checkpoint(asset_guid="t3"), checkpoint(asset_guid="t4")]) == [keys[2] + 1, keys[2] + 2]
    assert dao.insert_many([checkpoint(asset_guid="t5")]) == [keys[2] + 3]
    assert dao.insert_many([]) == []
    assert dao.insert_new_data([]) == []
    assert (len(rows(dao)), len(rows(dao, "tx_process_info"))) == (3, 5)
    assert not single.is_new_record()


def test_all_or_none(dao: PgsqlActionDAO, cycle: Cycle, checkpoint: Checkpoint) -> None:
    """When one record of a batch is refused, none is stored, and none has a key."""
    dao.insert_new_data(checkpoint())
    batch = [cycle(), cycle(cycle_number=2), checkpoint(), checkpoint(asset_guid="truck-2")]
    with pytest.raises(StatementFailed) as caught:
        dao.insert_many(batch)
    assert (caught.value.constraint, caught.value.row) == ("process_checkpoints_process", 0)
    assert rows(dao) == []
    assert [record.id for record in batch] == [None] * 4


def test_open_twice(dao: PgsqlActionDAO, cycle: Cycle) -> None:
    """An asset has one open cycle with a number; closed ones, and those of another service type, do not count."""
    dao.insert_new_data(cycle())
    with pytest.raises(StatementFailed) as caught:
        dao.insert_new_data(cycle())
    assert caught.value.constraint == "asset_cycles_open"
    assert caught.value.sqlstate == "23505"
    assert caught.value.query == "mining.cycle_insert"
    assert isinstance(caught.value, (PgsqlConnectionError, DataAccessError))
    dao.insert_new_data(cycle(cycle_status="COMPLETE"))
    dao.insert_new_data(cycle(SERVICE_TYPE="reprocess"))
    assert (len(rows(dao)), len(rows(dao, "asset_cycle_repro_tmp_vlx"))) == (2, 1)


def test_service_type(dao: PgsqlActionDAO, cycle: Cycle) -> None:
    """A record is found in the work table of its service type alone."""
    record = cycle(SERVICE_TYPE="reprocess", cycle_status="COMPLETE")
    dao.insert_new_data(record)
    record.SERVICE_TYPE = "realtime"
    assert dao.update_data(record, missing_ok=True) is False
    assert dao.delete_data(record) is False
    record.SERVICE_TYPE = "reprocess"
    assert dao.insert_new_final_cycle_data(record) == 1


def test_update_of_what_is_not_there(dao: PgsqlActionDAO, cycle: Cycle, checkpoint: Checkpoint) -> None:
    """A key that matches no row is an error, unless that is said to be fine; so is a key of another asset."""
    stored = cycle()
    dao.insert_new_data(stored)
    for record in (cycle(asset_cycle_vlx_id=99), cycle(asset_cycle_vlx_id=stored.id, asset_guid="other")):
        with pytest.raises(DataAccessError, match="no cycle"):
            dao.update_data(record)
        assert dao.update_data(record, missing_ok=True) is False
    missing = checkpoint(tx_process_info_id=99)
    with pytest.raises(DataAccessError, match="no checkpoint"):
        dao.update_data(missing)
    assert dao.update_data(missing, missing_ok=True) is False


def test_lost_updates(dao: PgsqlActionDAO, cycle: Cycle) -> None:
    """An update may be made only if the cycle was changed last at a known time."""
    record = cycle()
    dao.insert_new_data(record)
    known = record.updated_date
    record.updated_date = NOON
    assert dao.update_data(record, expected_updated_date=known.replace(tzinfo=None)) is True
    with pytest.raises(DataAccessError, match="changed meanwhile"):
        dao.update_data(record, expected_updated_date=known)


def test_checkpoints(dao: PgsqlActionDAO, checkpoint: Checkpoint) -> None:
    """A checkpoint is inserted, updated and deleted."""
    record = checkpoint(asset_type_guid="truck", current_latitude=1.5, current_longitude=2.5)
    dao.insert_new_data(record)
    record.process_date = NOON - timedelta(days=1)
    record.updated_date = NOON
    assert dao.update_data(record) is True
    assert [ProcessInfoRecord(**row) for row in rows(dao, "tx_process_info")] == [record]
    assert [dao.delete_data(record), dao.delete_data(record)] == [True, False]


def test_advance(dao: PgsqlActionDAO, checkpoint: Checkpoint) -> None:
    """A checkpoint is stored by asset and process, never goes back, and keeps what it is not given."""
    first = checkpoint(process_date=NOON, asset_type_guid="truck", current_latitude=1.5)
    assert dao.advance_checkpoint(first) is True
    assert first.id is not None
    for moment in (NOON, NOON - timedelta(seconds=1)):
        assert dao.advance_checkpoint(checkpoint(process_date=moment)) is False
    later = checkpoint(process_date=NOON + timedelta(seconds=1), site_guid="site-2", created_date=NOON)
    assert dao.advance_checkpoint(later) is True
    assert later.id == first.id
    [row] = rows(dao, "tx_process_info")
    assert (row["site_guid"], row["process_date"], row["updated_date"]) == ("site-2", later.process_date, NOON)
    assert (row["created_date"], row["asset_type_guid"], row["current_latitude"]) == (first.created_date, "truck", 1.5)


@pytest.mark.parametrize("status", ["COMPLETE", "INVALID", "OUTLIER"])
def test_archive_once(dao: PgsqlActionDAO, cycle: Cycle, refused: Refused, status: str) -> None:
    """A closed cycle is copied once, stays readable, and can be neither changed nor deleted any more."""
    record = cycle(cycle_status=status, cycle_end_utc=NOON)
    dao.insert_new_data(record)
    assert [dao.insert_new_final_cycle_data(record) for _ in range(3)] == [1, 0, 0]
    assert dao.insert_new_final_cycle_data([record, record]) == 0
    assert len(rows(dao, "asset_cycle_vlx")) == len(rows(dao)) == 1
    error = refused(lambda: dao.update_data(record), DataAccessError)
    assert "archived" in str(error)
    assert dao.delete_data(record) is False


def test_archive_what_is_open(dao: PgsqlActionDAO, cycle: Cycle, refused: Refused) -> None:
    """What is open, here or in the table, or not stored, is not archived, and nothing beside it."""
    record, closed = cycle(), cycle(cycle_number=2, cycle_status="COMPLETE")
    dao.insert_many([record, closed])
    refused(lambda: dao.insert_new_final_cycle_data(record))
    record.cycle_status = "COMPLETE"
    refused(lambda: dao.insert_new_final_cycle_data([closed, record]), DataAccessError)
    refused(
        lambda: dao.insert_new_final_cycle_data(cycle(asset_cycle_vlx_id=99, cycle_status="COMPLETE")), DataAccessError
    )
    assert rows(dao, "asset_cycle_vlx") == []
    assert dao.insert_new_final_cycle_data([]) == 0


def test_archive_with_its_update(dao: PgsqlActionDAO, cycle: Cycle) -> None:
    """Update and archive are one transaction, if that is wanted: after a rollback neither has happened."""
    record = cycle()
    dao.insert_new_data(record)
    with dao:
        record.cycle_status = "COMPLETE"
        dao.update_data(record)
        assert dao.insert_new_final_cycle_data(record) == 1
        dao.rollback()
    assert rows(dao, "asset_cycle_vlx") == []
    assert rows(dao)[0]["cycle_status"] == "INPROGRESS"
    assert record.id is not None


def test_archived_by_month(dao: PgsqlActionDAO, admin: Admin, cycle: Cycle, data: MiningDataLayer) -> None:
    """A cycle is archived in the month in which it ended; where there is no partition for it, health says so."""
    assert data.health().overall.reason is None
    now = datetime.now(UTC)
    batch = [cycle(cycle_number=1, cycle_status="COMPLETE", cycle_end_utc=now)]
    batch += [cycle(cycle_number=2, cycle_status="COMPLETE", updated_date=NOON.replace(year=2020))]
    dao.insert_many(batch)
    dao.insert_new_final_cycle_data(batch)
    found = admin.execute("SELECT tableoid::regclass::text FROM mining.final_cycles ORDER BY cycle_number").fetchall()
    assert found == [(f"mining.final_cycles_{now:%Y_%m}",), ("mining.final_cycles_default",)]
    assert "maintain" in str(data.health().overall.reason)


def test_what_was_left(dao: PgsqlActionDAO, cycle: Cycle) -> None:
    """Closed cycles that no service has archived are archived later, the oldest first, in portions."""
    dao.insert_many([cycle(cycle_number=number + 1, cycle_status="INVALID") for number in range(5)] + [cycle()])
    assert [
        dao.finalize_completed(2),
        dao.finalize_completed(2),
        dao.finalize_completed(),
        dao.finalize_completed(),
    ] == [
        2,
        2,
        1,
        0,
    ]
    assert len(rows(dao, "asset_cycle_vlx")) == 5


def test_metrics(dao: PgsqlActionDAO, cycle: Cycle) -> None:
    """Calls and errors are counted by method; pool and statements are those of the process."""
    dao.insert_new_data(cycle())
    with pytest.raises(StatementFailed):
        dao.insert_new_data(cycle())
    metrics = dao.get_metrics()
    assert metrics["operations"] == {"insert_new_data": {"count": 2, "errors": 1}}
    assert metrics["queries"]["mining.cycle_insert"]["count"] == 2
    assert metrics["pool"] == dao.get_pool_status()
    assert dao.health_check() is True


NO_RECORDS: Any = [None, 5, "cycle", {"asset_guid": "x"}, object(), CycleRecord]


def test_what_is_no_record(dao: PgsqlActionDAO, refused: Refused) -> None:
    """Something else than a record is refused by every method, before anything is sent."""
    methods: list[Callable[[Any], Any]] = [
        dao.insert_new_data,
        dao.insert_many,
        dao.update_data,
        dao.delete_data,
        dao.insert_new_final_cycle_data,
        dao.advance_checkpoint,
    ]
    for value in NO_RECORDS:
        for method in methods:
            refused(lambda method=method, value=value: method(value))
        refused(lambda value=value: dao.insert_many([value]))


def test_wrong_keys(dao: PgsqlActionDAO, cycle: Cycle, checkpoint: Checkpoint, refused: Refused) -> None:
    """A key where there must be none, and none where there must be one, is a ValueError that names the field."""
    with_key, without = cycle(asset_cycle_vlx_id=5, cycle_status="COMPLETE"), cycle(cycle_status="COMPLETE")
    for call in (
        lambda: dao.insert_new_data(with_key),
        lambda: dao.insert_many([without, with_key]),
        lambda: dao.update_data(without),
        lambda: dao.delete_data(without),
        lambda: dao.insert_new_final_cycle_data(without),
        without.get_update_values,
        lambda: dao.save_cycle_step(new=with_key),
        lambda: dao.save_cycle_step(updated=without),
    ):
        error = refused(call)
        assert isinstance(error, ValueError)
        assert getattr(error, "field", None) == "asset_cycle_vlx_id"
    refused(lambda: dao.insert_many([without, without]))
    refused(lambda: dao.save_cycle_step(initial=checkpoint()))  # type: ignore[arg-type]
    refused(lambda: dao.save_cycle_step(checkpoint=cycle()))  # type: ignore[arg-type]
    refused(lambda: dao.update_data(checkpoint(tx_process_info_id=1), expected_updated_date=NOON))
    error = refused(lambda: dao.insert_new_final_cycle_data(checkpoint()))  # type: ignore[arg-type]
    assert isinstance(error, AttributeError)


WRONG_LIMITS: Any = [0, -1, 100_001, "5", True, None, 2**70]


def test_wrong_limits(dao: PgsqlActionDAO, refused: Refused) -> None:
    """A limit is a whole number in its range."""
    for limit in WRONG_LIMITS:
        refused(lambda limit=limit: dao.finalize_completed(limit))


def test_too_many_records(dao: PgsqlActionDAO, cycle: Cycle, refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch has its limit, and an endless one is not read to its end."""
    monkeypatch.setattr(pgsql_action_dao, "MAX_BATCH", 3)
    refused(lambda: dao.insert_many(cycle() for _ in iter(int, 1)))
    assert cycles.MAX_BATCH == 1_000_000
