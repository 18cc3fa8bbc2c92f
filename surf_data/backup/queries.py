"""The statements of backups: ``sql/kernel/backup``.

Type checkers read ``queries.pyi`` instead, which ``surf-data stubs`` writes; so there is nothing else here.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

import attrs

from surf_data.backup.manifest import Table
from surf_data.backup.rows import State
from surf_data.kernel import resources
from surf_data.kernel.postgres import load_queries


@cache
def backup_queries() -> Any:
    """Return what is asked of the server: ``sql/kernel/backup``."""
    rows: Mapping[str, type[attrs.AttrsInstance]] = {"database_state": State, "table_list": Table}
    return load_queries(resources.directory("sql") / "kernel" / "backup", namespace="backup", rows=rows)
