"""Retention: everything goes when it should, nothing goes that is not proved, and what went comes back identical."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from surf_data import daylight
from surf_data.daylight import DaylightDataLayer
from surf_data.daylight.retention import aside
from surf_data.daylight.retention.tables import TABLES
from surf_data.errors import ArchiveError, ConfigurationError, MigrationError, SurfDataError, ValidationError

Refused = Callable[..., SurfDataError]
Admin = psycopg.Connection[Any]

NOW = datetime.now(UTC)
_AGED = """
UPDATE daylight.plans
SET (end_time, start_time, updated_at) = (SELECT t, t, t FROM (SELECT now() - interval '2 years' AS t))
"""
USER = {"id": "kai", "email": "kai@example.org", "username": "kai", "password_hash": "x"}


def _history(admin: Admin, days: int, rows: int = 10, user: str = "kai") -> None:
    admin.execute(
        "INSERT INTO daylight.location_history (id, user_id, location, activity, metadata, recorded_at) "
        "SELECT format('h%%s-%%s', %s::int, n), %s, '{\"lat\": 1.50, \"lng\": -0.1}', E'a\n\"b\", ü', '{}', "
        "now() - make_interval(days => %s::int, mins => n) FROM generate_series(1, %s::int) AS n",
        (days, user, days, rows),
    )


def _texts(admin: Admin, table: str) -> list[str]:
    columns = "id, user_id, location, lat, lng, activity, metadata, recorded_at, created_at, updated_at"
    return [row[0] for row in admin.execute(f"SELECT ROW({columns})::text FROM {table} ORDER BY id")]


def _count(admin: Admin, table: str) -> int:
    row = admin.execute(f"SELECT count(*) FROM daylight.{table}").fetchone()
    assert row is not None
    return int(row[0])


def _aside(admin: Admin) -> int:
    row = admin.execute(
        "SELECT count(*) FROM pg_class WHERE relname LIKE '%\\_expired\\_%' AND relkind = 'r'"
    ).fetchone()
    assert row is not None
    return int(row[0])


def test_the_fourteen_figures_are_rows(owned: DaylightDataLayer) -> None:
    """Each table of the requirement is kept for as many days as it says."""
    assert {policy.table_name: (policy.tier, policy.keep_days) for policy in owned.retention.list_policies()} == {
        "user_sessions": ("hot", 30),
        "location_history": ("hot", 90),
        "weather_cache": ("hot", 7),
        "traffic_data": ("hot", 30),
        "events_cache": ("hot", 14),
        "performance_metrics": ("hot", 30),
        "plans": ("warm", 365),
        "usage_analytics": ("warm", 365),
        "error_logs": ("warm", 90),
        "api_usage": ("warm", 365),
        "audit_logs": ("cold", 2555),
        "user_profiles": ("cold", 2555),
        "locations": ("cold", 1095),
        "users": ("cold", 2555),
    }
    assert set(TABLES) == {policy.table_name for policy in owned.retention.list_policies()}


def test_an_expired_week_is_archived_proved_and_dropped(owned: DaylightDataLayer, admin: Admin, tmp_path: Path) -> None:
    """Whole weeks go, younger rows stay, and a restore gives identical rows in a table of their own."""
    for days in (200, 120, 10):
        _history(admin, days)
    before = _texts(admin, "daylight.location_history")
    steps: list[str] = []
    [job] = owned.retention.run_manual_retention("location_history", on_step=steps.append)
    assert (job.status, job.records_processed, job.records_archived, job.records_deleted) == ("completed", 20, 20, 20)
    assert any(step.startswith("archiving daylight.location_history_") for step in steps)
    assert _count(admin, "location_history") == 10
    assert _aside(admin) == 0
    archives = owned.retention.list_archives("location_history")
    assert [each.row_count for each in archives] == [10, 10]
    assert {each.status for each in archives} == {"completed"}
    assert len(list((tmp_path / "archives").rglob("*.csv.zst"))) == 2
    restored = owned.retention.restore("daylight.location_history")
    assert restored.rows == 20
    live = _texts(admin, "daylight.location_history")
    assert sorted(_texts(admin, restored.table) + live) == sorted(before)
    assert owned.retention.verify_archives() == {}
    partly = owned.retention.restore("location_history", NOW - timedelta(days=150), NOW)
    assert partly.rows == 10


def test_a_late_row_is_archived_like_the_others(owned: DaylightDataLayer, admin: Admin) -> None:
    """A row for a week that was dropped gets an archive of its own."""
    _history(admin, 200)
    owned.retention.run_daily_retention()
    _history(admin, 201, 1)
    [job] = owned.retention.run_manual_retention("location_history")
    assert (job.records_archived, _count(admin, "location_history")) == (1, 0)
    assert owned.retention.restore("location_history").rows == 11


def test_active_customers_never_expire(owned: DaylightDataLayer, admin: Admin) -> None:
    """However old an account is; an inactive one goes with its profile, once nothing refers to it."""
    owned.users.create_user(USER)
    owned.users.create_user({**USER, "id": "b", "email": "b@example.org", "username": "b"})
    owned.users.create_user({**USER, "id": "c", "email": "c@example.org", "username": "c"})
    owned.plans.create_plan("c", {"title": "x", "start_time": NOW, "end_time": NOW})
    admin.execute("UPDATE daylight.users SET created_at = now() - interval '20 years', last_active_at = created_at")
    admin.execute("UPDATE daylight.users SET last_active_at = now() - interval '8 years', is_active = id = 'kai'")
    jobs = {job.table_name: job for job in owned.retention.run_daily_retention()}
    assert {job.status for job in jobs.values()} == {"completed"}
    assert (jobs["users"].records_archived, jobs["user_profiles"].records_archived) == (1, 2)
    assert [row[0] for row in admin.execute("SELECT id FROM daylight.users ORDER BY id")] == ["c", "kai"]
    assert owned.retention.restore("users").rows == 1
    last = owned.retention.get_retention_report()["status"]["lastRun"]["jobs"]
    assert {job["tableName"]: job["recordsArchived"] for job in last}["users"] == 1


def test_plans_age_by_their_end_in_portions(
    owned: DaylightDataLayer, admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plan for the future stays, however long ago it was made; portions have archives of their own."""
    monkeypatch.setattr(aside, "PORTION", 2)
    owned.users.create_user(USER)
    for number in range(6):
        end = NOW + timedelta(days=1) if number == 5 else NOW - timedelta(days=500)
        owned.plans.create_plan("kai", {"id": f"p{number}", "title": "x", "start_time": end, "end_time": end})
    admin.execute("UPDATE daylight.plans SET updated_at = now() - interval '400 days'")
    [job] = owned.retention.run_manual_retention("plans")
    assert (job.records_processed, job.records_archived, job.error) == (5, 5, None)
    assert [each.row_count for each in owned.retention.list_archives("plans")] == [2, 2, 1]
    assert [plan.id for plan in owned.plans.get_user_plans("kai")] == ["p5"]
    assert owned.retention.restore("plans").rows == 5


def test_caches_and_sessions_go_without_an_archive(owned: DaylightDataLayer, admin: Admin) -> None:
    """What is never restored is deleted, also without a place for archives."""
    owned.users.create_user(USER)
    owned.cache.set_weather_cache("oahu", {"wind": 7})
    owned.sessions.create("kai")
    admin.execute("UPDATE daylight.weather_cache SET stored_at = now() - interval '8 days'")
    admin.execute("UPDATE daylight.user_sessions SET created_at = now() - interval '31 days'")
    jobs = {job.table_name: job for job in owned.retention.run_daily_retention()}
    assert jobs["weather_cache"].records_deleted == jobs["user_sessions"].records_deleted == 1
    assert owned.retention.list_archives() == []


def test_a_held_row_stays_and_goes_when_it_is_released(owned: DaylightDataLayer, admin: Admin) -> None:
    """A hold keeps its rows in their table, in partitions and elsewhere, and everything else goes."""
    owned.users.create_user(USER)
    owned.users.create_user({**USER, "id": "b", "email": "b@example.org", "username": "b"})
    _history(admin, 200)
    _history(admin, 150, 5, "b")
    for user in ("kai", "b"):
        owned.plans.create_plan(user, {"title": "x", "start_time": NOW, "end_time": NOW})
    admin.execute(_AGED)
    hold = owned.retention.place_hold(None, "case 7", user_id="kai", since=NOW - timedelta(days=3650), until=NOW)
    assert owned.retention.list_holds() == [hold]
    owned.retention.run_daily_retention()
    assert {row[0] for row in admin.execute("SELECT user_id FROM daylight.location_history")} == {"kai"}
    assert _count(admin, "location_history") == 10
    assert [row[0] for row in admin.execute("SELECT user_id FROM daylight.plans")] == ["kai"]
    assert _aside(admin) == 0
    owned.retention.run_daily_retention()
    assert _count(admin, "location_history") == 10
    assert owned.retention.release_hold(hold.id) is True
    assert owned.retention.release_hold(hold.id) is False
    owned.retention.run_daily_retention()
    assert (_count(admin, "location_history"), _count(admin, "plans")) == (0, 0)
    assert owned.retention.restore("location_history").rows == 15


def test_a_hold_placed_while_an_archive_is_written_counts(owned: DaylightDataLayer, admin: Admin) -> None:
    """Between the archive and the end of a table there is a last look; the next run moves the rows back."""
    owned.users.create_user(USER)
    _history(admin, 200)
    owned.plans.create_plan("kai", {"title": "x", "start_time": NOW, "end_time": NOW})
    admin.execute(_AGED)

    def hold(step: str) -> None:
        if step.startswith("archiving"):
            owned.retention.place_hold("location_history", "case 8")
            owned.retention.place_hold("plans", "case 8")

    owned.retention.run_daily_retention(on_step=hold)
    assert _aside(admin) > 0
    owned.retention.run_daily_retention()
    assert (_aside(admin), _count(admin, "location_history"), _count(admin, "plans")) == (0, 10, 1)


@pytest.mark.parametrize("damage", ["cut", "edited", "manifest", "missing"])
def test_an_archive_that_was_altered_is_found_and_not_restored(
    owned: DaylightDataLayer, admin: Admin, tmp_path: Path, refused: Refused, damage: str
) -> None:
    """A cut or edited file, an edited manifest, a missing one: named, and nothing is restored."""
    _history(admin, 200)
    owned.retention.run_manual_retention("location_history")
    [data] = (tmp_path / "archives").rglob("*.csv.zst")
    [manifest] = (tmp_path / "archives").rglob("*.manifest.json")
    if damage == "cut":
        data.write_bytes(data.read_bytes()[:-5])
    elif damage == "edited":
        content = bytearray(data.read_bytes())
        content[len(content) // 2] ^= 255
        data.write_bytes(content)
    elif damage == "manifest":
        manifest.write_text(manifest.read_text().replace('\\"rows\\": 10', '\\"rows\\": 11'))
    else:
        data.unlink()
    [(location, problem)] = owned.retention.verify_archives().items()
    assert location in str(data)
    error = refused(lambda: owned.retention.restore("location_history"), ArchiveError)
    assert isinstance(error, ArchiveError)
    assert error.location is not None
    assert "altered" in problem or "edited" in problem or "missing" in problem
    restored = admin.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'daylight_restored'").fetchone()
    assert restored == (0,)


def test_nothing_goes_while_the_archive_cannot_be_written(owner_url: str, admin: Admin, tmp_path: Path) -> None:
    """No place for archives, or one that fails: the job says so, the rows are all there, and the next run goes on."""
    _history(admin, 200)
    admin.execute(
        "INSERT INTO daylight.users (id, email, email_key, username, username_key, password_hash) "
        "VALUES ('kai', 'k', 'k', 'k', 'k', 'x')"
    )
    old = NOW - timedelta(days=900)
    admin.execute(
        "INSERT INTO daylight.plans (id, user_id, title, start_time, end_time, updated_at) "
        "VALUES ('p', 'kai', 't', %s, %s, %s)",
        (old, old, old),
    )
    with daylight.open(owner_url) as data:
        jobs = {job.table_name: job for job in data.retention.run_daily_retention()}
        assert (jobs["location_history"].status, jobs["plans"].status) == ("failed", "failed")
        assert jobs["location_history"].error == "archives need a place: archive_url"
        assert jobs["weather_cache"].status == "completed"
        with pytest.raises(ConfigurationError):
            data.retention.verify_archives()
    blocked = tmp_path / "blocked"
    blocked.write_text("")
    with daylight.open(owner_url, archive_url=str(blocked)) as data:
        assert {job.status for job in data.retention.run_manual_retention("plans")} == {"failed"}
    with daylight.open(owner_url, archive_url=str(tmp_path / "archives")) as data:
        data.retention.run_daily_retention()
        assert data.retention.restore("location_history").rows == 10
        assert data.retention.restore("plans").rows == 1


def test_an_archive_alone_restores_into_an_empty_database(owned: DaylightDataLayer, admin: Admin) -> None:
    """When the database is lost, a key and a migrated schema are enough."""
    _history(admin, 200, 3)
    before = _texts(admin, "daylight.location_history")
    owned.retention.run_manual_retention("location_history")
    [found] = owned.retention.list_archives()
    admin.execute("DELETE FROM daylight.data_archives")
    restored = owned.retention.restore_archive("location_history", found.location)
    assert _texts(admin, restored.table) == before
    with pytest.raises(ValidationError, match="no archive of that time"):
        owned.retention.restore("location_history")
    with pytest.raises(ArchiveError, match="another table"):
        owned.retention.restore_archive("plans", found.location)


def test_a_dry_run_changes_nothing_and_one_run_excludes_another(owned: DaylightDataLayer, admin: Admin) -> None:
    """It says what would be done; a second run meanwhile is refused; a time limit begins no other table."""
    _history(admin, 200)
    [planned] = owned.retention.run_manual_retention("location_history", dry_run=True)
    assert (planned.status, planned.records_processed, _count(admin, "location_history")) == ("planned", 10, 10)
    refusals: list[str] = []

    def again(_: str) -> None:
        assert owned.retention.get_retention_report()["status"]["activeJobs"] == 1
        try:
            owned.retention.run_daily_retention()
        except MigrationError as error:
            refusals.append(str(error))

    owned.retention.run_manual_retention("location_history", on_step=again)
    assert refusals[0] == "another run of retention is under way"
    assert owned.retention.run_daily_retention(until=0) == []


def test_policies_are_changed_and_bad_ones_refused(owned: DaylightDataLayer, admin: Admin, refused: Refused) -> None:
    """0 days, unknown tables, reversed holds: refused by name. A disabled policy removes nothing."""
    retention = owned.retention
    changed = retention.set_policy(
        "location_history", keep_days=30, storage_class="glacier", archive=False, enabled=True
    )
    assert (changed.keep_days, changed.storage_class, changed.archive) == (30, "glacier", False)
    _history(admin, 100)
    [job] = retention.run_manual_retention("location_history")
    assert (job.records_archived, job.records_deleted) == (0, 10)
    retention.set_policy("location_history", enabled=False)
    _history(admin, 101)
    assert retention.run_manual_retention("location_history") == []
    assert "keep_days" in str(refused(lambda: retention.set_policy("plans", keep_days=0)))
    assert "table must be one with a policy" in str(refused(lambda: retention.set_policy("planz", keep_days=1)))
    assert "table must be" in str(refused(lambda: retention.run_manual_retention("daylight.roles")))
    assert "table must be" in str(refused(lambda: retention.list_archives(5)))  # type: ignore[arg-type]
    assert "until must be after" in str(refused(lambda: retention.place_hold("plans", "x", since=NOW, until=NOW)))
    assert "reason" in str(refused(lambda: retention.place_hold("plans", "")))
    assert "sample" in str(refused(lambda: retention.verify_archives(0)))


def test_the_report_says_what_is_due(owned: DaylightDataLayer, admin: Admin) -> None:
    """Expired rows, how long they are overdue, archives, holds and the last run, by table."""
    _history(admin, 200)
    owned.retention.place_hold("plans", "case 9")
    report = owned.retention.get_retention_report()
    history = next(table for table in report["tables"] if table["tableName"] == "location_history")
    assert (history["expired"], history["overdueDays"], history["setAside"]) == (10, 110, 0)
    assert report["status"] == {"policies": 14, "activeJobs": 0, "lastRun": None}
    owned.retention.run_daily_retention()
    report = owned.retention.get_retention_report()
    assert report["archives"]["location_history"]["rows"] == 10
    assert len(report["status"]["lastRun"]["jobs"]) == 14
    assert json.dumps(report["holds"][0]["reason"]) == '"case 9"'
