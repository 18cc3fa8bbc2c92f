"""The statements about storage and statistics: ``sql/kernel/scale``.

Type checkers read ``scale_queries.pyi`` instead, which ``surf-data stubs`` writes; so there is nothing else here.
"""

from functools import cache
from typing import Any

from surf_data.kernel.postgres import packaged_queries
from surf_data.review.planning.catalog_rows import (
    ExportedColumn,
    ExportedTable,
    Layout,
    PlannerSetting,
    StoredColumn,
    StoredIndex,
    StoredTable,
)


@cache
def scale_queries() -> Any:
    """Return what is asked about storage and statistics: ``sql/kernel/scale``."""
    return packaged_queries(
        "kernel/scale",
        rows={
            "export_column_list": ExportedColumn,
            "export_table_list": ExportedTable,
            "planner_setting_list": PlannerSetting,
            "storage_column_list": StoredColumn,
            "storage_index_list": StoredIndex,
            "storage_layout": Layout,
            "storage_table_list": StoredTable,
        },
    )
