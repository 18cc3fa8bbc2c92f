"""The tables of a SQLite file that are known, and the statements that store their rows."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import attrs

from surf_data.daylight.queries import daylight_queries
from surf_data.daylight.sqlite import rows
from surf_data.daylight.sqlite.rows import Converted

# Where a stored entry has its time.
_RECORDED_AT = 7
_HISTORY_TYPES = (*("text", "text", "jsonb", "float8", "float8", "text", "jsonb"), *("timestamptz",) * 3)
_HISTORY_ARRAYS = (
    "ids",
    "user_ids",
    "locations",
    "lats",
    "lngs",
    "activities",
    "documents",
    "moments",
    "created",
    "updated",
)


@attrs.frozen(kw_only=True, eq=False)
class Table:
    """A table of the source, and what becomes of its rows."""

    #: Its name in the file.
    source: str
    #: The table that its rows go to.
    target: str
    #: Its columns; the first is the key.
    columns: tuple[str, ...]
    #: Converts a row; raises Refused or Expired. ``oldest`` is the moment before which history has expired.
    convert: Callable[[Sequence[Any], datetime | None], Converted]
    #: What the arrays of ``merge`` are called, in the order of the values.
    arrays: tuple[str, ...]
    #: Stores rows and says what became of each.
    merge: Callable[..., Any]
    #: The checksum of what is there of a portion.
    checksum: Callable[..., Any]
    #: Deletes what a portion has inserted and nothing has changed since.
    undo: Callable[..., Any]
    #: What ``merge`` calls a refusal.
    refusal: tuple[str, str] = ("", "")
    #: The first and the last id of all rows, of the least and the greatest key; ``None`` if they do not tell.
    extent: Callable[[Any, Any], tuple[str, str] | None] = lambda _least, _greatest: None
    #: Whether any id in a range is there, and COPY for when none is; ``None`` where there are few rows.
    exists: Callable[..., Any] | None = None
    copy: Callable[..., Any] | None = None
    types: tuple[str, ...] = ()
    #: Where among the values the time is by which the target is partitioned.
    moment: int | None = None


def tables() -> tuple[Table, ...]:
    """Return what is known of SQLite files, parents first."""
    queries = daylight_queries()
    history = partial(
        Table,
        target="location_history",
        arrays=_HISTORY_ARRAYS,
        merge=queries.import_history_merge,
        checksum=queries.import_history_checksum,
        undo=queries.import_history_undo,
        exists=queries.import_history_exists,
        copy=queries.import_history_copy,
        types=_HISTORY_TYPES,
        moment=_RECORDED_AT,
    )
    return (
        Table(
            source="users",
            target="users",
            columns=(
                "id",
                "email",
                "username",
                "password_hash",
                "is_active",
                "email_verified",
                "created_at",
                "updated_at",
                "last_login_at",
            ),
            convert=rows.users,
            arrays=(
                "ids",
                "emails",
                "email_keys",
                "usernames",
                "username_keys",
                "password_hashes",
                "active",
                "verified",
                "created",
                "updated",
                "logins",
            ),
            merge=queries.import_users_merge,
            checksum=queries.import_users_checksum,
            undo=queries.import_users_undo,
            refusal=("email", "or the username is another user's"),
        ),
        Table(
            source="user_profiles",
            target="user_profiles",
            columns=(
                "user_id",
                "first_name",
                "last_name",
                "avatar",
                "timezone",
                "preferences",
                "settings",
                "created_at",
                "updated_at",
            ),
            convert=rows.profiles,
            arrays=(
                "ids",
                "first_names",
                "last_names",
                "avatars",
                "zones",
                "documents",
                "options",
                "created",
                "updated",
            ),
            merge=queries.import_profiles_merge,
            checksum=queries.import_profiles_checksum,
            undo=queries.import_profiles_undo,
            refusal=("user_id", "is no user's"),
        ),
        Table(
            source="user_sessions",
            target="user_sessions",
            columns=("session_id", "user_id", "data", "expires_at", "created_at"),
            convert=rows.sessions,
            arrays=("ids", "user_ids", "documents", "expiries", "created"),
            merge=queries.import_sessions_merge,
            checksum=queries.import_sessions_checksum,
            undo=queries.import_sessions_undo,
            refusal=("user_id", "is no user's"),
        ),
        history(
            source="history",
            columns=("id", "ts", "type", "provider", "lat", "lng", "ok", "error"),
            convert=rows.history,
            extent=rows.history_extent,
        ),
        history(
            source="location_history",
            columns=(
                "id",
                "user_id",
                "location",
                "activity",
                "metadata",
                "timestamp",
                "created_at",
                "updated_at",
            ),
            convert=rows.location_history,
            extent=rows.location_history_extent,
        ),
    )
