"""Values of the mining domain: records, times, keys of Redis, errors."""

import pickle
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surf_data import CommitUnknown, ConstraintViolation, RedisUnavailable, SurfDataError, ValidationError
from surf_data.mining import CycleRecord, ProcessInfoRecord, RedisKeyPattern, regions, values
from surf_data.mining import errors as mining_errors

Refused = Callable[..., SurfDataError]

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
CYCLE: dict[str, Any] = {
    "asset_guid": "truck-HAU-001-SITE-456",
    "cycle_status": "INPROGRESS",
    "site_guid": "site-1",
    "current_work_state_id": 3,
    "created_date": NOON,
    "updated_date": NOON,
}

WRONG: dict[str, tuple[Any, ...]] = {
    "asset_guid": (None, "", 5, "x" * 201, "\0", "\ud800", b"x"),
    "cycle_status": (None, "", "complete", "A" * 31, 5, "A B"),
    "cycle_number": (None, 0, -1, True, 1.0, "1", 2**31),
    "current_work_state_id": (None, "3", 2**31, -(2**31) - 1, False),
    "created_date": (
        None,
        "2026-11-02",
        5,
        NOON.date(),
        NOON.replace(year=1, month=1, day=1),
        NOON.replace(year=9999, month=12, day=31),
    ),
    "loader_latitude": ("1", True, float("nan"), float("inf"), 2**70),
    "is_outlier": (0, 1, "true"),
    "current_segment": (5, "x" * 51),
    "tmp_idle_near_loader": ({}, "x" * 65_537),
    "asset_cycle_vlx_id": (0, "5", True, 2**63),
    "SERVICE_TYPE": (None, "other", 5),
}


def test_a_record() -> None:
    """A record has what its callers know: defaults, columns, tuples, key, and another name for the key."""
    record = CycleRecord(**CYCLE)
    columns = CycleRecord.get_column_names()
    assert (record.cycle_number, record.id, record.is_new_record()) == (1, None, True)
    assert (len(columns), "asset_cycle_vlx_id" in columns, "SERVICE_TYPE" in columns) == (46, False, False)
    [row] = record.data_to_insert_tuple()
    assert dict(zip(columns, row, strict=True)) == {name: getattr(record, name) for name in columns}
    record.id = 7
    assert record.asset_cycle_vlx_id == 7
    assert record.get_update_values() == (*row, 7)
    assert CycleRecord(**record.to_dict()) == record
    names = (CycleRecord.TABLE_NAME, CycleRecord.FINAL_TABLE_NAME, CycleRecord.SCHEMA_NAME)
    assert names == ("asset_cycle_tmp_vlx", "asset_cycle_vlx", "dx")
    assert (ProcessInfoRecord.TABLE_NAME, ProcessInfoRecord.DB_PRIMARY_KEY_FIELD) == (
        "tx_process_info",
        "tx_process_info_id",
    )


def test_times() -> None:
    """A time without a zone means UTC; every time is kept in UTC."""
    record = CycleRecord(**{**CYCLE, "created_date": NOON.replace(tzinfo=None)})
    record.updated_date = NOON.astimezone(timezone(timedelta(hours=2)))
    assert (record.created_date, record.updated_date) == (NOON, NOON)
    assert {record.created_date.tzinfo, record.updated_date.tzinfo} == {UTC}


def test_numbers() -> None:
    """A whole number where a float belongs becomes one; None stays None."""
    record = CycleRecord(**CYCLE, load_seconds=10, loader_latitude=None)
    assert (record.load_seconds, type(record.load_seconds), record.loader_latitude) == (10.0, float, None)


def test_wrong_values(refused: Refused) -> None:
    """What cannot be stored is refused when it is assigned, by its field; the record stays as it was."""
    for field, wrong in WRONG.items():
        for value in wrong:
            error = refused(lambda field=field, value=value: CycleRecord(**{**CYCLE, field: value}))
            assert getattr(error, "field", None) == field
            record = CycleRecord(**CYCLE)
            refused(lambda record=record, field=field, value=value: setattr(record, field, value))
            assert record == CycleRecord(**CYCLE)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-02", datetime(2026, 11, 2, tzinfo=UTC)),
        ("2026-11-02 12:00", NOON),
        ("2026-11-02T12:00:00Z", NOON),
        ("2026-11-02 14:00:00.5+02:00", NOON + timedelta(seconds=0.5)),
    ],
)
def test_times_as_text(text: str, moment: datetime) -> None:
    """A time is read as PostgreSQL reads it in a session in UTC."""
    assert values.moment_or_text("until", text) == moment
    assert values.moment_or_text("until", moment.replace(tzinfo=None)) == moment


@given(st.datetimes(min_value=datetime(1, 1, 3), max_value=datetime(9999, 12, 29), timezones=st.just(UTC)))  # noqa: DTZ001 - the strategy's
def test_what_python_writes(moment: datetime) -> None:
    """What str() and isoformat() write of a time is read back."""
    assert values.moment_of_text("x", str(moment)) == moment
    assert values.moment_of_text("x", moment.replace(tzinfo=None).isoformat()) == moment


@given(st.text())
def test_any_text_as_time(text: str) -> None:
    """Any other text is refused."""
    try:
        values.moment_of_text("x", text)
    except ValidationError as error:
        assert error.field == "x"  # noqa: PT017 - most are refused


@given(st.text())
def test_any_text_as_date_of_a_region(text: str) -> None:
    """The date of a region may be any text: what cannot be read is the beginning of time."""
    assert regions.moment_of(text).tzinfo is UTC


@pytest.mark.parametrize(
    ("pattern", "params", "key"),
    [
        ("asset:{asset_id}:status", {"asset_id": "truck-123"}, "asset:truck-123:status"),
        ("a:{x}:{x}", {"x": 5}, "a:5:5"),
        ("a:{X_1}", {"X_1": UUID(int=7)}, "a:00000000-0000-0000-0000-000000000007"),
        ("asset:{{{x}}}:regions", {"x": "t"}, "asset:{t}:regions"),
        ("{{}}", {}, "{}"),
        ("x", {}, "x"),
        ("{x}", {"x": "a:b*[c]?{d} e%\\\n\u00fc"}, "a%3Ab%2A%5Bc%5D%3F%7Bd%7D%20e%25%5C%0A%C3%BC"),
    ],
)
def test_key_patterns(pattern: str, params: dict[str, Any], key: str) -> None:
    """A value stands in its place, encoded so that two values never give one key."""
    assert RedisKeyPattern(pattern, params).key == key


@given(st.text(min_size=1, max_size=40), st.text(min_size=1, max_size=40))
def test_two_values(one: str, other: str) -> None:
    """Two different values give two different keys, neither of them with a part more."""
    keys: set[str] = set()
    for value in (one, other):
        try:
            keys.add(RedisKeyPattern("a:{x}:b", {"x": value}).key)
        except ValidationError:
            return
    assert len(keys) == len({one, other})
    assert all(key.count(":") == 2 and key.isascii() and key.isprintable() for key in keys)


@pytest.mark.parametrize(
    ("pattern", "params"),
    [
        ("{}", {}),
        ("{x.y}", {"x": 1}),
        ("{x[0]}", {"x": 1}),
        ("{x!r}", {"x": 1}),
        ("{x:>9}", {"x": 1}),
        ("{x", {"x": 1}),
        ("}", {}),
        ("{x}", {}),
        ("x", {"x": 1}),
        ("{x}", {"x": ""}),
        ("{x}", {"x": "y" * 201}),
        ("{x}", {"x": "\0"}),
        ("{x}", {"x": None}),
        ("{x}", {"x": 1.5}),
        ("{x}", {"x": True}),
        ("{x}", {"x": 2**70}),
        ("{x}", {"x": b"y"}),
        ("{x}{x}{x}", {"x": "y" * 200}),
        ("", {}),
        ("x" * 513, {}),
        (5, {}),
        (None, {}),
        ("x", None),
        ("x", 5),
        ("x", {5: 1}),
    ],
)
def test_wrong_patterns(refused: Refused, pattern: Any, params: Any) -> None:
    """A pattern has nothing of str.format but names, and exactly the values for them."""
    refused(lambda: RedisKeyPattern(pattern, params))


def test_errors() -> None:
    """The three errors are siblings, keep what they are given, and can be pickled."""
    original = ConstraintViolation("no", query="q", sqlstate="23505", constraint="c", retryable=True)
    for kind in (
        mining_errors.PgsqlConnectionError,
        mining_errors.RedisConnectionError,
        mining_errors.DataAccessError,
        mining_errors.StatementFailed,
        mining_errors.RedisReadFailed,
    ):
        error = kind("it failed", original, {"host": "h", "port": 5432})
        assert isinstance(error, SurfDataError)
        assert str(error) == "it failed (Connection Details: {'host': 'h', 'port': 5432})"
        again = pickle.loads(pickle.dumps(error))  # noqa: S301 - just made
        assert (str(again), again.connection_details) == (str(error), error.connection_details)
        assert (again.query, again.sqlstate, again.constraint, again.retryable) == ("q", "23505", "c", True)
        plain = kind()
        assert (plain.original_exception, plain.connection_details, plain.sqlstate) == (None, None, None)
        assert str(plain) == kind.__doc__
    assert not issubclass(mining_errors.PgsqlConnectionError, mining_errors.DataAccessError)
    assert not issubclass(mining_errors.RedisConnectionError, mining_errors.PgsqlConnectionError)
    for doubtful in (CommitUnknown("x"), RedisUnavailable(ambiguous=True)):
        assert mining_errors.DataAccessError("x", doubtful).outcome_unknown is True
