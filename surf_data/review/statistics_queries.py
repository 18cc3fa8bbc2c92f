"""The statements about what production spent: ``sql/kernel/statistics``.

Type checkers read ``statistics_queries.pyi`` instead, which ``surf-data stubs`` writes; so there is nothing else here.
"""

from functools import cache
from typing import Any

from surf_data.kernel.postgres import packaged_queries


@cache
def statistics_queries() -> Any:
    """Return the statements of ``sql/kernel/statistics``."""
    return packaged_queries("kernel/statistics")
