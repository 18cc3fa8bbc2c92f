"""The statements of the domain: ``sql/daylight``.

Type checkers read ``queries.pyi`` instead, which ``surf-data stubs`` writes; so there is nothing else here.
"""

from functools import cache
from typing import Any

from surf_data.daylight import records
from surf_data.kernel.postgres import packaged_queries


@cache
def daylight_queries() -> Any:
    """Return the query functions of ``sql/daylight``."""
    return packaged_queries(
        "daylight",
        rows={
            "history_by_id": records.HistoryEntry,
            "history_days": records.HistoryDay,
            "history_insert": records.HistoryEntry,
            "history_latest": records.HistoryEntry,
            "history_range": records.HistoryEntry,
            "plan_by_id": records.Plan,
            "plan_insert": records.Plan,
            "plan_list": records.Plan,
            "plan_update": records.Plan,
            "profile_by_user": records.UserProfile,
            "profile_insert": records.UserProfile,
            "profile_update": records.UserProfile,
            "user_by_email": records.User,
            "user_by_id": records.User,
            "user_insert": records.User,
            "user_update": records.User,
        },
    )
