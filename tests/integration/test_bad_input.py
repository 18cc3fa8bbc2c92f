"""Whatever a caller hands to a public method, the only error that comes out says which argument was wrong."""

import inspect
import logging
import resource
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from functools import partial
from itertools import repeat
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from surf_data import (
    ConstraintViolation,
    LampsDataLayer,
    PostgresActivityLogger,
    PostgresLampRepository,
    PostgresSessionRepository,
    PostgresUserRepository,
    RedisCacheManager,
    SurfData,
    SurfDataError,
    ValidationError,
)
from surf_data.kernel.cache import LoadOptions

#: A value that no error, log record or representation may repeat.
SECRET = "planted-5c1e"
#: How much the process may grow in one test, in KiB; one input is of 2 MB at the most.
MEMORY_KIB = 200_000

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
        SECRET, {"password_hash": SECRET}, {"a": f"{SECRET}\0"}, [SECRET], f"{SECRET}\ud800",
        {"a": "\0"}, {"a": b""}, {"created_at": None, "id": None}, {1: {}}, iter(()), range(3), print,
    ]
)  # fmt: skip


class _Large(str):
    """A text that is too large to be shown in the message of a failing test."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "_Large()"


#: One for all examples, so that the memory that is measured is not that of the examples.
LARGE = _Large("x" * 2_000_000)


ANYTHING = (
    AWKWARD
    | st.just(LARGE)
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
    "sessions": PostgresSessionRepository,
    "activity": PostgresActivityLogger,
    "cache": RedisCacheManager,
}
METHODS = [
    pytest.param(part, name, id=f"{part}.{name}")
    for part, kind in PARTS.items()
    for name, _ in inspect.getmembers(kind, inspect.isfunction)
    if not name.startswith("_")
]


#: What else a method may raise, as its documentation says.
DOCUMENTED = {"sessions.begin_session": ConstraintViolation}


def _contents(admin: psycopg.Connection[Any]) -> dict[str, Any]:
    """Return what each table holds, but for what is counted of one."""
    found = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' AND tablename !~ '^activity_rollup'"
    tables = [name for (name,) in admin.execute(found)]
    return {name: admin.execute(f"SELECT t::text FROM {name} AS t ORDER BY 1".encode()).fetchall() for name in tables}


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
    """Return whether the call is refused, after checking that the refusal names a field and holds nothing large."""
    refusal = _refusal(call)
    if refusal is None:
        return False
    assert refusal.field
    _tells_nothing(refusal)
    return True


def _tells_nothing(error: SurfDataError) -> None:
    assert error.__cause__ is error.__context__ is None
    assert len(str(error)) < 500
    assert SECRET not in str(error) + repr(error) + repr(vars(error))


@pytest.fixture(autouse=True)
def silent(caplog: pytest.LogCaptureFixture, data: LampsDataLayer) -> Iterator[None]:
    """Look for the planted value in all that was logged, and in what the parts of the data layer show of themselves."""
    caplog.set_level(logging.DEBUG)
    yield
    told = [record.getMessage() + repr(vars(record)) for record in caplog.get_records("call")]
    shown = [repr(vars(part)) for part in (data, data.lamps, data.users, data.activity, data.cache, data.redis)]
    assert [text for text in (*told, *shown, repr(data.stats())) if SECRET in text] == []


@pytest.mark.parametrize(("part", "name"), METHODS)
def test_no_other_error_escapes(data: LampsDataLayer, admin: psycopg.Connection[Any], part: str, name: str) -> None:
    """Every public method returns or raises a documented error, mostly one that names a field; nothing is stored."""
    method = getattr(data, part).__getattribute__(name)
    documented = DOCUMENTED.get(f"{part}.{name}", ())
    parameters = inspect.signature(method).parameters.values()
    needed = [each for each in parameters if each.default is each.empty and each.kind is not each.VAR_KEYWORD]
    given_by_name = {parameter.name for parameter in parameters if parameter.default is not parameter.empty}
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        given_by_name |= set(LoadOptions.__annotations__)
    required = st.tuples(*[ANYTHING for _ in needed])
    optional = st.fixed_dictionaries({}, optional=dict.fromkeys(sorted(given_by_name), ANYTHING))

    @settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
    @given(arguments=required, keywords=optional)
    def check(arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        try:
            _is_refused(lambda: method(*arguments, **keywords))
        except documented as error:
            _tells_nothing(error)

    before, largest = _contents(admin), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    check()
    # Entries of the log that are whole are stored, and nothing else.
    assert {**_contents(admin), "activity_log": None} == {**before, "activity_log": None}
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - largest < MEMORY_KIB


def test_large_documents_are_refused(data: LampsDataLayer) -> None:
    """A document of more than a megabyte is refused before anything is sent, for either server."""
    large = {"large": "é" * 500_000}
    data.activity.log_activity(None, "a", "b", large)
    assert data.stats()["activity"] == {"failures": 1}
    calls: list[Callable[[], Any]] = [
        lambda: data.activity.log_activities([{"activity_type": "a", "status": "b", "details": large}]),
        lambda: data.cache.set_surf_data_cache(0, large),
        lambda: data.cache.warm_surf_data({0: large}),
        lambda: data.cache.set_location_meta(0, large),
        lambda: data.cache.set_lamp_status(LAMP, large),
        lambda: data.cache.set_system_stats(large),
    ]
    assert [_is_refused(call) for call in calls] == [True] * len(calls)
    assert data.stats()["queries"] == {}
    assert data.stats()["cache"]["writes"] == 0


def test_nightly_is_enough() -> None:
    """The nightly profile tries at least 20,000 inputs for all methods together, and CI at least 500."""
    assert len(METHODS) * settings.get_profile("nightly").max_examples >= 20_000
    assert len(METHODS) * settings.get_profile("ci").max_examples >= 500


@pytest.mark.parametrize("levels", [65, 1_000, 100_000])
def test_deep_documents_are_refused(data: LampsDataLayer, levels: int) -> None:
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


def test_endless_entries_are_refused(data: LampsDataLayer) -> None:
    """An iterator that never ends is refused before anything is sent, and not read until memory is full."""
    assert _is_refused(lambda: data.activity.log_activities(repeat({"activity_type": "a", "status": "b"})))
    assert data.stats()["queries"] == {}


def test_a_document_that_holds_itself_is_refused(data: LampsDataLayer) -> None:
    """A document that never ends is refused, and so is a small one that would be written out as a huge one."""
    endless: dict[str, Any] = {}
    endless["self"] = endless
    bomb: list[Any] = ["x"]
    for _ in range(40):
        bomb = [bomb] * 10
    for document in (endless, {"bomb": bomb}):
        assert _is_refused(partial(data.cache.set_system_stats, document))
