"""What tests of backups do and look at."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from surf_data import backup as backups
from surf_data.backup import Table
from surf_data.embedded.postgres import installations
from surf_data.kernel.postgres import DatabaseManager

Admin = psycopg.Connection[Any]
Open = Callable[[str], DatabaseManager]
Refused = Callable[..., Any]
FakeProgram = Callable[..., Path]

#: What no message may hold.
ROW = "tube-ride-8211"
PROGRAMS = [installations()[version] for version in (18, 16)]
#: One of everything that holds rows, and some that hold none.
OBJECTS = """
CREATE SCHEMA "Wave Pool";
CREATE TABLE "Wave Pool"."od%d "" name" (id int PRIMARY KEY, note text);
INSERT INTO "Wave Pool"."od%d "" name" SELECT i, 'tube-ride-8211' FROM generate_series(1, 7) AS i;
CREATE TABLE tide (id int, place text) PARTITION BY LIST (place);
CREATE TABLE tide_north PARTITION OF tide FOR VALUES IN ('north');
CREATE TABLE tide_other PARTITION OF tide DEFAULT;
INSERT INTO tide VALUES (1, 'north'), (2, 'south'), (3, 'east');
CREATE TABLE parent (id int);
CREATE TABLE child () INHERITS (parent);
INSERT INTO parent VALUES (1);
INSERT INTO child VALUES (2), (3);
CREATE UNLOGGED TABLE foam (id int);
INSERT INTO foam VALUES (1);
CREATE MATERIALIZED VIEW view_of_tide AS SELECT * FROM tide;
CREATE TEMPORARY TABLE gone (id int);
"""
ROWS = {
    Table("Wave Pool", 'od%d " name'): 7,
    Table("public", "child"): 2,
    Table("public", "foam"): 1,
    Table("public", "parent"): 1,
    Table("public", "tide_north"): 1,
    Table("public", "tide_other"): 2,
}


#: How many tables the migrations make, partitions among them.
TABLES = 16


def take(database: DatabaseManager, file: Path, **options: Any) -> backups.Manifest:
    """Make a backup with the programs of the embedded servers."""
    return backups.backup(database, file, **{"folders": PROGRAMS, **options})


def put(database: DatabaseManager, file: Path, **options: Any) -> backups.Restore:
    """Restore a backup with the programs of the embedded servers."""
    return backups.restore(database, file, **{"folders": PROGRAMS, **options})


def left(folder: Path) -> list[str]:
    """Return the names of the files in a folder."""
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def objects(server: Admin) -> int:
    """Return how many objects users have created."""
    [count] = server.execute("SELECT count(*) FROM pg_class WHERE oid >= 16384").fetchone() or [0]
    return count
