"""The data layer as a whole: wiring, transactions, health, statistics, secrets, many threads."""

import logging
import re
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import ANY
from uuid import uuid4

import psycopg
import pytest

import surf_data
from surf_data import (
    Check,
    ConfigurationError,
    DatabaseError,
    LampsDataLayer,
    PoolTimeout,
    QueryEvent,
    SurfData,
    ValidationError,
    lamps,
    migrate,
)
from surf_data.embedded import EmbeddedServers
from surf_data.kernel import resources

Admin = psycopg.Connection[Any]
SECRET = "planted-7f3a"


def user_data(**changes: Any) -> dict[str, Any]:
    """Return the data of a new user with an address of its own."""
    lamp_id = uuid4()
    return {
        "lamp_id": lamp_id,
        "email": f"{lamp_id}@example.org",
        "name": "Kai",
        "password_hash": SECRET,
        "location_index": 0,
        **changes,
    }


def count(admin: Admin) -> int:
    """Count the registered users."""
    row = admin.execute("SELECT count(*) FROM lamp_registry").fetchone()
    assert row is not None
    return int(row[0])


def test_a_transaction_is_committed_as_a_whole(data: LampsDataLayer, admin: Admin) -> None:
    """What is done in a transaction is seen by others when its block has ended, and not before."""
    user = user_data()
    with data.transaction() as tx:
        tx.users.register_user(user)
        tx.activity.log_activity(user["lamp_id"], "status", "success", {"by": "operator"})
        assert tx.users.validate_user_credentials(user["email"], SECRET) is True
        assert tx.lamps.get_lamp_configuration(user["lamp_id"]) is not None
        assert data.lamps.get_lamp_configuration(user["lamp_id"]) is None
    assert data.lamps.get_lamp_configuration(user["lamp_id"]) is not None
    assert len(data.activity.get_lamp_activity_history(user["lamp_id"])) == 1


def test_an_exception_leaves_nothing_of_a_transaction(data: LampsDataLayer, admin: Admin) -> None:
    """An exception in the block undoes all of it and comes out as it was."""
    with pytest.raises(ZeroDivisionError), data.transaction() as tx:
        tx.users.register_user(user_data())
        tx.activity.log_activity(None, "status", "success")
        raise ZeroDivisionError
    assert count(admin) == 0
    assert data.activity.get_activity_statistics()["total"] == 0


def test_transactions_nest_as_savepoints(data: LampsDataLayer, admin: Admin) -> None:
    """An inner block that fails is rolled back alone, at any depth; the outer one decides about the rest."""
    kept, inner_kept = user_data(), user_data()
    with data.transaction() as tx:
        tx.users.register_user(kept)
        with pytest.raises(ValidationError), tx.transaction() as inner:
            inner.users.register_user(user_data())
            with inner.transaction() as innermost:
                innermost.users.register_user(user_data(email=kept["email"].upper()))
        with tx.transaction() as inner, inner.transaction() as innermost:
            innermost.users.register_user(inner_kept)
    stored = admin.execute("SELECT lamp_id FROM lamp_registry").fetchall()
    assert {row[0] for row in stored} == {kept["lamp_id"], inner_kept["lamp_id"]}


def test_a_transaction_is_over_after_its_block(data: LampsDataLayer) -> None:
    """Repositories that outlive their transaction refuse to work, instead of using another caller's connection."""
    with data.transaction() as tx:
        pass
    with pytest.raises(DatabaseError, match="has ended"):
        tx.lamps.get_all_active_lamps()


def test_fifty_threads_are_served_by_five_connections(data: LampsDataLayer, admin: Admin) -> None:
    """Fifty threads share a pool of five; all are served, and all connections come back."""
    user = user_data()
    data.users.register_user(user)
    barrier = threading.Barrier(50)

    def work(number: int) -> int:
        barrier.wait()
        for _ in range(5):
            assert data.lamps.get_lamp_configuration(user["lamp_id"]) is not None
            with data.transaction() as tx:
                tx.activity.log_activity(user["lamp_id"], "work", "success", {"thread": number})
        return number

    with ThreadPoolExecutor(50) as threads:
        assert sorted(threads.map(work, range(50))) == list(range(50))
    status = data.database.get_pool_status()
    assert status["idle_size"] == status["size"] <= status["max_size"] == 5
    assert data.activity.get_activity_statistics()["total"] == 250
    assert data.stats()["activity"] == {"failures": 0}


def test_an_exhausted_pool_says_who_holds_it(migrated_url: str) -> None:
    """The error of a caller that timed out names the threads that hold the connections, and their purpose."""
    held, done = threading.Barrier(3), threading.Event()

    def hold(data: LampsDataLayer) -> None:
        with data.transaction():
            held.wait()
            done.wait()

    with surf_data.open(migrated_url, pool_min_size=2, pool_max_size=2, pool_timeout=0.2) as data:
        threads = [threading.Thread(target=hold, args=[data], name=f"holder {number}") for number in (1, 2)]
        for thread in threads:
            thread.start()
        held.wait()
        with pytest.raises(PoolTimeout) as caught:
            data.lamps.get_all_active_lamps()
        done.set()
        for thread in threads:
            thread.join()
        assert data.lamps.get_all_active_lamps() == []
    message = str(caught.value)
    assert message.startswith("no connection for lamps.lamp_active_list within 0.2 s; 2 of at most 2 in use; ")
    assert len(caught.value.holders) == 2
    for number in (1, 2):
        assert f"thread holder {number} has run transaction for " in message


def test_pool_status_has_the_keys_of_the_specification(data: LampsDataLayer) -> None:
    """The pool status has the specification's keys, and counts the statements."""
    data.lamps.get_all_active_lamps()
    status = data.database.get_pool_status()
    assert list(status) == ["size", "min_size", "max_size", "idle_size", "queries_count"]
    assert (status["min_size"], status["max_size"], status["queries_count"]) == (1, 5, 1)


def test_health_of_a_healthy_system(data: LampsDataLayer) -> None:
    """All is well, and each part says how long it took."""
    health = data.health()
    assert (health.database.ok, health.cache.ok, health.overall.ok) == (True, True, True)
    told = health.to_dict()
    assert list(told) == ["database", "cache", "overall", "schema_version"]
    assert told.pop("schema_version") == health.schema_version > 0
    for check in told.values():
        assert check["latency_ms"] > 0
        assert check["reason"] is None


def test_health_tells_of_entries_without_a_partition(data: LampsDataLayer, admin: Admin, migrated_url: str) -> None:
    """Entries in the default partition, of whatever time, are a reason until they have found a home; all works on."""
    due = "the activity log has entries in its default partition: surf-data maintain"
    log = "INSERT INTO activity_log (activity_type, status, created_at) VALUES ('a', 'b', %s)"
    admin.execute(log, ["now"])
    assert data.health().overall.reason is None
    # Then the oldest entries have no partition either.
    admin.execute(f"DROP TABLE {partitions(admin)[0]}".encode())
    assert data.health().overall.reason is None
    for moment in ("2199-05-31 23:59:59+00", "2021-05-01 00:00:00+00", "2021-07-01 00:00:00+00", "2021-06-15"):
        admin.execute(log, [moment])
        health = data.health()
        assert (health.database.ok, health.database.reason) == (True, due)
        assert (health.overall.ok, health.overall.reason) == (True, f"degraded: {due}")
        with surf_data.open(migrated_url, pool_min_size=0) as owner:
            owner.maintain("activity_log")
        assert data.health().overall.reason is None


def partitions(admin: Admin) -> list[str]:
    """Return the partitions of the log, the one that was there first before the others."""
    found = admin.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'activity_log'::regclass")
    return sorted((name for (name,) in found), key=lambda name: "before" not in name)


@pytest.mark.parametrize("migrations", [0, 1, 15])
def test_health_of_a_schema_without_partitions(database_url: str, migrations: int) -> None:
    """Where the log is no table of partitions, or not there yet, nothing is said of them."""
    runner = migrate.Runner(
        partial(psycopg.connect, database_url), resources.directory("migrations") / "lamps", "lamps"
    )
    with surf_data.open(database_url, pool_min_size=1) as data:
        if migrations:
            runner.up(to=migrations)
            data.activity.log_activity(None, "a", "b")
        health = data.health()
        latest = len(list(resources.migrations_folder(lamps.DOMAIN).glob("*.sql")))
        due = f"degraded: the schema is at migration {migrations} of {latest}: surf-data migrate up --domain lamps"
        assert (health.schema_version, health.overall) == (migrations, Check(ok=True, latency_ms=ANY, reason=due))


def test_health_while_the_log_is_locked(data: LampsDataLayer, admin: Admin) -> None:
    """Who has locked the log does not keep health from answering."""
    with admin.transaction():
        admin.execute("LOCK TABLE activity_log IN ACCESS EXCLUSIVE MODE")
        assert data.health().overall == Check(ok=True, latency_ms=ANY, reason=None)
    assert data.health().overall.ok


def test_health_without_a_database() -> None:
    """A database that cannot be reached is not ok, nor is the whole; the reason is given."""
    with surf_data.open(f"postgresql://u:{SECRET}@127.0.0.1:1/x", pool_min_size=0) as data:
        health = data.health()
    assert (health.database.ok, health.overall.ok) == (False, False)
    assert health.database.reason == health.overall.reason == "connection refused"
    assert health.cache.reason == "not configured"


def test_health_of_a_closed_data_layer(migrated_url: str) -> None:
    """Even after it was closed, health answers."""
    data = surf_data.open(migrated_url)
    data.close()
    data.close()
    assert data.health().database.reason == "the data layer is closed"


def test_health_without_a_cache(migrated_url: str, tmp_path: Path) -> None:
    """A cache that does not answer is no outage: the whole is ok, and says what is missing."""
    with surf_data.open(migrated_url, f"unix://{tmp_path}/absent.sock") as data:
        health = data.health()
    assert (health.database.ok, health.cache.ok, health.overall.ok) == (True, False, True)
    assert health.overall.reason == f"degraded: cache {health.cache.reason}"
    with surf_data.open(migrated_url) as data:
        assert data.health().overall.reason is None


def test_database_calls_do_not_notice_a_missing_cache(migrated_url: str, tmp_path: Path) -> None:
    """With a cache that was never there, every cache call answers and every database call works."""
    with surf_data.open(migrated_url, f"unix://{tmp_path}/absent.sock", pool_max_size=5) as data:
        user = user_data()
        for _ in range(5):
            data.cache.set_surf_data_cache(0, SurfData(wave_height_m=1.0))
            assert data.cache.get_surf_data_cache(0) is None
        data.users.register_user(user)
        assert data.lamps.get_lamp_configuration(user["lamp_id"]) is not None
        assert data.stats()["cache"]["breaker"] == "open"


def test_statistics_name_every_query(data: LampsDataLayer) -> None:
    """Statistics have counts, errors and percentiles for each query, by the name in its file."""
    user = user_data()
    data.users.register_user(user)
    for _ in range(3):
        data.lamps.get_lamp_configuration(user["lamp_id"])
    with pytest.raises(DatabaseError):
        data.activity.log_activities([{"lamp_id": uuid4(), "activity_type": "a", "status": "b"}])
    queries = data.stats()["queries"]
    assert {name: entry["count"] for name, entry in queries.items()} == {
        "lamps.activity_copy": 1,
        "lamps.lamp_configuration": 3,
        "lamps.lamp_insert": 1,
        "lamps.reference_data": 1,
    }
    assert queries["lamps.activity_copy"]["errors"] == 1
    entry = queries["lamps.lamp_configuration"]
    assert 0 < entry["p50_ms"] <= entry["p95_ms"] <= entry["p99_ms"]
    assert entry["rows"] == 3


def test_an_observer_sees_every_query(migrated_url: str) -> None:
    """An observer receives name, duration, rows and error of each statement."""
    events: list[QueryEvent] = []
    with surf_data.open(migrated_url, observer=events.append) as data:
        data.users.register_user(user_data())
        data.activity.log_activities([{"activity_type": "a", "status": "b"}] * 7)
        with pytest.raises(DatabaseError):
            data.activity.log_activities([{"lamp_id": uuid4(), "activity_type": "a", "status": "b"}])
    assert [(event.query, event.rows, event.error) for event in events if event.kind == "statement"] == [
        ("lamps.lamp_insert", 1, None),
        ("lamps.activity_copy", 7, None),
        ("lamps.activity_copy", 0, "ConstraintViolation"),
    ]
    assert all(event.duration_ms > 0 for event in events)


def test_a_slow_query_is_a_warning_with_its_name(migrated_url: str, caplog: pytest.LogCaptureFixture) -> None:
    """A statement above the threshold is logged with its name and duration."""
    with surf_data.open(migrated_url, slow_query_ms=0) as data:
        data.lamps.get_all_active_lamps()
    (record,) = [record for record in caplog.records if record.msg == "slow query"]
    assert record.levelno == logging.WARNING
    assert record.__dict__["query"] == "lamps.lamp_active_list"
    assert record.__dict__["duration_ms"] > 0


def test_opening_never_migrates(database_url: str, empty_database: Admin) -> None:
    """Opening and asking for health leaves an empty database empty."""
    with surf_data.open(database_url) as data:
        assert data.health().overall.ok
        with pytest.raises(DatabaseError) as caught:
            data.lamps.get_all_active_lamps()
    assert caught.value.sqlstate == "42P01"
    assert str(caught.value).endswith("; is the schema up to date? surf-data migrate up --domain lamps")
    found = empty_database.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    assert found == (0,)


def test_embedded_servers_start_and_stop_with_the_data_layer() -> None:
    """`embedded:` brings PostgreSQL and Redis, which are gone when the data layer is closed."""
    with surf_data.open("embedded:", pool_min_size=1) as data:
        assert data.health().cache.ok
        folder = Path(str(data.database.connection_info()["host"]))
        assert folder.is_dir()
    assert not folder.exists()


def test_embedded_servers_do_not_outlive_a_failed_opening(open_folder: Path) -> None:
    """When the data layer cannot be opened, the servers that it started are stopped."""
    with pytest.raises(ConfigurationError):
        surf_data.open(f"embedded:{open_folder}/data", "nonsense://")
    assert not list(open_folder.glob("**/postmaster.pid"))


def test_connection_info_lets_other_tools_connect(data: LampsDataLayer) -> None:
    """What `connection_info` returns is enough for psycopg or psql, and holds no password."""
    info = data.database.connection_info()
    assert list(info) == ["host", "port", "database", "user"]
    with psycopg.connect(
        host=str(info["host"]), port=info["port"], dbname=str(info["database"]), user=str(info["user"])
    ) as connection:
        assert connection.execute("SELECT count(*) FROM lamp_registry").fetchone() == (0,)


def _failures(data: LampsDataLayer) -> list[Callable[[], Any]]:
    user = user_data()
    return [
        lambda: data.users.register_user(user),
        lambda: data.users.register_user({**user, "name": "\0"}),
        lambda: data.users.register_user({**user, "extra": SECRET}),
        lambda: data.lamps.register_new_lamp(user_data(email="x")),
        lambda: data.users.validate_user_credentials(user["email"], SECRET),
        lambda: data.activity.log_activity(user["lamp_id"], SECRET * 9, SECRET, {"password": SECRET}),
        lambda: data.activity.log_activities(
            [{"lamp_id": uuid4(), "activity_type": "a", "status": "b", "details": {"password": SECRET}}]
        ),
        lambda: data.cache.set_surf_data_cache(0, {"wave_height_m": SECRET}),
        lambda: data.lamps.get_lamp_configuration(SECRET),
        data.health,
        data.stats,
    ]


def _text_of(error: BaseException | None) -> str:
    """Return everything that a person or an error tracker sees of ``error``."""
    if error is None:
        return ""
    facts = [str(error), repr(error), repr(error.args), repr(getattr(error, "__notes__", [])), repr(vars(error))]
    return "".join(facts) + _text_of(error.__cause__) + _text_of(error.__context__)


def test_no_secret_is_told(migrated_url: str, redis_url: str, admin: Admin, caplog: pytest.LogCaptureFixture) -> None:
    """No password, hash or planted value is in a log record, a repr, an error or what is chained to it."""
    caplog.set_level(logging.DEBUG)
    admin.execute("ALTER TABLE lamp_registry ADD CONSTRAINT told CHECK (name <> 'told')")
    urls = [
        (migrated_url.replace("@", f":{SECRET}@", 1), redis_url),
        (f"postgresql://u:{SECRET}@127.0.0.1:1/x", f"redis://:{SECRET}@127.0.0.1:1/0"),
    ]
    told = ""
    for database_url, cache_url in urls:
        with surf_data.open(database_url, cache_url, pool_min_size=0, pool_timeout=0.2) as data:
            for call in [*_failures(data), lambda: data.users.register_user(user_data(name="told"))]:
                try:
                    told += repr(call())
                except surf_data.SurfDataError as error:
                    told += _text_of(error)
            for part in (data, data.database, data.redis, data.lamps, data.users, data.activity, data.cache):
                told += repr(part) + str(part)
    for record in caplog.records:
        told += record.getMessage() + repr(vars(record))
    assert SECRET not in told


@pytest.mark.parametrize(
    "database_url",
    [
        f"postgresql://u:{SECRET}@x@localhost/db",
        f"postgresql://u:{SECRET}@local host/db",
        f"postgresql://u:%{SECRET}@localhost/db",
        f"host=localhost password='{SECRET} user=u",
        f"postgres//{SECRET}",
    ],
)
def test_a_malformed_url_is_not_repeated(database_url: str, caplog: pytest.LogCaptureFixture) -> None:
    """A URL that cannot be read is named, not shown, wherever its password ended up."""
    caplog.set_level(logging.DEBUG)
    with pytest.raises(ConfigurationError, match="database_url") as caught:
        surf_data.open(database_url)
    assert SECRET not in _text_of(caught.value) + caplog.text


def test_a_database_manager_starts_no_servers() -> None:
    """The embedded URL is for the data layer; elsewhere it is refused in so many words."""
    with pytest.raises(ConfigurationError, match=r"only surf_data\.open starts embedded servers"):
        surf_data.DatabaseManager(surf_data.Settings(database_url=surf_data.Secret("embedded:")))


def test_a_connection_of_ones_own_takes_several_statements(data: LampsDataLayer) -> None:
    """A connection of one's own takes a script of several statements."""
    with data.database.connect() as connection:
        cursor = connection.execute("SELECT 1; SELECT 2")
        assert cursor.nextset() is True
        assert cursor.fetchone() == (2,)


def test_unknown_settings_are_refused() -> None:
    """A keyword that is no setting is an error that names it."""
    with pytest.raises(ConfigurationError, match="unknown setting pool_siez"):
        surf_data.open(pool_siez=3)  # type: ignore[call-arg]


PARAMETERS = {
    "activity_type": "'a'",
    "activity_types": "'{a,b}'",
    "api_key": "'key'",
    "before_created_at": "NULL",
    "before_id": "NULL",
    "brightness": "100",
    "created_at": "CURRENT_TIMESTAMP",
    "details": "'{}'",
    "documents": "'{NULL,NULL}'",
    "email": "'kai@example.org'",
    "email_key": "'kai@example.org'",
    "hours": "24",
    "id": "1",
    "ids": "'{2,3}'",
    "ip_address": "'::1'",
    "ip_addresses": "'{::1,NULL}'",
    "is_active": "true",
    "known_version": "NULL",
    "lamp_id": "'00000000-0000-4000-8000-000000000001'",
    "lamp_ids": "'{00000000-0000-4000-8000-000000000001}'",
    "location_index": "2",
    "name": "'Kai'",
    "number": "1",
    "password_hash": "'hash'",
    "portion": "10",
    "allow_unrolled": "true",
    "row_limit": "10",
    "seconds": "60",
    "session_id": "'00000000-0000-4000-8000-000000000002'",
    "session_token": f"'{'0' * 64}'",
    "status": "'success'",
    "statuses": "'{success,success}'",
    "times": "'{2026-01-01T00:00:00Z,2026-01-01T00:00:00Z}'",
    "user_agent": "NULL",
    "user_agents": "'{NULL,NULL}'",
}


# What COPY's binary format is without a row: signature, flags, length of the header's rest, end.
EMPTY_COPY = b"PGCOPY\n\xff\r\n\0" + bytes(8) + b"\xff\xff"


def _pasted_queries() -> dict[str, str]:
    """Return each query of the domain verbatim from its file; the insertion of a lamp, which others need, first."""
    queries = {}
    for path in (resources.directory("sql") / "lamps").glob("*.sql"):
        for query in re.split(r"(?m)^(?=-- name:)", path.read_text())[1:]:
            queries[query.removeprefix("-- name: ").split("(")[0]] = query
    return dict(sorted(queries.items(), key=lambda named: (named[0] != "lamp_insert", named[0])))


def test_every_query_runs_under_psql_unchanged(servers: EmbeddedServers, migrated_url: str) -> None:
    """A DBA who pastes a query into psql, with values for its parameters, gets an answer and no error."""
    variables = [f"--set={name}={value}" for name, value in PARAMETERS.items()]
    queries = _pasted_queries()
    for name, query in queries.items():
        done = subprocess.run(
            [servers.postgres_bin / "psql", migrated_url, "--no-psqlrc", "--set=ON_ERROR_STOP=1", *variables],
            input=query.rstrip().encode() + b"\n" + (EMPTY_COPY if "FROM STDIN" in query else b""),
            capture_output=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, b""), name
    assert queries.keys() >= {"activity_copy", "lamp_configuration", "user_password_hash"}
