"""The statements of the domain: ``sql/lamps``.

Type checkers read ``queries.pyi`` instead, which ``surf-data stubs`` writes; so there is nothing else here.
"""

from functools import cache
from typing import Any

from surf_data.kernel.postgres import packaged_queries
from surf_data.lamps.rows import ActivityRow, ReferenceRow, StatisticsRow


@cache
def lamp_queries() -> Any:
    """Return the query functions of ``sql/lamps``."""
    return packaged_queries(
        "lamps",
        rows={
            "activity_history": ActivityRow,
            "activity_statistics": StatisticsRow,
            "reference_data": ReferenceRow,
        },
    )
