"""Databases to back up and to restore into, and programs that fail."""

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.backups import PROGRAMS, FakeProgram, Open
from surf_data.kernel.postgres import DatabaseManager
from surf_data.kernel.settings import load


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
