"""A journal over a table of its own: every type, ids and times of the caller's, rows that are gone."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from surf_data.errors import DatabaseError, ValidationError
from surf_data.kernel import settings
from surf_data.kernel.journal import BufferLimits, Column, Journal, JournalTable, Spool
from surf_data.kernel.postgres import DatabaseManager, Json, load_queries

Server = psycopg.Connection[Any]
Open = Callable[..., Journal]

SCHEMA = """
CREATE SCHEMA sensors;
CREATE TABLE sensors.probes (id int PRIMARY KEY);
INSERT INTO sensors.probes VALUES (1);
CREATE TABLE sensors.readings (
    key uuid PRIMARY KEY,
    probe int REFERENCES sensors.probes,
    level float8,
    price numeric(10, 2),
    small smallint,
    raw bytea,
    day date,
    network cidr,
    exact boolean,
    document jsonb,
    note text CHECK (note <> 'never'),
    taken_at timestamptz NOT NULL
);
"""
COLUMNS = {
    "key": Column("keys", "uuid"),
    "probe": Column("probes", "int4"),
    "level": Column("levels", "float8"),
    "price": Column("prices", "numeric"),
    "small": Column("smalls", "int2"),
    "raw": Column("raws", "bytea"),
    "day": Column("days", "date"),
    "network": Column("networks", "cidr"),
    "exact": Column("exacts", "bool"),
    "document": Column("documents", "jsonb"),
    "note": Column("notes", "text"),
    "taken_at": Column("times", "timestamptz"),
}
CASTS = {name: f":{name}::{column.type}" for name, column in COLUMNS.items()}
ARRAYS = [f":{column.array}::{column.type}[]" for column in COLUMNS.values()]
INSERT = f"INSERT INTO sensors.readings ({', '.join(COLUMNS)})"
SQL = f"""
-- name: reading_copy()#
-- Many readings.
COPY sensors.readings ({", ".join(COLUMNS)}) FROM STDIN (FORMAT "binary");

-- name: reading_insert({", ".join(COLUMNS)})!
-- One reading.
{INSERT} VALUES ({", ".join(CASTS.values())});

-- name: reading_insert_many({", ".join(column.array for column in COLUMNS.values())})!
-- Many readings, once.
-- retry: idempotent
{INSERT} SELECT {", ".join(f"r.{name}" for name in COLUMNS)}
FROM unnest({", ".join(ARRAYS)}) AS r ({", ".join(COLUMNS)})
ON CONFLICT DO NOTHING;

-- name: reading_insert_once({", ".join(COLUMNS)})!
-- One reading, once.
-- retry: idempotent
{INSERT} VALUES ({", ".join(CASTS.values())})
ON CONFLICT DO NOTHING;
"""
VALUES: dict[str, Any] = {
    "probe": 1,
    # A float8 column: an int must not be stored by its bits.
    "level": 5,
    "price": Decimal("12.50"),
    "small": -3,
    "raw": b"\x00\\n\xff",
    "day": date(2026, 2, 28),
    "network": ip_network("192.0.2.0/24"),
    "exact": False,
    "document": Json('{"é":[1]}'),
    "note": "\\ \n\t",
}
STORED = {**VALUES, "level": 5.0, "document": {"é": [1]}}
NOTHING = dict.fromkeys(VALUES)


@pytest.fixture
def open_journal(server: Server, database_url: str, sql_folder: Callable[..., Path]) -> Iterator[Open]:
    """Return a function that opens a journal on a database, the test's own when no other is given."""
    server.execute(SCHEMA.encode())
    queries = load_queries(sql_folder(reading=SQL), namespace="sensors")
    table = JournalTable(
        name="sensors.readings",
        columns=COLUMNS,
        reserve=lambda _, number: [uuid4() for _ in range(number)],
        insert=queries.reading_insert,
        insert_once=queries.reading_insert_once,
        insert_many=queries.reading_insert_many,
        copy_many=queries.reading_copy,
        id="key",
        time="taken_at",
        references=("probe",),
        large=("document", "note"),
    )
    opened: list[DatabaseManager] = []

    def open_(url: str = database_url, **options: Any) -> Journal:
        timeout = 5 if url == database_url else 0.05
        database = DatabaseManager(settings.load({}, database_url=url, pool_min_size=0, pool_timeout=timeout))
        opened.append(database)
        return Journal(database, table, **options)

    yield open_
    for database in opened:
        database.close()


def stored(server: Server) -> list[dict[str, Any]]:
    """Return the rows in the order of their times, without key and time."""
    rows = server.execute(f"SELECT {', '.join(VALUES)} FROM sensors.readings ORDER BY taken_at".encode())
    return [dict(zip(VALUES, row, strict=True)) for row in rows.fetchall()]


@pytest.mark.parametrize("way", ["insert", "copy", "arrays", "spool"])
def test_a_value_is_stored_as_it_was_given(way: str, open_journal: Open, server: Server, tmp_path: Path) -> None:
    """Whichever statement takes it, null included."""
    spool = Spool(tmp_path / "spool", "sensors.readings", 10**6)
    buffer = BufferLimits(entries=10, seconds=60)
    journal = open_journal(spool=spool) if way == "insert" else open_journal(buffer=buffer)
    if way == "spool":
        away = open_journal("host=/nowhere/at/all user=u", spool=spool)
        away.append(VALUES)
        away.append(NOTHING)
        journal = open_journal(spool=spool)
        assert journal.replay() == 2
    else:
        journal.append(VALUES)
        journal.append(NOTHING)
    expected = [STORED, NOTHING]
    if way == "arrays":
        # The COPY is refused as a whole, so the others are sent in arrays.
        journal.append({**NOTHING, "note": "never"})
    assert journal.flush() is True
    assert stored(server) == expected
    assert journal.losses.count == (way == "arrays")
    statements = {"insert": "insert_once", "copy": "copy", "arrays": "insert_many", "spool": "insert_once"}
    assert f"sensors.reading_{statements[way]}" in journal._database.statistics()
    assert ("sensors.reading_insert_many" in journal._database.statistics()) == (way == "arrays")


def test_without_buffer_or_spool_an_entry_is_the_callers_statement(open_journal: Open, server: Server) -> None:
    """It has no key or time but what the caller gives, and an error is the caller's."""
    journal = open_journal()
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    journal.append({**VALUES, "key": uuid4(), "taken_at": moment})
    assert stored(server) == [STORED]
    assert (journal.flush(), journal.replay()) == (True, 0)
    with pytest.raises(DatabaseError):
        journal.append({**VALUES, "key": uuid4(), "taken_at": None})
    assert journal.losses.count == 0


@pytest.mark.parametrize("way", ["buffer", "spool"])
def test_keys_and_times_of_the_caller_are_kept(way: str, open_journal: Open, server: Server, tmp_path: Path) -> None:
    """So an entry that is given twice is there once."""
    spool = Spool(tmp_path, "sensors.readings", 10**6)
    journal = (
        open_journal(buffer=BufferLimits(entries=10, seconds=60)) if way == "buffer" else open_journal(spool=spool)
    )
    key, moment = uuid4(), datetime(2026, 1, 2, 3, tzinfo=UTC)
    for _ in range(2):
        journal.append({**VALUES, "key": key, "taken_at": moment})
        journal.flush()
    rows: list[tuple[UUID, datetime]] = server.execute("SELECT key, taken_at FROM sensors.readings").fetchall()
    assert rows == [(key, moment)]
    assert journal.losses.count == 0


def test_a_reference_that_is_gone_is_left_out(open_journal: Open, server: Server, tmp_path: Path) -> None:
    """A spooled entry is worth more than what it refers to."""
    spool = Spool(tmp_path, "sensors.readings", 10**6)
    open_journal("host=/nowhere/at/all user=u", spool=spool).append(VALUES)
    server.execute("DELETE FROM sensors.probes")
    assert open_journal(spool=spool).replay() == 1
    assert stored(server) == [{**STORED, "probe": None}]


def test_a_column_that_was_added_since_is_null(open_journal: Open, server: Server, tmp_path: Path) -> None:
    """A spool outlives the release that wrote it: what it lacks is null, and what it has too much is left out."""
    spool = Spool(tmp_path, "sensors.readings", 10**6)
    spool.append([{"key": None, "taken_at": "2026-01-02T00:00:00+00:00", "note": "old", "dropped": 1}])
    assert open_journal(spool=spool).replay() == 1
    assert stored(server) == [{**NOTHING, "note": "old"}]


@pytest.mark.parametrize("line", ["[1]", '"x"', '{"note": "no key"}'])
def test_a_line_that_is_no_entry_is_refused(open_journal: Open, tmp_path: Path, line: str) -> None:
    """It is kept for an operator to look at, and the error does not repeat it."""
    spool = Spool(tmp_path, "sensors.readings", 10**6)
    (tmp_path / "sensors.readings.jsonl").write_text(f"{line}\n")
    with pytest.raises(OSError, match=r"^the spool holds a line that is no entry$"):
        open_journal(spool=spool).replay()
    assert not spool.is_empty


def test_an_entry_that_cannot_be_kept_says_so(open_journal: Open, tmp_path: Path) -> None:
    """A full spool is an error without the database's error behind it, which could be taken for the entry's."""
    spool = Spool(tmp_path, "sensors.readings", 10)
    with pytest.raises(OSError, match=r"^the spool is full$") as caught:
        open_journal("host=/nowhere/at/all user=u", spool=spool).append(VALUES)
    assert caught.value.__context__ is None


def test_tables_do_not_share_a_spool(open_journal: Open, tmp_path: Path) -> None:
    """Two tables may have one folder: each replays its own file."""
    Spool(tmp_path, "sensors.probes", 10**6).append([{"id": 1}])
    assert open_journal(spool=Spool(tmp_path, "sensors.readings", 10**6)).replay() == 0
    with Spool(tmp_path, "sensors.probes", 10**6).claim() as kept:
        assert kept == [{"id": 1}]


def test_a_name_that_is_no_file_name_is_refused(open_journal: Open) -> None:
    """The spool's files are called after the table."""
    journal = open_journal()
    table = {field: getattr(journal._table, field) for field in ("reserve", "insert", "insert_once", "insert_many")}
    with pytest.raises(ValidationError):
        JournalTable(name="../readings", columns=COLUMNS, copy_many=None, **table)  # type: ignore[arg-type]
