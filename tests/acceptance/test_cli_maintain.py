"""``surf-data maintain``: the activity log has partitions in time, and sheds what has expired."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg

import surf_data
from rig.activity_rollup import differences
from surf_data.kernel.crypto import token_digest

Admin = psycopg.Connection[Any]
Cli = Callable[..., Any]


def log(admin: Admin, *moments: str) -> None:
    """Insert an entry at each moment."""
    for moment in moments:
        entry = "INSERT INTO activity_log (activity_type, status, created_at) VALUES ('a', 'b', %s::timestamptz)"
        admin.execute(entry, [moment])


def test_there_is_something_to_do(cli: Cli, migrated_url: str, admin: Admin) -> None:
    """What would be done is said beforehand, then done and said; afterwards there is nothing to do."""
    log(admin, "2019-01-01 00:00:00+00", "2031-05-05 00:00:00+00")
    options = ("maintain", "--table", "activity_log", "--ahead", "0", "--keep-days", "1000")
    checked = cli(*options, "--check", database=migrated_url)
    assert (checked.code, checked.err) == (1, "")
    planned = [
        "would be deleted from public.activity_log: 1 expired rows",
        "would be created: public.activity_log_2031_05",
        "would be moved from the default partition of public.activity_log: 1 rows",
    ]
    assert checked.out.splitlines() == planned
    dry = cli(*options, "--dry-run", database=migrated_url)
    assert (dry.code, dry.out) == (0, checked.out)
    done = cli(*options, database=migrated_url)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [line.removeprefix("would be ") for line in planned]
    again = cli(*options, "--check", database=migrated_url)
    assert (again.code, again.out) == (0, "nothing to do: public.activity_log\n")


def test_json(cli: Cli, migrated_url: str, admin: Admin) -> None:
    """Programs get the same; a month that has expired is dropped."""
    [(first,)] = admin.execute(
        "SELECT relname FROM pg_class WHERE relname ~ '^activity_log_before_[0-9_]*$'"
    ).fetchall()
    admin.execute(f"DROP TABLE {first}".encode())
    log(admin, "2019-01-01 00:00:00+00")
    created = json.loads(
        cli("maintain", "--table", "public.activity_log", "--ahead", "0", "--json", database=migrated_url).out
    )
    name = "public.activity_log_2019_01"
    nothing: dict[str, Any] = {"domain": "lamps", "table": "public.activity_log", "created": [], "moved": 0}
    nothing |= {"dropped": [], "deleted": 0, "retained": []}
    assert created == {"tables": [{**nothing, "created": [name], "moved": 1}], "dry_run": False}
    options = ("maintain", "--table", "activity_log", "--ahead", "0", "--keep-days", "1000", "--json")
    planned = json.loads(cli(*options, "--dry-run", database=migrated_url).out)
    assert planned == {"tables": [{**nothing, "dropped": [name]}], "dry_run": True}
    assert json.loads(cli(*options, database=migrated_url).out) == {**planned, "dry_run": False}
    assert admin.execute("SELECT count(*) FROM activity_log").fetchone() == (0,)


def test_statistics_know_what_is_gone(cli: Cli, migrated_url: str, admin: Admin) -> None:
    """What was counted of a month that is dropped counts no more, before it is counted anew and after."""
    [(first,)] = admin.execute(
        "SELECT relname FROM pg_class WHERE relname ~ '^activity_log_before_[0-9_]*$'"
    ).fetchall()
    admin.execute(f"DROP TABLE {first}".encode())
    days = [200, 150, 100, 1]
    log(admin, *(str(datetime.now(UTC) - timedelta(days=day)) for day in days))
    cli("maintain", database=migrated_url)
    year = 366 * 24
    with surf_data.open(migrated_url) as data:
        data.activity.roll_up()
        assert (data.activity.get_activity_statistics(year)["total"], differences(admin, year)) == (4, [])
        cli("maintain", "--keep-days", "120", database=migrated_url)
        assert differences(admin, year) == []
        data.activity.roll_up()
        assert (data.activity.get_activity_statistics(year)["total"], differences(admin, year)) == (2, [])


def test_statistics_have_nothing_to_count(cli: Cli, migrated_url: str, admin: Admin) -> None:
    """What is over is counted as well, but not if nothing is to be changed, nor if it is about one table."""
    log(admin, str(datetime.now(UTC) - timedelta(hours=1)))
    counted = "SELECT count(*) FROM activity_rollup_count WHERE minutes = 60 AND counted = 'type'"
    for options in (["--dry-run"], ["--check"], ["--table", "activity_log"]):
        cli("maintain", *options, database=migrated_url)
        assert admin.execute(counted).fetchone() == (0,)
    cli("maintain", database=migrated_url)
    assert admin.execute(counted).fetchone() == (1,)


def test_other_tables_are_refused(cli: Cli, migrated_url: str) -> None:
    """Of a table without a policy the error says which ones there are."""
    done = cli("maintain", "--table", "lamp_registry", database=migrated_url)
    assert (done.code, done.error()) == (
        1,
        "table must be one with a policy of lamps: public.activity_log, public.user_sessions",
    )


def test_a_database_without_the_tables(cli: Cli, database_url: str) -> None:
    """Before the migrations there is nothing to maintain, and the error says so."""
    done = cli("maintain", database=database_url)
    assert done.code == 1
    assert done.error().endswith("with a default one; are all migrations applied?")


def test_every_domain(cli: Cli, migrated_url: str) -> None:
    """All of them are maintained by one command, or it says what does not go together."""
    assert cli("migrate", "up", "--all", database=migrated_url).code == 0
    done = cli("maintain", "--all", "--json", database=migrated_url)
    assert (done.code, done.err) == (0, "")
    assert {table["domain"] for table in json.loads(done.out)["tables"]} >= {"lamps", "daylight"}
    assert cli("maintain", "--all", "--check", database=migrated_url).code == 0
    assert cli("maintain", "--all", "--table", "x", database=migrated_url).code == 2


def test_expired_sessions_go(cli: Cli, migrated_url: str, admin: Admin) -> None:
    """Sessions that have ended are deleted without a word about days, and those that hold stay."""
    lamp_id = uuid4()
    user = {"lamp_id": lamp_id, "email": "kai@example.org", "name": "Kai", "password_hash": "h", "location_index": 0}
    with surf_data.open(migrated_url, pool_min_size=0) as data:
        data.users.register_user(user)
        kept = data.sessions.begin_session(lamp_id)
        data.sessions.begin_session(lamp_id)
        ended = "UPDATE user_sessions SET expires_at = now() WHERE session_token <> %s"
        admin.execute(ended, [token_digest(kept.reveal())])
        done = cli("maintain", database=migrated_url)
        assert done.out.splitlines() == [
            "nothing to do: public.activity_log",
            "deleted from public.user_sessions: 1 expired rows",
        ]
        assert data.sessions.get_session_lamp(kept.reveal()) == lamp_id
    assert admin.execute("SELECT count(*) FROM user_sessions").fetchone() == (1,)
