"""The buffer: entries are written together, in order, each once, and none is lost but by an end without warning."""

import json
import multiprocessing
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import psycopg
import pytest

import surf_data
from rig import Relay, eventually
from surf_data.kernel.journal import Spool
from surf_data.kernel.journal import buffer as buffer_module

Admin = psycopg.Connection[Any]

TABLE = "lamps.activity_log"
OpenData = Callable[..., surf_data.LampsDataLayer]

#: Nothing is written before it is asked for, or the test is over.
LONG = 60


@pytest.fixture
def open_data(migrated_url: str) -> Iterator[OpenData]:
    """Return a function that opens the data layer with a buffer."""
    with ExitStack() as stack:

        def opened(url: str = migrated_url, **settings: Any) -> surf_data.LampsDataLayer:
            chosen = {
                "journal_buffer": 100,
                "journal_buffer_seconds": LONG,
                "pool_min_size": 0,
                "pool_max_size": 4,
                **settings,
            }
            return stack.enter_context(surf_data.open(url, **chosen))

        yield opened


def logged(admin: Admin) -> list[str]:
    """Return the user agents of all entries in the order in which they were written."""
    return [name for (name,) in admin.execute("SELECT user_agent FROM activity_log ORDER BY id").fetchall()]


def log(data: surf_data.LampsDataLayer, *names: str) -> None:
    """Log entries that can be told apart."""
    for name in names:
        data.activity.log_activity(None, "a", "b", user_agent=name)


def counts(data: surf_data.LampsDataLayer) -> dict[str, int]:
    """Return how often each query was run."""
    return {name.removeprefix("lamps."): facts["count"] for name, facts in data.stats()["queries"].items()}


def lock(admin: Admin) -> None:
    """Let no other session write until the transaction ends."""
    admin.execute("BEGIN")
    admin.execute("LOCK TABLE activity_log")


def test_entries_are_written_together(open_data: OpenData, admin: Admin, lamp_id: UUID) -> None:
    """What is there after a flush is what was logged, with the times of the calls, by one COPY."""
    data = open_data()
    before = datetime.now(UTC)
    data.activity.log_activity(lamp_id, "a", "b", {"é": [1]}, ip_address="2001:db8::1", user_agent="1")
    between = datetime.now(UTC)
    log(data, "2")
    after = datetime.now(UTC)
    assert logged(admin) == []
    assert data.activity.flush() is True
    rows = admin.execute("SELECT lamp_id, details, host(ip_address), user_agent FROM activity_log ORDER BY id")
    assert rows.fetchall() == [(lamp_id, {"é": [1]}, "2001:db8::1", "1"), (None, None, None, "2")]
    first, second = admin.execute("SELECT created_at FROM activity_log ORDER BY id").fetchall()
    assert before <= first[0] <= between <= second[0] <= after
    assert counts(data) == {"activity_ids": 1, "activity_copy_many": 1}


def test_without_a_buffer_there_is_nothing_to_flush(open_data: OpenData, admin: Admin) -> None:
    """An entry is written at once, as ever."""
    data = open_data(journal_buffer=0)
    log(data, "1")
    assert logged(admin) == ["1"]
    assert data.activity.flush() is True
    assert counts(data) == {"activity_insert": 1}


@pytest.mark.parametrize("settings", [{"journal_buffer": 3}, {"journal_buffer_seconds": 0.001}], ids=["enough", "old"])
def test_entries_are_written_unasked(open_data: OpenData, admin: Admin, settings: dict[str, Any]) -> None:
    """They are when there are enough, and when they have waited long enough."""
    log(open_data(**settings), "1", "2")
    eventually(lambda: logged(admin) == ["1", "2"])


def test_large_details_are_not_hoarded(open_data: OpenData, admin: Admin, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded in characters, too."""
    monkeypatch.setattr(buffer_module, "MAX_CHARACTERS", 10)
    open_data().activity.log_activity(None, "a", "b", {"key": "value"}, user_agent="1")
    eventually(lambda: logged(admin) == ["1"])


def test_who_finds_the_buffer_full_waits(open_data: OpenData, admin: Admin) -> None:
    """No more is kept than was allowed, the order stays, and nothing is lost; a deadline is kept."""
    data = open_data(journal_buffer=2)
    lock(admin)
    log(data, "1", "2")
    with data.deadline(0.01):
        log(data, "too late")
        assert data.activity.flush() is False
    waiting = threading.Thread(target=log, args=(data, "3", "4", "5"))
    waiting.start()
    admin.execute("COMMIT")
    waiting.join()
    assert data.activity.flush() is True
    assert logged(admin) == ["1", "2", "3", "4", "5"]
    assert data.stats()["activity"] == {"failures": 1}


def test_one_that_is_refused_takes_no_other_with_it(
    open_data: OpenData, admin: Admin, caplog: pytest.LogCaptureFixture
) -> None:
    """Of many entries those of unknown lamps are lost, and counted; bad input never gets that far."""
    data = open_data()
    for number in range(9):
        unknown = uuid4() if number in {0, 5} else None
        data.activity.log_activity(unknown, "a", "b", user_agent=str(number))
    data.activity.log_activity(None, "", "b")
    data.activity.flush()
    assert logged(admin) == ["1", "2", "3", "4", "6", "7", "8"]
    assert data.stats()["activity"] == {"failures": 3}
    assert [vars(record)["error"] for record in caplog.records if record.msg == "journal entries lost"] == [
        "ValidationError",
        "ConstraintViolation",
        "ConstraintViolation",
    ]


def test_without_a_spool_what_cannot_be_written_is_lost(open_data: OpenData) -> None:
    """While the server is away entries are failures, and the next ones are tried again."""
    data = open_data("host=/nowhere/at/all user=u", pool_timeout=0.05)
    log(data, "1", "2")
    data.activity.flush()
    assert data.stats()["activity"] == {"failures": 2}
    log(data, "3")
    data.activity.flush()
    assert data.stats()["activity"] == {"failures": 3}


def test_within_a_transaction_nothing_is_buffered(open_data: OpenData, admin: Admin) -> None:
    """What is logged in a transaction belongs to it, is written at once, and goes with it."""
    data = open_data()
    with pytest.raises(ZeroDivisionError), data.transaction() as tx:
        tx.activity.log_activity(None, "a", "b")
        assert tx.activity.flush() is True
        assert len(tx.activity.get_activity_statistics()["by_type"]) == 1
        log(data, "outside")
        raise ZeroDivisionError
    data.activity.flush()
    assert logged(admin) == ["outside"]


def test_closing_writes(open_data: OpenData, admin: Admin) -> None:
    """Nothing is left behind; what comes later is a failure."""
    data = open_data()
    log(data, "1")
    data.close()
    assert logged(admin) == ["1"]
    log(data, "2")
    data.activity.flush()
    assert data.stats()["activity"] == {"failures": 1}


def test_a_program_that_ends_writes(migrated_url: str, admin: Admin) -> None:
    """At once, although nothing is closed, and also what is logged at the very end."""
    program = f"""
import atexit, sys
sys.path[:] = {sys.path!r}
import surf_data
data = surf_data.open({migrated_url!r}, journal_buffer=100, journal_buffer_seconds=60)
def log(name):
    data.activity.log_activity(None, "a", "b", user_agent=name)
atexit.register(log, "2")
log("1")
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=40)
    assert logged(admin) == ["1", "2"]


def test_when_no_thread_can_be_had_entries_are_written_all_the_same(
    open_data: OpenData, admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller does it, as it is asked to by Python when the program is about to end."""
    data = open_data(journal_buffer_seconds=0.001)
    data.lamps.get_all_active_lamps()

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        log(data, "1")
    assert logged(admin) == ["1"]
    log(data, "2")
    assert data.activity.flush() is True
    assert logged(admin) == ["1", "2"]


def test_an_interrupt_stops_no_other_entry(open_data: OpenData, admin: Admin, monkeypatch: pytest.MonkeyPatch) -> None:
    """When it comes just as the thread is begun, the next entry takes this one along."""
    data = open_data()

    def interrupt(_: threading.Thread) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", interrupt)
        with pytest.raises(KeyboardInterrupt):
            log(data, "1")
    log(data, "2")
    assert data.activity.flush() is True
    assert logged(admin) == ["1", "2"]


def test_a_process_of_multiprocessing_writes(open_data: OpenData, admin: Admin) -> None:
    """When it ends, although it runs none of the functions that are registered to run at exit."""
    child = multiprocessing.get_context("fork").Process(target=log, args=(open_data(), "1"))
    child.start()
    child.join(40)
    assert child.exitcode == 0
    assert logged(admin) == ["1"]


def test_a_spool_that_holds_nonsense_stops_nothing(
    open_data: OpenData, admin: Admin, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What is no entry cannot be replayed, and everything else goes on."""
    (tmp_path / f"{TABLE}.jsonl").write_text('{"user_agent": "no entry"}\n')
    data = open_data(journal_spool=str(tmp_path))
    for name in ("1", "2"):
        log(data, name)
        data.activity.flush()
    assert logged(admin) == ["1", "2"]
    assert data.stats()["activity"] == {"failures": 0}
    assert [record.msg for record in caplog.records].count("journal entries not replayed yet") == 2


def test_a_forked_child_writes_only_its_own(open_data: OpenData, admin: Admin) -> None:
    """What the parent had logged before is written once, by the parent."""
    data = open_data()
    log(data, "1")
    child = os.fork()
    if not child:
        log(data, "child")
        data.close()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert logged(admin) == ["child"]
    log(data, "2")
    data.activity.flush()
    assert logged(admin) == ["child", "1", "2"]


def test_threads_lose_nothing(open_data: OpenData, admin: Admin) -> None:
    """However many threads log, flush and find no room, each entry is there once, and those of a thread in order."""
    data = open_data(journal_buffer=7, journal_buffer_seconds=0.001)
    names = [[f"{thread}.{number}" for number in range(100)] for thread in range(6)]
    begin = threading.Barrier(len(names))

    def run(own: list[str]) -> None:
        begin.wait()
        for place, name in enumerate(own):
            log(data, name)
            if place % 30 == 0:
                data.activity.flush()

    threads = [threading.Thread(target=run, args=(own,)) for own in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    data.activity.flush()
    written = logged(admin)
    assert [[name for name in written if name.startswith(f"{thread}.")] for thread in range(6)] == names
    assert data.stats()["activity"] == {"failures": 0}


def test_the_writer_does_not_wait_for_itself(migrated_url: str, admin: Admin) -> None:
    """A call that logs because something was logged gets a failure and not a deadlock when the buffer is full."""

    def observe(event: surf_data.QueryEvent) -> None:
        if event.query == "lamps.activity_copy_many":
            log(data, "of the writer")
            flushed.append(data.activity.flush())

    flushed: list[bool] = []
    with surf_data.open(migrated_url, observer=observe, journal_buffer=1, pool_min_size=0) as data:
        log(data, "1")
        data.activity.flush()
        assert flushed == [False]
        assert data.stats()["activity"] == {"failures": 1}
    assert logged(admin) == ["1"]


def test_a_lost_answer_doubles_nothing(open_data: OpenData, migrated_url: str, admin: Admin) -> None:
    """When it is unknown whether a batch was written, it is sent in a way that changes nothing if it was."""
    parts = urlsplit(migrated_url)
    place = parse_qs(parts.query)
    with Relay(f"{place['host'][0]}/.s.PGSQL.{place['port'][0]}") as line:
        url = f"postgresql://{parts.username}@127.0.0.1:{line.port}{parts.path}?sslmode=disable"
        data = open_data(url)
        line.lose_replies(b"lost answer", 1)
        log(data, "1", "lost answer", "3")
        data.activity.flush()
        data.close()
    assert logged(admin) == ["1", "lost answer", "3"]
    assert data.stats()["activity"] == {"failures": 0}
    assert counts(data)["activity_insert_many"] == 1


def test_what_cannot_be_written_goes_to_the_spool(open_data: OpenData, admin: Admin, tmp_path: Path) -> None:
    """In order, also after a part of a batch was written or refused, and from there to the server, once."""
    spool = {"journal_spool": str(tmp_path / "spool")}
    away = open_data("host=/nowhere/at/all user=u", pool_timeout=0.05, **spool)
    log(away, "1", "2")
    away.activity.flush()
    # In the careful way the server takes the first two, refuses the third for good, and is lost at the fourth.
    data = open_data(**spool)
    admin.execute(
        """
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF new.user_agent = '5' THEN
                RAISE EXCEPTION 'no' USING ERRCODE = 'check_violation';
            ELSIF new.user_agent = '6' THEN
                RAISE EXCEPTION 'full' USING ERRCODE = 'disk_full';
            END IF;
            RETURN new;
        END $$
        """
    )
    admin.execute("CREATE TRIGGER refuse BEFORE INSERT ON activity_log FOR EACH ROW EXECUTE FUNCTION refuse()")
    log(data, "3", "4", "5", "6", "7")
    data.activity.flush()
    assert logged(admin) == ["3", "4"]
    kept = [json.loads(line) for line in (tmp_path / "spool" / f"{TABLE}.jsonl").read_text().split("\n") if line]
    assert [entry["user_agent"] for entry in kept] == ["1", "2", "6", "7"]
    admin.execute("DROP TRIGGER refuse ON activity_log")
    log(data, "8")
    data.activity.flush()
    names = [name for (name,) in admin.execute("SELECT user_agent FROM activity_log ORDER BY created_at").fetchall()]
    assert names == ["1", "2", "3", "4", "6", "7", "8"]
    assert data.stats()["activity"] == {"failures": 1}
    assert not list((tmp_path / "spool").glob("*.jsonl"))


def test_what_does_not_fit_into_the_spool_is_lost(open_data: OpenData, tmp_path: Path) -> None:
    """The first entries are kept, the others are counted; so are all when the folder cannot be used."""
    away = {"url": "host=/nowhere/at/all user=u", "pool_timeout": 0.05}
    data = open_data(**away, journal_spool=str(tmp_path / "spool"), journal_spool_max_bytes=1024)
    log(data, *map(str, range(10)))
    data.activity.flush()
    lost = data.stats()["activity"]["failures"]
    assert 0 < lost < 10
    with Spool(tmp_path / "spool", TABLE, 1024).claim() as kept:
        assert [entry["user_agent"] for entry in kept] == [str(number) for number in range(10 - lost)]
    (tmp_path / "file").touch()
    data = open_data(**away, journal_spool=str(tmp_path / "file"))
    log(data, "1", "2")
    data.activity.flush()
    assert data.stats()["activity"] == {"failures": 2}


def test_a_child_does_not_keep_the_spool_locked(tmp_path: Path) -> None:
    """A process that was forked while another thread used the spool does not keep anybody from it."""
    spool = Spool(tmp_path, TABLE, 10**6)
    spool.append([{"user_agent": "1"}])
    reader, writer = os.pipe()
    with spool.claim():
        child = os.fork()
        if not child:
            os.close(writer)
            os.read(reader, 1)
            os._exit(0)
        spool.append([{"user_agent": "2"}])
    with spool.claim() as entries:
        assert [entry["user_agent"] for entry in entries] == ["2"]
    os.close(writer)
    os.close(reader)
    os.waitpid(child, 0)
