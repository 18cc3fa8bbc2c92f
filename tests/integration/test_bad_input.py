"""Whatever a caller hands to a public method, the only error that comes out says which argument was wrong."""

import inspect
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from surf_data import (
    DataLayer,
    PostgresActivityLogger,
    PostgresLampRepository,
    PostgresUserRepository,
    RedisCacheManager,
    SurfData,
    ValidationError,
)

LAMP = "00000000-0000-4000-8000-000000000001"

# The list of the design: non-UUID ids, naive datetimes, NaN, NUL, lone surrogates, negative limits, TTLs below 1; and
# what else PostgreSQL, Redis or JSON would take for something other than it is.
AWKWARD = st.sampled_from(
    [
        None, True, False, 0, -1, 1, 2**31, 2**63, 10**400, -0.0, 1.5, float("nan"), float("inf"), Decimal(1), 1j,
        "", "\0", "a\0b", "\ud800", "' OR 1=1 --", "%s", ":lamp_id", "{}", "[]", LAMP, LAMP.upper(), f"{{{LAMP}}}",
        LAMP[:-1], "infinity", b"", b"\xff", bytearray(b"x"), UUID(LAMP), object(), SurfData(),
        datetime(2025, 1, 1),  # noqa: DTZ001 - that it has no zone is the point
        datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-12))),
        timedelta(days=1), [], [None], [[[]]], (), set(), {}, {"": ""}, {None: None}, {"a": float("nan")},
        {"a": "\0"}, {"a": b""}, {"created_at": None, "id": None}, {1: {}}, iter(()), range(3), print,
    ]
)  # fmt: skip


def _large() -> str:
    return "x" * 2_000_000


ANYTHING = (
    AWKWARD
    # Made when it is drawn, so that nobody has to read it in a message.
    | st.builds(_large)
    | st.text(max_size=8)
    | st.integers()
    | st.floats()
    | st.binary(max_size=8)
    | st.datetimes()
    | st.lists(AWKWARD, max_size=3)
    | st.dictionaries(st.text(max_size=3), AWKWARD, max_size=3)
)


PARTS: dict[str, type] = {
    "lamps": PostgresLampRepository,
    "users": PostgresUserRepository,
    "activity": PostgresActivityLogger,
    "cache": RedisCacheManager,
}
METHODS = [
    pytest.param(part, name, id=f"{part}.{name}")
    for part, kind in PARTS.items()
    for name, _ in inspect.getmembers(kind, inspect.isfunction)
    if not name.startswith("_")
]


def _deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def _refusal(call: Callable[[], Any]) -> ValidationError | None:
    """Call, exhaust what was returned if it is an iterator, and return the refusal; any other error comes out."""
    try:
        result = call()
        if inspect.isgenerator(result):
            list(result)
    except ValidationError as error:
        return error
    return None


def _is_refused(call: Callable[[], Any]) -> bool:
    """Tell whether the call is refused, after checking that the refusal names a field and holds nothing large."""
    refusal = _refusal(call)
    if refusal is None:
        return False
    assert refusal.field
    assert refusal.__cause__ is refusal.__context__ is None
    assert len(str(refusal)) < 500
    return True


@pytest.mark.parametrize(("part", "name"), METHODS)
def test_no_other_error_escapes(data: DataLayer, admin: psycopg.Connection[Any], part: str, name: str) -> None:
    """Every public method returns or raises a `ValidationError` that names a field, and stores nothing untoward."""
    method = getattr(data, part).__getattribute__(name)
    parameters = inspect.signature(method).parameters.values()
    required = st.tuples(*[ANYTHING for parameter in parameters if parameter.default is parameter.empty])
    optional = st.fixed_dictionaries(
        {},
        optional={parameter.name: ANYTHING for parameter in parameters if parameter.default is not parameter.empty},
    )

    @settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
    @given(arguments=required, keywords=optional)
    def check(arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        _is_refused(lambda: method(*arguments, **keywords))

    check()
    stored = admin.execute("SELECT count(*) FROM lamp_registry").fetchone()
    assert stored == (0,)


@pytest.mark.parametrize("levels", [65, 1_000, 100_000])
def test_deep_documents_are_refused(data: DataLayer, levels: int) -> None:
    """A document that nests deeper than anything can read back is refused, and takes the interpreter along nowhere."""
    deep = {"deep": _deep(levels)}
    data.activity.log_activity(None, "a", "b", deep)
    assert data.stats()["activity"] == {"failures": 1}
    calls: list[Callable[[], Any]] = [
        lambda: data.activity.log_activities([{"activity_type": "a", "status": "b", "details": deep}]),
        lambda: data.cache.set_surf_data_cache(0, deep),
        lambda: data.cache.warm_surf_data({0: deep}),
        lambda: data.cache.set_location_meta(0, deep),
        lambda: data.cache.set_lamp_status(LAMP, deep),
        lambda: data.cache.set_system_stats(deep),
    ]
    assert [_is_refused(call) for call in calls] == [True] * len(calls)
    assert data.stats()["queries"] == {}
    assert data.stats()["cache"]["writes"] == 0


def test_a_document_that_holds_itself_is_refused(data: DataLayer) -> None:
    """A document that never ends is refused, and so is a small one that would be written out as a huge one."""
    endless: dict[str, Any] = {}
    endless["self"] = endless
    bomb: list[Any] = ["x"]
    for _ in range(40):
        bomb = [bomb] * 10
    for document in (endless, {"bomb": bomb}):
        assert _is_refused(partial(data.cache.set_system_stats, document))
