"""A server that is older than what is supported, as every command meets it."""

import os
from pathlib import Path

import pytest

from surf_data.cli.program import run
from surf_data.kernel import crypto
from surf_data.kernel.postgres import connector

QUERY = "-- name: one()$\n-- One.\nSELECT 1;\n"


@pytest.fixture
def old_server(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the URL of a server that is named too old, in a folder with queries and a schema for it."""
    for variable in [name for name in os.environ if name.startswith(("SURF_DATA_", "PG"))]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("SURF_DATA_DATABASE_URL", database_url)
    # The servers at hand are new ones: the oldest that is supported is named newer still.
    monkeypatch.setattr(connector, "OLDEST_SERVER", 190_000)
    monkeypatch.setenv("SURF_DATA_ENCRYPTION_KEYS", crypto.new_key())
    monkeypatch.chdir(tmp_path)
    Path("sql").mkdir()
    Path("sql", "one.sql").write_text(QUERY)
    Path("schema.sql").write_text("CREATE TABLE board (id bigint PRIMARY KEY);\n")
    return database_url


@pytest.mark.parametrize(
    "line",
    [
        "health",
        "stats",
        "seed",
        "reset --yes shop",
        "maintain",
        "migrate up",
        "migrate status",
        "migrate verify",
        "migrate down --to 0",
        "backup file",
        "statements sql",
        "keys rotate",
        "review sql --migrations schema.sql --scratch URL",
        "screenshot audit verify",
        "specify stats",
        "mining tables",
        "daylight status",
    ],
)
def test_the_version_is_named(old_server: str, capfd: pytest.CaptureFixture[str], line: str) -> None:
    """Before anything is done, and with the version that is needed."""
    code = run(line.replace("URL", old_server).split())
    said = "".join(capfd.readouterr())
    assert code == 1
    assert "is too old: 19 or newer is needed" in " ".join(said.split())
