"""The entries of one lamp, a page at a time."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from surf_data.kernel import validation
from surf_data.kernel.paging import keyset
from surf_data.kernel.postgres import Executor
from surf_data.lamps.queries import lamp_queries

#: The most entries that one page of history has.
MAX_HISTORY = 10_000


def activity_history(
    database: Executor, lamp_id: str | UUID, limit: int, before: datetime | Mapping[str, Any] | None
) -> list[dict[str, Any]]:
    """Return what `PostgresActivityLogger.get_lamp_activity_history` returns."""
    lamp_id = validation.uuid("lamp_id", lamp_id)
    limit = validation.integer("limit", limit, minimum=1, maximum=MAX_HISTORY)
    before_created_at, before_id = keyset("before", before)
    rows = lamp_queries().activity_history(
        database,
        lamp_id=lamp_id,
        before_created_at=before_created_at,
        before_id=before_id,
        row_limit=limit,
    )
    return [row.to_dict() for row in rows]
