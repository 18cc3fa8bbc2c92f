"""Checks of what callers hand in for a column, before anything is sent. Each takes the field's name and a value."""

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from surf_data.kernel import validation
from surf_data.kernel.secret import Secret

#: Returns a value as it is stored, or raises ValidationError.
Check = Callable[[str, object], Any]

#: The largest document of a column, in characters of JSON.
MAX_DOCUMENT = 65_536
#: The most rows that a list returns.
MAX_ROWS = 10_000
#: Seconds: a year, the longest life of a cache entry or a session.
MAX_SECONDS = 366 * 86_400
#: Hours: ten years, the longest that "recent" may mean.
MAX_HOURS = 87_840

_DIGITS = frozenset("0123456789abcdef")


def text(maximum: int, minimum: int = 1) -> Check:
    """Return a check for text of so many characters."""

    def check(field: str, value: object) -> str:
        return validation.text(field, value, maximum=maximum, minimum=minimum)

    return check


def sized_text(field: str, value: object, maximum: int) -> str:
    """Return ``value`` if it is text of at most ``maximum`` bytes of UTF-8."""
    found = validation.text(field, value, maximum=maximum, minimum=0)
    # No character takes more than four bytes.
    if len(found) > maximum // 4 and len(found.encode()) > maximum:
        raise validation.invalid(field, f"must not be larger than {maximum:,} bytes")
    return found


def optional(check: Check) -> Check:
    """Return ``check``, which lets ``None`` pass."""

    def checked(field: str, value: object) -> Any:
        return None if value is None else check(field, value)

    return checked


def choice(kind: type[Enum]) -> Check:
    """Return a check for a member of ``kind``, or its value."""
    values = {member.value: member.value for member in kind}

    def check(field: str, value: object) -> str:
        # A member of a text enumeration is equal to its value.
        if isinstance(value, str) and value in values:
            return str(values[value])
        raise validation.invalid(field, f"must be one of {', '.join(values)}")

    return check


def row_id(field: str, value: object) -> int:
    """Return ``value`` if it can be the id of a row."""
    return validation.integer(field, value, minimum=1, maximum=validation.INT8_MAX)


def limit(field: str, value: object) -> int:
    """Return how many rows to return: ``value``, 1 to 10,000; ``None`` means 10,000."""
    return MAX_ROWS if value is None else validation.integer(field, value, minimum=1, maximum=MAX_ROWS)


def hours(field: str, value: object) -> int:
    """Return ``value`` if it is a number of hours up to ten years."""
    return validation.integer(field, value, minimum=1, maximum=MAX_HOURS)


def boolean(field: str, value: object) -> bool:
    """Return ``value`` if it is true or false."""
    if not isinstance(value, bool):
        raise validation.invalid(field, "must be true or false")
    return value


def document(field: str, value: object) -> dict[str, Any]:
    """Return ``value`` if it is a mapping that is JSON of at most 64 KiB."""
    if value == {} and isinstance(value, dict):
        return {}
    if len(validation.jsonb_object(field, value)) > MAX_DOCUMENT:
        raise validation.invalid(field, f"must not be larger than {MAX_DOCUMENT:,} characters of JSON")
    return dict(validation.mapping(field, value))


def moment(field: str, value: object) -> datetime:
    """Return ``value`` if it is a datetime with a time zone."""
    return validation.aware_datetime(field, value)


def interval(since: object, until: object) -> tuple[datetime | None, datetime | None]:
    """Return two moments, ``start_date`` and ``end_date`` to the caller, of which either may be left open."""
    begin, end = optional(moment)("start_date", since), optional(moment)("end_date", until)
    if begin is not None and end is not None and begin > end:
        raise validation.invalid("start_date", "must not be after end_date")
    return begin, end


def number(field: str, value: object) -> float:
    """Return ``value`` if it is a finite number."""
    return float(validation.number(field, value))


def integer(minimum: int, maximum: int = validation.INT4_MAX) -> Check:
    """Return a check for a whole number of a range."""

    def check(field: str, value: object) -> int:
        return validation.integer(field, value, minimum=minimum, maximum=maximum)

    return check


def password_hash(field: str, value: object) -> bytes:
    """Return ``value`` if it is 1 to 1,024 bytes."""
    if not isinstance(value, bytes) or not 1 <= len(value) <= 1024:  # noqa: PLR2004 - said in the message
        raise validation.invalid(field, "must be 1 to 1024 bytes")
    return value


def digits(count: int) -> Check:
    """Return a check for so many hexadecimal digits, not all of them 0, in lower case from either case."""

    def check(field: str, value: object) -> str:
        found = value.lower() if isinstance(value, str) else ""
        if len(found) != count or not _DIGITS.issuperset(found) or not found.strip("0"):
            raise validation.invalid(field, f"must be {count} hexadecimal digits, not all of them 0")
        return found

    return check


def secret(field: str, value: object) -> str:
    """Return the text of a token or key: a `Secret`, or what its holder presents, 1 to 255 characters."""
    return validation.text(field, value.reveal() if isinstance(value, Secret) else value, maximum=255)


def like(value: str) -> str:
    r"""Return a pattern for ILIKE that matches what contains ``value``: ``%``, ``_`` and ``\`` are letters in it."""
    escaped = value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def seconds(field: str, value: object) -> float:
    """Return ``value`` if it is a number of seconds above 0, up to a year."""
    found = number(field, value)
    if not 0 < found <= MAX_SECONDS:
        raise validation.invalid(field, f"must be above 0 and at most {MAX_SECONDS} seconds")
    return found


def period(since: object, until: object, *, maximum: timedelta) -> tuple[datetime, datetime]:
    """Return two moments in UTC of which the first is before the second, by not more than ``maximum``."""
    begins, ends = moment("since", since), moment("until", until)
    if begins >= ends:
        raise validation.invalid("since", "must be before until")
    if ends - begins > maximum:
        raise validation.invalid("until", f"must be at most {maximum.days} days after since")
    return begins, ends


def time_zone(field: str, value: object) -> str:
    """Return ``value`` if it names a time zone; the server would take ``UTC+99`` without a word."""
    name = validation.text(field, value, maximum=100)
    if name not in _time_zones():
        raise validation.invalid(field, "must be the name of a time zone, such as Europe/Berlin")
    return name


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())
