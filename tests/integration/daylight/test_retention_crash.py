"""Killed with -9 at any moment, retention loses nothing and archives nothing twice."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from rig.object_storage import archive_settings, seaweed_store
from surf_data import daylight
from surf_data.kernel.storage import LocalStore, ObjectStore

Settings = dict[str, str]

FILL = """
INSERT INTO daylight.users (id, email, email_key, username, username_key, password_hash)
VALUES ('kai', 'kai@example.org', 'kai@example.org', 'kai', 'kai', 'x');
INSERT INTO daylight.location_history (id, user_id, location, activity, recorded_at)
SELECT format('h%s-%s', d, n), 'kai', '{"lat": 1.5}', E'a\\n"b"', now() - make_interval(days => d, mins => n)
FROM unnest(ARRAY[200, 150, 10]) AS d, generate_series(1, 20) AS n;
INSERT INTO daylight.error_logs (id, occurred_at, severity, name, message, fingerprint)
SELECT 'e' || n, now() - interval '200 days', 'low', 'E', 'm', 'f' FROM generate_series(1, 20) AS n;
INSERT INTO daylight.plans (id, user_id, title, start_time, end_time, updated_at)
SELECT 'p' || n, 'kai', 't', t, t, t
FROM generate_series(1, 20) AS n, (SELECT now() - interval '900 days' AS t) AS m;
INSERT INTO daylight.locations (id, user_id, name, lat, lng, type, updated_at)
SELECT 'l' || n, 'kai', 'n', 1, 2, 'home', now() - interval '1200 days' FROM generate_series(1, 20) AS n;
"""
EXPECTED = {"location_history": 40, "error_logs": 20, "plans": 20, "locations": 20}


@contextmanager
def _database(admin: psycopg.Connection[Any], url: str, template: str) -> Iterator[str]:
    name = f"crash_{uuid4().hex}"
    admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield url.replace(f"/{template}?", f"/{name}?")
    admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["store", "s3", "postgresql"])
def place(request: pytest.FixtureRequest) -> str:
    """Return what a run is killed at."""
    return str(request.param)


@pytest.fixture
def archives(
    request: pytest.FixtureRequest, place: str, tmp_path: Path
) -> Callable[[int], tuple[Settings, ObjectStore]]:
    """Return what makes a place for the archives of a point: the settings that name it, and the place."""
    if place != "s3":
        folder = tmp_path / place
        return lambda point: ({"archive_url": f"{folder}{point}"}, LocalStore(f"{folder}{point}"))
    server = request.getfixturevalue("seaweed")
    return lambda point: (archive_settings(server, f"crash{point}"), seaweed_store(server, f"crash{point}"))


@pytest.mark.sampled(2)
def test_a_killed_run_loses_nothing(
    owner_url: str,
    daylight_database: psycopg.Connection[Any],
    archives: Callable[[int], tuple[Settings, ObjectStore]],
    sweep: Iterator[int],
    place: str,
) -> None:
    """At every request to the store and message to the server, over tables of all tiers: the next run completes."""
    template = daylight_database.info.dbname
    daylight_database.execute(FILL)
    daylight_database.commit()
    daylight_database.close()
    server = owner_url.replace(f"/{template}?", "/postgres?")
    script = str(Path(__file__).with_name("dying_retention.py"))
    pipe = subprocess.PIPE
    with (
        psycopg.connect(server, autocommit=True) as admin,
        subprocess.Popen([sys.executable, script], stdin=pipe, stdout=pipe, text=True) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        # There are several hundred messages to the server.
        points = islice(sweep, 0, None, 8) if place == "postgresql" else sweep
        for point in points:
            settings, store = archives(point)
            store.initialize()
            with _database(admin, owner_url, template) as url:
                order = {"url": url, "archive": settings, "place": place, "point": point}
                print(json.dumps(order), file=process.stdin, flush=True)
                ended = -int(process.stdout.readline())
                assert ended in {0, signal.SIGKILL}
                with daylight.open(url, **settings, pool_min_size=0) as data:
                    jobs = data.retention.run_daily_retention()
                    assert [job.error for job in jobs if job.error] == []
                    archived = dict.fromkeys(EXPECTED, 0)
                    for archive in data.retention.list_archives():
                        assert archive.status == "completed"
                        archived[archive.table_name] += archive.row_count
                    assert (point, archived) == (point, EXPECTED)
                    assert data.retention.verify_archives() == {}
                    restored = {name: data.retention.restore(name).rows for name in EXPECTED}
                    assert restored == EXPECTED
                    assert len(data.history.get_user_location_history("kai", 1000)) == 20
                keys = {info.key for info in store.list()}
                assert {f"{key}.manifest.json" for key in keys if key.endswith(".csv.zst")} == {
                    key for key in keys if key.endswith(".json")
                }
            if ended == 0:
                break
        process.stdin.close()
