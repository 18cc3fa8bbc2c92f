"""Archives on a real server that speaks S3: proved there, restored from there, and nothing goes when it refuses."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from rig import Relay
from rig.object_storage import archive_settings, seaweed_store
from rig.seaweed import SeaweedServer
from surf_data import daylight
from surf_data.daylight import DaylightDataLayer
from surf_data.errors import ArchiveError, StorageDenied, SurfDataError
from surf_data.kernel.storage import ObjectStore

Admin = psycopg.Connection[Any]
Refused = Callable[..., SurfDataError]

BUCKET = "daylight-archives"
COLUMNS = "id, user_id, location, lat, lng, activity, metadata, recorded_at, created_at, updated_at"
DENIAL = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def expired(admin: Admin, name: str, rows: int = 5) -> None:
    """Insert rows that have expired, whose values CSV has to quote."""
    admin.execute(
        "INSERT INTO daylight.location_history (id, user_id, location, activity, metadata, recorded_at) "
        "SELECT format('%%s-%%s', %s::text, n), 'kai', '{\"lat\": 1.50, \"lng\": -0.1}', E'a\\n\"b\", ü', '{}', "
        "now() - make_interval(days => 200, mins => n) FROM generate_series(1, %s::int) AS n",
        (name, rows),
    )


def texts(admin: Admin, table: str) -> list[str]:
    """Return the rows of a table as text."""
    return [row[0] for row in admin.execute(f"SELECT ROW({COLUMNS})::text FROM {table} ORDER BY id".encode())]


@pytest.fixture
def bucket(seaweed: SeaweedServer) -> Iterator[ObjectStore]:
    """Return the bucket of the archives, empty."""
    store = seaweed_store(seaweed, BUCKET)
    store.initialize()
    yield store
    store.delete_many([info.key for info in store.list()])


@pytest.fixture
def relay(seaweed: SeaweedServer) -> Iterator[Relay]:
    """Return a relay to the server."""
    with Relay(("127.0.0.1", seaweed.port)) as relay:
        yield relay


@pytest.fixture
def archiving(owner_url: str, seaweed: SeaweedServer, bucket: ObjectStore, relay: Relay) -> Iterator[DaylightDataLayer]:
    """Open the data layer with the owner's role and archives in the bucket, which it reaches through the relay."""
    settings = archive_settings(seaweed, BUCKET, f"http://{relay.address}")
    with daylight.open(owner_url, **settings, pool_min_size=1, pool_max_size=3) as opened:  # type: ignore[arg-type]
        yield opened


def test_archived_proved_and_restored(archiving: DaylightDataLayer, admin: Admin, bucket: ObjectStore) -> None:
    """What went comes back identical, from a file and a manifest below the prefix."""
    expired(admin, "a")
    before = texts(admin, "daylight.location_history")
    [job] = archiving.retention.run_manual_retention("location_history")
    assert (job.error, job.records_archived, job.records_deleted) == (None, 5, 5)
    assert texts(admin, "daylight.location_history") == []
    [found] = archiving.retention.list_archives()
    assert [info.key for info in bucket.list("expired")] == [found.location, f"{found.location}.manifest.json"]
    assert archiving.retention.verify_archives() == {}
    assert texts(admin, archiving.retention.restore("location_history").table) == before
    # Where all is lost but the bucket, its key is enough.
    admin.execute("DELETE FROM daylight.data_archives")
    assert texts(admin, archiving.retention.restore_archive("location_history", found.location).table) == before


@pytest.mark.parametrize("damage", ["edited", "without its manifest", "missing"])
def test_an_archive_that_was_altered(
    archiving: DaylightDataLayer, admin: Admin, bucket: ObjectStore, refused: Refused, damage: str
) -> None:
    """An edited manifest, a missing one, a missing file: named, and nothing is restored."""
    expired(admin, "a")
    archiving.retention.run_manual_retention("location_history")
    [found] = archiving.retention.list_archives()
    manifest = f"{found.location}.manifest.json"
    if damage == "edited":
        edited = bucket.get(manifest).read().replace(b'\\"rows\\": 5', b'\\"rows\\": 4')
        bucket.put(manifest, edited, create=False)
    else:
        bucket.delete_many([found.location if damage == "missing" else manifest])
    [(location, problem)] = archiving.retention.verify_archives().items()
    assert location == found.location
    assert ("was edited" if damage == "edited" else "is missing") in problem
    error = refused(lambda: archiving.retention.restore("location_history"), ArchiveError)
    assert isinstance(error, ArchiveError)
    assert error.location == (found.location if damage == "missing" else manifest)
    restored = admin.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'daylight_restored'").fetchone()
    assert restored == (0,)


def test_a_store_that_refuses_any_request(
    archiving: DaylightDataLayer, admin: Admin, relay: Relay, sweep: Iterator[int]
) -> None:
    """Nothing of the table goes then; the next run archives each row once."""
    archived = 0
    for point in sweep:
        expired(admin, str(point))
        rows = texts(admin, "daylight.location_history")
        relay.passing = point - 1
        relay.answers.append(DENIAL)
        [job] = archiving.retention.run_manual_retention("location_history")
        if relay.answers:
            assert (job.error, job.records_archived) == (None, 5)
            break
        assert (job.status, job.records_deleted) == ("failed", 0)
        assert str(job.error).endswith(" failed: access denied")
        kept = admin.execute("SELECT count(*) FROM pg_class WHERE relname ~ 'location_history_.*expired'").fetchone()
        assert kept is not None
        assert len(texts(admin, "daylight.location_history")) + 5 * kept[0] == len(rows)
        [job] = archiving.retention.run_manual_retention("location_history")
        assert job.error is None
        archived += 5
        assert sum(each.row_count for each in archiving.retention.list_archives()) == archived
        assert texts(admin, "daylight.location_history") == []
    relay.answers.clear()
    assert archiving.retention.verify_archives() == {}
    restored = archiving.retention.restore("location_history")
    assert restored.rows == archived + 5


def test_a_bucket_that_refuses(archiving: DaylightDataLayer, admin: Admin, relay: Relay, refused: Refused) -> None:
    """Verification and restore pass the store's error on, and say of no archive that it is missing."""
    expired(admin, "a")
    archiving.retention.run_manual_retention("location_history")
    for call in (archiving.retention.verify_archives, lambda: archiving.retention.restore("location_history")):
        relay.answers.extend([DENIAL] * 2)
        assert "access denied" in str(refused(call, StorageDenied))
        relay.answers.clear()
