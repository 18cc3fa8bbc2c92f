"""The statements about a Citus cluster: ``sql/kernel/cluster``.

Type checkers read ``cluster_queries.pyi`` instead, which ``surf-data stubs`` writes; so there is nothing else here.
"""

from functools import cache
from typing import Any

from surf_data.kernel.postgres.queries import packaged_queries


@cache
def cluster_queries() -> Any:
    """Return the query functions of ``sql/kernel/cluster``."""
    return packaged_queries("kernel/cluster")
