"""Where users were, and when."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import attrs

from surf_data.daylight import checks
from surf_data.daylight.queries import daylight_queries
from surf_data.daylight.records import HistoryDay, HistoryEntry
from surf_data.errors import DatabaseError, ValidationError
from surf_data.kernel import validation
from surf_data.kernel.postgres import Executor, Json, bulk

#: The most entries of one upload.
MAX_UPLOAD = 100_000
# Entries that are deleted at a time.
_PORTION = 5_000
_COLUMNS = ("text", "text", "jsonb", "float8", "float8", "text", "jsonb", "timestamptz")
_NO_METADATA = Json("{}")


def _place(field: str, value: Any) -> tuple[Json, float | None, float | None]:
    lat, lng = checks.place(field, value)
    # A place that has nothing else needs no walk through it: its coordinates were checked.
    if lat is not None and len(value) == 2 and type(value["lat"]) is type(value["lng"]) is float:  # noqa: PLR2004
        return Json(f'{{"lat":{lat!r},"lng":{lng!r}}}'), lat, lng
    return checks.document(field, value), lat, lng


_ENTRY: dict[str, Any] = {
    "id": checks.identifier,
    "user_id": checks.identifier,
    "location": _place,
    "activity": checks.text(255),
    "metadata": checks.document,
    "recorded_at": checks.moment,
    "timestamp": checks.moment,
}


@attrs.frozen
class Upload:
    """What became of many entries."""

    #: How many are new.
    inserted: int
    #: How many were there already, and are unchanged.
    duplicates: int


class LocationHistoryService:
    """Stores where users were, each entry for its user: another user's entry is as missing.

    Arguments:
        database: runs the statements.
    """

    def __init__(self, database: Executor) -> None:
        self._database = database

    def add_location_history(
        self,
        user_id: str,
        location: Mapping[str, Any],
        activity: str,
        metadata: Mapping[str, Any] | None = None,
        *,
        recorded_at: object = None,
        id: str | None = None,  # noqa: A002 - the record's own name
    ) -> HistoryEntry:
        """Store where a user was, or is.

        Arguments:
            user_id: the user.
            location: a JSON object with ``lat`` (-90 to 90) and ``lng`` (-180 to 180), or without both.
            activity: what the user did, 1 to 255 characters.
            metadata: a JSON object.
            recorded_at: when; the server's present by default, a day ahead of it at the most.
            id: an id of the user's, 1 to 128 characters. The same id again returns the entry that is stored.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: it could not be stored.
        """
        user_id = checks.identifier("user_id", user_id)
        lat, lng = checks.place("location", location)
        values: dict[str, Any] = {
            "location": checks.document("location", location),
            "lat": lat,
            "lng": lng,
            "activity": validation.text("activity", activity, maximum=255),
            "metadata": checks.document("metadata", {} if metadata is None else metadata),
            "recorded_at": None if recorded_at is None else _recorded(recorded_at),
        }
        if id is not None:
            stored = self._known(checks.identifier("id", id), user_id)
            if stored is not None:
                return stored
        entry_id = checks.new_id("history", user_id) if id is None else id
        return daylight_queries().history_insert(self._database, id=entry_id, user_id=user_id, **values)

    def add_location_histories(self, user_id: str | None, entries: Iterable[Mapping[str, Any]]) -> Upload:
        """Store many entries at once; an upload that is repeated with the same ids and times changes nothing.

        Arguments:
            user_id: whose entries they are; ``None`` when each has a ``user_id`` of its own.
            entries: at most 100,000 mappings with ``location``, ``activity`` and ``recorded_at`` (or ``timestamp``),
                and optionally ``id`` and ``metadata``.

        Raises:
            ValidationError: an entry is refused, and none is stored; ``field`` says which: ``entries[3].location``.
            DatabaseError: they could not be stored.
        """
        owner = None if user_id is None else checks.identifier("user_id", user_id)
        rows = _rows(owner, entries)
        if not rows:
            return Upload(0, 0)
        with self._database.transaction() as executor:
            if _copied(executor, rows):
                return Upload(len(rows), 0)
            columns = [list(column) for column in zip(*rows, strict=True)]
            names = ("ids", "user_ids", "locations", "lats", "lngs", "activities", "documents", "times")
            inserted = daylight_queries().history_merge(executor, **dict(zip(names, columns, strict=True))) or 0
        return Upload(inserted, len(rows) - inserted)

    def get_user_location_history(self, user_id: str, limit: int = 50, *, before: object = None) -> list[HistoryEntry]:
        """Return the latest entries of a user, newest first.

        Arguments:
            user_id: the user.
            limit: how many at the most, 1 to 10,000.
            before: the last entry of the page before, or its mapping.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: the question could not be answered.
        """
        recorded_at, entry_id = checks.position("before", before, "recorded_at")
        return daylight_queries().history_latest(
            self._database,
            user_id=checks.identifier("user_id", user_id),
            before_recorded_at=recorded_at,
            before_id=entry_id,
            row_limit=checks.limit(limit),
        )

    def get_location_history_by_date_range(
        self,
        user_id: str,
        start_date: object,
        end_date: object,
        *,
        time_zone: str | None = None,
        limit: int = 10_000,
        after: object = None,
    ) -> list[HistoryEntry]:
        """Return entries of a user between two moments, both included, oldest first.

        Arguments:
            user_id: the user.
            start_date: an aware datetime or ISO 8601 text with an offset; or a day (``2026-03-01``), which means the
                local one and needs ``time_zone``.
            end_date: the same; a day is included to its end.
            time_zone: the IANA name of the zone that days are of.
            limit: how many at the most, 1 to 10,000.
            after: the last entry of the page before, or its mapping.

        Raises:
            ValidationError: an argument is refused, or the end is before the start.
            DatabaseError: the question could not be answered.
        """
        since, until = _range(start_date, end_date, time_zone)
        recorded_at, entry_id = checks.position("after", after, "recorded_at")
        return daylight_queries().history_range(
            self._database,
            user_id=checks.identifier("user_id", user_id),
            since=since,
            until=until,
            after_recorded_at=recorded_at,
            after_id=entry_id,
            row_limit=checks.limit(limit),
        )

    def get_location_days(self, user_id: str, since: object, until: object, time_zone: str = "UTC") -> list[HistoryDay]:
        """Return what each local day of a user had, oldest first; days without entries are left out.

        Arguments:
            user_id: the user.
            since: the first moment or local day.
            until: the last one, included.
            time_zone: the IANA name of the zone that days are of; a day has 23 to 25 hours where clocks change.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: the question could not be answered.
        """
        zone = checks.time_zone("time_zone", time_zone)
        first, last = _range(since, until, zone, ("since", "until"))
        return daylight_queries().history_days(
            self._database,
            user_id=checks.identifier("user_id", user_id),
            since=first,
            until=last,
            time_zone=zone,
        )

    def delete_location_history(self, history_id: str, user_id: str) -> bool:
        """Delete an entry of a user. One that is under a legal hold stays.

        Returns:
            Whether it was deleted.

        Raises:
            ValidationError: an argument cannot be an id.
            DatabaseError: it could not be deleted.
        """
        names = {"history_id": checks.identifier("history_id", history_id)}
        names["user_id"] = checks.identifier("user_id", user_id)
        return bool(daylight_queries().history_delete(self._database, **names))

    def delete_location_range(
        self, user_id: str, start_date: object, end_date: object, *, time_zone: str | None = None
    ) -> int:
        """Delete entries of a user between two moments, both included, in portions; what is under a hold stays.

        Returns:
            How many were deleted.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: they could not be deleted; portions before the failing one are.
        """
        since, until = _range(start_date, end_date, time_zone)
        user_id = checks.identifier("user_id", user_id)
        return bulk.in_batches(
            lambda rows: daylight_queries().history_delete_range(
                self._database, user_id=user_id, since=since, until=until, row_limit=rows
            ),
            _PORTION,
        )

    def _known(self, entry_id: str, user_id: str) -> HistoryEntry | None:
        return daylight_queries().history_by_id(self._database, history_id=entry_id, user_id=user_id)

    addLocationHistory = add_location_history  # noqa: N815 - the original's names
    getUserLocationHistory = get_user_location_history  # noqa: N815
    getLocationHistoryByDateRange = get_location_history_by_date_range  # noqa: N815
    deleteLocationHistory = delete_location_history  # noqa: N815


def _recorded(value: object) -> datetime:
    return checks.not_ahead("recorded_at", checks.moment("recorded_at", value), checks.latest())


def _range(
    start: object, end: object, zone: str | None, names: tuple[str, str] = ("start_date", "end_date")
) -> tuple[datetime, datetime]:
    zone = None if zone is None else checks.time_zone("time_zone", zone)
    since, until = checks.bound(names[0], start, zone), checks.bound(names[1], end, zone, end=True)
    checks.ordered(since, until, names)
    return since, until


def _rows(owner: str | None, entries: object) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    latest = checks.latest()
    for number, entry in enumerate(validation.items("entries", entries, of="mappings")):
        if number == MAX_UPLOAD:
            raise validation.invalid("entries", f"must have at most {MAX_UPLOAD:,} items")
        try:
            rows.append(_row(owner, entry, latest))
            continue
        except ValidationError as error:
            problem = validation.nested(f"entries[{number}].", error)
        # Raised outside the handler, so that nothing is chained to it.
        raise problem
    return rows


def _row(owner: str | None, entry: object, latest: datetime) -> tuple[Any, ...]:
    checked = checks.record("entry", entry, _ENTRY)
    recorded_at = checked.get("recorded_at") or checked.get("timestamp")
    user_id = owner or checked.get("user_id")
    checks.require("entry", checked, ("location", "activity"))
    if recorded_at is None:
        raise ValidationError("entry lacks recorded_at", field="recorded_at")
    if user_id is None:
        raise ValidationError("entry lacks user_id", field="user_id")
    location, lat, lng = checked["location"]
    return (
        checked.get("id") or checks.new_id("history", user_id),
        user_id,
        location,
        lat,
        lng,
        checked["activity"],
        checked.get("metadata") or _NO_METADATA,
        checks.not_ahead("recorded_at", recorded_at, latest),
    )


def _copied(executor: Executor, rows: list[tuple[Any, ...]]) -> bool:
    """Return whether all rows could be copied, which is what is tried first: most uploads are no repetition."""
    try:
        with executor.savepoint() as session, daylight_queries().history_copy(session) as copy:
            copy.set_types(_COLUMNS)
            copy.write_rows(rows)
    except DatabaseError as error:
        # The key of a partition is named after it. What a worker of a cluster refuses of a COPY comes without its code.
        if error.sqlstate not in {"23505", "XX000"}:
            raise
        return False
    return True
