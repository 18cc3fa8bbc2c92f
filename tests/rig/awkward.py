"""Arguments that are none, for the methods of a data layer: out comes a result, or an error without the value."""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from surf_data import MigrationError, SurfDataError

#: A value that no error may repeat.
SECRET = "planted-3b9f"

# What cannot be an argument, what only seems to be one, and what PostgreSQL, Redis or JSON take for another value.
_VALUES: list[Any] = [
    None, True, False, 0, -1, 1, 2**31, 2**63, 10**400, -0.0, 1.5, 1e308, float("nan"), float("inf"), Decimal(1),
    Decimal("NaN"), 1j, "", " ", "\0", "a\0b", "\ud800", "' OR 1=1 --", "%s", ":id", "{}", "[]", "id", "*", "..",
    "../x", "/x", "a//b", "infinity", "2025-01-01", "2025-02-30", "25:00", "UTC", "a@b", b"", b"\xff", bytearray(b"x"),
    UUID(int=1), str(UUID(int=2)), object(), "x" * 300, f"{SECRET}\0", SECRET, f"{SECRET}\ud800", date(2025, 1, 1),
    datetime(2025, 1, 1),  # noqa: DTZ001 - that it has no zone is the point
    datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),
    datetime.max.replace(tzinfo=timezone(timedelta(hours=-12))),
    timedelta(days=1), timedelta.max, [], [None], [[[]]], (), set(), {}, {"": ""}, {None: None}, {1: {}},
    {"a": float("nan")}, {"a": "\0"}, {"a": {"b": f"{SECRET}\ud800"}}, {"id": SECRET}, {"limit": -1}, [{}], [{"id": 1}],
    [{"x": SECRET}], range(3), iter(()), print, int, Exception(SECRET), ValueError,
]  # fmt: skip
#: Mapped, so that its name in a report is short.
_LONG = st.just(100_000).map("x".__mul__)
ANYTHING: st.SearchStrategy[Any] = (
    st.sampled_from(_VALUES) | _LONG | st.text(max_size=8) | st.integers() | st.floats() | st.binary(max_size=8)
)


def methods(parts: Mapping[str, object], left_out: Iterable[str] = ()) -> dict[str, Callable[..., Any]]:
    """Return the public methods of parts of a data layer that take arguments, by part and name."""
    found = {
        f"{part}.{name}": method
        for part, each in parts.items()
        for name, method in inspect.getmembers(each, inspect.ismethod)
        if not name.startswith("_") and inspect.signature(method).parameters
    }
    # Another name of the same.
    seen = {getattr(method, "__func__", method): name for name, method in reversed(found.items())}
    return {name: found[name] for name in found if name in seen.values() and name not in set(left_out)}


def _arguments(
    method: Callable[..., Any], good: Mapping[str, Any]
) -> st.SearchStrategy[tuple[list[Any], dict[str, Any]]]:
    """Return arguments of which one is bad, or all are; what is good is known by its name."""
    parameters = inspect.signature(method).parameters.values()
    named = [each for each in parameters if each.kind in {each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY}]
    many = any(each.kind is each.VAR_POSITIONAL for each in parameters)
    needed = {each.name for each in named if each.default is each.empty}
    names = [each.name for each in named]
    for each in parameters:
        if each.kind is each.VAR_KEYWORD:
            names += good.get(each.name, ())

    @st.composite
    def drawn(draw: st.DrawFn) -> tuple[list[Any], dict[str, Any]]:
        bad = draw(st.sampled_from(names)) if names and draw(st.booleans()) else None
        keywords = {}
        for name in names:
            if name == bad or bad is None or name not in good:
                if name == bad or name in needed or draw(st.booleans()):
                    keywords[name] = draw(_damaged(good.get(name)))
            elif name in needed:
                keywords[name] = good[name]
        return draw(st.lists(ANYTHING, max_size=2)) if many else [], keywords

    return drawn()


def _damaged(value: Any) -> st.SearchStrategy[Any]:
    """Return anything, or a document that is good but for one of its values."""
    if not isinstance(value, dict):
        return ANYTHING
    return ANYTHING | st.tuples(st.sampled_from([*value]), ANYTHING).map(lambda pair: {**value, pair[0]: pair[1]})


def attempts(
    method: Callable[..., Any], good: Mapping[str, Any], documented: tuple[type[SurfDataError], ...]
) -> Callable[[], None]:
    """Return what calls a method with bad arguments: 2,000 times in the nightly profile, four in the others.

    Arguments:
        method: the method.
        good: arguments that are good, by the names of parameters.
        documented: the errors that it may raise.
    """
    examples = settings().max_examples

    @settings(
        max_examples=examples if examples >= 1_000 else 4,
        suppress_health_check=list(HealthCheck),
        database=None,
        phases=[Phase.generate, Phase.shrink],
    )
    @given(_arguments(method, good))
    def check(arguments: tuple[list[Any], dict[str, Any]]) -> None:
        try:
            result = method(*arguments[0], **arguments[1])
            if inspect.isgenerator(result):
                _exhaust(result)
            elif hasattr(result, "close"):
                result.close()
        except documented as error:
            tells_nothing(error)

    return check


def tells_nothing(error: SurfDataError) -> None:
    """Check that an error has nothing chained, and nothing of the input."""
    assert error.__cause__ is error.__context__ is None
    assert len(str(error)) < 500
    # The name of an object or a file is no secret, and is said on purpose.
    file = str(error).partition(": ")[0] if isinstance(error, MigrationError) else "\0"
    name = getattr(error, "key", None) or getattr(error, "location", None) or file
    assert SECRET not in f"{error} {error!r} {vars(error)}".replace(name, "")


def _exhaust(iterator: Iterator[Any]) -> None:
    for _ in iterator:
        pass
