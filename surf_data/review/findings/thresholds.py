"""Thresholds above which a finding is reported."""

import attrs

#: Rows. Read from end to end, so many take tens of milliseconds from memory, and far longer from a disk.
BIG_TABLE = 100_000
#: Rows. What is longer no screen shows and no caller should hold in memory at once.
MANY_ROWS = 10_000
#: Less is within what two estimates differ by.
COST_FACTOR = 2.0
#: The planner's units, a page read in sequence each: below, a plan is cheap however much it has grown.
LEAST_COST = 1_000.0


@attrs.frozen(kw_only=True)
class Thresholds:
    """Thresholds above which a finding is reported."""

    #: Rows from which a table is big.
    big_table: int = BIG_TABLE
    #: Rows from which a result is one of many.
    many_rows: int = MANY_ROWS
    #: By how much a plan's cost grows until it is reported.
    cost_factor: float = COST_FACTOR
