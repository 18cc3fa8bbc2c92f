"""What a user may ask for: everything that is known, and that it be forgotten."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import attrs

from surf_data.daylight import checks
from surf_data.daylight.errors import LegalHoldError
from surf_data.daylight.location_history import LocationHistoryService
from surf_data.daylight.planning import PlanningService
from surf_data.daylight.queries import daylight_queries
from surf_data.daylight.records import Record
from surf_data.kernel.postgres import Executor, bulk

_PORTION = 5_000
_PAGE = 1_000
_BEGIN, _END = "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"


@attrs.frozen(kw_only=True)
class Erasure(Record):
    """What was deleted of a user."""

    #: Rows by table. Sessions, roles and keys went with the account.
    deleted: dict[str, int]
    #: Tables whose archives may still have rows of the user, until they expire.
    archived: list[str]


class PrivacyService:
    """Exports what is known of a user, and erases it.

    Arguments:
        database: runs the statements.
    """

    def __init__(self, database: Executor) -> None:
        self._database = database

    def export_user(self, user_id: str) -> Iterator[bytes]:
        """Yield everything that is known of a user as lines of JSON: table and row. No password hash.

        Raises:
            ValidationError: ``user_id`` cannot be an id.
            DatabaseError: it could not be read.
        """
        user_id = checks.identifier("user_id", user_id)
        queries, database = daylight_queries(), self._database
        for table, row in (
            ("users", queries.user_by_id(database, user_id=user_id)),
            ("user_profiles", queries.profile_by_user(database, user_id=user_id)),
        ):
            if row is not None:
                yield _line(table, row)
        for table, page in (
            ("plans", lambda last: PlanningService(database).get_user_plans(user_id, _PAGE, before=last)),
            ("location_history", lambda last: _history(database, user_id, last)),
        ):
            yield from (_line(table, row) for row in _pages(page))
        for location in queries.location_list(database, user_id=user_id, type=None):
            yield _line("locations", location)
        for key in queries.api_key_list(database, user_id=user_id):
            yield _line("api_keys", key)
        for role in queries.role_of_user(database, user_id=user_id):
            yield _line("user_roles", role)

    def erase_user(self, user_id: str) -> Erasure:
        """Delete a user and what is the user's. The audit log keeps its entries.

        Each table is a transaction or more of its own; an erasure that was interrupted is repeated.

        Returns:
            What was deleted, and which archives may still have rows.

        Raises:
            LegalHoldError: a legal hold is about the user; nothing is deleted.
            ValidationError: ``user_id`` cannot be an id.
            DatabaseError: it could not be deleted.
        """
        user_id = checks.identifier("user_id", user_id)
        queries, database = daylight_queries(), self._database
        if queries.hold_of_user(database, user_id=user_id):
            raise LegalHoldError("the user is under a legal hold; nothing was deleted")
        deleted = {
            "plans": queries.erase_plans(database, user_id=user_id),
            "locations": queries.erase_locations(database, user_id=user_id),
            "location_history": LocationHistoryService(database).delete_location_range(user_id, _BEGIN, _END),
            "usage_analytics": bulk.in_batches(
                lambda rows: queries.erase_usage(database, user_id=user_id, row_limit=rows), _PORTION
            ),
            "api_usage": bulk.in_batches(
                lambda rows: queries.erase_api_usage(database, user_id=user_id, row_limit=rows), _PORTION
            ),
            "error_logs": queries.erase_errors(database, user_id=user_id),
            "user_profiles": queries.erase_profile(database, user_id=user_id),
            "users": queries.erase_user(database, user_id=user_id),
        }
        archived = [row[0] for row in queries.archive_totals(database)]
        return Erasure(deleted=deleted, archived=[table for table in archived if table in deleted])


def _history(database: Executor, user_id: str, last: Any) -> list[Any]:
    return list(LocationHistoryService(database).get_user_location_history(user_id, _PAGE, before=last))


def _pages(page: Callable[[Any], list[Any]]) -> Iterator[Any]:
    last: Any = None
    while found := page(last):
        yield from found
        last = found[-1]


def _line(table: str, row: Record) -> bytes:
    return json.dumps({"table": table, "row": row.to_dict()}, ensure_ascii=False).encode() + b"\n"
