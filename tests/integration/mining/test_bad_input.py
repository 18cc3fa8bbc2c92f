"""Whatever a caller hands to a public method, the only error that comes out is one of ours, and tells nothing."""

import inspect
import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from surf_data import SurfDataError
from surf_data.mining import (
    CycleRecord,
    MiningDataLayer,
    PgsqlActionDAO,
    ProcessInfoRecord,
    RedisKeyPattern,
    RedisSourceDAO,
    RegionData,
    get_regions_query,
)

#: A value that no error and no log record may repeat.
SECRET = "planted-5c1e"
NAIVE = datetime(2025, 1, 1)  # noqa: DTZ001 - that it has no zone is the point
GOOD: dict[str, Any] = {
    "asset_guid": "truck-1",
    "cycle_status": "COMPLETE",
    "site_guid": "site-1",
    "current_work_state_id": 3,
    "created_date": NAIVE,
    "updated_date": NAIVE,
}
CHECKPOINT: dict[str, Any] = {
    "asset_guid": "truck-1",
    "site_guid": "site-1",
    "process_name": "x",
    "process_date": NAIVE,
    "created_date": NAIVE,
}

AWKWARD = st.sampled_from(
    [
        None, True, False, 0, -1, 1, 2**31, 2**63, 2**70, 10**400, 1.5, float("nan"), float("inf"), Decimal(1), 1j,
        "", "\0", "a\0b", "\ud800", "' OR 1=1 --", "%s", ":x", "{}", "[]", "infinity", b"", b"\xff",
        bytearray(b"x"), UUID(int=7), object(), print, NAIVE,
        datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),
        timedelta(days=1), [], [None], [[[]]], (), set(), {}, {"": ""}, {None: None}, {1: {}}, range(3),
        SECRET, {"password": SECRET}, [SECRET], f"{SECRET}\0", f"{SECRET}\ud800", f"cycle_status = '{SECRET}",
        {"table": None}, {"table": SECRET}, {"table": "asset", "target_filter": f"guid = '{SECRET}' x"},
        {"table": "asset", "target_params": SECRET}, {"table": "asset", "target_columns": {SECRET}},
        {"table": "asset", "target_limit": SECRET}, {"table": "asset", "target_order": [SECRET]},
        {"query": SECRET}, {"query": sql.SQL("SELECT %s"), "params": [object()]},
        {"query": sql.SQL(f"SELECT '{SECRET}"), "params": 5},
        {"query": get_regions_query(), "params": {"x": SECRET}}, {"query": None, "x": SECRET},
        CycleRecord, CycleRecord(**GOOD), CycleRecord(**GOOD, asset_cycle_vlx_id=99), ProcessInfoRecord(**CHECKPOINT),
        ProcessInfoRecord(**CHECKPOINT, tx_process_info_id=99), [CycleRecord(**GOOD), None], RedisKeyPattern("x"),
        [RedisKeyPattern("x"), SECRET], RegionData("r", None, None),
    ]
)  # fmt: skip
#: Mapped, so that its name in a report is short.
LONG = st.just(100_000).map("x".__mul__)
ANYTHING = AWKWARD | LONG | st.text(max_size=8) | st.integers() | st.floats() | st.lists(AWKWARD | LONG, max_size=3)


def methods(kind: type) -> list[str]:
    """Return the public methods of a class that take arguments."""
    return [
        name
        for name, method in inspect.getmembers(kind, inspect.isfunction)
        if not name.startswith("_") and len(inspect.signature(method).parameters) > 1
    ]


CALLS = [
    *(pytest.param(kind, name, id=name) for kind in (PgsqlActionDAO, RedisSourceDAO) for name in methods(kind)),
]


@pytest.fixture(autouse=True)
def silent(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Look for the planted value in all that was logged."""
    caplog.set_level(logging.DEBUG)
    yield
    # What others write into Redis is not this library's to hide; the name of a key is all that it logs of it.
    told = [record.getMessage() + repr(vars(record)) for record in caplog.get_records("call")]
    assert [text for text in told if SECRET in text] == []


def refusal(call: Callable[[], Any]) -> SurfDataError | None:
    """Call, exhaust what was returned if it is an iterator, and return the error; one of another kind comes out."""
    try:
        result = call()
        if inspect.isgenerator(result):
            list(result)
    except SurfDataError as error:
        return error
    return None


def assert_tells_nothing(error: SurfDataError | None) -> None:
    """Check that an error has nothing chained, and nothing of the input."""
    if error is not None:
        assert error.__cause__ is error.__context__ is None
        assert len(str(error)) < 500
        assert SECRET not in str(error) + repr(error) + repr(vars(error))


@pytest.mark.parametrize(("kind", "name"), CALLS)
def test_methods(data: MiningDataLayer, admin: psycopg.Connection[Any], kind: Any, name: str) -> None:
    """A method of an access object answers, or raises one of our errors; what is stored can be read."""
    dao = kind(data)
    parameters = list(inspect.signature(getattr(dao, name)).parameters.values())
    required = [each for each in parameters if each.default is inspect.Parameter.empty]

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.data())
    def call(drawn: st.DataObject) -> None:
        given_all = drawn.draw(st.booleans())
        chosen = parameters if given_all else required or parameters[:1]
        values = {each.name: drawn.draw(ANYTHING, label=each.name) for each in chosen}
        assert_tells_nothing(refusal(lambda: getattr(dao, name)(**values)))

    call()
    assert admin.execute("SELECT count(*) FROM dx.asset_cycles").fetchone() is not None


@given(st.data())
def test_records(drawn: st.DataObject) -> None:
    """A record, a region or a key pattern is made, or refused by the name of a field."""
    kind = drawn.draw(st.sampled_from([CycleRecord, ProcessInfoRecord, RegionData, RedisKeyPattern]))
    good: dict[str, Any] = {
        CycleRecord: GOOD,
        ProcessInfoRecord: CHECKPOINT,
        RegionData: {"region_guid": "r", "region_points": "", "created_date": ""},
        RedisKeyPattern: {"pattern": "x", "params": {}},
    }[kind]
    name = drawn.draw(st.sampled_from([*inspect.signature(kind).parameters]))
    error = refusal(lambda: kind(**{**good, name: drawn.draw(ANYTHING)}))
    assert_tells_nothing(error)
    assert error is None or getattr(error, "field", None)
