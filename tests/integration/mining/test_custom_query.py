"""Custom queries: what is composed runs read-only, as a role that reads the views of ``dx`` and nothing else."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from surf_data import ConfigurationError, SurfDataError, ValidationError, mining
from surf_data.mining import (
    CustomQueryParams,
    CycleRecord,
    DataAccessError,
    MiningDataLayer,
    NamedQuery,
    PgsqlActionDAO,
    PgsqlConnectionError,
    custom_query,
    get_last_cycle_number_asset_query,
    get_loaders_from_asset_idle_query,
    get_loaders_from_process_info_query,
    get_regions_query,
)

Admin = psycopg.Connection[Any]
Cycle = Callable[..., CycleRecord]
Refused = Callable[..., SurfDataError]

HOSTILE = (
    "SELECT 1; DROP TABLE mining.asset_cycles",
    "SELECT 1;",
    "COMMIT",
    "ROLLBACK",
    "RESET ROLE",
    "SET ROLE surf_mining_app",
    "DROP TABLE mining.asset_cycles",
    "DELETE FROM mining.asset_cycles",
    "INSERT INTO mining.asset_cycles DEFAULT VALUES RETURNING 1",
    "UPDATE mining.asset_cycles SET cycle_number = 1",
    "MERGE INTO mining.asset_cycles AS a USING dx.asset AS b ON true WHEN MATCHED THEN DELETE",
    "WITH x AS (DELETE FROM mining.asset_cycles RETURNING 1) SELECT * FROM x",
    "SELECT * INTO x FROM dx.asset",
    "SELECT * FROM dx.asset FOR UPDATE",
    "EXPLAIN ANALYZE SELECT 1",
    "COPY dx.asset TO STDOUT",
    "DO $$ BEGIN END $$",
    "CALL x()",
    "SELECT set_config('role', 'none', true)",
    "SELECT pg_sleep(10)",
    'SELECT "pg_sleep"(10)',
    "SELECT pg_catalog.pg_sleep(10)",
    'SELECT U&"pg\\005Fsleep"(10)',
    "SELECT query_to_xml('SELECT 1', true, true, '')",
    "SELECT nextval('mining.asset_cycles_asset_cycle_vlx_id_seq')",
    "SELECT pg_advisory_lock(1)",
    "SELECT pg_advisory_xact_lock(1)",
    "SELECT my_function(1)",
    'SELECT "My""Function"(1)',
    "SELECT lo_import('/etc/passwd')",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT * FROM pg_authid",
    "SELECT * FROM pg_catalog.pg_class",
    "SELECT * FROM information_schema.tables",
    'SELECT * FROM "information_schema"."tables"',
    "SELECT $1::int",
    "SELECT $$a$$",
    "SELECT 'open",
    'SELECT "open',
    "SELECT 1 /* ; */ ; SELECT 2",
    "SELECT dblink('x', 'y')",
    "SELECT random()",
    "LISTEN x",
    "",
)

ORDINARY = (
    "SELECT 1 AS one",
    "SELECT count(*) AS n FROM dx.asset WHERE guid IN ('a', 'b')",
    "SELECT max(cycle_number) AS n FROM asset_cycles",
    "SELECT coalesce(lower('A'), 'b') AS x, (1 + 2) * 3 AS y",
    "WITH x AS (SELECT 1 AS a), y AS MATERIALIZED (SELECT a FROM x) SELECT a FROM y",
    "WITH RECURSIVE x (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM x WHERE n < 3) SELECT sum(n) AS n FROM x",
    "SELECT guid FROM dx.asset WHERE EXISTS (SELECT 1 FROM dx.region) UNION (SELECT 'x')",
    "SELECT row_number() OVER (PARTITION BY guid ORDER BY guid) AS n FROM dx.asset UNION ALL SELECT 1",
    "SELECT count(*) FILTER (WHERE true) AS n FROM dx.asset",
    "SELECT CASE WHEN (1 = 1) THEN (2) ELSE (3) END AS x",
    "SELECT t.a FROM (VALUES (1), (2)) AS t (a) WHERE NOT (t.a = 3) AND (t.a BETWEEN (0) AND (5))",
    "SELECT x FROM unnest(ARRAY[1, 2]) WITH ORDINALITY AS u (x, n)",
    "SELECT x FROM generate_series(1, 3) AS x",
    "SELECT CAST('1' AS numeric(5, 2)) AS x, '2026-01-01'::timestamptz(3) AS y",
    "SELECT extract(EPOCH FROM interval '1 day') AS x",
    "SELECT to_char(CURRENT_TIMESTAMP, 'YYYY') AS year, CURRENT_DATE AS today",
    "SELECT a.guid FROM dx.asset AS a JOIN dx.region AS r USING (site_guid) UNION SELECT 'x'",
    "SELECT 'semicolon ; and $ and \" in a text' AS x",
    "SELECT E'it\\'s' AS x",
    "VALUES (1), (2)",
    "TABLE dx.asset",
    "(SELECT 1 AS a) UNION ALL (SELECT 2)",
    "SELECT array_agg(g ORDER BY g) AS x FROM generate_series(1, 2) AS g",
)


def run(dao: PgsqlActionDAO, text: str, params: Any = None) -> Any:
    """Return what a composed query gives."""
    query = sql.SQL(text)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    return dao.pull_data_from_table(custom_query={"query": query, "params": params})


def test_hostile(dao: PgsqlActionDAO, data: MiningDataLayer, refused: Refused) -> None:
    """What does more than to read what it may is refused, and nothing of it is sent."""
    before = data.database.get_pool_status()["queries_count"]
    fields = {text: getattr(refused(lambda text=text: run(dao, text)), "field", None) for text in HOSTILE}
    assert fields == dict.fromkeys(HOSTILE, "custom_query.query")
    assert data.database.get_pool_status()["queries_count"] == before


def test_ordinary(dao: PgsqlActionDAO) -> None:
    """What reads is run."""
    for text in ORDINARY:
        assert run(dao, text) is None or isinstance(run(dao, text), list)


def test_only_views(dao: PgsqlActionDAO, data: MiningDataLayer) -> None:
    """The tables behind the views cannot be read, whatever passes the checks; and the next call is as ever."""
    with pytest.raises(PgsqlConnectionError) as caught:
        run(dao, "SELECT 1 FROM mining.asset_cycles")
    assert caught.value.sqlstate == "42501"
    with data.database.connection() as session:
        [row] = session._connection.execute(
            "SELECT current_user, current_setting('transaction_read_only'), current_setting('search_path')"
        ).fetchall()
    assert row == ("mining_service", "off", '"$user", public')


def test_read_only_by_the_server(dao: PgsqlActionDAO, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were the checks of the text passed by, the server would refuse to write all the same."""
    monkeypatch.setattr(custom_query, "_check_statement", lambda _code: None)
    for text in ("UPDATE dx.asset SET site_guid = 'x' WHERE guid = 'none'", "SELECT 1; SELECT 2"):
        with pytest.raises(PgsqlConnectionError):
            run(dao, text)


def test_within_a_transaction(dao: PgsqlActionDAO, cycle: Cycle) -> None:
    """What the transaction has written is seen, and writing goes on behind it."""
    with dao:
        dao.insert_new_data(cycle())
        assert run(dao, "SELECT count(*) AS n FROM asset_cycles") == [{"n": 1}]
        dao.insert_new_data(cycle(cycle_number=2))
        with pytest.raises(PgsqlConnectionError):
            run(dao, "SELECT 1 / 0 AS x")
    assert run(dao, "SELECT count(*) AS n FROM asset_cycles") == [{"n": 2}]


BOUND: Any = [
    ("SELECT %s::text AS a, %s::int8 AS b", ["x", 5], [{"a": "x", "b": 5}]),
    ("SELECT %(a)s::text AS a, %(a)s::text AS b", {"a": "x"}, [{"a": "x", "b": "x"}]),
    ("SELECT 'a%%' AS a WHERE 'ab' LIKE 'a%%' AND %s", (True,), [{"a": "a%"}]),
    ("SELECT 'a%' AS a WHERE 'ab' LIKE 'a%'", [], [{"a": "a%"}]),
    ("SELECT 'a%' AS a", None, [{"a": "a%"}]),
    ("SELECT x FROM unnest(%s::int8[]) AS x", [[1, 2]], [{"x": 1}, {"x": 2}]),
    (
        "SELECT %s::timestamptz AS a",
        [datetime(2026, 11, 2, 6)],  # noqa: DTZ001 - without a zone it means UTC
        [{"a": datetime(2026, 11, 2, 6, tzinfo=UTC)}],
    ),
    (
        "SELECT %s::numeric AS a, %s::date AS b",
        [Decimal("1.5"), date(2026, 1, 1)],
        [{"a": Decimal("1.5"), "b": date(2026, 1, 1)}],
    ),
    ("SELECT %s::uuid IS NULL AS a, %s::float8 AS b", [None, 1.5], [{"a": True, "b": 1.5}]),
    ("SELECT %s::uuid AS a", [UUID(int=7)], [{"a": UUID(int=7)}]),
    ("SELECT 1 AS a WHERE false", None, None),
]


def test_parameters(dao: PgsqlActionDAO) -> None:
    """Values are bound in order or by name; without any, a % is a %; no row is None."""
    for text, params, rows in BOUND:
        assert run(dao, text, params) == rows, text


UNBOUND: Any = [
    ("SELECT %s", ["a", "b"]),
    ("SELECT %s, %s", ["a"]),
    ("SELECT %(a)s", ["a"]),
    ("SELECT %(a)s", {"b": 1}),
    ("SELECT %s", {"b": 1}),
    ("SELECT %s", "a"),
    ("SELECT %s", 5),
    ("SELECT %s", [object()]),
    ("SELECT %s", [["\0"]]),
    ("SELECT %s", ["\ud800"]),
    ("SELECT %s", [2**70]),
    ("SELECT %(a)s", {"a": b"bytes"}),
    ("SELECT %(a)s", {5: 1}),
]


def test_wrong_parameters(dao: PgsqlActionDAO, refused: Refused) -> None:
    """Values that are not those of the placeholders, or cannot be bound, are refused."""
    for text, params in UNBOUND:
        error = refused(lambda text=text, params=params: run(dao, text, params))
        assert str(getattr(error, "field", "")).startswith("custom_query.params"), text


class _Foreign:
    """An object of psycopg2, as far as it can be told from its module."""


_Foreign.__module__ = "psycopg2.sql"


WRONG: Any = (
    "SELECT 1",
    b"SELECT 1",
    5,
    None,
    _Foreign(),
    sql.Literal(1),
    sql.SQL("SELECT {}").format(sql.Literal(object())),
    sql.SQL("SELECT 1\0"),
)


def test_wrong_objects(dao: PgsqlActionDAO, refused: Refused) -> None:
    """A text, an object of psycopg2, or what cannot be composed, is refused with what to do instead."""
    for query in WRONG:
        error = refused(lambda query=query: dao.pull_data_from_table(custom_query={"query": query}))
        assert ("psycopg2" in str(error)) == isinstance(query, _Foreign)


def test_composed_of_names_and_literals(dao: PgsqlActionDAO, cycle: Cycle) -> None:
    """Identifiers and literals are quoted as they should be."""
    dao.insert_new_data(cycle(asset_guid='it\'s \\ "x" ; -- $$ %'))
    query = sql.SQL("SELECT {column} FROM {table} WHERE {column} = {value}").format(
        column=sql.Identifier("asset_guid"),
        table=sql.Identifier("dx", "asset_cycles"),
        value=sql.Literal('it\'s \\ "x" ; -- $$ %'),
    )
    rows = dao.pull_data_from_table(CustomQueryParams(query))
    assert rows == [{"asset_guid": 'it\'s \\ "x" ; -- $$ %'}]


def test_results_that_make_no_dictionary(dao: PgsqlActionDAO, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two columns of one name, and too many rows, are an error."""
    with pytest.raises(DataAccessError, match="same name"):
        run(dao, "SELECT 1 AS a, 2 AS a")
    monkeypatch.setattr(custom_query, "MAX_ROWS", 2)
    with pytest.raises(DataAccessError, match="LIMIT"):
        run(dao, "SELECT x FROM generate_series(1, 3) AS x")


def test_switched_off(mining_url: str) -> None:
    """The setting refuses composed queries, and leaves named ones."""
    with mining.open(mining_url, custom_queries="off", pool_min_size=1) as opened:
        dao = PgsqlActionDAO(opened)
        with pytest.raises(ConfigurationError):
            run(dao, "SELECT 1")
        assert dao.pull_data_from_table({"query": get_regions_query(), "params": ["x"]}) is None


def test_both(dao: PgsqlActionDAO) -> None:
    """Of two queries the custom one counts; unknown keys are refused."""
    query = {"query": sql.SQL("SELECT 1 AS a")}
    assert dao.pull_data_from_table(query, {"table": "asset"}) == [{"a": 1}]
    with pytest.raises(ValidationError):
        dao.pull_data_from_table({**query, "parameters": []})


@pytest.fixture
def mine(admin: Admin) -> None:
    """Store a mine with loaders, regions and archived cycles."""
    admin.execute(
        "INSERT INTO mining.asset_master VALUES ('l1', 's', 'loader'), ('l2', 's', 'loader'), ('t1', 's', 'truck');"
        "INSERT INTO mining.process_checkpoints (asset_guid, site_guid, process_name, process_date, created_date,"
        " asset_type_guid, current_latitude, current_longitude)"
        " VALUES ('l1', 's', 'asset_idle_vlx', now(), now(), 'loader', 1.5, 2.5),"
        " ('l2', 's', 'asset_idle_vlx', now(), now(), 'loader', 1.5, NULL),"
        " ('t1', 's', 'asset_idle_vlx', now(), now(), 'truck', 1.5, 2.5);"
        "INSERT INTO mining.idle_states (asset_guid, start_state_utc, end_state_utc, end_location_latitude,"
        " end_location_longitude) VALUES ('l1', '2026-01-01Z', '2026-01-02Z', 1, 2),"
        " ('l1', '2026-01-03Z', NULL, 3, 4), ('l1', '2026-01-04Z', '2026-01-05Z', 5, 6),"
        " ('l2', '2026-01-01Z', NULL, NULL, 1);"
        "INSERT INTO mining.regions (guid, site_guid, points, fence_area, created_date, is_deleted)"
        " VALUES ('big', 's', 'new', 9, '2026-01-02Z', false), ('big', 's', 'old', 1, '2026-01-01Z', false),"
        " ('small', 's', 'p', 2, '2026-01-01Z', false), ('gone', 's', 'p', 1, '2026-01-02Z', true),"
        " ('gone', 's', 'p', 1, '2026-01-01Z', false), ('bare', 's', NULL, 1, '2026-01-01Z', false),"
        " ('far', 'other', 'p', 1, '2026-01-01Z', false);"
        "INSERT INTO mining.final_cycles (asset_guid, cycle_number, cycle_status, site_guid, current_work_state_id,"
        " created_date, updated_date, cycle_end_utc, work_cycle_id, completed_date, finalized_date)"
        " SELECT 't1', n, 'COMPLETE', 's', 2, now(), now(), '2026-01-01Z'::timestamptz + n * interval '1 hour', n,"
        " now(), now()"
        " FROM generate_series(1, 5) AS n"
    )


@pytest.mark.usefixtures("mine")
def test_named_queries(dao: PgsqlActionDAO) -> None:
    """The named queries of the service give the rows that it knows."""
    loaders = dao.pull_data_from_table({"query": get_loaders_from_process_info_query(), "params": ["s"]})
    assert loaders == [{"asset_guid": "l1", "site_guid": "s", "latitude": 1.5, "longitude": 2.5}]
    idle = dao.pull_data_from_table(
        {"query": get_loaders_from_asset_idle_query(), "params": ["s", "2026-01-03 12:00:00"]}
    )
    assert idle == [{"asset_guid": "l1", "site_guid": "s", "latitude": 3.0, "longitude": 4.0}]
    regions = dao.pull_data_from_table({"query": get_regions_query(), "params": {"asset_guid": "t1"}})
    assert regions == [
        {"region_guid": "small", "region_points": "p"},
        {"region_guid": "big", "region_points": "new"},
    ]
    until = datetime(2026, 1, 1, 3, 30, tzinfo=UTC)
    last = get_last_cycle_number_asset_query()
    assert dao.pull_data_from_table({"query": last, "params": ["t1", until]}) == [{"cycle_number": 3}]
    assert dao.pull_data_from_table({"query": last, "params": ["t9", until]}) == [{"cycle_number": None}]


def test_wrong_parameters_of_named_queries(dao: PgsqlActionDAO, refused: Refused) -> None:
    """Parameters of a named query are checked, each by its name."""
    query = get_loaders_from_process_info_query()
    wrong: Any = (None, [], ["a", "b"], "s", {"site": "s"}, [5], {"site_guid": None})
    for params in wrong:
        refused(lambda params=params: dao.pull_data_from_table({"query": query, "params": params}))


def test_queries_that_write(dao: PgsqlActionDAO, refused: Refused) -> None:
    """The handles that records give of their own queries are not to be run."""
    for query in (
        CycleRecord.generate_insert_query(),
        CycleRecord.generate_update_query(),
        CycleRecord.generate_insert_query_final(),
        mining.ProcessInfoRecord.generate_insert_query(),
        mining.ProcessInfoRecord.generate_update_query(),
    ):
        assert isinstance(query, NamedQuery)
        refused(lambda query=query: dao.pull_data_from_table({"query": query}))


def test_keywords(admin: Admin) -> None:
    """The words that are taken for no functions are PostgreSQL's keywords, or such as stand before a parenthesis."""
    reserved = {
        word for (word,) in admin.execute("SELECT word FROM pg_get_keywords() WHERE catcode IN ('R', 'C', 'T')")
    }
    others = {
        "by",
        "cube",
        "filter",
        "following",
        "materialized",
        "ordinality",
        "over",
        "partition",
        "preceding",
        "rollup",
        "sets",
        "within",
    }
    assert reserved | others >= custom_query._NO_FUNCTIONS
