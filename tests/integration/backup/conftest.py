"""Databases to back up and to restore into, and programs that fail."""

import os
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from surf_data.backup import Table
from surf_data.embedded.postgres import installations
from surf_data.kernel.postgres import DatabaseManager
from surf_data.kernel.settings import load

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


@pytest.fixture
def opened() -> Iterator[Open]:
    """Return a function that opens a database by its URL."""
    managers: list[DatabaseManager] = []

    def make(url: str) -> DatabaseManager:
        managers.append(DatabaseManager(load({}, database_url=url)))
        return managers[-1]

    yield make
    for manager in managers:
        manager.close()


@pytest.fixture
def source(opened: Open, migrated_url: str) -> DatabaseManager:
    """Return a database with something in it."""
    return opened(migrated_url)


@pytest.fixture
def target(opened: Open, database_url: str) -> DatabaseManager:
    """Return an empty database on the same server."""
    return opened(database_url)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return where a backup can be written."""
    return tmp_path / "surf.dump"


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeProgram:
    """Return a function that puts a script before the real programs on PATH; it receives the path of the real one."""

    def make(name: str, script: str, version: str = "18.4", folder: str = "fakes") -> Path:
        program = tmp_path / folder / name
        program.parent.mkdir(exist_ok=True)
        real = shlex.quote(str(PROGRAMS[0] / name))
        told = f'[ "$1" = --version ] && {{ echo "{name} (PostgreSQL) {version}"; exit; }}'
        program.write_text(f"#!/bin/sh\n{told}\nREAL={real}\n{script}\n", "utf-8")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
        return program

    return make
