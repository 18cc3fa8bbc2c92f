"""Table queries: what they read, and what is refused before anything is sent."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from surf_data import SurfDataError, ValidationError, mining
from surf_data.mining import (
    CycleRecord,
    DataAccessError,
    MiningDataLayer,
    PgsqlActionDAO,
    PgsqlConnectionError,
    QueryParams,
    TableAccessDenied,
    table_query,
)

Admin = psycopg.Connection[Any]
Cycle = Callable[..., CycleRecord]
Refused = Callable[..., SurfDataError]

# Without a zone, as callers have it: it means UTC.
MONDAY = datetime(2026, 11, 2, 6)  # noqa: DTZ001 - see above


@pytest.fixture
def fleet(data: MiningDataLayer, cycle: Cycle) -> list[CycleRecord]:
    """Store three cycles of two trucks."""
    cycles = [
        cycle(cycle_number=1, cycle_status="COMPLETE", load_seconds=10.5, is_outlier=False),
        cycle(cycle_number=2),
        cycle(asset_guid="it's", cycle_number=1, site_guid="site-2"),
    ]
    data.cycles.insert_many(cycles)
    return cycles


def pulled(dao: PgsqlActionDAO, **query: Any) -> Any:
    """Return the rows of a single_query over the cycles, the columns joined where there are few."""
    return dao.pull_data_from_table(single_query={"table": "asset_cycle_tmp_vlx", **query})


def test_all_columns(dao: PgsqlActionDAO, fleet: list[CycleRecord]) -> None:
    """Without columns all come, as the record has them, with times in UTC."""
    rows = pulled(dao, target_order="asset_cycle_vlx_id")
    assert [CycleRecord(**row) for row in rows] == fleet
    assert rows[0]["created_date"].utcoffset() == timedelta(0)
    assert list(rows[0]) == ["asset_cycle_vlx_id", *CycleRecord.get_column_names()]


@pytest.mark.parametrize("columns", [["guid AS asset_guid", "site_guid"], "guid as asset_guid , SITE_GUID"])
def test_columns_and_aliases(dao: PgsqlActionDAO, admin: Admin, columns: Any) -> None:
    """Columns come in the order of the query, under their aliases."""
    admin.execute("INSERT INTO mining.asset_master (guid, site_guid) VALUES ('truck-1', 'site-1')")
    rows = dao.pull_data_from_table(single_query={"table": "ASSET", "target_columns": columns})
    assert rows == [{"asset_guid": "truck-1", "site_guid": "site-1"}]


def test_synonyms_come_when_named(dao: PgsqlActionDAO, fleet: list[CycleRecord]) -> None:
    """A second name of a column comes only when it is asked for, so that a row makes a record."""
    query = {"table": "dx.asset_cycles", "target_filter": "status = 'COMPLETE'"}
    [row] = dao.pull_data_from_table(single_query=query) or []
    assert CycleRecord(**row) == fleet[0]
    assert dao.pull_data_from_table(single_query={**query, "target_columns": ["status"]}) == [{"status": "COMPLETE"}]


FILTERS: Any = [
    ("cycle_number = 2 ", None, [2]),
    ("asset_guid = 'it''s'", [], [1]),
    ("asset_guid = %s AND cycle_number IN (%s, %s)", ["truck-1", 1, 7], [1]),
    ("created_date >= %s AND load_seconds > %s", [MONDAY, 10], [1]),
    ("is_outlier = %s OR cycle_number BETWEEN %s AND %s", [False, 2, 2], [1, 2]),
    ("created_date = '2026-11-02 06:00:00' AND NOT (cycle_number = 1)", None, [2]),
    ("asset_guid LIKE %s AND cycle_status NOT IN ('COMPLETE')", ("truck-%",), [2]),
    ("created_date < '2026-11-02 08:00:00+02:00'", None, None),
    ("cycle_end_utc IS NOT NULL", None, None),
    ("  ", None, [1, 1, 2]),
    (None, None, [1, 1, 2]),
]


def test_filters(dao: PgsqlActionDAO, fleet: list[CycleRecord]) -> None:
    """A filter selects as PostgreSQL would; no row is None."""
    for condition, values, numbers in FILTERS:
        rows = pulled(
            dao,
            target_columns=["cycle_number"],
            target_filter=condition,
            target_params=values,
            target_order="cycle_number ASC NULLS LAST, asset_cycle_vlx_id DESC",
        )
        assert rows == (None if numbers is None else [{"cycle_number": number} for number in numbers]), condition


def test_numeric_and_boolean_columns(dao: PgsqlActionDAO, admin: Admin, refused: Refused) -> None:
    """A numeric column is compared exactly, with a literal, a Decimal or a number."""
    admin.execute(
        "INSERT INTO mining.regions (guid, site_guid, fence_area, created_date, is_deleted)"
        " VALUES ('r', 's', 0.1, now(), false)"
    )
    for condition, values in (
        ("fence_area = 0.1 AND is_deleted = FALSE", None),
        ("fence_area = %s", [Decimal("0.10")]),
        ("fence_area = %s", [0.1]),
        ("fence_area IN (%s, %s)", [Decimal("0.1"), 5]),
    ):
        rows = dao.pull_data_from_table(
            single_query={
                "table": "region",
                "target_columns": ["fence_area"],
                "target_filter": condition,
                "target_params": values,
            }
        )
        assert rows == [{"fence_area": Decimal("0.1")}]
    for values in (["0.1"], [Decimal("NaN")], [True]):
        query = {"table": "region", "target_filter": "fence_area = %s", "target_params": values}
        refused(lambda query=query: dao.pull_data_from_table(single_query=query))
    refused(lambda: dao.pull_data_from_table(single_query={"table": "region", "target_filter": "fence_area = '1'"}))


def test_no_right_any_more(dao: PgsqlActionDAO, admin: Admin) -> None:
    """What the server refuses is an error with its SQLSTATE."""
    dao.pull_data_from_table(single_query={"table": "asset"})
    admin.execute("REVOKE SELECT ON dx.asset FROM surf_mining_app")
    with pytest.raises(PgsqlConnectionError) as caught:
        dao.pull_data_from_table(single_query={"table": "asset"})
    assert caught.value.sqlstate == "42501"


LIMITS: Any = [(1, 1), ("1", 1), (" 2 ", 2), (0, 3), ("0", 3), (None, 3), (1_000_000, 3)]


def test_limits(dao: PgsqlActionDAO, fleet: list[CycleRecord]) -> None:
    """A limit is a number or its digits; 0 and None are none."""
    for limit, count in LIMITS:
        assert len(pulled(dao, target_limit=limit)) == count


def test_order(dao: PgsqlActionDAO, fleet: list[CycleRecord]) -> None:
    """An order is text or a list."""
    expected = pulled(dao, target_order="cycle_number DESC, asset_guid")
    assert [row["cycle_number"] for row in expected] == [2, 1, 1]
    assert pulled(dao, target_order=["cycle_number desc", "asset_guid ASC"]) == expected
    assert len(pulled(dao, target_order="")) == 3


def test_too_many_rows(dao: PgsqlActionDAO, fleet: list[CycleRecord], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a limit, more rows than are allowed are an error, never a silent cut."""
    monkeypatch.setattr(table_query, "MAX_ROWS", 2)
    with pytest.raises(DataAccessError, match="more than 2 rows"):
        pulled(dao)
    assert len(pulled(dao, target_limit=3)) == 3
    assert len(list(dao.iterate_table({"table": "asset_cycles"}))) == 3


def test_iterate(dao: PgsqlActionDAO, fleet: list[CycleRecord]) -> None:
    """Rows come one by one, also within a transaction, and only as many as the limit says."""
    query = {"table": "asset_cycles", "target_columns": ["cycle_number"], "target_order": "cycle_number"}
    assert [row["cycle_number"] for row in dao.iterate_table(query, batch_size=2)] == [1, 1, 2]
    assert [row["cycle_number"] for row in dao.iterate_table({**query, "target_limit": 1})] == [1]
    with dao:
        dao.update_data(fleet[1])
        assert len(list(dao.iterate_table(query))) == 3


def test_query_params(dao: PgsqlActionDAO, fleet: list[CycleRecord]) -> None:
    """The object that callers know is read as a dictionary is."""
    rows = dao.pull_data_from_table(
        single_query=QueryParams("asset_cycles", ["cycle_number"], "cycle_number = 2", 1, "cycle_number DESC")
    )
    assert rows == [{"cycle_number": 2}]
    # An empty dictionary counts as not given.
    assert dao.pull_data_from_table({}, QueryParams("asset_cycles", limit="2")) is not None


UNKNOWN: Any = ["users", "x; DROP TABLE y", "mining.asset_cycles", "pg_class", "dx.dx.asset"]


def test_unknown_table(dao: PgsqlActionDAO, refused: Refused) -> None:
    """A table that is not in ALLOWED_TABLES is refused as every handler of callers expects it."""
    for table in UNKNOWN:
        error = refused(lambda table=table: dao.pull_data_from_table(single_query={"table": table}), TableAccessDenied)
        assert isinstance(error, (PgsqlConnectionError, DataAccessError, ValueError))
        assert getattr(error, "field", None) == "table"
        assert table not in str(error)


def test_allowed_and_not_there(
    dao: PgsqlActionDAO, admin: Admin, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table in ALLOWED_TABLES can be read once a migration has created its view, and not before."""
    monkeypatch.setattr(table_query, "ALLOWED_TABLES", ["New_Table"])
    refused(lambda: dao.pull_data_from_table(single_query={"table": "new_table"}), TableAccessDenied)
    admin.execute('CREATE VIEW dx.new_table AS SELECT 1 AS one, point(1, 2) AS place, 2 AS "odd name"')
    admin.execute("GRANT SELECT ON dx.new_table TO surf_mining_app")
    assert dao.pull_data_from_table(single_query={"table": "new_table", "target_columns": "one"}) == [{"one": 1}]
    query = {"table": "new_table", "target_columns": "one", "target_filter": "place IS NOT NULL"}
    assert dao.pull_data_from_table(single_query=query) == [{"one": 1}]
    refused(lambda: dao.pull_data_from_table(single_query={**query, "target_filter": "place = 'x'"}))


def test_catalogue_changes(dao: PgsqlActionDAO, admin: Admin, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a column has gone, the call fails, and the next one knows."""
    monkeypatch.setattr(table_query, "ALLOWED_TABLES", ["new_table"])
    admin.execute("CREATE VIEW dx.new_table AS SELECT 1 AS one, 2 AS two")
    admin.execute("GRANT SELECT ON dx.new_table TO surf_mining_app")
    assert dao.pull_data_from_table(single_query={"table": "new_table"}) == [{"one": 1, "two": 2}]
    admin.execute("DROP VIEW dx.new_table; CREATE VIEW dx.new_table AS SELECT 1 AS one")
    admin.execute("GRANT SELECT ON dx.new_table TO surf_mining_app")
    with pytest.raises(PgsqlConnectionError) as caught:
        dao.pull_data_from_table(single_query={"table": "new_table"})
    assert caught.value.sqlstate == "42703"
    assert dao.pull_data_from_table(single_query={"table": "new_table"}) == [{"one": 1}]


REFUSED: Any = [
    ({"target_columns": ["nope"]}, "target_columns[0]"),
    ({"target_columns": ["asset_guid", "site_guid AS asset_guid"]}, "target_columns[1]"),
    ({"target_columns": ["count(*)"]}, "target_columns[0]"),
    ({"target_columns": ['asset_guid AS "x"']}, "target_columns[0]"),
    ({"target_columns": ["asset_guid AS " + "x" * 64]}, "target_columns[0]"),
    ({"target_columns": []}, "target_columns"),
    ({"target_columns": 5}, "target_columns"),
    ({"target_columns": [None]}, "target_columns"),
    ({"target_filter": 5}, "target_filter"),
    ({"target_filter": "nope = 1"}, "target_filter"),
    ({"target_filter": "cycle_number ~ 1"}, "target_filter"),
    ({"target_filter": "cycle_number LIKE '1'"}, "target_filter"),
    ({"target_filter": "asset_guid = 1"}, "target_filter.asset_guid (character 14)"),
    ({"target_filter": "asset_guid = NULL"}, "target_filter"),
    ({"target_filter": "cycle_number = 'x'"}, "target_filter.cycle_number (character 16)"),
    ({"target_filter": "cycle_number = 1.5"}, "target_filter.cycle_number (character 16)"),
    ({"target_filter": "load_seconds = 'x'"}, "target_filter.load_seconds (character 16)"),
    ({"target_filter": "is_outlier = 1"}, "target_filter.is_outlier (character 14)"),
    ({"target_filter": "created_date = 5"}, "target_filter.created_date (character 16)"),
    ({"target_filter": "created_date = 'x'"}, "target_filter.created_date (character 16)"),
    ({"target_filter": "cycle_number = 1 x"}, "target_filter"),
    ({"target_filter": "(" * 17 + "cycle_number = 1" + ")" * 17}, "target_filter"),
    ({"target_filter": "cycle_number = 1 AND " * 600}, "target_filter"),
    ({"target_filter": "cycle_number IN (" + "1," * 1_200 + "1)"}, "target_filter"),
    ({"target_filter": "cycle_number IN 1"}, "target_filter"),
    ({"target_filter": "asset_guid = 'x' OR 1=1"}, "target_filter"),
    ({"target_filter": "asset_guid = %s"}, "target_params"),
    ({"target_filter": "asset_guid = %s", "target_params": ["a", "b"]}, "target_params"),
    ({"target_filter": "asset_guid = %s", "target_params": "a"}, "target_params"),
    ({"target_filter": "asset_guid = %s", "target_params": [b"a"]}, "target_filter.asset_guid (character 14)"),
    ({"target_filter": "asset_guid = %s", "target_params": ["\0"]}, "target_filter.asset_guid (character 14)"),
    ({"target_filter": "cycle_number = %s", "target_params": [True]}, "target_filter.cycle_number (character 16)"),
    ({"target_filter": "cycle_number = %s", "target_params": [2**70]}, "target_filter.cycle_number (character 16)"),
    (
        {"target_filter": "load_seconds = %s", "target_params": [float("nan")]},
        "target_filter.load_seconds (character 16)",
    ),
    ({"target_params": ["a"]}, "target_params"),
    ({"target_limit": -1}, "target_limit"),
    ({"target_limit": "x"}, "target_limit"),
    ({"target_limit": 2**70}, "target_limit"),
    ({"target_limit": True}, "target_limit"),
    ({"target_limit": 1.0}, "target_limit"),
    ({"target_order": "nope"}, "target_order[0]"),
    ({"target_order": "cycle_number; DROP"}, "target_order[0]"),
    ({"target_order": ", ".join(["cycle_number"] * 9)}, "target_order"),
    ({"target_order": 5}, "target_order"),
    ({"limit": 5}, "limit"),
    ({"table": None}, "table"),
    ({"table": ["asset"]}, "table"),
]


def test_what_is_refused(dao: PgsqlActionDAO, data: MiningDataLayer, refused: Refused) -> None:
    """What is refused is named by its field, with the place in a filter, and nothing of it is sent."""
    dao.pull_data_from_table(single_query={"table": "asset_cycle_tmp_vlx"})
    before = data.database.get_pool_status()["queries_count"]
    for query, field in REFUSED:
        assert getattr(refused(lambda query=query: pulled(dao, **query)), "field", None) == field, query
    assert data.database.get_pool_status()["queries_count"] == before


NONE: Any = [None, {}, "asset_cycles", ["asset_cycles"], 5]


def test_no_query(dao: PgsqlActionDAO, refused: Refused) -> None:
    """Without a query, or with something else in its place, there is a ValidationError."""
    for query in NONE:
        refused(lambda query=query: dao.pull_data_from_table(single_query=query))


def test_nothing_of_a_refused_filter_is_repeated(
    dao: PgsqlActionDAO, refused: Refused, caplog: pytest.LogCaptureFixture
) -> None:
    """A refused filter is in no error and in no log, with its literals or without."""
    caplog.set_level("DEBUG")
    error = refused(lambda: pulled(dao, target_filter="asset_guid = 'hunter2' OR secret_column = 'hunter3'"))
    assert not {"hunter2", "hunter3", "secret_column"} & set(str(error).split("'"))
    assert "hunter" not in repr(vars(error)) + caplog.text
    assert not [record for record in caplog.records if "again" in record.msg]


def test_times_in_another_zone(data: MiningDataLayer, fleet: list[CycleRecord]) -> None:
    """Where a session has another time zone, as behind some poolers, times come in UTC all the same."""
    with data.transaction() as tx:
        tx.session._connection.execute("SET LOCAL timezone = 'Asia/Kolkata'")
        rows = tx.tables.pull({"table": "asset_cycles", "target_filter": "cycle_number = 2"})
    assert rows is not None
    assert rows[0]["created_date"] == fleet[1].created_date
    assert rows[0]["created_date"].tzinfo is UTC


def test_read_from_a_replica(mining_url: str, data: MiningDataLayer, fleet: list[CycleRecord]) -> None:
    """A table query that may be a little old is read from the replica, where there is one."""
    with mining.open(mining_url, replica_url=mining_url, pool_min_size=1) as opened:
        dao = PgsqlActionDAO(opened)
        dao.pull_data_from_table(single_query={"table": "asset_cycles"}, replica_ok=True)
        counts = opened.database.replica_statistics()
    assert sum(counts.values()) == 1


def test_validation_is_a_value_error() -> None:
    """What is refused is a ValueError, as callers expect."""
    assert issubclass(ValidationError, ValueError)


def test_a_query_that_is_asked_again_is_checked_again(
    dao: PgsqlActionDAO, fleet: list[CycleRecord], admin: Admin, refused: Refused
) -> None:
    """What was accepted before is looked up by its types, too, and a view that has changed is another one."""
    query = {"target_columns": ["asset_guid"], "target_filter": "cycle_number = 1", "target_limit": 1}
    assert pulled(dao, **query) == pulled(dao, **query)
    assert isinstance(refused(lambda: pulled(dao, **{**query, "target_limit": True})), ValidationError)
    assert isinstance(refused(lambda: pulled(dao, **{**query, "target_filter": {}})), ValidationError)
    assert len(pulled(dao, **{**query, "target_limit": "2"})) == 2
    admin.execute("ALTER VIEW dx.asset_cycle_tmp_vlx RENAME COLUMN asset_guid TO truck")
    with pytest.raises(PgsqlConnectionError):
        pulled(dao, **query)
    assert isinstance(refused(lambda: pulled(dao, **query)), ValidationError)
