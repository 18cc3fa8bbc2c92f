"""The statements of the review: ``sql/kernel/review``.

Type checkers read ``queries.pyi`` instead, which ``surf-data stubs`` writes; so there is nothing else here.
"""

from functools import cache
from typing import Any

from surf_data.kernel.postgres import packaged_queries
from surf_data.review.analysis.rows import (
    Column,
    ForeignKey,
    Function,
    Index,
    Key,
    Operator,
    Relation,
    Trigger,
    Type,
    View,
)


@cache
def review_queries() -> Any:
    """Return what the review asks of a server: ``sql/kernel/review``."""
    return packaged_queries(
        "kernel/review",
        rows={
            "column_list": Column,
            "foreign_key_list": ForeignKey,
            "function_list": Function,
            "index_list": Index,
            "key_list": Key,
            "operator_list": Operator,
            "relation_list": Relation,
            "trigger_list": Trigger,
            "type_list": Type,
            "view_list": View,
        },
    )
