"""All findings of one revision: of what was looked at, and of nothing else; with what is accepted."""

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from surf_data import embedded
from surf_data.errors import MigrationError, SurfDataError
from surf_data.kernel.executables import find_executable
from surf_data.migrate import ScratchServer, measure_locks
from surf_data.review import ScratchDatabase, analyse, explain, read_queries, scratch
from surf_data.review.analysis.catalog import Catalog
from surf_data.review.findings.evaluation import Evidence, evaluate
from surf_data.review.findings.migration_rules import lock_findings
from surf_data.review.findings.squawk import squawk_findings
from surf_data.review.findings.thresholds import Thresholds
from surf_data.review.rules import Suppression
from surf_data.review.schema_files import read_migrations

Refused = Callable[[Callable[[], Any], type[SurfDataError]], SurfDataError]

# As another tool would have them: its own markers, its own transactions.
MIGRATIONS = {
    "V1__shop.sql": """\
BEGIN;
CREATE TABLE shop (id int8 PRIMARY KEY, name text, town text);

CREATE TABLE note (shop int8, text text);
COMMIT;
""",
    "V2__keys.sql": """\
-- +goose Up
ALTER TABLE note ADD CONSTRAINT note_shop FOREIGN KEY (shop) REFERENCES shop NOT VALID;
ALTER TABLE note VALIDATE CONSTRAINT note_shop;
DELETE FROM shop WHERE name IS NULL;
-- +goose Down
DROP TABLE shop;
""",
    "V3__index.sql": """\
CREATE INDEX CONCURRENTLY shop_town ON shop (town);
ALTER TABLE shop ALTER COLUMN name SET NOT NULL;
""",
    "V4__nothing.sql": "-- Nothing to do.\n",
}
QUERIES = """\
-- name: lost
-- accept: CASCADE not known
SELECT gone FROM shop;
-- name: shop_list
-- accept: SEQ-SCAN there are few
-- accept: UNCALLED by psql
SELECT id FROM shop;
"""


@pytest.fixture(scope="module")
def server(servers: embedded.EmbeddedServers) -> ScratchServer:
    """Return what connects to the server."""
    return functools.partial(psycopg.connect, servers.database_url, autocommit=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with migrations and queries."""
    folder = tmp_path_factory.mktemp("judged")
    for name, text in {**MIGRATIONS, "queries.txt": QUERIES}.items():
        (folder / name).write_text(text, "utf-8")
    return folder


@pytest.fixture(scope="module")
def database(server: ScratchServer, folder: Path) -> Iterator[ScratchDatabase]:
    """Return a database that was made of the migrations."""
    with scratch(server) as made:
        made.apply(folder)
        yield made


def test_foreign_migrations(server: ScratchServer, folder: Path, database: ScratchDatabase) -> None:
    """Migrations in another tool's format are measured as they would run, and found on their lines."""
    migrations = read_migrations(folder)
    effects = measure_locks(server, server, [], [(migration, 0) for migration in migrations])
    with database.connect() as connection:
        found = list(lock_findings(effects, Catalog.read(connection), Thresholds()))
    assert [(each.code, each.subject, each.line, each.message.split(":")[0]) for each in found] == [
        ("LOCK", "V2__keys.sql", 3, "SHARE ROW EXCLUSIVE, held since an earlier statement, reads all rows of note"),
        ("LOCK", "V2__keys.sql", 4, "SHARE ROW EXCLUSIVE, held since an earlier statement, reads all rows of shop"),
        ("LOCK", "V3__index.sql", 2, "ACCESS EXCLUSIVE, reads all rows of shop"),
    ]


PARTITIONED = {
    "0001_log.sql": """\
-- migrate:up
CREATE TABLE log (at int4 NOT NULL, note text) PARTITION BY RANGE (at);
CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM (0) TO (10);
CREATE TABLE log_2 PARTITION OF log FOR VALUES FROM (10) TO (20);
CREATE TABLE gone (id int4);
""",
    "0002_note.sql": "-- migrate:up\nCREATE INDEX log_note ON log (note);\n",
    "0003_at.sql": "-- migrate:up\nALTER TABLE gone ALTER id TYPE int8;\nDROP TABLE gone;\n",
}


def test_partitions(server: ScratchServer, tmp_path: Path) -> None:
    """Partitions are one with their table; a table that is gone in the end has an unknown size, and counts as big."""
    for name, text in PARTITIONED.items():
        (tmp_path / name).write_text(text, "utf-8")
    migrations = read_migrations(tmp_path)
    effects = measure_locks(server, server, [], [(migration, 0) for migration in migrations])
    with scratch(server) as made:
        made.apply(tmp_path)
        with made.connect() as connection:
            connection.execute(b"INSERT INTO log SELECT n FROM generate_series(0, 19) AS n")
            connection.execute(b"ANALYZE log_1, log_2")
            catalog = Catalog.read(connection)
    index, gone = lock_findings(effects, catalog, Thresholds(big_table=20))
    assert index.message.startswith("SHARE, builds ")
    assert " over 20 rows of log: writes wait until the transaction ends" in index.message
    assert gone.message.startswith("ACCESS EXCLUSIVE, rewrites all rows of public.gone: reads and writes wait")
    assert [each.subject for each in lock_findings(effects, catalog, Thresholds(big_table=21))] == ["0003_at.sql"]


def test_files_that_change_nothing(folder: Path) -> None:
    """A file with a schema is no migration, and of a migration without a statement there is nothing to be said."""
    assert read_migrations(folder / "V1__shop.sql") == []
    assert [migration.up.parts for migration in read_migrations(folder)][-1] == ()


def test_judged(database: ScratchDatabase, folder: Path) -> None:
    """What was not looked at is neither found nor out of date; of a query that is refused nothing is."""
    (folder / "sql").mkdir()
    (folder / "sql" / "shop.sql").write_text(QUERIES, "utf-8")
    queries = read_queries(folder / "sql")
    with database.connect() as connection:
        outcomes, planned = analyse(connection, queries), explain(connection, queries)
        catalog = Catalog.read(connection)
    accepted = [Suppression(code="UNUSED-INDEX", subject="shop_town", reason="x", file=folder, line=None)]
    plain = evaluate(Evidence(catalog=catalog, outcomes=outcomes, accepted=accepted))
    assert [(finding.code, finding.subject) for finding in plain] == [("FK-INDEX", "note_shop")]
    part = Evidence(catalog=catalog, outcomes=outcomes, is_whole=False, accepted=accepted, planned=planned)
    assert [(finding.code, finding.about) for finding in evaluate(part)] == [("STALE-ACCEPT", "SEQ-SCAN")]
    nobody = {query.name: () for query in queries}
    seen = Evidence(
        catalog=catalog, outcomes=outcomes, accepted=accepted, planned=planned, callers=nobody, effects=[], squawk=[]
    )
    assert [(finding.code, finding.subject, finding.accepted) for finding in evaluate(seen)] == [
        ("UNCALLED", "lost", None),
        ("UNCALLED", "shop_list", "by psql"),
        ("FK-INDEX", "note_shop", None),
        ("STALE-ACCEPT", "shop_list", None),
        ("STALE-ACCEPT", "shop_town", None),
    ]


def test_squawk(folder: Path, refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    """What squawk says is reported with file, line and rule; without what undoes; and where it fails."""
    program = find_executable("squawk")
    assert program is not None
    found = {(each.subject, each.line, each.about) for each in squawk_findings(program, read_migrations(folder))}
    rule = "constraint-missing-not-valid: ALTER TABLE note VALIDATE CONSTRAINT note_shop;"
    assert ("V2__keys.sql", 3, rule) in found
    assert not any("DROP TABLE" in about or "transaction-nesting" in about for _, _, about in found)
    assert any(subject == "V3__index.sql" and "prefer-robust-stmts" in about for subject, _, about in found)
    assert list(squawk_findings(program, [])) == []
    (folder / "own").mkdir()
    (folder / "own" / "0001_a.sql").write_text("-- migrate:up\nCREATE TABLE a (b int4, c int4);\n", "utf-8")
    [own] = squawk_findings(program, read_migrations(folder / "own"))
    assert own.message.startswith("prefer-bigint-over-int: ")
    error = refused(lambda: list(squawk_findings(Path("/bin/false"), read_migrations(folder))), MigrationError)
    assert str(error).startswith("squawk fails")
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    monkeypatch.delenv("PATH")
    assert find_executable("squawk") is None
