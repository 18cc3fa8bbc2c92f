"""Where the rows of a table are on a cluster: in shards by a column, whole on every node, or on one node alone."""

import attrs


@attrs.frozen(kw_only=True)
class Placement:
    """Where the rows of one table are. With neither a column nor `is_reference`, all are on the coordinator."""

    #: The column whose value says in which shard a row is; ``None`` where the table is not distributed.
    column: str | None = None
    #: The distributed table whose shards these lie beside, so that rows with equal values are on one node.
    beside: str | None = None
    #: Whether each node has all rows.
    is_reference: bool = False
