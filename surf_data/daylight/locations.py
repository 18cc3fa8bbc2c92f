"""Places that a user keeps."""

from collections.abc import Callable, Mapping
from typing import Any

from surf_data.daylight import checks
from surf_data.daylight.queries import daylight_queries
from surf_data.daylight.records import SavedLocation
from surf_data.errors import ConstraintViolation, ValidationError
from surf_data.kernel import validation
from surf_data.kernel.postgres import Executor

#: What a place can be to a user.
TYPES = ("home", "work", "favorite", "wishlist")
# Half the way around the earth, in metres.
_FARTHEST = 20_037_509

_CHANGES: dict[str, Callable[[str, object], Any]] = {
    "name": checks.text(255),
    "lat": lambda field, value: checks.coordinate(field, value, 90),
    "lng": lambda field, value: checks.coordinate(field, value, 180),
    "address": checks.optional(checks.text(1000)),
    "type": lambda field, value: checks.choice(field, value, TYPES),
    "notes": checks.optional(checks.text(10_000, minimum=0)),
    "tags": checks.array,
    "visited_at": checks.optional(checks.moment),
}
_NEW: dict[str, Callable[[str, object], Any]] = {"id": checks.identifier, **_CHANGES}


class LocationService:
    """Stores places, each for its user: another user's place is as missing.

    Arguments:
        database: runs the statements.
    """

    def __init__(self, database: Executor) -> None:
        self._database = database

    def add_location(self, user_id: str, location_data: Mapping[str, Any]) -> SavedLocation:
        """Store a place.

        Arguments:
            user_id: whose it is.
            location_data: ``name``, ``lat``, ``lng`` and ``type`` (``home``, ``work``, ``favorite`` or ``wishlist``);
                optionally ``id``, ``address``, ``notes``, ``tags`` (a list) and ``visited_at``.

        Raises:
            ValidationError: the data is refused, ``id`` is taken, or there is no such user.
            DatabaseError: it could not be stored.
        """
        user_id = checks.identifier("user_id", user_id)
        checked = checks.record("location_data", location_data, _NEW)
        checks.require("location_data", checked, ("name", "lat", "lng", "type"))
        values: dict[str, Any] = {**dict.fromkeys(_NEW), "tags": checks.array("tags", []), **checked}
        values["id"] = values["id"] or checks.new_id("location", user_id)
        try:
            stored = daylight_queries().location_insert(self._database, user_id=user_id, **values)
            problem = validation.invalid("id", "is taken")
        except ConstraintViolation as error:
            if error.constraint != "locations_user":
                raise
            stored, problem = None, ValidationError("there is no such user", field="user_id")
        if stored is None:
            raise problem
        return stored

    def get_user_locations(self, user_id: str, type: str | None = None) -> list[SavedLocation]:  # noqa: A002
        """Return places of a user, newest first: all, or those of one type; 10,000 at the most.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: the question could not be answered.
        """
        return daylight_queries().location_list(
            self._database,
            user_id=checks.identifier("user_id", user_id),
            type=None if type is None else checks.choice("type", type, TYPES),
        )

    def find_near(self, user_id: str, lat: float, lng: float, metres: float, limit: int = 20) -> list[SavedLocation]:
        """Return places of a user within a distance, nearest first.

        Arguments:
            user_id: the user.
            lat: degrees, -90 to 90.
            lng: degrees, -180 to 180.
            metres: the distance along the surface, above 0.
            limit: how many at the most, 1 to 10,000.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: the question could not be answered.
        """
        distance = validation.number("metres", metres)
        if not 0 < distance <= _FARTHEST:
            raise validation.invalid("metres", f"must be above 0 and at most {_FARTHEST}")
        return daylight_queries().location_near(
            self._database,
            user_id=checks.identifier("user_id", user_id),
            lat=checks.coordinate("lat", lat, 90),
            lng=checks.coordinate("lng", lng, 180),
            metres=float(distance),
            row_limit=checks.limit(limit),
        )

    def update_location(self, location_id: str, user_id: str, updates: Mapping[str, Any]) -> SavedLocation | None:
        """Change a place of a user: what ``updates`` names, and nothing else.

        Returns:
            The place as changed; ``None`` when the user has no such place.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: it could not be changed.
        """
        checked = checks.record("updates", updates, _CHANGES)
        return daylight_queries().location_update(
            self._database,
            location_id=checks.identifier("location_id", location_id),
            user_id=checks.identifier("user_id", user_id),
            changed=list(checked),
            **{**dict.fromkeys(_CHANGES), **checked},
        )

    def delete_location(self, location_id: str, user_id: str) -> bool:
        """Delete a place of a user.

        Returns:
            Whether the user had such a place.

        Raises:
            ValidationError: an argument cannot be an id.
            DatabaseError: it could not be deleted.
        """
        names = {"location_id": checks.identifier("location_id", location_id)}
        names["user_id"] = checks.identifier("user_id", user_id)
        return bool(daylight_queries().location_delete(self._database, **names))
