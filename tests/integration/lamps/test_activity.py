"""Activity: logging, bulk logging, history, statistics."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import surf_data
from rig.users import user_data
from surf_data import ConstraintViolation, DatabaseError, LampsDataLayer, ValidationError

Admin = psycopg.Connection[Any]

UNKNOWN = "ffffffff-ffff-4fff-8fff-ffffffffffff"


def entries(admin: Admin) -> int:
    """Count the entries."""
    row = admin.execute("SELECT count(*) FROM activity_log").fetchone()
    assert row is not None
    return int(row[0])


def test_an_entry_comes_back_as_it_was_logged(data: LampsDataLayer, lamp_id: UUID) -> None:
    """History gives an entry with all that was logged, and when."""
    before = datetime.now(UTC)
    data.activity.log_activity(
        str(lamp_id), "heartbeat", "success", {"rssi": -61.5, "é": [None, True]}, ip_address="::1", user_agent="Lamp/2"
    )
    (entry,) = data.activity.get_lamp_activity_history(lamp_id)
    assert before - timedelta(minutes=1) < entry.pop("created_at") < datetime.now(UTC) + timedelta(minutes=1)
    assert isinstance(entry.pop("id"), int)
    assert entry == {
        "lamp_id": str(lamp_id),
        "activity_type": "heartbeat",
        "status": "success",
        "details": {"rssi": -61.5, "é": [None, True]},
        "ip_address": "::1",
        "user_agent": "Lamp/2",
    }


def test_no_details_are_null_and_empty_details_are_empty(data: LampsDataLayer, admin: Admin, lamp_id: UUID) -> None:
    """`None` is stored as NULL and `{}` as `{}`."""
    for details in (None, {}):
        data.activity.log_activity(lamp_id, "heartbeat", "success", details)
    data.activity.log_activities({"activity_type": "a", "status": "b", "details": d} for d in (None, {}))
    stored = admin.execute("SELECT details IS NULL, details = '{}'::jsonb FROM activity_log ORDER BY id").fetchall()
    assert stored == [(True, None), (False, True)] * 2


def test_the_system_logs_without_a_lamp(data: LampsDataLayer, admin: Admin) -> None:
    """An entry may belong to no lamp."""
    data.activity.log_activity(None, "backup", "success")
    assert admin.execute("SELECT lamp_id, activity_type FROM activity_log").fetchall() == [(None, "backup")]


BAD_ENTRIES = [
    ("lamp_id", "x"),
    ("activity_type", ""),
    ("activity_type", "t" * 51),
    ("activity_type", None),
    ("status", "s" * 21),
    ("status", "\0"),
    ("details", [1]),
    ("details", {"a": float("nan")}),
    ("details", {"a": "\0"}),
    ("details", {"a": {"b": ["\udfff"]}}),
    ("details", {1: 2}),
    ("details", {"when": datetime(2025, 1, 1, tzinfo=UTC)}),
    ("details", {"large": "x" * 1_000_001}),
    ("details", {"wide": "é" * 600_000}),
    ("ip_address", "localhost"),
    ("ip_address", "fe80::1%eth0"),
    ("ip_address", 7),
    ("user_agent", "u" * 2001),
]


@pytest.mark.parametrize(("field", "value"), BAD_ENTRIES)
def test_bad_input_is_logged_and_counted_not_raised(
    data: LampsDataLayer, admin: Admin, caplog: pytest.LogCaptureFixture, field: str, value: Any
) -> None:
    """What `log_activity` cannot store is a warning that names the field, and a count; it sends nothing."""
    entry = {"lamp_id": None, "activity_type": "a", "status": "b", field: value}
    data.activity.log_activity(**entry)
    assert data.stats()["activity"] == {"failures": 1}
    (record,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert record.msg == "journal entries lost"
    assert record.__dict__["field"].startswith(field)
    assert data.stats()["queries"] == {}


@pytest.mark.parametrize(("field", "value"), BAD_ENTRIES)
def test_bad_entries_refuse_the_whole_bulk(data: LampsDataLayer, field: str, value: Any) -> None:
    """One bad entry among many refuses all, by position and name, before anything is sent."""
    good = {"activity_type": "a", "status": "b"}
    with pytest.raises(ValidationError) as caught:
        data.activity.log_activities([good, good, {**good, field: value}])
    assert caught.value.field is not None
    assert caught.value.field.startswith(f"entries[2].{field}")
    assert data.stats()["queries"] == {}


def test_a_failure_is_logged_and_counted_not_raised(data: LampsDataLayer, caplog: pytest.LogCaptureFixture) -> None:
    """An entry that the server refuses is a warning with the SQLSTATE, and a count."""
    data.activity.log_activity(UNKNOWN, "heartbeat", "success", {"secret": "planted-7f3a"})
    assert data.stats()["activity"] == {"failures": 1}
    (record,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert (record.__dict__["sqlstate"], record.__dict__["error"]) == ("23503", "ConstraintViolation")
    assert "planted" not in str(record.__dict__)


def test_logging_without_a_database_does_not_raise() -> None:
    """When the database is gone, logging is counted and goes on."""
    with surf_data.open("postgresql://u@127.0.0.1:1/x", pool_min_size=0, pool_timeout=0.05) as data:
        data.activity.log_activity(None, "heartbeat", "success")
        assert data.stats()["activity"] == {"failures": 1}


def test_a_failing_entry_leaves_the_transaction_as_it_was(data: LampsDataLayer, admin: Admin, lamp_id: UUID) -> None:
    """Within a transaction a failing entry is rolled back alone; what was done before and after counts."""
    with data.transaction() as tx:
        tx.activity.log_activity(lamp_id, "before", "success")
        tx.activity.log_activity(UNKNOWN, "failing", "success")
        tx.activity.log_activity(lamp_id, "after", "success")
        assert tx.lamps.update_lamp_status(lamp_id, "inactive") is True
    logged = [entry["activity_type"] for entry in data.activity.get_lamp_activity_history(lamp_id)]
    assert logged == ["after", "before"]
    assert admin.execute("SELECT is_active FROM lamp_registry").fetchone() == (False,)
    assert data.stats()["activity"] == {"failures": 1}


def test_logging_in_a_transaction_that_has_failed_does_not_raise(data: LampsDataLayer, lamp_id: UUID) -> None:
    """Where a statement has already spoilt the transaction, logging is counted and the first error stands."""
    with pytest.raises(ValidationError, match="Lamp already registered"), data.transaction() as tx:
        try:
            tx.users.register_user(user_data(lamp_id=lamp_id))
        finally:
            tx.activity.log_activity(lamp_id, "after", "success")
    assert data.stats()["activity"] == {"failures": 1}


def test_many_entries_are_stored_at_once(data: LampsDataLayer, lamp_id: UUID) -> None:
    """Bulk logging stores every entry of an iterable, whatever its optional keys, and counts them."""
    made = (
        {
            "lamp_id": str(lamp_id) if number % 2 else lamp_id,
            "activity_type": f"type {number}",
            "status": "success",
            "details": {"number": number},
            "ip_address": "192.0.2.7" if number % 2 else IPv4Address("192.0.2.7"),
            "user_agent": "",
        }
        for number in range(1000)
    )
    assert data.activity.log_activities(made) == 1000
    assert data.activity.log_activities([]) == 0
    history = data.activity.get_lamp_activity_history(lamp_id, limit=1000)
    assert [entry["details"]["number"] for entry in history] == list(range(999, -1, -1))
    assert {(entry["ip_address"], entry["user_agent"]) for entry in history} == {("192.0.2.7", "")}


def test_a_bulk_is_stored_whole_or_not_at_all(data: LampsDataLayer, admin: Admin, lamp_id: UUID) -> None:
    """One entry that the server refuses takes all of them with it."""
    good = {"lamp_id": lamp_id, "activity_type": "a", "status": "b"}
    with pytest.raises(DatabaseError) as caught:
        data.activity.log_activities([*[good] * 100, {**good, "lamp_id": UNKNOWN}])
    assert (caught.value.query, caught.value.sqlstate) == ("lamps.activity_copy", "23503")
    assert entries(admin) == 0


@pytest.mark.parametrize("wrong", [{"status": "s\0planted-7f3a"}, {"lamp_id": UNKNOWN, "user_agent": "planted-7f3a"}])
def test_a_refusal_in_a_large_bulk_leaves_nothing(
    data: LampsDataLayer, lamp_id: UUID, caplog: pytest.LogCaptureFixture, wrong: dict[str, Any]
) -> None:
    """An entry that is refused when others were sent already takes all of them with it, and no transaction."""
    good = {"lamp_id": lamp_id, "activity_type": "a", "status": "b"}
    made = [*[good] * 2500, {**good, **wrong}, good]
    with pytest.raises((ValidationError, ConstraintViolation)) as caught:
        data.activity.log_activities(made)
    assert getattr(caught.value, "field", "entries[2500].status") == "entries[2500].status"
    with data.transaction() as tx:
        tx.activity.log_activity(lamp_id, "before", "success")
        with pytest.raises((ValidationError, ConstraintViolation)):
            tx.activity.log_activities(made)
        tx.activity.log_activity(lamp_id, "after", "success")
    assert [entry["activity_type"] for entry in data.activity.get_lamp_activity_history(lamp_id)] == ["after", "before"]
    assert data.stats()["queries"]["lamps.activity_copy"]["errors"] == 2
    assert "planted" not in f"{caught.value!r} {[record.__dict__ for record in caplog.records]}"


def test_what_makes_the_entries_may_use_the_database(migrated_url: str, lamp_id: UUID) -> None:
    """Entries that are made while they are asked for may come from the database, by the only connection there is."""
    with surf_data.open(migrated_url, pool_max_size=1) as data:

        def made() -> Iterator[dict[str, Any]]:
            for number in range(1500):
                if number % 500 == 0:
                    data.activity.log_activity(lamp_id, "made", "success")
                yield {"lamp_id": lamp_id, "activity_type": "a", "status": "b"}

        assert data.activity.log_activities(made()) == 1500
        assert data.activity.get_activity_statistics(1)["by_type"] == {"a": 1500, "made": 3}


@pytest.mark.parametrize("made", [None, 7, "text", b"bytes", {"activity_type": "a", "status": "b"}])
def test_a_bulk_is_a_list_of_mappings(data: LampsDataLayer, made: Any) -> None:
    """Anything but a list of mappings is refused."""
    with pytest.raises(ValidationError, match="entries must be a list"):
        data.activity.log_activities(made)


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (7, r"entries\[0\] must be a mapping"),
        ({"status": "b"}, r"entries\[0\] lacks activity_type"),
        ({"activity_type": "a", "status": "b", "statsu": 1}, r"entries\[0\] has an unknown key 'statsu'"),
    ],
)
def test_an_entry_has_known_keys(data: LampsDataLayer, entry: Any, problem: str) -> None:
    """An entry that lacks a key, or has one that would be lost, is refused by position."""
    with pytest.raises(ValidationError, match=problem):
        data.activity.log_activities([entry])


def test_history_pages_through_entries_of_the_same_moment(data: LampsDataLayer, admin: Admin, lamp_id: UUID) -> None:
    """Paging by the last entry of a page misses none and repeats none, even among equal times."""
    data.activity.log_activities({"lamp_id": lamp_id, "activity_type": "a", "status": "b"} for _ in range(25))
    admin.execute("UPDATE activity_log SET created_at = '2025-01-01'::timestamptz + id / 10 * interval '1 hour'")
    seen: list[int] = []
    page = data.activity.get_lamp_activity_history(lamp_id, limit=7)
    while page:
        seen.extend(entry["id"] for entry in page)
        page = data.activity.get_lamp_activity_history(lamp_id, 7, before=page[-1])
    assert len(seen) == 25
    assert seen == sorted(seen, reverse=True)


def test_history_begins_before_a_moment(data: LampsDataLayer, admin: Admin, lamp_id: UUID) -> None:
    """A datetime begins the history with the entries strictly before it, in any time zone."""
    data.activity.log_activities({"lamp_id": lamp_id, "activity_type": t, "status": "b"} for t in "abc")
    admin.execute(
        "UPDATE activity_log SET created_at = '2025-01-01 00:00Z'::timestamptz + ascii(activity_type) * "
        "interval '1 hour'"
    )
    moment = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=ord("c"))
    found = data.activity.get_lamp_activity_history(lamp_id, before=moment)
    assert [entry["activity_type"] for entry in found] == ["b", "a"]


def test_history_of_an_unknown_lamp_is_empty(data: LampsDataLayer) -> None:
    """The history of an unknown lamp is empty."""
    assert data.activity.get_lamp_activity_history(UNKNOWN) == []


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"lamp_id": "x"}, "lamp_id"),
        *(({"limit": limit}, "limit") for limit in (0, -1, 10_001, None, True, 1.5, "7")),
        ({"before": datetime(2025, 1, 1)}, "before"),  # noqa: DTZ001 - that it has no zone is the point
        ({"before": "2025-01-01"}, "before"),
        ({"before": {}}, "before.created_at"),
        ({"before": {"created_at": datetime(2025, 1, 1, tzinfo=UTC)}}, "before.id"),
        ({"before": {"created_at": datetime(2025, 1, 1, tzinfo=UTC), "id": -1}}, "before.id"),
    ],
)
def test_history_refuses_bad_arguments(data: LampsDataLayer, arguments: dict[str, Any], field: str) -> None:
    """A limit, an id or a moment that cannot be is refused by name before anything is sent."""
    with pytest.raises(ValidationError) as caught:
        data.activity.get_lamp_activity_history(**{"lamp_id": UNKNOWN, **arguments})
    assert caught.value.field == field
    assert data.stats()["queries"] == {}


def test_statistics_count_by_type_status_and_hour(data: LampsDataLayer, admin: Admin, lamp_id: UUID) -> None:
    """Statistics have totals by type and status, the success rate, the active lamps, and each hour."""
    logged = [(lamp_id, "heartbeat", "success")] * 3 + [(None, "backup", "failed"), (lamp_id, "update", "failed")]
    data.activity.log_activities(
        {"lamp_id": lamp, "activity_type": activity_type, "status": status} for lamp, activity_type, status in logged
    )
    admin.execute("UPDATE activity_log SET created_at = now() - interval '90 minutes' WHERE activity_type = 'backup'")
    admin.execute("UPDATE activity_log SET created_at = now() - interval '25 hours' WHERE activity_type = 'update'")
    statistics = data.activity.get_activity_statistics()
    per_hour = statistics.pop("per_hour")
    assert statistics == {
        "hours": 24,
        "total": 4,
        "by_type": {"heartbeat": 3, "backup": 1},
        "by_status": {"success": 3, "failed": 1},
        "success_rate": 0.75,
        "active_lamps": 1,
    }
    assert len(per_hour) == 25
    assert sum(hour["count"] for hour in per_hour) == 4
    assert [hour["hour"] - per_hour[0]["hour"] for hour in per_hour] == [timedelta(hours=n) for n in range(25)]
    expected = admin.execute(
        "SELECT date_trunc('hour', created_at, 'UTC'), count(*) FROM activity_log "
        "WHERE activity_type <> 'update' GROUP BY 1 ORDER BY 1"
    ).fetchall()
    assert [(hour["hour"], hour["count"]) for hour in per_hour if hour["count"]] == expected


def test_statistics_of_silence(data: LampsDataLayer) -> None:
    """Without entries everything is zero and there is no success rate."""
    statistics = data.activity.get_activity_statistics(1)
    assert [hour["count"] for hour in statistics.pop("per_hour")] == [0, 0]
    assert statistics == {
        "hours": 1,
        "total": 0,
        "by_type": {},
        "by_status": {},
        "success_rate": None,
        "active_lamps": 0,
    }


@pytest.mark.parametrize("hours", [0, -24, 8785, None, True, 1.5, "24"])
def test_statistics_refuse_bad_hours(data: LampsDataLayer, hours: Any) -> None:
    """A time that cannot be looked back is refused before anything is sent."""
    with pytest.raises(ValidationError, match="hours"):
        data.activity.get_activity_statistics(hours)
    assert data.stats()["queries"] == {}


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3),
    max_leaves=6,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(details=ANYTHING, ip_address=st.none() | ANYTHING, user_agent=st.none() | ANYTHING, kind=ANYTHING)
def test_logging_never_raises(data: LampsDataLayer, details: Any, ip_address: Any, user_agent: Any, kind: Any) -> None:
    """Whatever is handed in, `log_activity` returns."""
    data.activity.log_activity(None, kind, "success", details, ip_address=ip_address, user_agent=user_agent)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(details=st.dictionaries(st.text(max_size=5), ANYTHING, max_size=3))
def test_details_come_back_unchanged_or_are_refused(
    data: LampsDataLayer, admin: Admin, details: dict[str, Any]
) -> None:
    """Details are stored so that they come back equal, or refused by name."""
    admin.execute("DELETE FROM activity_log")
    try:
        data.activity.log_activities([{"activity_type": "a", "status": "b", "details": details}])
    except ValidationError as error:
        refused = error.field
    else:
        refused = None
    if refused is not None:
        assert refused.startswith("entries[0].details")
        assert entries(admin) == 0
    else:
        assert admin.execute("SELECT details FROM activity_log").fetchall() == [(details,)]
