"""Errors of the application, recorded without ever raising another one."""

import hashlib
import traceback
from collections.abc import Mapping
from contextlib import suppress
from pathlib import PurePath
from typing import Any

from surf_data.daylight import checks
from surf_data.daylight.operation_records import ErrorGroup, ErrorLog
from surf_data.daylight.queries import daylight_queries
from surf_data.daylight.redaction import redacted
from surf_data.errors import DatabaseError, ValidationError
from surf_data.kernel import validation
from surf_data.kernel.log_messages import error_facts, get_logger
from surf_data.kernel.postgres import Executor, Json

#: How bad an error is, by words in its message; the first line with one of its words counts.
SEVERITIES: dict[str, tuple[str, ...]] = {
    "critical": ("database", "connection", "timeout"),
    "high": ("auth", "permission", "unauthorized"),
    "medium": ("validation", "invalid"),
    "low": (),
}
_MAX_MESSAGE = 10_000
_MAX_STACK = 50_000

_log = get_logger(__name__)


def severity_of(message: str) -> str:
    """Return how bad an error is, by the words of its message."""
    lowered = message.lower()
    return next((name for name, words in SEVERITIES.items() if any(word in lowered for word in words)), "low")


class ErrorLoggingService:
    """Records errors of the application, and finds them.

    Arguments:
        database: runs the statements.
    """

    def __init__(self, database: Executor) -> None:
        self._database = database

    def log_error(
        self, error: BaseException, context: Mapping[str, Any] | None = None, user_id: str | None = None
    ) -> ErrorLog | None:
        """Record an error, now. Never raises: what cannot be recorded is a warning in the log of this library.

        Arguments:
            error: the exception.
            context: a JSON object; values under keys that name a secret are masked, and what is no JSON is left out.
            user_id: whose request it was.

        Returns:
            What was stored; ``None`` when it could not be.
        """
        given: object = error
        if not isinstance(given, BaseException):
            _log.warning("error not recorded", extra={"error": "no exception", "logged": type(error).__name__})
            return None
        message = _storable(_text(error), _MAX_MESSAGE)
        try:
            with self._database.savepoint() as executor:
                return daylight_queries().error_insert(
                    executor,
                    id=checks.new_id("error"),
                    severity=severity_of(message),
                    name=type(error).__name__,
                    message=message,
                    stack=_storable("".join(traceback.format_exception(error)), _MAX_STACK),
                    context=_context(context),
                    user_id=None if user_id is None else _storable(_text(user_id), checks.MAX_ID),
                    fingerprint=_fingerprint(error),
                )
        except DatabaseError as failure:
            _log.warning("error not recorded", extra={**error_facts(failure), "logged": type(error).__name__})
        return None

    def get_error_logs(self, limit: int = 100, severity: str | None = None, *, before: object = None) -> list[ErrorLog]:
        """Return errors, newest first: of one severity, or all.

        Arguments:
            limit: how many of these at the most, 1 to 10,000.
            severity: ``critical``, ``high``, ``medium`` or ``low``.
            before: the last error of the page before, or its mapping.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: the question could not be answered.
        """
        occurred_at, error_id = checks.position("before", before, "occurred_at")
        return daylight_queries().error_list(
            self._database,
            severity=None if severity is None else checks.choice("severity", severity, SEVERITIES),
            before_occurred_at=occurred_at,
            before_id=error_id,
            row_limit=checks.limit(limit),
        )

    def get_error_groups(self, hours: int = 24, limit: int = 100) -> list[ErrorGroup]:
        """Return what went wrong in the last hours by class and place, the most frequent first.

        Arguments:
            hours: 1 to 8,760.
            limit: how many at the most, 1 to 10,000.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: the question could not be answered.
        """
        hours = validation.integer("hours", hours, minimum=1, maximum=8760)
        return daylight_queries().error_groups(self._database, hours=hours, row_limit=checks.limit(limit))

    def resolve_error(self, error_id: str) -> bool:
        """Mark an error as resolved; return whether it was open.

        Raises:
            ValidationError: ``error_id`` cannot be an id.
            DatabaseError: it could not be changed.
        """
        return bool(daylight_queries().error_resolve(self._database, error_id=checks.identifier("error_id", error_id)))

    logError = log_error  # noqa: N815 - the original's names
    getErrorLogs = get_error_logs  # noqa: N815


def _text(value: object) -> str:
    # What an application's own class makes of itself may fail, and this must not.
    with suppress(Exception):
        return str(value)
    return f"{type(value).__name__} without a text"


def _storable(text: str, most: int) -> str:
    return text.replace("\0", "").encode(errors="replace").decode()[:most]


def _context(context: object) -> Json:
    try:
        return checks.document("context", redacted({} if context is None else context))
    except (ValidationError, RecursionError):
        return Json('{"unserializable":true}')


def _fingerprint(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{PurePath(frames[-1].filename).name}:{frames[-1].name}" if frames else ""
    return hashlib.sha256(f"{type(error).__qualname__}@{place}".encode()).hexdigest()[:16]
