"""What this library asks of a session itself: ``sql/kernel``."""

from functools import cache
from typing import Any

from surf_data.kernel import resources
from surf_data.kernel.postgres.queries import load_queries


@cache
def session_queries() -> Any:
    """Return the query functions of ``sql/kernel``."""
    return load_queries(resources.directory("sql") / "kernel" / "session", namespace="kernel")
