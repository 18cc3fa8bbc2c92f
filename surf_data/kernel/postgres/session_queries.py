"""What this library asks of a session itself: ``sql/kernel/session``."""

from functools import cache
from typing import Any

from surf_data.kernel.postgres.queries import packaged_queries


@cache
def session_queries() -> Any:
    """Return the query functions of ``sql/kernel/session``."""
    return packaged_queries("kernel/session", namespace="kernel")
