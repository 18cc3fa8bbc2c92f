"""Whatever a caller hands to a public method, what comes out is a result or an error of ours, without the value."""

import inspect
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from surf_data import ConfigurationError, ConstraintViolation, SurfDataError, ValidationError
from surf_data.specify import Project, SpecifyDataLayer

#: A value that no error may repeat.
SECRET = "planted-77d0"
AWKWARD = st.sampled_from(
    [
        None, True, False, 0, -1, 1, 2**31, 2**63, 10**400, -0.0, 1.5, float("nan"), float("inf"), Decimal(1), 1j,
        "", "\0", "a\0b", "\ud800", "' OR 1=1 --", "%s", ":row_id", "{}", "[]", "id", "-id", "UTC", "day", "bash",
        "infinity", b"", b"\xff", bytearray(b"x"), UUID(int=1), object(), "x" * 300, f"{SECRET}\0", SECRET,
        datetime(2025, 1, 1),  # noqa: DTZ001 - that it has no zone is the point
        datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-12))),
        timedelta(days=1), timedelta(0), [], [None], [[[]]], (), set(), {}, {"": ""}, {None: None}, {"a": float("nan")},
        [{}], [{"id": 1}], [{"name": SECRET}], {"name": "a"}, {"username": SECRET}, {"resourceSpans": [1]},
        iter(()), print,
    ]
)  # fmt: skip
ANYTHING = AWKWARD | st.text(max_size=8) | st.integers() | st.floats() | st.binary(max_size=8)
PARTS = (
    *("users", "projects", "commands", "metrics", "audit"),
    *("specifications", "telemetry", "cache", "configuration", "tokens"),
)
DOCUMENTED = (ValidationError, ConstraintViolation, ConfigurationError)
#: A block, which is not run by calling it; and what is for the owner alone.
LEFT_OUT = {"commands.running", "users.anonymise"}


def _methods(data: SpecifyDataLayer) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in PARTS:
        repository = getattr(data, part)
        for prefix, each in ((part, repository), (f"{part}.queries", repository.queries)):
            for name, method in inspect.getmembers(each, inspect.ismethod):
                if not name.startswith("_"):
                    found[f"{prefix}.{name}"] = method
    return {name: method for name, method in found.items() if name not in LEFT_OUT}


def test_no_other_error_escapes(data: SpecifyDataLayer, project: Project) -> None:
    """Every public method returns or raises a documented error, mostly one that names a field, and short."""
    methods = _methods(data)
    assert len(methods) > 150
    for name, method in methods.items():
        _try(name, method)


def _try(name: str, method: Any) -> None:
    parameters = inspect.signature(method).parameters.values()
    named = [each for each in parameters if each.kind in {each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY}]
    required = [each.name for each in named if each.default is each.empty]
    given_by_name = {each.name: ANYTHING for each in named if each.default is not each.empty}

    @settings(
        max_examples=max(4, settings().max_examples // 12), suppress_health_check=list(HealthCheck), database=None
    )
    @given(
        keywords=st.fixed_dictionaries(dict.fromkeys(required, ANYTHING), optional=given_by_name),
    )
    def check(keywords: dict[str, Any]) -> None:
        try:
            method(**keywords)
        except DOCUMENTED as error:
            _tells_nothing(error)
        except SurfDataError as error:
            raise AssertionError(f"{name}: {error!r}") from error

    check()


def _tells_nothing(error: SurfDataError) -> None:
    assert error.__cause__ is error.__context__ is None
    assert len(str(error)) < 500
    assert SECRET not in f"{error} {error!r} {vars(error)}"
