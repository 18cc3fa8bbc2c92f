"""Which policies a maintenance is about, and what an operator may say of them."""

from collections.abc import Callable
from typing import Any

import pytest

from surf_data.domain import Domain, Retention
from surf_data.errors import ConfigurationError, ValidationError
from surf_data.kernel.settings import Settings
from surf_data.retention import policies

LEFT_OPEN = Retention(table="town.log", by="at", partition="month")
FIXED = Retention(table="town.sessions", by="expires_at", keep_days=0)
ARCHIVED = Retention(table="town.visits", by="at", archive=True)
TOWN = Domain(
    name="town",
    title="A town",
    schemas=("town",),
    settings=Settings,
    queries="town.queries:queries",
    retention=(LEFT_OPEN, FIXED, ARCHIVED),
)


def days(**options: Any) -> dict[str, int | None]:
    """Return for how long the rows of each table are kept."""
    return {policy.table: policy.keep_days for policy in policies(TOWN, **options)}


def test_without_a_word_all_count_as_declared() -> None:
    """Each table of the domain is maintained."""
    assert policies(TOWN) == (LEFT_OPEN, FIXED, ARCHIVED)


@pytest.mark.parametrize("name", ["town.sessions", "sessions"])
def test_one_table_is_chosen_by_its_name(name: str) -> None:
    """With its schema or without."""
    assert policies(TOWN, name) == (FIXED,)


def test_an_operators_days_count_where_the_domain_has_none() -> None:
    """And not for rows that are to be archived first; for a table that is named they always count."""
    assert days(keep_days=30) == {"town.log": 30, "town.sessions": 0, "town.visits": None}
    assert days(table="sessions", keep_days=30) == {"town.sessions": 30}
    assert days(table="visits", keep_days=30) == {"town.visits": 30}


def test_an_unknown_table_is_refused(refused: Callable[..., Any]) -> None:
    """The error lists those that there are."""
    error = refused(lambda: policies(TOWN, "rows"))
    assert (error.field, str(error)) == (
        "table",
        "table must be one with a policy of town: town.log, town.sessions, town.visits",
    )
    bare = Domain(name="bare", title="Bare", schemas=("bare",), settings=Settings, queries="bare:queries")
    assert str(refused(lambda: policies(bare, "rows"))) == "table must be one with a policy of bare: none"


@pytest.mark.parametrize("number", [0, -5, 36_501, True, "7"])
def test_days_out_of_range_are_refused(number: Any, refused: Callable[..., Any]) -> None:
    """Below 1 an operator's number would delete what is still to be kept."""
    assert refused(lambda: policies(TOWN, keep_days=number), ValidationError).field == "keep_days"


@pytest.mark.parametrize(
    "wrong",
    [{"table": "log"}, {"keep_days": -1}, {"keep_days": 36_501}, {"keep_days": True}, {"partition": "year"}],
)
def test_a_malformed_policy_is_refused(wrong: dict[str, Any], refused: Callable[..., Any]) -> None:
    """When the domain is imported, and not at night."""
    error = refused(lambda: Retention(**{"table": "town.log", "by": "at", **wrong}), ConfigurationError)
    assert error.setting == "retention"
