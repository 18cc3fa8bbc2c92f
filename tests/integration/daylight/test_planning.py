"""Plans: stored for their user, changed as asked, missing for every other user."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from surf_data.daylight import DaylightDataLayer
from surf_data.errors import SurfDataError, ValidationError

Refused = Callable[..., SurfDataError]

PLAN = {
    "title": "Surf at dawn",
    "location": {"name": "Pipeline"},
    "startTime": "2026-06-01T06:00:00-10:00",
    "endTime": datetime(2026, 6, 1, 18, tzinfo=UTC),
}


def test_a_plan_is_stored_and_found(data: DaylightDataLayer, user_id: str) -> None:
    """`create_plan` returns the record, active; the original's names and keys work."""
    plan = data.plans.createPlan(user_id, {**PLAN, "activities": ["surf"], "preferences": {"calm": True}})
    assert plan.id.startswith("plan_kai_")
    assert (plan.status, plan.start_time.hour, plan.location) == ("active", 16, {"name": "Pipeline"})
    assert data.plans.getPlanById(plan.id, user_id) == plan
    assert data.plans.getUserPlans(user_id) == [plan]
    assert plan.to_dict()["startTime"] == "2026-06-01T16:00:00Z"


def test_another_users_plan_is_as_missing(data: DaylightDataLayer, user_id: str) -> None:
    """An id alone is not enough to read, change or delete a plan."""
    data.users.create_user({"id": "eve", "email": "eve@example.org", "username": "eve", "password_hash": "x"})
    plan = data.plans.create_plan(user_id, PLAN)
    assert data.plans.get_plan_by_id(plan.id, "eve") is None
    assert data.plans.update_plan(plan.id, "eve", {"title": "Mine"}) is None
    assert data.plans.delete_plan(plan.id, "eve") is False
    assert data.plans.get_user_plans("eve") == []
    assert data.plans.get_plan_by_id(plan.id, user_id) == plan
    assert data.plans.delete_plan(plan.id, user_id) is True
    assert data.plans.get_plan_by_id(plan.id, user_id) is None


def test_an_update_applies_what_it_names(data: DaylightDataLayer, user_id: str) -> None:
    """Names and values are used, the rest stays, and a writer with an old copy loses."""
    plan = data.plans.create_plan(user_id, PLAN)
    changed = data.plans.update_plan(plan.id, user_id, {"status": "completed", "location": None})
    assert changed is not None
    assert (changed.status, changed.location, changed.title) == ("completed", None, "Surf at dawn")
    assert data.plans.update_plan(plan.id, user_id, {"title": "x"}, expected_updated_at=plan.updated_at) is None


def test_plans_are_listed_newest_first_by_pages(data: DaylightDataLayer, user_id: str) -> None:
    """`before` goes on behind the last plan of a page; a status leaves the others out."""
    made = [data.plans.create_plan(user_id, {**PLAN, "id": f"p{number}"}).id for number in range(5)]
    data.plans.update_plan("p3", user_id, {"status": "cancelled"})
    first = data.plans.get_user_plans(user_id, 2)
    second = data.plans.get_user_plans(user_id, 2, before=first[-1])
    third = data.plans.get_user_plans(user_id, 2, before=second[-1].to_dict() | {"created_at": second[-1].created_at})
    assert [plan.id for plan in [*first, *second, *third]] == made[::-1]
    assert [plan.id for plan in data.plans.get_user_plans(user_id, status="cancelled")] == ["p3"]


@pytest.mark.parametrize(
    ("plan_data", "field"),
    [
        ({"title": "x"}, "start_time"),
        ({**PLAN, "endTime": "2026-06-01T05:00:00-10:00"}, "end_time"),
        ({**PLAN, "startTime": "2026-06-01T06:00:00"}, "start_time"),
        ({**PLAN, "startTime": "dawn"}, "start_time"),
        ({**PLAN, "startTime": 5}, "start_time"),
        ({**PLAN, "activities": "surf"}, "activities"),
        ({**PLAN, "status": "done"}, "status"),
        ({**PLAN, "title": ""}, "title"),
    ],
)
def test_bad_plans_are_refused_by_name(
    data: DaylightDataLayer, refused: Refused, user_id: str, plan_data: Any, field: str
) -> None:
    """Times without zone, reversed ranges, unknown keys: refused, and the error names the field."""
    error = refused(lambda: data.plans.create_plan(user_id, plan_data))
    assert isinstance(error, ValidationError)
    assert error.field == field


def test_what_only_the_server_knows_is_refused_alike(data: DaylightDataLayer, refused: Refused, user_id: str) -> None:
    """A taken id, an unknown user, an end before the stored start: a ValidationError each, and nothing chained."""
    data.plans.create_plan(user_id, {**PLAN, "id": "p"})
    assert str(refused(lambda: data.plans.create_plan(user_id, {**PLAN, "id": "p"}))) == "id is taken"
    assert str(refused(lambda: data.plans.create_plan("nobody", PLAN))) == "there is no such user"
    early = refused(lambda: data.plans.update_plan("p", user_id, {"end_time": "2020-01-01T00:00:00Z"}))
    assert str(early) == "end_time must not be before start_time"
    both = {"start_time": "2026-01-02T00:00:00Z", "end_time": "2026-01-01T00:00:00Z"}
    assert str(refused(lambda: data.plans.update_plan("p", user_id, both))) == "end_time must not be before start_time"
    assert str(refused(lambda: data.plans.update_plan("p", user_id, {"status": "done"}))).startswith("status must be")
    assert str(refused(lambda: data.plans.get_user_plans(user_id, 0))) == "limit must be from 1 to 10000"
