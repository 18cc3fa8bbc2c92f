"""The statements of the domain: ``sql/mining``.

Type checkers read ``queries.pyi`` instead, which ``surf-data stubs`` writes; so there is nothing else here.
"""

from functools import cache
from typing import Any

from surf_data.kernel.postgres import packaged_queries


@cache
def mining_queries() -> Any:
    """Return the query functions of ``sql/mining``."""
    return packaged_queries("mining")
