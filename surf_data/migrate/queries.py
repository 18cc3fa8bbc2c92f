"""The statements of the runner: ``sql/kernel/migrate``.

Type checkers read ``queries.pyi`` instead, which ``surf-data stubs`` writes; so there is nothing else here.
"""

from functools import cache
from typing import Any

from surf_data.kernel.postgres import packaged_queries
from surf_data.migrate.rows import IndexState, Record, SessionState


@cache
def migrate_queries() -> Any:
    """Return what the runner asks of the server: ``sql/kernel/migrate``."""
    rows = {"history_list": Record, "index_state": IndexState, "session_state": SessionState}
    return packaged_queries("kernel/migrate", rows=rows)
