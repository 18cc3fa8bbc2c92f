"""What the mining services do with surf_data, on the database that SURF_DATA_DATABASE_URL names.

See the lamps' scenario: it leaves rows of its own behind and minds no others.
"""

from datetime import UTC, datetime
from uuid import uuid4

from surf_data import mining
from surf_data.mining import CycleRecord, ProcessInfoRecord


def main() -> None:
    """Fail with an exception where something does not work."""
    truck, now = f"truck-{uuid4()}", datetime.now(UTC)
    facts = {"asset_guid": truck, "site_guid": "site-456", "current_work_state_id": 3, "created_date": now}
    checkpoint = ProcessInfoRecord(
        asset_guid=truck, site_guid="site-456", process_name="asset_cycle_vlx", process_date=now, created_date=now
    )
    with mining.open(pool_min_size=1) as data:
        data.maintain()
        first, second = (
            CycleRecord(**facts, cycle_number=number, cycle_status="INPROGRESS", updated_date=now) for number in (1, 2)
        )
        assert data.steps.state(truck, "site-456").cycle is None
        with data.transaction() as transaction:
            assert transaction.steps.save(initial=first, checkpoint=checkpoint).advanced
        first.cycle_status, first.cycle_end_utc = "COMPLETE", now
        with data.transaction() as transaction:
            assert transaction.steps.save(updated=first, new=second).archived
        others = [
            CycleRecord(**facts, cycle_number=number, cycle_status="COMPLETE", updated_date=now) for number in (3, 4)
        ]
        assert len(data.cycles.insert_many(others)) == 2
        assert data.cycles.archive(others[:1]) == 1
        assert data.cycles.archive_waiting() >= 1
        state = data.steps.state(truck, "site-456")
        assert state.cycle is not None
        assert state.checkpoint is not None
        for table, number in (("asset_cycles", 4), ("asset_cycle_vlx", 3), ("tx_process_info", 1)):
            query = {"table": table, "target_filter": "asset_guid = %s", "target_params": [truck]}
            assert len(data.tables.pull(query) or ()) == number, table
        assert data.cycles.delete(second)


if __name__ == "__main__":
    main()
