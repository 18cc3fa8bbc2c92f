"""The statements about what production spent: ``sql/statistics``.

Type checkers read ``statistics_queries.pyi`` instead, which ``surf-data stubs`` writes; so there is nothing else here.
"""

from functools import cache
from typing import Any

from surf_data import resources
from surf_data.postgres import load_queries


@cache
def statistics_queries() -> Any:
    """Return the statements of ``sql/statistics``."""
    return load_queries(resources.directory("sql") / "statistics", namespace="statistics")
