"""What a row of a SQLite file becomes. A row has its rowid, and then its table's columns, null where there is none."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from surf_data.daylight import checks
from surf_data.daylight.sqlite import values
from surf_data.daylight.sqlite.values import Refused, Value
from surf_data.errors import ValidationError
from surf_data.kernel.crypto import token_digest
from surf_data.kernel.emails import checked_email, email_key

#: What a source row becomes: the id, the values in the order of the statement's arrays, and the text to check it by.
Converted = tuple[str, tuple[Any, ...], str]

_SEPARATOR = chr(31)
_NULL = chr(30)
_UNKNOWN = "unknown"


class Expired(Exception):
    """The row is older than what is kept."""


_activity = values.limited(255, _UNKNOWN)
_user = values.limited(checks.MAX_ID, _UNKNOWN)
_key = values.limited(checks.MAX_ID, None)
_name = values.limited(255, "", least=0)
_word = values.limited(255, None)
_avatar = values.limited(2048, None, least=0)
_ok = values.boolean(None)
_active = values.boolean(default=True)
_verified = values.boolean(default=False)


def _checked(*parts: str | None) -> str:
    return _SEPARATOR.join([_NULL if part is None else part for part in parts])


def _required_moment(column: str, value: Value) -> datetime:
    found = values.moment(column, value)
    if found is None:
        raise Refused(column, "is missing")
    return found


def history(row: Sequence[Any], oldest: datetime | None) -> Converted:
    """A call to an external service, which is a place where something was asked for."""
    _, key, ts, kind, provider, lat, lng, ok, error = row
    if type(key) is not int:
        raise Refused("id", "is no whole number")
    place = values.place(lat, lng)
    activity, metadata = _call(kind, provider, ok, error)
    location = "{}" if place is None else f'{{"lat": {values.numeric(place[0])}, "lng": {values.numeric(place[1])}}}'
    moment = _required_moment("ts", ts)
    entry = (f"history_{key}", _UNKNOWN, location, *(place or (None, None)), activity, metadata, moment)
    return _entry(entry, oldest, moment, moment)


def history_extent(least: Value, greatest: Value) -> tuple[str, str] | None:
    """Return the range of ids of calls, which all begin alike."""
    # SQLite has numbers before texts: what is between two of them is one.
    return ("history_", "history`") if type(least) is type(greatest) is int else None


# The same few come again and again. 1 is not 1.0 in a text.
@lru_cache(maxsize=100, typed=True)
def _call(kind: Value, provider: Value, ok: Value, error: Value) -> tuple[str | None, str]:
    """Return the activity, and the metadata as the text of a document."""
    provider, ok, error = values.text("provider", provider), _ok("ok", ok), values.text("error", error)
    return _activity("type", kind), values.jsonb_text({"provider": provider, "ok": ok, "error": error})


def location_history(row: Sequence[Any], oldest: datetime | None) -> Converted:
    """An entry of the location history."""
    _, entry_id, user_id, location, activity, metadata, timestamp, created_at, updated_at = row
    key, owner = _key("id", entry_id), _user("user_id", user_id)
    location = values.document("location", location)
    try:
        place = checks.place("location", location)
        problem = ""
    except ValidationError as error:
        place = None, None
        problem = str(error).removeprefix("location").lstrip(" .")
    if problem:
        raise Refused("location", problem)
    done = _activity("activity", activity)
    facts = values.jsonb_text(values.document("metadata", metadata))
    moment = _required_moment("timestamp", timestamp)
    created = values.moment("created_at", created_at) or moment
    updated = values.moment("updated_at", updated_at) or created
    return _entry((key, owner, values.jsonb_text(location), *place, done, facts, moment), oldest, created, updated)


def location_history_extent(least: Value, greatest: Value) -> tuple[str, str] | None:
    """Return the range of ids of entries, which are their keys."""
    try:
        # SQLite has blobs after texts: what is between two of them is one.
        return (str(_key("id", least)), str(_key("id", greatest))) if isinstance(least, str) else None
    except Refused:
        return None


def _entry(entry: tuple[Any, ...], oldest: datetime | None, created: datetime, updated: datetime) -> Converted:
    key, owner, location, lat, lng, activity, metadata, moment = entry
    if oldest is not None and moment < oldest:
        raise Expired
    text = _SEPARATOR.join([key, owner, location, activity, metadata, values.microseconds(moment)])
    # PostgreSQL's own text of a document is JSON as well, so it is written once.
    stored = key, owner, location, lat, lng, activity, metadata, moment, created, updated
    return key, stored, text


def users(row: Sequence[Any], _oldest: datetime | None) -> Converted:
    """A user."""
    _, key, email, username, password_hash, is_active, email_verified, created_at, updated_at, last_login_at = row
    user_id, email = _key("id", key), _word("email", email)
    try:
        checked_email(email)
        problem = ""
    except ValidationError:
        problem = "is no e-mail address"
    if problem:
        raise Refused("email", problem)
    username, password_hash = _word("username", username), _word("password_hash", password_hash)
    active, verified = _active("is_active", is_active), _verified("email_verified", email_verified)
    created = values.moment("created_at", created_at) or datetime.now(UTC)
    login = values.moment("last_login_at", last_login_at)
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
        values.moment("updated_at", updated_at) or created,
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


def profiles(row: Sequence[Any], _oldest: datetime | None) -> Converted:
    """A profile."""
    _, key, first_name, last_name, avatar, time_zone, preferences, settings, created_at, updated_at = row
    user_id = _key("user_id", key)
    first, last = _name("first_name", first_name), _name("last_name", last_name)
    avatar, zone = _avatar("avatar", avatar), values.time_zone("timezone", time_zone)
    preferences, settings = values.document("preferences", preferences), values.document("settings", settings)
    created = values.moment("created_at", created_at) or datetime.now(UTC)
    stored = (
        user_id,
        first,
        last,
        avatar,
        zone,
        values.as_jsonb(preferences),
        values.as_jsonb(settings),
        created,
        values.moment("updated_at", updated_at) or created,
    )
    text = _checked(user_id, first, last, avatar, zone, values.jsonb_text(preferences), values.jsonb_text(settings))
    return str(user_id), stored, text


def sessions(row: Sequence[Any], _oldest: datetime | None) -> Converted:
    """A session; the hash of its id is what is stored, as of every session."""
    _, key, owner, data, expires_at, created_at = row
    session_id, user_id = _word("session_id", key), _key("user_id", owner)
    data = values.document("data", data)
    expires = _required_moment("expires_at", expires_at)
    if expires <= datetime.now(UTC):
        raise Expired
    digest = token_digest(str(session_id))
    created = values.moment("created_at", created_at) or datetime.now(UTC)
    text = _checked(digest, user_id, values.jsonb_text(data), values.microseconds(expires))
    return digest, (digest, user_id, values.as_jsonb(data), expires, created), text
