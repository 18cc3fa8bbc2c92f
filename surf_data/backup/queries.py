"""The statements of backups: ``sql/kernel/backup``.

Type checkers read ``queries.pyi`` instead, which ``surf-data stubs`` writes; so there is nothing else here.
"""

from functools import cache
from typing import Any

from surf_data.backup.manifest import Table
from surf_data.backup.rows import State
from surf_data.kernel.postgres import packaged_queries


@cache
def backup_queries() -> Any:
    """Return what is asked of the server: ``sql/kernel/backup``."""
    return packaged_queries("kernel/backup", rows={"database_state": State, "table_list": Table})
