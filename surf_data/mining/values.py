"""Values of the domain: checked, and in the one form in which they are stored. A time without a zone means UTC here."""

import re
from contextlib import suppress
from datetime import UTC, datetime

from surf_data.kernel import validation

#: Characters that the id of an asset, a site or a region may have.
MAX_GUID = 200
#: Characters of a process name, a segment or an area.
MAX_WORD = 50
#: Characters of a longer text.
MAX_TEXT = 65_536

_STATUS = re.compile(r"[A-Z][A-Z_]{0,29}")
# A day less at both ends than Python has: a session in another zone reads it as another year.
_EARLIEST = datetime(1, 1, 2, tzinfo=UTC)
_LATEST = datetime(9999, 12, 31, tzinfo=UTC)
# What str() and isoformat() of a datetime write, and a date alone. PostgreSQL reads each of these as Python does.
_MOMENT = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[ T](?P<time>(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6})?)?)"
    r"(?P<zone>Z|[+-](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?)?)?"
)


def guid(field: str, value: object) -> str:
    """Return ``value`` if it is an id: text of 1 to 200 characters."""
    return validation.text(field, value, maximum=MAX_GUID)


def status(field: str, value: object) -> str:
    """Return ``value`` if it can be the status of a cycle: 1 to 30 of A to Z and _."""
    if isinstance(value, str) and _STATUS.fullmatch(value):
        return value
    raise validation.invalid(field, "must be 1 to 30 of the characters A to Z and _, and begin with a letter")


def moment(field: str, value: object) -> datetime:
    """Return ``value``, a datetime, in UTC; one without a time zone is in UTC already."""
    if isinstance(value, datetime) and value.utcoffset() is None:
        value = value.replace(tzinfo=UTC)
    checked = validation.aware_datetime(field, value)
    if _EARLIEST <= checked < _LATEST:
        return checked
    raise validation.invalid(field, "must lie from 0001-01-02 to 9999-12-30")


def moment_of_text(field: str, value: str) -> datetime:
    """Return the moment that ``value`` writes as ``2025-07-16 12:49:37``, with or without fraction and zone, in UTC."""
    if matched := _MOMENT.fullmatch(value):
        zone = (matched["zone"] or "+00").replace("Z", "+00")
        with suppress(ValueError):
            return moment(field, datetime.fromisoformat(f"{matched['date']}T{matched['time'] or '00:00'}{zone}"))
    raise validation.invalid(field, "must be a time as 2025-07-16 12:49:37, with or without a zone")


def moment_or_text(field: str, value: object) -> datetime:
    """Return the moment that ``value``, a datetime or its text, stands for, in UTC."""
    return moment_of_text(field, value) if isinstance(value, str) else moment(field, value)


def boolean(field: str, value: object) -> bool:
    """Return ``value`` if it is ``True`` or ``False``."""
    if isinstance(value, bool):
        return value
    raise validation.invalid(field, "must be True or False")


def real(field: str, value: object) -> float:
    """Return ``value``, a finite number, as a float."""
    return float(validation.number(field, value))
