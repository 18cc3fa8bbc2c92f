"""The spool: entries that PostgreSQL cannot take now are written later, in order, each once."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

import surf_data
from surf_data import DatabaseError
from surf_data.kernel.journal import Spool

Admin = psycopg.Connection[Any]

TABLE = "lamps.activity_log"

#: A database that cannot be reached.
NOWHERE = "host=/nowhere/at/all user=u"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return where the spool is; it is not there yet."""
    return tmp_path / "spool"


@pytest.fixture
def data(migrated_url: str, folder: Path) -> Iterator[surf_data.LampsDataLayer]:
    """Open the data layer with a spool."""
    with surf_data.open(migrated_url, journal_spool=str(folder), pool_min_size=1, pool_max_size=4) as opened:
        yield opened


@pytest.fixture
def away(folder: Path) -> Iterator[surf_data.LampsDataLayer]:
    """Open the data layer with the same spool, and no database."""
    with surf_data.open(NOWHERE, journal_spool=str(folder), pool_min_size=0, pool_timeout=0.05) as opened:
        yield opened


def logged(admin: Admin) -> list[str]:
    """Return the user agents of all entries in the order of their times."""
    rows = admin.execute("SELECT user_agent FROM activity_log ORDER BY created_at, id").fetchall()
    return [name for (name,) in rows]


def spool(data: surf_data.LampsDataLayer, *names: str) -> None:
    """Log entries with everything that an entry can have."""
    for name in names:
        data.activity.log_activity(None, "a", "b", {"é": [1]}, ip_address="2001:db8::1", user_agent=name)


def test_what_cannot_be_written_is_written_later(
    data: surf_data.LampsDataLayer, away: surf_data.LampsDataLayer, admin: Admin, folder: Path
) -> None:
    """The next entry that the server takes takes those before along, as they were and with their own times."""
    spool(away, "1", "2", "3")
    assert away.stats()["activity"] == {"failures": 0}
    assert logged(admin) == []
    spool(data, "4")
    assert logged(admin) == ["1", "2", "3", "4"]
    rows = admin.execute("SELECT DISTINCT activity_type, status, details, ip_address::text FROM activity_log")
    assert rows.fetchall() == [("a", "b", {"é": [1]}, "2001:db8::1/128")]
    assert data.activity.replay_spool() == 0
    assert not list(folder.glob("*.jsonl"))


def test_only_its_owner_can_read_it(away: surf_data.LampsDataLayer, folder: Path) -> None:
    """The spool is readable by its owner alone."""
    spool(away, "1")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_a_replay_that_was_interrupted_is_done_again(
    data: surf_data.LampsDataLayer, away: surf_data.LampsDataLayer, admin: Admin, folder: Path
) -> None:
    """A crash after the transaction, and before its entries were forgotten, doubles none of them."""
    spool(away, "1", "2")
    with Spool(folder, TABLE, 10**6).claim() as entries:
        kept = [{**entry, "id": 1000 + place} for place, entry in enumerate(entries)]
        Spool(folder, TABLE, 10**6).save(kept)
        before = (folder / f"{TABLE}.replay.jsonl").read_bytes()
    (folder / f"{TABLE}.replay.jsonl").write_bytes(before)
    assert data.activity.replay_spool() == 2
    (folder / f"{TABLE}.replay.jsonl").write_bytes(before)
    spool(away, "3")
    assert data.activity.replay_spool() == 2
    assert data.activity.replay_spool() == 1
    assert logged(admin) == ["1", "2", "3"]


def test_a_repetition_is_known_by_its_id_and_its_time(
    data: surf_data.LampsDataLayer, away: surf_data.LampsDataLayer, admin: Admin, folder: Path
) -> None:
    """An entry is the same when its id and its time are: a log in partitions has no other key."""
    admin.execute("ALTER TABLE activity_log DROP CONSTRAINT activity_log_pkey, ADD PRIMARY KEY (id, created_at)")
    spool(away, "1", "2")
    with Spool(folder, TABLE, 10**6).claim() as entries:
        Spool(folder, TABLE, 10**6).save([{**entry, "id": 1000 + place} for place, entry in enumerate(entries)])
        before = (folder / f"{TABLE}.replay.jsonl").read_bytes()
    for _ in range(2):
        (folder / f"{TABLE}.replay.jsonl").write_bytes(before)
        assert data.activity.replay_spool() == 2
    assert logged(admin) == ["1", "2"]


def test_a_line_that_was_cut_off_spoils_no_other(
    data: surf_data.LampsDataLayer, away: surf_data.LampsDataLayer, admin: Admin, folder: Path
) -> None:
    """What a crash left of a line is passed over."""
    spool(away, "1")
    with (folder / f"{TABLE}.jsonl").open("ab") as file:
        file.write(b'{"id": null, "user_ag')
    spool(away, "2")
    assert data.activity.replay_spool() == 2
    assert logged(admin) == ["1", "2"]


def test_one_replays_at_a_time(
    data: surf_data.LampsDataLayer, away: surf_data.LampsDataLayer, admin: Admin, folder: Path
) -> None:
    """While one process replays, another replays nothing, and both can log."""
    spool(away, "1")
    with pytest.raises(ZeroDivisionError), Spool(folder, TABLE, 10**6).claim() as entries:
        assert [entry["user_agent"] for entry in entries] == ["1"]
        assert data.activity.replay_spool() == 0
        spool(away, "2")
        spool(data, "3")
        raise ZeroDivisionError
    assert data.activity.replay_spool() == 1
    assert data.activity.replay_spool() == 1
    assert logged(admin) == ["1", "2", "3"]


def test_the_spool_is_bounded(folder: Path) -> None:
    """What does not fit is lost, and counted as such."""
    with surf_data.open(
        NOWHERE, journal_spool=str(folder), journal_spool_max_bytes=1024, pool_min_size=0, pool_timeout=0.05
    ) as data:
        spool(data, *(str(number) for number in range(10)))
        failures = data.stats()["activity"]["failures"]
    assert 0 < failures < 10
    assert len((folder / f"{TABLE}.jsonl").read_bytes().split()) > 0
    assert (folder / f"{TABLE}.jsonl").stat().st_size <= 1024


def test_what_will_never_be_taken_is_not_kept(data: surf_data.LampsDataLayer, folder: Path) -> None:
    """An entry of a lamp that is unknown is a failure now, and is not spooled indefinitely."""
    data.activity.log_activity(uuid4(), "a", "b")
    assert data.stats()["activity"] == {"failures": 1}
    assert not folder.exists()


def test_a_lamp_that_was_deleted_leaves_its_entries(
    data: surf_data.LampsDataLayer, away: surf_data.LampsDataLayer, admin: Admin
) -> None:
    """An entry whose lamp has gone meanwhile is written without it; one that the schema refuses is passed over."""
    away.activity.log_activity(uuid4(), "a", "b", user_agent="1")
    away.activity.log_activity(None, "refused", "b", user_agent="2")
    spool(away, "3")
    admin.execute("ALTER TABLE activity_log ADD CHECK (activity_type <> 'refused')")
    assert data.activity.replay_spool() == 3
    assert logged(admin) == ["1", "3"]


def test_what_cannot_be_replayed_stays(
    data: surf_data.LampsDataLayer,
    away: surf_data.LampsDataLayer,
    admin: Admin,
    folder: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An entry is logged also when those before it cannot be replayed; they stay where they are."""
    spool(away, "1")
    (folder / f"{TABLE}.replay.jsonl").mkdir()
    spool(data, "2")
    assert "journal entries not replayed yet" in [record.msg for record in caplog.records]
    assert data.stats()["activity"] == {"failures": 0}
    (folder / f"{TABLE}.replay.jsonl").rmdir()
    admin.execute("REVOKE ALL ON activity_log FROM PUBLIC")
    with pytest.raises(DatabaseError):
        away.activity.replay_spool()
    assert data.activity.replay_spool() == 1
    assert logged(admin) == ["1", "2"]


def test_a_forked_child_has_ids_of_its_own(data: surf_data.LampsDataLayer, admin: Admin) -> None:
    """Parent and child log on without taking one another's ids."""
    spool(data, "before")
    child = os.fork()
    if not child:
        spool(data, *["child"] * 5)
        data.close()
        os._exit(0)
    spool(data, *["parent"] * 5)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert sorted(logged(admin)) == ["before", *["child"] * 5, *["parent"] * 5]


def test_ids_are_reserved_a_hundred_at_a_time(data: surf_data.LampsDataLayer) -> None:
    """One more statement for a hundred entries is what a spool costs."""
    spool(data, *(str(number) for number in range(150)))
    queries = data.stats()["queries"]
    assert (queries["lamps.activity_ids"]["count"], queries["lamps.activity_insert_once"]["count"]) == (2, 150)


def test_within_a_transaction_nothing_is_spooled(data: surf_data.LampsDataLayer, admin: Admin, folder: Path) -> None:
    """What is logged in a transaction belongs to it, and goes with it."""
    with pytest.raises(ZeroDivisionError), data.transaction() as tx:
        tx.activity.log_activity(None, "a", "b")
        assert tx.activity.replay_spool() == 0
        raise ZeroDivisionError
    assert logged(admin) == []
    assert not folder.exists()


def test_the_file_is_lines_of_json(away: surf_data.LampsDataLayer, folder: Path) -> None:
    """An operator can read what is kept."""
    spool(away, "1")
    [line] = (folder / f"{TABLE}.jsonl").read_text("utf-8").split("\n")[1:-1]
    entry = json.loads(line)
    assert {key: entry[key] for key in ("id", "details", "user_agent")} == {
        "id": None,
        "details": '{"é":[1]}',
        "user_agent": "1",
    }
