"""The planner believes in a declared scale: of tables, of columns, of indexes; and files stay as small as they are."""

import functools
import resource
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import date
from pathlib import Path
from typing import Any

import attrs
import psycopg
import pytest

from surf_data.errors import ConfigurationError, DatabaseError
from surf_data.kernel import resources
from surf_data.review import ColumnScale, Missing, PlanNode, Scale, TableScale, read_scale, scratch, simulate
from surf_data.review.planning.catalog_reader import StorageCatalog
from surf_data.review.planning.estimates import fitting
from surf_data.review.planning.plans import read_plan
from surf_data.review.planning.scale import FILE_NAME

Refused = Callable[..., Any]

SCHEMA = """
CREATE TYPE size AS ENUM ('short', 'long', 'gun');
CREATE DOMAIN moment AS timestamptz;
CREATE SCHEMA other;
CREATE TABLE shop (id int4 PRIMARY KEY, name varchar(100), code varchar(8), open bool NOT NULL, area box);
CREATE TABLE board (
    id int8 PRIMARY KEY,
    shop int4 NOT NULL REFERENCES shop,
    size size NOT NULL,
    made date,
    sold moment,
    cm int2 NOT NULL,
    price numeric NOT NULL,
    facts jsonb NOT NULL,
    label text UNIQUE
) WITH (fillfactor = 50);
INSERT INTO shop VALUES (1, 'Surf', 'S', true);
CREATE INDEX board_shop ON board (shop);
CREATE INDEX board_price ON board (price);
CREATE INDEX board_sold ON board (shop) WHERE sold IS NOT NULL;
CREATE INDEX board_half ON board ((cm / 2));
CREATE INDEX board_facts ON board USING gin (facts);
CREATE INDEX board_made ON board USING brin (made);
CREATE INDEX board_cm ON board USING hash (cm);
CREATE TABLE other.log (
    id int8 NOT NULL, shop int4 NOT NULL REFERENCES shop, day date NOT NULL, PRIMARY KEY (id, day)
) PARTITION BY RANGE (day);
CREATE TABLE other.log_1 PARTITION OF other.log FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE other.log_2 PARTITION OF other.log FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE other.log_3 PARTITION OF other.log FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE other.none ();
CREATE VIEW labels AS SELECT b.label FROM board AS b;
"""
BOARD = TableScale(
    rows=1_000_000_000,
    visible=0.5,
    columns={
        "made": ColumnScale(nulls=0.25, distinct=365, correlation=0.5, range=(date(2024, 1, 1), date(2024, 12, 31))),
        "sold": ColumnScale(nulls=0.9, distinct=50_000_000),
        "cm": ColumnScale(distinct=150, range=(150, 299)),
        "price": ColumnScale(distinct=1000, range=(100, 1100), width=5),
        "facts": ColumnScale(width=200),
    },
)
SHOP = TableScale(rows=2000, columns={"name": ColumnScale(distinct=1900), "open": ColumnScale(true=0.95)})
SCALE = Scale(tables={"board": BOARD, "shop": SHOP})


@attrs.frozen
class Room:
    """A database that is thrown away, and the folder of its server."""

    connection: psycopg.Connection[Any]
    data: Path

    def plan(self, statement: str) -> PlanNode:
        """Return how a statement would run."""
        explained = f"EXPLAIN (GENERIC_PLAN, VERBOSE, FORMAT JSON) {statement}"
        [[documents]] = self.connection.execute(explained.encode(), prepare=False).fetchall()
        return read_plan(documents[0]["Plan"])

    def file(self, relation: str) -> Path:
        """Return the first file of a table or index."""
        [path] = self.connection.execute("SELECT pg_relation_filepath(%s)", [relation]).fetchone() or ()
        return self.data / path

    def pages(self, relation: str) -> int:
        """Return how many pages the catalog says that a relation has, after checking that the files say the same."""
        [noted, real] = (
            self.connection.execute(
                "SELECT relpages, pg_relation_size(oid) / 8192 FROM pg_class WHERE oid = %s::regclass", [relation]
            ).fetchone()
            or ()
        )
        assert noted == real
        return int(noted)


@pytest.fixture(scope="module")
def new_room(server: str) -> Iterator[Callable[[str], Room]]:
    """Return a function that makes a database with a schema."""
    with ExitStack() as stack:

        def make(schema: str) -> Room:
            made = stack.enter_context(scratch(functools.partial(psycopg.connect, server)))
            connection = stack.enter_context(closing(made.connect()))
            connection.execute(schema.encode(), prepare=False)
            [data] = connection.execute("SHOW data_directory").fetchone() or ()
            return Room(connection, Path(data))

        yield make


@pytest.fixture(scope="module")
def small(new_room: Callable[[str], Room]) -> Room:
    """Return a database as its migrations leave it; nothing may make it larger."""
    return new_room(SCHEMA)


@pytest.fixture(scope="module")
def large(new_room: Callable[[str], Room]) -> Room:
    """Return a database that looks as large as declared."""
    room = new_room(SCHEMA)
    simulate(room.connection, SCALE, room.data)
    return room


def test_what_is_large_is_read_by_an_index(small: Room, large: Room) -> None:
    """Of an empty table any plan will do; of a large one the planner reads as little as it can."""
    statement = "SELECT label FROM board WHERE shop = $1"
    assert small.plan(statement).total_cost < 100
    plan = large.plan(statement)
    assert {node.index for node in plan.nodes()} & {"board_shop"}
    # A billion boards of 2,000 shops.
    assert plan.rows == 500_000
    assert large.plan("SELECT label FROM board WHERE id = $1").total_cost < 10
    assert large.plan("SELECT label FROM board WHERE facts = $1").total_cost > 10_000_000


def test_files_are_holes(large: Room) -> None:
    """The files are as long as hundreds of gigabytes and take no space; all are the server's own."""
    first = large.file("board")
    files = [first, *first.parent.glob(f"{first.name}.*")]
    assert sum(file.stat().st_size for file in files) == large.pages("board") * 8192 > 300 * 2**30
    assert sum(file.stat().st_blocks for file in files) * 512 < 2**20
    assert len({(file.stat().st_uid, file.stat().st_gid, file.stat().st_mode) for file in files}) == 1
    assert {file.stat().st_size for file in files if file.name != f"{first.name}.{len(files) - 1}"} == {2**30}
    # What the migrations wrote is still there.
    assert large.connection.execute("SELECT name FROM shop LIMIT 1").fetchall() == [("Surf",)]


def test_autovacuum_does_not_read_holes(large: Room) -> None:
    """The tables are closed to autovacuum, and keep the options that they have."""
    options = dict(
        large.connection.execute(
            "SELECT relname, reloptions FROM pg_class WHERE relname IN ('board', 'shop')"
        ).fetchall()
    )
    assert options == {
        "board": ["fillfactor=50", "autovacuum_enabled=false"],
        "shop": ["autovacuum_enabled=false"],
    }


def test_statistics(large: Room) -> None:
    """What is declared of a column is noted, and what follows from the schema with it."""
    noted = {
        name: tuple(found)
        for name, *found in large.connection.execute(
            "SELECT attname, null_frac, avg_width, n_distinct, correlation FROM pg_stats WHERE tablename = 'board'"
        ).fetchall()
    }
    assert noted == {
        "id": (0, 8, -1, None),
        "shop": (0, 4, 2000, None),
        "size": (0, 4, 3, None),
        "made": (0.25, 4, 365, 0.5),
        "sold": (pytest.approx(0.9), 8, 50_000_000, None),
        "cm": (0, 2, 150, None),
        "price": (0, 5, 1000, None),
        "facts": (0, 200, 0, None),
        "label": (0, 32, -1, None),
    }


def test_ranges(large: Room) -> None:
    """Of a range the planner expects as many rows as the part that is asked for."""
    assert large.plan("SELECT id FROM board WHERE price < 350").rows == pytest.approx(250_000_000, rel=0.01)
    made = large.plan("SELECT id FROM board WHERE made < '2024-02-06'")
    assert made.rows == pytest.approx(75_000_000, rel=0.1)
    assert large.plan("SELECT id FROM board WHERE cm >= 284").rows == pytest.approx(100_000_000, rel=0.1)


def test_booleans(large: Room) -> None:
    """Of a boolean the planner expects as many rows as are said to be true."""
    assert [large.plan(f"SELECT id FROM shop WHERE {condition}").rows for condition in ("open", "NOT open")] == [
        1900,
        100,
    ]
    assert large.plan("SELECT id FROM shop WHERE open IS NOT TRUE").rows == 100


def test_sizes_of_indexes(large: Room) -> None:
    """Indexes have the size of their keys: smaller where rows share entries, or where a condition leaves rows out."""
    pages = {name: large.pages(f"board_{name}") for name in ("shop", "price", "sold", "half", "facts", "made", "cm")}
    assert pages["shop"] < pages["price"]
    assert pages["sold"] == pytest.approx(pages["shop"] / 10, rel=0.01)
    assert pages["made"] < pages["sold"] < pages["cm"] < pages["facts"]
    assert pages["half"] > pages["shop"]
    assert large.pages("board_pkey") == pytest.approx(3_500_000, rel=0.01)


def test_what_is_not_declared(new_room: Callable[[str], Room]) -> None:
    """What neither the scale nor the schema says is reported by table and column."""
    room = new_room(SCHEMA)
    undeclared = simulate(room.connection, SCALE, room.data)
    assert [str(each) for each in undeclared] == [
        "other.log_1",
        "other.log_2",
        "other.log_3",
        "other.none",
        "board.facts (distinct)",
        "board.label (nulls, width)",
        "shop.name (nulls, width)",
        "shop.code (distinct, nulls, width)",
        "shop.area (nulls)",
    ]
    assert Missing(table="other.log_1", column=None, keys=()) in undeclared


def test_partitions(new_room: Callable[[str], Room]) -> None:
    """The rows of a table of partitions are spread over those of which nothing else is said."""
    room = new_room(SCHEMA)
    log = TableScale(rows=1_000_000, pages=9000, columns={"shop": ColumnScale(correlation=1)})
    others = {"other.log_3": 200_000, "other.none": 5, "shop": 100}
    scale = Scale(tables={"other.log": log, **{name: TableScale(rows=rows) for name, rows in others.items()}})
    simulate(room.connection, scale, room.data)
    rows = dict(
        room.connection.execute(
            "SELECT relname, reltuples FROM pg_class WHERE relname LIKE 'log__' ORDER BY 1"
        ).fetchall()
    )
    assert rows == {"log_1": 400_000, "log_2": 400_000, "log_3": 200_000}
    assert room.pages("other.log_1") == 4500
    # The foreign key is the whole table's.
    assert room.plan("SELECT id FROM other.log WHERE shop = $1").rows == 10_000


def test_settings(new_room: Callable[[str], Room]) -> None:
    """The planner reckons with production's settings."""
    room = new_room(SCHEMA)
    before = room.plan("SELECT id FROM shop").total_cost
    simulate(room.connection, Scale(settings={"seq_page_cost": "10"}), room.data)
    assert room.plan("SELECT id FROM shop").total_cost > before


@pytest.mark.parametrize(
    ("scale", "problem"),
    [
        (Scale(tables={"boards": BOARD}), "tables.boards: there is no such table"),
        (Scale(tables={"labels": BOARD}), "tables.labels: there is no such table"),
        (Scale(tables={"shop": BOARD}), "tables.shop.columns.made: there is no such column"),
        (
            Scale(tables={"board": BOARD, "public.board": BOARD}),
            "tables.public.board: is there under another name, too",
        ),
        (
            Scale(tables={"board": TableScale(rows=1, columns={"cm": ColumnScale(nulls=0.1)})}),
            "tables.board.columns.cm.nulls: must be 0, for the column is NOT NULL",
        ),
        (
            Scale(tables={"board": TableScale(rows=1, columns={"label": ColumnScale(range=(1, 2))})}),
            "tables.board.columns.label.range: does not fit the type text",
        ),
        (
            Scale(tables={"board": TableScale(rows=1, columns={"cm": ColumnScale(range=(0, 32_768))})}),
            "tables.board.columns.cm.range: does not fit the type int2",
        ),
        (
            Scale(tables={"board": TableScale(rows=1, columns={"made": ColumnScale(true=0.1)})}),
            "tables.board.columns.made.true: does not fit the type date",
        ),
        (Scale(settings={"fsync": "off"}), "settings.fsync: is no setting of PostgreSQL's planner"),
        (Scale(settings={"work_mem": "much"}), "settings.work_mem: is not a value that PostgreSQL takes"),
    ],
)
def test_what_does_not_fit_the_schema(small: Room, refused: Refused, scale: Scale, problem: str) -> None:
    """A scale that names what is not there, or says what cannot be, is refused with the place."""
    error = refused(lambda: simulate(small.connection, scale, small.data), ConfigurationError)
    assert str(error) == f"scale.toml: {problem}"


def test_other_databases_are_left_alone(
    server: str, small: Room, refused: Refused, tmp_path: Path, database: Callable[[str], psycopg.Connection[Any]]
) -> None:
    """Neither a database that was not made to be dropped is made larger, nor one on a server that is elsewhere."""
    problem = "plans at a declared scale are made in a database and on a server that are thrown away"
    kept = database("CREATE TABLE board (id int4);")
    for connection, data in ((kept, small.data), (small.connection, tmp_path), (small.connection, tmp_path / "gone")):
        call = functools.partial(simulate, connection, Scale(tables={"board": TableScale(rows=10**9)}), data)
        assert str(refused(call, DatabaseError)) == problem
    assert kept.execute("SELECT pg_relation_size('board')").fetchone() == (0,)


def test_files_that_may_not_be_long(small: Room, refused: Refused) -> None:
    """Where a file may not be as long as a table would be, the message has the reason."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, before[1]))
    try:
        error = refused(lambda: simulate(small.connection, SCALE, small.data), DatabaseError)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert str(error).startswith("a file of ")
    assert str(error).endswith(" bytes, most of them holes, cannot be made: File too large")


def test_the_projects_own_scale(server: str) -> None:
    """The Surf Lamp's scale fits its schema and leaves nothing open."""
    folder = resources.directory("migrations") / "lamps"
    with scratch(functools.partial(psycopg.connect, server), private=True) as made:
        made.apply(folder)
        with closing(made.connect()) as connection:
            [data] = connection.execute("SHOW data_directory").fetchone() or ()
            undeclared = simulate(connection, read_scale(folder / FILE_NAME), Path(data))
    assert [str(each) for each in undeclared] == ["schema_migrations"]


def test_another_revisions_scale(small: Room) -> None:
    """Of a scale that was written for another schema there remains what is there, and fits."""
    scale = Scale(
        tables={
            "gone": TableScale(rows=1),
            "shop": TableScale(
                rows=2,
                columns={"name": ColumnScale(width=3), "gone": ColumnScale(width=3), "open": ColumnScale(nulls=0.5)},
            ),
        }
    )
    fits = fitting(StorageCatalog.read(small.connection), scale)
    assert fits.tables == {"shop": TableScale(rows=2, columns={"name": ColumnScale(width=3)})}
