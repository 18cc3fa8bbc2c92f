"""Plans of a user's days."""

from collections.abc import Callable, Mapping
from typing import Any

from surf_data.daylight import checks
from surf_data.daylight.queries import daylight_queries
from surf_data.daylight.records import Plan
from surf_data.errors import ConstraintViolation, ValidationError
from surf_data.kernel import validation
from surf_data.kernel.postgres import Executor

#: What a plan can be.
STATUSES = ("active", "completed", "cancelled", "archived")

_CHANGES: dict[str, Callable[[str, object], Any]] = {
    "title": checks.text(500),
    "description": checks.text(10_000, minimum=0),
    "location": checks.anything,
    "start_time": checks.moment,
    "end_time": checks.moment,
    "activities": checks.array,
    "preferences": checks.document,
}
_NEW: dict[str, Callable[[str, object], Any]] = {"id": checks.identifier, **_CHANGES}
_STATUS: dict[str, Callable[[str, object], Any]] = {
    "status": lambda field, value: checks.choice(field, value, STATUSES)
}
_REQUIRED = ("title", "start_time", "end_time")
_PERIOD = ("start_time", "end_time")


class PlanningService:
    """Stores plans, each for its user: another user's plan is as missing.

    Arguments:
        database: runs the statements.
    """

    def __init__(self, database: Executor) -> None:
        self._database = database

    def create_plan(self, user_id: str, plan_data: Mapping[str, Any]) -> Plan:
        """Store a plan, which is active then.

        Arguments:
            user_id: whose plan it is.
            plan_data: ``title`` (1 to 500 characters), ``start_time`` and ``end_time`` (aware datetimes or ISO 8601
                text with an offset, the end not before the start); optionally ``id`` (1 to 128), ``description``
                (0 to 10,000), ``location`` (any JSON), ``activities`` (a list) and ``preferences`` (an object).
                camelCase keys are taken as well.

        Raises:
            ValidationError: the data is refused, ``id`` is taken, or there is no such user.
            DatabaseError: it could not be stored.
        """
        user_id = checks.identifier("user_id", user_id)
        checked = checks.record("plan_data", plan_data, _NEW)
        checks.require("plan_data", checked, _REQUIRED)
        checks.ordered(checked["start_time"], checked["end_time"], _PERIOD)
        plan = self._stored(
            lambda: daylight_queries().plan_insert(
                self._database,
                id=checked.get("id") or checks.new_id("plan", user_id),
                user_id=user_id,
                title=checked["title"],
                description=checked.get("description", ""),
                location=checked.get("location"),
                start_time=checked["start_time"],
                end_time=checked["end_time"],
                activities=checked.get("activities") or checks.array("activities", []),
                preferences=checked.get("preferences") or checks.document("preferences", {}),
            )
        )
        if plan is None:
            raise validation.invalid("id", "is taken")
        return plan

    def get_user_plans(
        self, user_id: str, limit: int = 20, *, status: str | None = None, before: object = None
    ) -> list[Plan]:
        """Return plans of a user, newest first.

        Arguments:
            user_id: the user.
            limit: how many at the most, 1 to 10,000.
            status: only those that are so.
            before: the last plan of the page before, or its mapping.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: the question could not be answered.
        """
        created_at, plan_id = checks.position("before", before, "created_at")
        return daylight_queries().plan_list(
            self._database,
            user_id=checks.identifier("user_id", user_id),
            status=None if status is None else checks.choice("status", status, STATUSES),
            before_created_at=created_at,
            before_id=plan_id,
            row_limit=checks.limit(limit),
        )

    def get_plan_by_id(self, plan_id: str, user_id: str) -> Plan | None:
        """Return a plan of a user, ``None`` when the user has no such plan.

        Raises:
            ValidationError: an argument cannot be an id.
            DatabaseError: the question could not be answered.
        """
        return daylight_queries().plan_by_id(self._database, **_of_user(plan_id, user_id))

    def update_plan(
        self, plan_id: str, user_id: str, updates: Mapping[str, Any], *, expected_updated_at: object = None
    ) -> Plan | None:
        """Change a plan of a user: what ``updates`` names, and nothing else.

        Arguments:
            plan_id: the plan.
            user_id: whose plan it is.
            updates: any of what `create_plan` takes but ``id``, and ``status``.
            expected_updated_at: change it only if it was last changed at this moment.

        Returns:
            The plan as changed; ``None`` when the user has no such plan, or it was changed since.

        Raises:
            ValidationError: an argument is refused, or the plan would end before it starts.
            DatabaseError: it could not be changed.
        """
        checked = checks.record("updates", updates, {**_CHANGES, **_STATUS})
        if "start_time" in checked and "end_time" in checked:
            checks.ordered(checked["start_time"], checked["end_time"], _PERIOD)
        expected = None if expected_updated_at is None else checks.moment("expected_updated_at", expected_updated_at)
        names = _of_user(plan_id, user_id)
        values: dict[str, Any] = {**dict.fromkeys([*_CHANGES, *_STATUS]), **checked}
        return self._stored(
            lambda: daylight_queries().plan_update(
                self._database, **names, changed=list(checked), expected_at=expected, **values
            )
        )

    def delete_plan(self, plan_id: str, user_id: str) -> bool:
        """Delete a plan of a user.

        Returns:
            Whether the user had such a plan.

        Raises:
            ValidationError: an argument cannot be an id.
            DatabaseError: it could not be deleted.
        """
        return bool(daylight_queries().plan_delete(self._database, **_of_user(plan_id, user_id)))

    @staticmethod
    def _stored(store: Callable[[], Plan | None]) -> Plan | None:
        try:
            return store()
        except ConstraintViolation as error:
            constraint = error.constraint
            if constraint not in {"plans_period", "plans_user"}:
                raise
        # Raised outside the handler, so that nothing is chained to it.
        if constraint == "plans_period":
            raise validation.invalid("end_time", "must not be before start_time")
        raise ValidationError("there is no such user", field="user_id")

    createPlan = create_plan  # noqa: N815 - the original's names
    getUserPlans = get_user_plans  # noqa: N815
    getPlanById = get_plan_by_id  # noqa: N815
    updatePlan = update_plan  # noqa: N815
    deletePlan = delete_plan  # noqa: N815


def _of_user(plan_id: object, user_id: object) -> dict[str, Any]:
    return {
        "plan_id": checks.identifier("plan_id", plan_id),
        "user_id": checks.identifier("user_id", user_id),
    }
