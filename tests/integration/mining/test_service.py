"""The flow of the service that the access objects are for, call by call as it makes them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
import redis

from surf_data import mining
from surf_data.mining import (
    CYCLES_FOR_FINAL_TABLE,
    CycleRecord,
    MiningDataLayer,
    PgsqlActionDAO,
    ProcessInfoRecord,
    RedisSourceDAO,
    get_loaders_from_process_info_query,
)

Admin = psycopg.Connection[Any]

PROCESS = "asset_cycle_vlx"
TRUCK = "truck-HAU-001-SITE-456"
# Stream timestamps are parsed to UTC without a zone.
START = datetime(2025, 7, 16, 12, 49, 37)  # noqa: DTZ001 - that is how they come


class Service:
    """What the service does with each record of a truck; its access objects live outside ``with``."""

    def __init__(self, data: MiningDataLayer) -> None:
        self.pgsql = PgsqlActionDAO(data)
        self.redis = RedisSourceDAO(data)

    def site(self, asset_guid: str) -> str:
        """Return the site of an asset: from Redis, else from its row."""
        if found := self.redis.get_asset_site(asset_guid):
            return found
        rows = self.pgsql.pull_data_from_table(
            single_query={
                "table": "asset",
                "target_columns": ["guid AS asset_guid", "site_guid"],
                "target_filter": f"guid = '{asset_guid}'",
                "target_limit": "1",
            }
        )
        assert rows is not None
        return str(rows[0]["site_guid"])

    def is_known(self, asset_guid: str, site_guid: str, moment: datetime) -> bool:
        """Return whether a record as late as this one was processed."""
        return (
            self.pgsql.pull_data_from_table(
                single_query={
                    "table": "tx_process_info",
                    "target_filter": f"asset_guid = '{asset_guid}' AND site_guid = '{site_guid}' AND"
                    f" process_name = '{PROCESS}' AND process_date >= '{moment}'",
                    "target_limit": 1,
                }
            )
            is not None
        )

    def last_cycle(self, asset_guid: str, site_guid: str) -> CycleRecord | None:
        """Return the last open cycle."""
        rows = self.pgsql.pull_data_from_table(
            single_query={
                "table": CycleRecord.TABLE_NAME,
                "target_filter": f"asset_guid = '{asset_guid}' AND site_guid = '{site_guid}' AND"
                " cycle_status = 'INPROGRESS' ",
                "target_order": "cycle_number DESC",
                "target_limit": 1,
            }
        )
        return CycleRecord(**rows[0]) if rows else None

    def process(self, asset_guid: str, moment: datetime, status: str | None) -> None:
        """Process a record that ends the last cycle with ``status``, or goes on with it."""
        site = self.site(asset_guid)
        if self.is_known(asset_guid, site, moment):
            return
        last = self.last_cycle(asset_guid, site)
        loaders = self.pgsql.pull_data_from_table(
            custom_query={"query": get_loaders_from_process_info_query(), "params": [site]}
        )
        dumps = self.redis.get_site_regions(site, "dump")
        assert loaders is not None
        assert dumps is not None
        if last is None:
            self.pgsql.insert_new_data(self.cycle(asset_guid, site, 1, moment))
        elif status is None:
            last.load_start_utc, last.updated_date = moment, moment
            last.loader_asset_guid, last.dump_region_guid = loaders[0]["asset_guid"], dumps[0]["region_guid"]
            self.pgsql.update_data(last)
        else:
            last.cycle_status, last.cycle_end_utc, last.updated_date = status, moment, moment
            self.pgsql.update_data(last)
            if last.cycle_status in CYCLES_FOR_FINAL_TABLE:
                self.pgsql.insert_new_final_cycle_data(last)
            self.pgsql.insert_new_data(self.cycle(asset_guid, site, last.cycle_number + 1, moment))
        self.checkpoint(asset_guid, site, moment)

    def checkpoint(self, asset_guid: str, site: str, moment: datetime) -> None:
        """Note how far the service has come: read, then insert or update."""
        rows = self.pgsql.pull_data_from_table(
            single_query={
                "table": "tx_process_info",
                "target_filter": f"asset_guid = '{asset_guid}' AND process_name = '{PROCESS}'",
                "target_order": "process_date DESC",
                "target_limit": 1,
            }
        )
        if rows:
            record = ProcessInfoRecord(**rows[0])
            record.process_date, record.updated_date = moment, moment
            self.pgsql.update_data(record)
            return
        self.pgsql.insert_new_data(
            ProcessInfoRecord(
                asset_guid=asset_guid,
                site_guid=site,
                process_name=PROCESS,
                process_date=moment,
                created_date=moment,
                updated_date=moment,
            )
        )

    @staticmethod
    def cycle(asset_guid: str, site: str, number: int, moment: datetime) -> CycleRecord:
        """Return a new cycle."""
        return CycleRecord(
            asset_guid=asset_guid,
            cycle_number=number,
            cycle_status="INPROGRESS",
            site_guid=site,
            current_work_state_id=3,
            created_date=moment,
            updated_date=moment,
        )


@pytest.mark.parametrize("known_to_redis", [True, False])
def test_the_flow(data: MiningDataLayer, admin: Admin, redis_url: str, *, known_to_redis: bool) -> None:
    """Records of a truck become cycles, each archived once with its status, while connections come and go."""
    admin.execute(
        "INSERT INTO mining.asset_master VALUES (%s, 'site-456', 'truck'), ('loader-1', 'site-456', 'loader')", (TRUCK,)
    )
    data.checkpoints.insert(
        ProcessInfoRecord(
            asset_guid="loader-1",
            site_guid="site-456",
            process_name="asset_idle_vlx",
            process_date=START,
            created_date=START,
            asset_type_guid="loader",
            current_latitude=31.1,
            current_longitude=34.7,
        )
    )
    region = {"region_guid": "dump-1", "region_name": "North", "region_type": "DUMP", "region_points": "1 2, 3 4"}
    with redis.Redis.from_url(redis_url) as client:
        client.hset("site:site-456:regions", "north", json.dumps(region))
        if known_to_redis:
            client.sadd(f"asset:{TRUCK}:regions", "r")
            client.hset("region:r", mapping={"site_guid": "site-456", "created_date": "2025-07-01"})
    service = Service(data)
    statuses = [None, None, "COMPLETE", None, "INVALID", "OUTLIER", None]
    for number, status in enumerate(statuses):
        moment = START + timedelta(seconds=20 * number)
        # The second time it is known, and nothing happens.
        for _ in range(2):
            service.process(TRUCK, moment, status)
        admin.execute("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE usename = 'mining_service'")

    dao = service.pgsql
    final = dao.pull_data_from_table(single_query={"table": "asset_cycle_vlx", "target_order": "cycle_number"})
    assert final is not None
    assert [(row["cycle_number"], row["cycle_status"]) for row in final] == [
        (1, "COMPLETE"),
        (2, "INVALID"),
        (3, "OUTLIER"),
    ]
    assert final[0]["cycle_end_utc"] == (START + timedelta(seconds=40)).replace(tzinfo=UTC)
    assert (final[0]["loader_asset_guid"], final[0]["dump_region_guid"]) == ("loader-1", "dump-1")
    last = service.last_cycle(TRUCK, "site-456")
    assert last is not None
    assert (last.cycle_number, last.load_start_utc) == (4, (START + timedelta(seconds=120)).replace(tzinfo=UTC))
    checkpoints = dao.pull_data_from_table(
        single_query={"table": "tx_process_info", "target_filter": f"asset_guid = '{TRUCK}'"}
    )
    assert checkpoints is not None
    assert [row["process_date"] for row in checkpoints] == [last.load_start_utc]
    mining.close_all_connections()
