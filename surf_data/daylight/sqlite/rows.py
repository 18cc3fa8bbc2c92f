"""What a row of a SQLite file becomes."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from surf_data.daylight import checks
from surf_data.daylight.sqlite import values
from surf_data.daylight.sqlite.values import Refused, Value
from surf_data.errors import ValidationError
from surf_data.kernel.crypto import token_digest
from surf_data.kernel.emails import checked_email, email_key
from surf_data.kernel.postgres import Json

#: What a source row becomes: the id, the values in the order of the statement's arrays, and the text to check it by.
Converted = tuple[str, tuple[Any, ...], str]

_SEPARATOR = chr(31)
_NULL = chr(30)
_UNKNOWN = "unknown"


class Expired(Exception):
    """The row is older than what is kept."""


class Row:
    """One row of the source: values by column, where a column that is not there is null."""

    __slots__ = ("_positions", "_values", "column")

    def __init__(self, positions: dict[str, int]) -> None:
        self._positions = positions
        self._values: Sequence[Any] = ()
        #: The column that was looked at last, for a refusal.
        self.column: str = ""

    def load(self, values: Sequence[Any]) -> None:
        """Be the next row."""
        self._values = values

    def __getitem__(self, column: str) -> Value:
        self.column = column
        position = self._positions.get(column)
        return (b"null", None) if position is None else (self._values[position], self._values[position + 1])


def _checked(*parts: str | None) -> str:
    return _SEPARATOR.join(_NULL if part is None else part for part in parts)


def _entry(fields: dict[str, Any], oldest: datetime | None) -> Converted:
    moment: datetime = fields["recorded_at"]
    if oldest is not None and moment < oldest:
        raise Expired
    created = fields.get("created_at") or moment
    # PostgreSQL's own text of a document is JSON as well, so it is written once.
    location, metadata = values.jsonb_text(fields["location"]), values.jsonb_text(fields["metadata"])
    text = _checked(
        fields["id"],
        fields["user_id"],
        location,
        fields["activity"],
        metadata,
        values.microseconds(moment),
    )
    stored = (
        fields["id"],
        fields["user_id"],
        Json(location),
        fields["lat"],
        fields["lng"],
        fields["activity"],
        Json(metadata),
        moment,
        created,
        fields.get("updated_at") or created,
    )
    return fields["id"], stored, text


_activity = values.limited(255, _UNKNOWN)
_user = values.limited(checks.MAX_ID, _UNKNOWN)
_ok = values.boolean(None)


def _required_moment(value: Value) -> datetime:
    found = values.moment(value)
    if found is None:
        raise Refused("is missing")
    return found


def history(row: Row, oldest: datetime | None) -> Converted:
    """A call to an external service, which is a place where something was asked for."""
    kind, key = row["id"]
    if kind != b"integer":
        raise Refused("is no whole number")
    lat, lng = values.place(row["lat"], row["lng"])
    metadata = {"provider": values.text(row["provider"]), "ok": _ok(row["ok"]), "error": values.text(row["error"])}
    fields = {
        "id": f"history_{key}",
        "user_id": _UNKNOWN,
        "location": {} if lat is None else {"lat": lat, "lng": lng},
        "lat": lat,
        "lng": lng,
        "activity": _activity(row["type"]),
        "metadata": metadata,
        "recorded_at": _required_moment(row["ts"]),
    }
    return _entry(fields, oldest)


def location_history(row: Row, oldest: datetime | None) -> Converted:
    """An entry of the location history."""
    entry_id = values.limited(checks.MAX_ID, None)(row["id"])
    user_id = _user(row["user_id"])
    location = values.document(row["location"])
    try:
        lat, lng = checks.place("location", location)
        problem = ""
    except ValidationError as error:
        lat, lng, problem = None, None, str(error).removeprefix("location").lstrip(" .")
    if problem:
        raise Refused(problem)
    fields = {
        "id": entry_id,
        "user_id": user_id,
        "location": location,
        "lat": lat,
        "lng": lng,
        "activity": _activity(row["activity"]),
        "metadata": values.document(row["metadata"]),
        "recorded_at": _required_moment(row["timestamp"]),
        "created_at": values.moment(row["created_at"]),
        "updated_at": values.moment(row["updated_at"]),
    }
    return _entry(fields, oldest)


def users(row: Row, _oldest: datetime | None) -> Converted:
    """A user."""
    user_id = values.limited(checks.MAX_ID, None)(row["id"])
    email = values.limited(255, None)(row["email"])
    try:
        checked_email(email)
        problem = ""
    except ValidationError:
        problem = "is no e-mail address"
    if problem:
        raise Refused(problem)
    username = values.limited(255, None)(row["username"])
    password_hash = values.limited(255, None)(row["password_hash"])
    active, verified = (
        values.boolean(default=True)(row["is_active"]),
        values.boolean(default=False)(row["email_verified"]),
    )
    created = values.moment(row["created_at"]) or datetime.now(UTC)
    login = values.moment(row["last_login_at"])
    stored = (
        user_id,
        email,
        email_key(str(email)),
        username,
        checks.username_key(str(username)),
        password_hash,
        active,
        verified,
        created,
        values.moment(row["updated_at"]) or created,
        login,
    )
    words = {True: "true", False: "false"}
    text = _checked(
        user_id,
        email,
        username,
        password_hash,
        words[bool(active)],
        words[bool(verified)],
        None if login is None else values.microseconds(login),
    )
    return str(user_id), stored, text


def profiles(row: Row, _oldest: datetime | None) -> Converted:
    """A profile."""
    user_id = values.limited(checks.MAX_ID, None)(row["user_id"])
    name = values.limited(255, "", least=0)
    first, last = name(row["first_name"]), name(row["last_name"])
    avatar = values.limited(2048, None, least=0)(row["avatar"])
    zone = values.time_zone(row["timezone"])
    preferences, settings = values.document(row["preferences"]), values.document(row["settings"])
    created = values.moment(row["created_at"]) or datetime.now(UTC)
    stored = (
        user_id,
        first,
        last,
        avatar,
        zone,
        values.as_jsonb(preferences),
        values.as_jsonb(settings),
        created,
        values.moment(row["updated_at"]) or created,
    )
    text = _checked(user_id, first, last, avatar, zone, values.jsonb_text(preferences), values.jsonb_text(settings))
    return str(user_id), stored, text


def sessions(row: Row, _oldest: datetime | None) -> Converted:
    """A session; the hash of its id is what is stored, as of every session."""
    session_id = values.limited(255, None)(row["session_id"])
    user_id = values.limited(checks.MAX_ID, None)(row["user_id"])
    data = values.document(row["data"])
    expires = _required_moment(row["expires_at"])
    if expires <= datetime.now(UTC):
        raise Expired
    digest = token_digest(str(session_id))
    created = values.moment(row["created_at"]) or datetime.now(UTC)
    text = _checked(digest, user_id, values.jsonb_text(data), values.microseconds(expires))
    return digest, (digest, user_id, values.as_jsonb(data), expires, created), text
