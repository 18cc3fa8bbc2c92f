"""A constraint that no service knows, a deployment's own for instance, is passed on as what it is."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from surf_data.daylight import DaylightDataLayer
from surf_data.errors import ConstraintViolation

NOW = datetime.now(UTC)
KAI = {"email": "a@example.org", "username": "a", "password_hash": "x"}
CALLS: dict[str, Callable[[DaylightDataLayer], Any]] = {
    "users": lambda data: data.users.create_user(KAI),
    "plans": lambda data: data.plans.create_plan("kai", {"title": "x", "start_time": NOW, "end_time": NOW}),
    "locations": lambda data: data.locations.add_location("kai", {"name": "x", "lat": 1, "lng": 2, "type": "home"}),
    "user_sessions": lambda data: data.sessions.create("kai"),
    "api_keys": lambda data: data.keys.create_api_key("kai", {"name": "x"}),
    "roles": lambda data: data.roles.create_role({"name": "x"}),
    "location_history": lambda data: data.history.add_location_histories(
        "kai", [{"location": {}, "activity": "x", "recorded_at": NOW}]
    ),
}


def test_a_constraint_of_a_deployment_is_passed_on(
    data: DaylightDataLayer, user_id: str, admin: psycopg.Connection[Any]
) -> None:
    """A ConstraintViolation with the constraint's name, by each service."""
    for table, call in CALLS.items():
        admin.execute(f"ALTER TABLE daylight.{table} ADD CONSTRAINT house_rule CHECK (false) NOT VALID")
        with pytest.raises(ConstraintViolation) as caught:
            call(data)
        assert (table, caught.value.constraint) == (table, "house_rule")
