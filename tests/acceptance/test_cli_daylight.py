"""``surf-data daylight``: what an operator types, and what it answers."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result

from surf_data import daylight, migrate
from surf_data.cli.daylight import group
from surf_data.cli.target import Target
from surf_data.kernel import resources

Run = Callable[..., Result]


@pytest.fixture
def run(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs a command on a migrated database, with a folder for archives."""
    monkeypatch.setenv("SURF_DATA_DAYLIGHT_ARCHIVE_URL", str(tmp_path / "archives"))
    migrate.Runner(
        lambda: psycopg.connect(database_url, autocommit=True),
        resources.directory("migrations") / "daylight",
        "daylight",
    ).up()

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(group, list(arguments), obj=Target(database_url), catch_exceptions=False)

    return invoke


def _json(result: Result, code: int = 0) -> Any:
    assert result.exit_code == code, result.output
    return json.loads(result.output)


def test_status_and_metrics(run: Run, database_url: str) -> None:
    """How the servers are, and what the samplers have written."""
    assert _json(run("status", "--json"))["health"]["overall"] == "healthy"
    assert "answers" in run("status").output
    with daylight.open(database_url) as data:
        data.users.get_user_by_id("kai")
        data.monitoring.sample()
    found = _json(run("metrics", "--json"))
    assert [each["calls"] for each in found if each["query"] == "daylight.user_by_id"] == [1]
    assert "daylight.user_by_id" in run("metrics").output
    assert run("metrics", "--hours", "25").exit_code == 2


def test_retention_is_run_reported_restored_and_held(run: Run, database_url: str, tmp_path: Path) -> None:
    """The commands of a timer, of an auditor and of an operator who needs something back."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO daylight.location_history (id, user_id, location, activity, recorded_at) "
            "SELECT n::text, 'kai', '{}', 'x', now() - interval '200 days' FROM generate_series(1, 5) AS n"
        )
    assert len(_json(run("retention", "status", "--json"))) == 14
    assert "location_history" in run("retention", "status").output
    [planned] = _json(run("retention", "run", "--table", "location_history", "--dry-run", "--json"))
    assert (planned["status"], planned["recordsProcessed"]) == ("planned", 5)
    placed = _json(run("retention", "hold", "place", "case 7", "--user", "eve", "--since", "2026-01-01", "--json"))
    assert placed["since"] == "2026-01-01T00:00:00Z"
    assert "hold 2 placed" in run("retention", "hold", "place", "case 8", "--table", "plans").output
    assert len(_json(run("retention", "hold", "list", "--json"))) == 2
    assert "case 7" in run("retention", "hold", "list").output
    assert run("retention", "hold", "release", "1").exit_code == 0
    assert run("retention", "hold", "release", "1").exit_code == 1
    done = run("retention", "run")
    assert done.exit_code == 0
    assert "completed" in done.output
    assert _json(run("retention", "report", "--json"))["archives"]["location_history"]["rows"] == 5
    assert "archived rows" in run("retention", "report").output
    assert _json(run("retention", "restore", "location_history", "--json"))["rows"] == 5
    assert _json(run("retention", "verify", "--json")) == {}
    assert "all are as written" in run("retention", "verify").output
    [archive] = (tmp_path / "archives").rglob("*.csv.zst")
    key = str(archive.relative_to(tmp_path / "archives"))
    assert "5 rows in" in run("retention", "restore", "location_history", "--location", key).output
    archive.write_bytes(b"x")
    assert run("retention", "verify").exit_code == 1


def test_a_failing_table_is_exit_code_1(run: Run, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is deleted, and the reason is shown."""
    monkeypatch.delenv("SURF_DATA_DAYLIGHT_ARCHIVE_URL")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO daylight.location_history (id, user_id, location, activity, recorded_at) "
            "VALUES ('h', 'kai', '{}', 'x', now() - interval '200 days')"
        )
    [job] = _json(run("retention", "run", "--table", "location_history", "--json"), 1)
    assert job["error"] == "archives need a place: archive_url"


def test_a_sqlite_file_is_imported_verified_and_taken_back(run: Run, tmp_path: Path) -> None:
    """Counts by table, what was refused and why, in a table or as JSON, and as a file for its owner alone."""
    path, refused = tmp_path / "h.sqlite", tmp_path / "refused.csv"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE history (id INTEGER PRIMARY KEY, ts TEXT, type TEXT, mood TEXT)")
        now = datetime.now(UTC).isoformat()
        connection.executemany("INSERT INTO history VALUES (?, ?, 'x', 'y')", [(1, now), (2, "never")])
        connection.commit()
    shown = run("import-sqlite", str(path), "--quarantine", str(refused)).output
    assert "left alone: history.mood" in shown
    assert "completed, run 1" in shown
    assert refused.read_text().splitlines()[1] == "history,2,ts,is no moment from 1970 to 2100"
    assert refused.stat().st_mode & 0o777 == 0o600
    again = _json(run("import-sqlite", str(path), "--dry-run", "--keep-expired", "--json"))
    assert again["tables"]["history"]["unchanged"] == 1
    assert _json(run("verify-import", "1", "--json"))["status"] == "completed"
    assert "would go" in run("undo-import", "1", "--dry-run").output
    assert _json(run("undo-import", "1", "--json")) == {"history": 1}


def test_an_import_of_which_nothing_is_refused_shows_counts_alone(run: Run, tmp_path: Path) -> None:
    """A table of counts and the status; nothing of rows that were refused or tables that are unknown."""
    path = tmp_path / "h.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE history (id INTEGER PRIMARY KEY, ts TEXT, type TEXT)")
        connection.execute("INSERT INTO history VALUES (1, ?, 'x')", (datetime.now(UTC).isoformat(),))
        connection.commit()
    shown = run("import-sqlite", str(path)).output
    assert "completed, run 1" in shown
    assert "reason" not in shown
    assert "left alone" not in shown
