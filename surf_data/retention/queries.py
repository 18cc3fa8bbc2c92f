"""The statements of retention: ``sql/kernel/retention``.

Type checkers read ``queries.pyi`` instead, which ``surf-data stubs`` writes; so there is nothing else here.
"""

from functools import cache
from typing import Any

from surf_data.kernel.postgres import packaged_queries
from surf_data.retention.rows import DetachedPartition, ExpiredPartition, MissingPartition


@cache
def retention_queries() -> Any:
    """Return what is asked of the server: ``sql/kernel/retention``."""
    return packaged_queries(
        "kernel/retention",
        rows={
            "partition_detached": DetachedPartition,
            "partition_expired": ExpiredPartition,
            "partition_missing": MissingPartition,
        },
    )
