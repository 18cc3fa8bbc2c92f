"""Remembers the statements that were slow, and those that failed."""

from collections import deque
from datetime import UTC, datetime
from typing import Any

import attrs

from surf_data.daylight.records import as_json
from surf_data.kernel.postgres import QueryEvent

#: Statements that are remembered of each kind.
MAX_EVENTS = 1_000


@attrs.frozen
class _Event:
    """A statement that was slow or failed."""

    moment: datetime
    event: QueryEvent

    def to_dict(self) -> dict[str, Any]:
        """Return it under the original's names; there is no value in it."""
        return {
            "query": self.event.query,
            "duration": self.event.duration_ms,
            "recordCount": max(self.event.rows, 0),
            "error": self.event.error,
            "timestamp": as_json(self.moment),
        }


class QueryLog:
    """Remembers the statements that were slow, and those that failed: an observer of statements.

    Arguments:
        slow_ms: milliseconds above which a statement is slow.
    """

    def __init__(self, slow_ms: float) -> None:
        self._slow_ms = slow_ms
        self._slow: deque[_Event] = deque(maxlen=MAX_EVENTS)
        self._failed: deque[_Event] = deque(maxlen=MAX_EVENTS)

    def __call__(self, event: QueryEvent) -> None:
        """Remember a statement, if there is a reason to."""
        if event.kind != "statement":
            return
        if event.error is not None:
            self._failed.append(_Event(datetime.now(UTC), event))
        elif event.duration_ms > self._slow_ms:
            self._slow.append(_Event(datetime.now(UTC), event))

    def slow(self, limit: int) -> list[dict[str, Any]]:
        """Return the slow ones, slowest first."""
        found = sorted(self._slow.copy(), key=lambda each: each.event.duration_ms, reverse=True)
        return [each.to_dict() for each in found[:limit]]

    def failed(self, limit: int) -> list[dict[str, Any]]:
        """Return the failed ones, newest first."""
        return [each.to_dict() for each in list(self._failed.copy())[: -limit - 1 : -1]]
