"""The import of SQLite files: exactly what the file has, or a reason why not; once, however often it is run."""

import math
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import hypothesis
import psycopg
import pytest
from hypothesis import strategies as st

from surf_data.daylight import DaylightDataLayer
from surf_data.daylight.errors import VerificationFailed
from surf_data.daylight.sqlite import portions, service
from surf_data.daylight.sqlite.values import jsonb_text
from surf_data.errors import MigrationError, ValidationError

NOW = datetime.now(UTC).replace(microsecond=0)
HISTORY = """
CREATE TABLE history (
    id INTEGER PRIMARY KEY, ts TEXT, type TEXT, provider TEXT, lat REAL, lng REAL, ok INTEGER, error TEXT
)
"""
FOUR = """
CREATE TABLE users (id TEXT PRIMARY KEY, email TEXT, username TEXT, password_hash TEXT, is_active INTEGER,
    email_verified INTEGER, created_at TEXT, updated_at TEXT, last_login_at TEXT, shoe_size REAL);
CREATE TABLE user_profiles (user_id TEXT PRIMARY KEY, first_name TEXT, last_name TEXT, avatar TEXT, timezone TEXT,
    preferences TEXT, settings TEXT, created_at TEXT, updated_at TEXT);
CREATE TABLE user_sessions (session_id TEXT PRIMARY KEY, user_id TEXT, data TEXT, expires_at INTEGER, created_at TEXT);
CREATE TABLE location_history (id TEXT PRIMARY KEY, user_id TEXT, location TEXT, activity TEXT, metadata TEXT,
    timestamp TEXT, created_at TEXT, updated_at TEXT);
CREATE TABLE notes (x);
"""


def _file(path: Path, schema: str, **rows: list[tuple[Any, ...]]) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(schema)
        for table, values in rows.items():
            for each in values:
                connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(each))})", each)
        connection.commit()
    return path


def _call(number: int, **changes: Any) -> tuple[Any, ...]:
    call = {
        "id": number,
        "ts": (NOW - timedelta(minutes=number)).isoformat(),
        "type": "geocode",
        "provider": "nominatim",
        "lat": 21.5,
        "lng": -158,
        "ok": 1,
        "error": None,
    }
    return tuple({**call, **changes}.values())


def test_the_real_layout_becomes_location_history(data: DaylightDataLayer, tmp_path: Path) -> None:
    """The log of external services is recognised, and each call is an entry of an unknown user."""
    calls = [_call(1), _call(2, type="", lat=None, lng=None, ok=0, error="timeout"), _call(3, ts="2026-01-01 00:00:00")]
    path = _file(tmp_path / "external_history.sqlite", HISTORY, history=calls)
    report = data.imports.import_sqlite(path)
    table = report.tables["history"]
    assert (report.status, table.source, table.inserted, table.expired) == ("completed", 3, 2, 1)
    first, second = data.history.get_user_location_history("unknown")
    assert (first.id, first.location, first.activity) == ("history_1", {"lat": 21.5, "lng": -158.0}, "geocode")
    assert first.metadata == {"provider": "nominatim", "ok": True, "error": None}
    assert first.recorded_at == NOW - timedelta(minutes=1)
    assert (second.location, second.activity, second.metadata["ok"]) == ({}, "unknown", False)
    assert data.imports.has_completed(path)


@pytest.mark.parametrize("keys", [[0], [-1, 1], [-(2**63), -5, 0, 2**63 - 1]])
def test_rows_with_any_key(
    data: DaylightDataLayer, tmp_path: Path, keys: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every rowid that SQLite knows is read, zero and negative ones, too, in portions of any size."""
    monkeypatch.setattr(service, "PORTION", 1)
    path = _file(tmp_path / "history.sqlite", HISTORY, history=[_call(1, id=key) for key in keys])
    report = data.imports.import_sqlite(path)
    assert (report.status, report.tables["history"].inserted) == ("completed", len(keys))
    assert data.imports.verify_import(report.run_id or 0).differences == []
    assert {entry.id for entry in data.history.get_user_location_history("unknown")} == {
        f"history_{key}" for key in keys
    }


def test_the_four_tables_come_with_their_relations(data: DaylightDataLayer, tmp_path: Path) -> None:
    """Users first; a second account with an address, profiles and sessions of no user, and dirty rows, are refused."""
    when = NOW.isoformat()
    path = _file(
        tmp_path / "four.sqlite",
        FOUR,
        users=[
            ("kai", "kai@example.org", "kai", "h", 1, 0, when, when, None, 43),
            ("kai2", "KAI@example.org", "kai2", "h", 1, 0, when, when, None, 43),
            ("b", "no address", "b", "h", 1, 0, when, when, None, 43),
            ("c", "c@example.org", "c", "h", "yes", "maybe", when, when, None, 43),
            ("d", "d@example.org", "d", "h", "no", None, 1_790_000_000, None, when, 43),
        ],
        user_profiles=[
            (
                "kai",
                "Kai",
                None,
                None,
                "Pacific/Honolulu",
                '{"a": 1.50, "bb": [1e2, -0.0], "é": "\\u0001"}',
                "",
                when,
                when,
            ),
            ("nobody", "N", "", None, None, None, None, when, when),
            ("d", "D", "", "a.png", "Mars", None, None, when, when),
        ],
        user_sessions=[
            ("s1", "kai", '{"n": 1}', int(NOW.timestamp()) + 86_400, when),
            ("s2", "kai", "{}", int(NOW.timestamp()) - 86_400, when),
            ("s3", "nobody", "{}", int(NOW.timestamp()) + 86_400, when),
            ("s4", "kai", "[]", int(NOW.timestamp()) + 86_400, when),
        ],
        location_history=[
            ("h1", None, None, None, None, when, None, None),
            ("h2", "kai", '{"lat": 91, "lng": 0}', "x", "{}", when, when, when),
            ("h3", "kai", '{"lat": 1, "lng": 2, "lat": 3}', "x", "{}", when, when, when),
            ("h4", "kai", '{"lat": 1, "lng": 2}', "x", '{"n": 12345678901234567890123}', when, when, when),
            ("h5", "kai", '{"lat": 1, "lng": 2}', "x", '{"n": NaN}', when, when, when),
            ("h6", "kai", '{"lat": 1, "lng": 2}', "x", "{}", "0000-00-00", when, when),
        ],
    )
    report = data.imports.import_sqlite(path)
    assert report.unknown == ["notes", "users.shoe_size"]
    counts = {name: (table.inserted, table.quarantined, table.expired) for name, table in report.tables.items()}
    assert counts == {
        "users": (2, 3, 0),
        "user_profiles": (1, 2, 0),
        "user_sessions": (1, 2, 1),
        "location_history": (1, 5, 0),
    }
    reasons = {(table, key): (column, reason) for table, key, column, reason in report.quarantine}
    assert reasons["users", "2"] == ("email", "or the username is another user's")
    assert reasons["users", "3"] == ("email", "is no e-mail address")
    assert reasons["users", "4"] == ("email_verified", "is no boolean")
    assert reasons["user_profiles", "2"] == ("user_id", "is no user's")
    assert reasons["user_profiles", "3"] == ("timezone", "is no IANA time zone")
    assert reasons["user_sessions", "4"] == ("data", "is no JSON object")
    assert reasons["location_history", "2"] == ("location", "lat must be from -90 to 90")
    assert reasons["location_history", "6"] == ("timestamp", "is no moment from 1970 to 2100")
    session = data.sessions.get("s1")
    assert session is not None
    assert session.data == {"n": 1}
    user, profile = data.users.get_user_by_id("d"), data.users.get_user_profile("kai")
    assert user is not None
    assert profile is not None
    assert (user.is_active, user.email_verified, user.created_at) == (
        False,
        False,
        datetime.fromtimestamp(1_790_000_000, UTC),
    )
    assert profile.preferences == {"a": 1.5, "bb": [100.0, 0.0], "é": "\x01"}
    again = data.imports.import_sqlite(path)
    assert [table.inserted for table in again.tables.values()] == [0, 0, 0, 0]
    assert [table.unchanged for table in again.tables.values()] == [2, 1, 1, 1]
    assert again.to_dict()["tables"]["users"]["quarantined"] == 3


def test_ids_that_are_no_ids_are_refused(data: DaylightDataLayer, tmp_path: Path) -> None:
    """A call's id is a whole number; of two entries with one id, the second is refused."""
    calls = _file(tmp_path / "a.sqlite", HISTORY.replace("INTEGER PRIMARY KEY", "TEXT"), history=[_call(1, id="x")])
    assert data.imports.import_sqlite(calls).quarantine == [("history", "1", "id", "is no whole number")]
    entry = ("h1", "kai", "{}", "x", "{}", NOW.isoformat(), None, None)
    twice = _file(
        tmp_path / "b.sqlite", FOUR.replace("id TEXT PRIMARY KEY", "id TEXT"), location_history=[entry, entry]
    )
    report = data.imports.import_sqlite(twice)
    assert report.tables["location_history"].inserted == 1
    assert [(table, key, reason) for table, key, _, reason in report.quarantine] == [
        ("location_history", "2", "is there twice")
    ]


def test_a_table_that_sqlite_cannot_read_is_named(
    data: DaylightDataLayer, tmp_path: Path, refused: Callable[..., Any]
) -> None:
    """A virtual table whose module is not there: the error has the file and no text of the driver."""
    table = "'table', 'history', 'history', 0, 'CREATE VIRTUAL TABLE history USING missing(id)'"
    schema = f"PRAGMA writable_schema = ON; CREATE TABLE other (x); INSERT INTO sqlite_schema VALUES ({table})"
    path = _file(tmp_path / "h.sqlite", schema)
    error = refused(lambda: data.imports.import_sqlite(path), MigrationError)
    assert str(error) == "h.sqlite: cannot be read: OperationalError"


def test_what_is_there_already_is_never_changed(data: DaylightDataLayer, tmp_path: Path) -> None:
    """An entry with another value conflicts and stays; a new one in the same file is stored."""
    data.history.add_location_history("unknown", {"lat": 1, "lng": 1}, "mine", id="history_1", recorded_at=NOW)
    path = _file(tmp_path / "h.sqlite", HISTORY, history=[_call(1), _call(2)])
    table = data.imports.import_sqlite(path).tables["history"]
    assert (table.conflicting, table.inserted) == (1, 1)
    assert data.history.get_user_location_history("unknown", 1)[0].activity == "mine"


def test_an_interrupted_run_goes_on(data: DaylightDataLayer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Portions that were stored are not read again; progress is said portion by portion."""
    monkeypatch.setattr(service, "PORTION", 10)
    path = _file(tmp_path / "h.sqlite", HISTORY, history=[_call(number) for number in range(1, 36)])
    said: list[tuple[str, int, int]] = []

    def interrupt(*progress: Any) -> None:
        said.append(progress)
        if len(said) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        data.imports.import_sqlite(path, on_progress=interrupt)
    assert not data.imports.has_completed(path)
    report = data.imports.import_sqlite(path, on_progress=lambda *progress: said.append(progress))
    assert said == [("history", done, 35) for done in (10, 20, 30, 35)]
    assert report.tables["history"].inserted == 35


def test_two_processes_do_not_import_one_file(
    data: DaylightDataLayer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second finds that the first went on, and stops with nothing stored twice."""
    monkeypatch.setattr(service, "PORTION", 2)
    path = _file(tmp_path / "h.sqlite", HISTORY, history=[_call(number) for number in range(1, 6)])
    started: list[bool] = []

    def other(*_: Any) -> None:
        if not started:
            started.append(True)
            data.imports.import_sqlite(path)

    with pytest.raises(MigrationError, match="another process"):
        data.imports.import_sqlite(path, on_progress=other)
    assert len(data.history.get_user_location_history("unknown")) == 5


def test_a_dry_run_and_a_strict_one_change_nothing(
    data: DaylightDataLayer, tmp_path: Path, admin: psycopg.Connection[Any]
) -> None:
    """Both say what they would do; strict refuses the whole file for one row, and takes it when all is well."""
    path = _file(tmp_path / "h.sqlite", HISTORY, history=[_call(1), _call(2, lat=91)])
    report = data.imports.import_sqlite(path, dry_run=True)
    assert (report.run_id, report.status, report.tables["history"].inserted) == (None, "dry run", 1)
    with pytest.raises(MigrationError, match=r"1 rows are refused, the first in history.lng: is out of range"):
        data.imports.import_sqlite(path, strict=True)
    assert admin.execute("SELECT count(*) FROM daylight.import_runs").fetchone() == (0,)
    assert data.history.get_user_location_history("unknown") == []
    clean = _file(tmp_path / "clean.sqlite", HISTORY, history=[_call(1)])
    assert data.imports.import_sqlite(clean, strict=True).status == "completed"


def test_verification_finds_a_value_changed_by_hand(
    data: DaylightDataLayer, tmp_path: Path, admin: psycopg.Connection[Any]
) -> None:
    """Counts and the checksum of every portion are compared; a changed and a missing row are found."""
    path = _file(tmp_path / "h.sqlite", HISTORY, history=[_call(number) for number in range(1, 20)])
    run_id = data.imports.import_sqlite(path).run_id
    assert run_id is not None
    assert data.imports.verify_import(run_id).tables["history"].inserted == 19
    admin.execute("UPDATE daylight.location_history SET activity = 'geocodE' WHERE id = 'history_7'")
    with pytest.raises(VerificationFailed, match=r"history: rows up to 19 differ"):
        data.imports.verify_import(run_id)
    with pytest.raises(ValidationError, match="run_id is no run"):
        data.imports.verify_import(run_id + 1)


def test_a_difference_fails_the_run(data: DaylightDataLayer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the server has is compared after the merge, and nothing is taken back."""
    monkeypatch.setattr(portions, "_hash", lambda _: 1)
    path = _file(tmp_path / "h.sqlite", HISTORY, history=[_call(1)])
    with pytest.raises(VerificationFailed):
        data.imports.import_sqlite(path)
    assert len(data.history.get_user_location_history("unknown")) == 1


def test_an_import_is_taken_back_but_for_what_has_changed(data: DaylightDataLayer, tmp_path: Path) -> None:
    """Rows that were changed since stay, and so does a user that something refers to."""
    when = (NOW - timedelta(hours=1)).isoformat()
    users = [(name, f"{name}@example.org", name, "h", 1, 0, when, when, None, 1) for name in ("a", "b", "c")]
    profiles = [(name, "", "", None, None, None, None, when, when) for name in ("a", "b")]
    sessions = [("s", "a", "{}", int(NOW.timestamp()) + 86_400, when)]
    entries = [("h", "a", "{}", "x", "{}", when, when, when)]
    path = _file(
        tmp_path / "f.sqlite",
        FOUR,
        users=users,
        user_profiles=profiles,
        user_sessions=sessions,
        location_history=entries,
    )
    run_id = data.imports.import_sqlite(path).run_id
    assert run_id is not None
    data.users.update_user_profile("b", {"first_name": "B"})
    data.users.update_user("c", {"email_verified": True})
    expected = {"location_history": 1, "user_sessions": 1, "user_profiles": 1, "users": 1}
    assert data.imports.undo_import(run_id, dry_run=True) == expected
    assert data.users.get_user_by_id("a") is not None
    assert data.imports.undo_import(run_id) == expected
    assert [data.users.get_user_by_id(name) is None for name in ("a", "b", "c")] == [True, False, False]


def test_rows_are_copied_where_none_can_be_there(data: DaylightDataLayer, tmp_path: Path) -> None:
    """Entries of a new file are copied; where one has an id among theirs, or their order is another, all are merged."""
    when = NOW.isoformat()
    entries = [(f"h{n}", "kai", "{}", "x", "{}", when, None, None) for n in range(5)]
    data.imports.import_sqlite(_file(tmp_path / "a.sqlite", FOUR, location_history=entries[::2]))
    ran = data.database.statistics()
    assert "daylight.import_history_copy" in ran
    assert "daylight.import_history_merge" not in ran
    table = data.imports.import_sqlite(_file(tmp_path / "b.sqlite", FOUR, location_history=entries))
    assert (table.tables["location_history"].inserted, table.tables["location_history"].unchanged) == (2, 3)
    assert data.database.statistics()["daylight.import_history_copy"]["count"] == 1
    wide = "PRAGMA encoding = 'UTF-16le';" + FOUR
    elsewhere = [(f"x{key}", *entry) for key, *entry in entries]
    report = data.imports.import_sqlite(_file(tmp_path / "c.sqlite", wide, location_history=elsewhere))
    assert report.tables["location_history"].inserted == 5
    assert data.database.statistics()["daylight.import_history_copy"]["count"] == 1


def test_a_copy_that_meets_a_newer_row_is_merged(
    data: DaylightDataLayer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When another process stores an entry between the look and the COPY, it is found out."""
    path = _file(tmp_path / "h.sqlite", HISTORY, history=[_call(1), _call(2)])
    data.imports.import_sqlite(path)
    other = _file(tmp_path / "again.sqlite", HISTORY, history=[_call(1), _call(2), _call(3)])
    tables = service.tables()

    def blind() -> Any:
        import attrs  # noqa: PLC0415

        return tuple(attrs.evolve(table, exists=lambda *_, **__: False) for table in tables)

    monkeypatch.setattr("surf_data.daylight.sqlite.source.tables", blind)
    table = data.imports.import_sqlite(other).tables["history"]
    assert (table.unchanged, table.inserted) == (2, 1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda _: None, "cannot be read: FileNotFoundError"),
        (lambda path: path.write_text("hello"), "is no SQLite file"),
        (lambda path: path.write_bytes(b"SQLite format 3\0" + b"x" * 5000), "is damaged"),
        (lambda path: _file(path, "CREATE TABLE notes (x)"), "has none of the tables"),
        (lambda path: _file(path, "CREATE TABLE history (ts TEXT)"), "history has no column id"),
        (
            lambda path: _file(path, "CREATE TABLE history (id INTEGER PRIMARY KEY, ts TEXT) WITHOUT ROWID"),
            "WITHOUT ROWID",
        ),
    ],
)
def test_a_file_that_cannot_be_imported_says_why(
    data: DaylightDataLayer, tmp_path: Path, refused: Any, make: Callable[[Path], Any], message: str
) -> None:
    """Missing, no database, damaged, unknown: one clear sentence each, and nothing chained."""
    path = tmp_path / "x.sqlite"
    make(path)
    assert message in str(refused(lambda: data.imports.import_sqlite(path), MigrationError))


_value = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.text(max_size=20),
    st.binary(max_size=20),
    st.sampled_from(
        [
            "2026-05-01T10:00:00Z",
            "2026-05-01 10:00:00",
            "1790000000",
            1_790_000_000_000,
            "yes",
            0.5,
            "12.5",
            "{}",
            "now",
        ]
    ),
)


@hypothesis.given(rows=st.lists(st.tuples(*[_value] * 7), min_size=1, max_size=8))
@hypothesis.settings(suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture], max_examples=30)
def test_any_value_in_any_column_is_imported_exactly_or_quarantined(
    data: DaylightDataLayer, tmp_path: Path, rows: list[tuple[Any, ...]]
) -> None:
    """Whatever storage class is in a column: each row becomes something, what is stored verifies, nothing raises."""
    path = tmp_path / "any.sqlite"
    path.unlink(missing_ok=True)
    schema = "CREATE TABLE history (id INTEGER PRIMARY KEY, ts, type, provider, lat, lng, ok, error)"
    storable = [tuple(_storable(value) for value in row) for row in rows]
    report = data.imports.import_sqlite(
        _file(path, schema, history=[(n + 1, *row) for n, row in enumerate(storable)]), keep_expired=True
    )
    assert report.tables["history"].adds_up
    run_id = report.run_id
    assert run_id is not None
    data.imports.undo_import(run_id)


def _storable(value: Any) -> Any:
    return value.encode("utf-8", "surrogatepass").decode("utf-8", "replace") if isinstance(value, str) else value


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(-1e15, 1e15)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=4), inner, max_size=4
        )
    ),
    max_leaves=8,
)


@hypothesis.given(document=_json)
@hypothesis.settings(suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
def test_the_text_of_jsonb_is_postgresqls_own(admin: psycopg.Connection[Any], document: Any) -> None:
    """Keys in PostgreSQL's order, numbers in full, escapes as it writes them."""
    import json  # noqa: PLC0415

    row = admin.execute("SELECT %s::jsonb::text", (json.dumps(document),)).fetchone()
    assert row == (jsonb_text(document),)
    assert not isinstance(document, float) or math.isfinite(document)
