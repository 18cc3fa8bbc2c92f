"""The mining domain's part of ``surf-data demo``: one step of the cycle service, from reading to archiving."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

from rich.console import Console, RenderableType
from rich.text import Text

from surf_data.cli import tables
from surf_data.errors import ValidationError
from surf_data.mining import CycleRecord, MiningDataLayer, PgsqlActionDAO, ProcessInfoRecord, RedisSourceDAO, RegionData

_ASSET, _SITE = "truck-123", "site-456"
_POINTS = "34.80 31.20, 34.83 31.20, 34.83 31.22, 34.80 31.20"


def story(data: MiningDataLayer, console: Console) -> None:
    """Show a step of the cycle service on a migrated database with the sample mine.

    Arguments:
        data: the data layer, on servers that may be written to.
        console: where it is shown.
    """
    dao = PgsqlActionDAO(data)
    _regions(data, console)
    _read(dao, console)
    _step(dao, console)
    _refusal(dao, console)


def _regions(data: MiningDataLayer, console: Console) -> None:
    source = RedisSourceDAO(data, layout="versioned")
    for version, day in enumerate(("2026-01-05", "2026-06-05"), start=1):
        region = RegionData("region-dump-north", _POINTS, day, "client-7", _SITE)
        source.put_region(_ASSET, region, version)
    found = source.pull_region_based_asset(_ASSET) or []
    tables.section(
        console,
        "Regions from Redis",
        "Each version is written atomically; the newest one is read without the others.",
        [_table(found, "region_guid", "created_date", "version")],
    )


def _read(dao: PgsqlActionDAO, console: Console) -> None:
    rows = dao.pull_data_from_table(
        single_query={
            "table": "asset_cycles",
            "target_columns": ["asset_guid", "cycle_number AS number", "cycle_status", "created_date"],
            "target_filter": "cycle_status = 'INPROGRESS' AND site_guid = %s",
            "target_params": [_SITE],
            "target_order": "created_date DESC",
        }
    )
    tables.section(
        console,
        "Open cycles of a site",
        "Columns are checked against the catalogue and values are bound: no text of a caller becomes SQL.",
        [_table(rows or [], "asset_guid", "number", "cycle_status", "created_date")],
    )


def _step(dao: PgsqlActionDAO, console: Console) -> None:
    state = dao.cycle_state(_ASSET, _SITE)
    now = datetime(2026, 11, 2, 6, 2, tzinfo=UTC)
    # The sample mine has one.
    last = cast("CycleRecord", state.cycle)
    last.cycle_status, last.cycle_end_utc, last.updated_date = "COMPLETE", now, now
    following = CycleRecord(
        asset_guid=_ASSET,
        site_guid=_SITE,
        cycle_number=last.cycle_number + 1,
        cycle_status="INPROGRESS",
        current_work_state_id=3,
        created_date=now,
        updated_date=now,
    )
    checkpoint = ProcessInfoRecord(
        asset_guid=_ASSET, site_guid=_SITE, process_name="asset_cycle_vlx", process_date=now, created_date=now
    )
    outcome = dao.save_cycle_step(updated=last, new=following, checkpoint=checkpoint)
    rows = dao.pull_data_from_table(single_query={"table": "asset_cycle_vlx"}) or []
    tables.section(
        console,
        "A step of the cycle service",
        f"Read in one round trip ({len(state.loaders)} loaders), written in one transaction: the last cycle closed and "
        f"archived ({outcome.archived}), the next one opened, the checkpoint advanced ({outcome.advanced}).",
        [_table(rows, "asset_guid", "cycle_number", "cycle_status", "cycle_end_utc")],
    )


def _refusal(dao: PgsqlActionDAO, console: Console) -> None:
    answers: list[str] = []
    try:
        dao.pull_data_from_table(
            single_query={"table": "asset_cycles", "target_filter": "asset_guid = 'x' OR 1 = 1; DROP TABLE cycles"}
        )
    except ValidationError as error:
        answers.append(str(error))
    tables.section(
        console, "What is refused", "It says where, is never sent, and not repeated anywhere.", [Text(*answers)]
    )


def _table(rows: Sequence[dict[str, Any]], *columns: str) -> RenderableType:
    return tables.table(
        *columns,
        rows=[
            [tables.moment(row[name]) if isinstance(row[name], datetime) else str(row[name]) for name in columns]
            for row in rows
        ],
    )
