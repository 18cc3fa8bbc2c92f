"""Rows that change while they are archived, archives that change where they are: neither is dropped nor restored."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import psycopg
import pytest

from surf_data.daylight import DaylightDataLayer
from surf_data.errors import ArchiveError, SurfDataError
from surf_data.kernel import archive
from surf_data.kernel.storage import LocalStore

Admin = psycopg.Connection[Any]
Refused = Callable[..., SurfDataError]

_USER = {"id": "kai", "email": "kai@example.org", "username": "kai", "password_hash": "x"}
_HISTORY = """
INSERT INTO daylight.location_history (id, user_id, location, activity, recorded_at)
SELECT format('h%s', n), 'kai', '{}', 'surf', now() - make_interval(days => 200, mins => n)
FROM generate_series(1, 5) AS n
"""
_PLAN = """
INSERT INTO daylight.plans (id, user_id, title, start_time, end_time, updated_at)
SELECT 'p', 'kai', 't', t, t, t FROM (SELECT now() - interval '900 days' AS t)
"""


def test_rows_that_change_while_they_are_archived_stay(owned: DaylightDataLayer, admin: Admin) -> None:
    """An archive with another number of rows than were counted is no proof: the job fails, the next completes."""
    admin.execute(_HISTORY)

    def remove(step: str) -> None:
        table = step.removeprefix("archiving ")
        admin.execute(f"DELETE FROM {table} WHERE id = 'h1'")

    [job] = owned.retention.run_manual_retention("location_history", on_step=remove)
    assert (job.status, job.records_deleted) == ("failed", 0)
    assert "another number of rows" in str(job.error)
    assert owned.retention.list_archives() == []
    [job] = owned.retention.run_manual_retention("location_history")
    assert (job.error, job.records_archived) == (None, 4)
    assert owned.retention.restore("location_history").rows == 4


def test_a_hold_placed_while_a_portion_is_archived_counts(owned: DaylightDataLayer, admin: Admin) -> None:
    """What was set aside of a table without partitions is not dropped, neither in that run nor in one that finds it."""
    owned.users.create_user(_USER)
    admin.execute(_PLAN)
    holds: list[int] = []

    def hold(step: str) -> None:
        assert step.startswith("archiving daylight.plans")
        holds.append(owned.retention.place_hold("plans", "case 10").id)

    for _ in range(2):
        [job] = owned.retention.run_manual_retention("plans", on_step=hold)
        assert (job.error, job.records_deleted) == (None, 0)
        assert owned.retention.release_hold(holds.pop())
    [job] = owned.retention.run_manual_retention("plans")
    assert (job.error, job.records_deleted) == (None, 1)
    assert owned.retention.restore("plans").rows == 1


@pytest.fixture
def rewritten(owned: DaylightDataLayer, admin: Admin, tmp_path: Path) -> str:
    """Archive rows, write the archive anew with a value in quotation marks, and return its key."""
    admin.execute(_HISTORY)
    owned.retention.run_manual_retention("location_history")
    [found] = owned.retention.list_archives()
    store = LocalStore(tmp_path / "archives")
    content = b"".join(archive.csv_blocks(store, found.location))
    written = archive.write(store, found.location, [content.replace(b",surf,", b',"surf",')])
    manifest = archive.read_manifest(store, found.location)
    archive.write_manifest(store, attrs.evolve(manifest, csv=attrs.evolve(written, rows=manifest.csv.rows)))
    return found.location


def test_an_archive_that_was_written_anew_is_found(owned: DaylightDataLayer, rewritten: str) -> None:
    """Its manifest agrees with it, and not with what the database knows; a sample need not find it."""
    [(location, problem)] = owned.retention.verify_archives().items()
    assert location == rewritten
    assert "has another manifest" in problem
    assert owned.retention.verify_archives(1e-300) == {}


def test_rows_that_do_not_come_back_as_they_were_are_not_restored(
    owned: DaylightDataLayer, admin: Admin, rewritten: str, refused: Refused
) -> None:
    """What the restored table gives is compared with the archive byte for byte."""
    error = refused(lambda: owned.retention.restore_archive("location_history", rewritten), ArchiveError)
    assert "was restored as other rows" in str(error)
    assert admin.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'daylight_restored'").fetchone() == (0,)
