"""Keeps tables as their domain declares: partitions are created ahead, and what has expired goes.

It knows no domain: a `surf_data.domain.Retention` for each table is all it needs.
"""

from surf_data.retention.policies import policies
from surf_data.retention.results import BeforeDrop, Partition, TableMaintenance
from surf_data.retention.run import maintain

__all__ = ["BeforeDrop", "Partition", "TableMaintenance", "maintain", "policies"]
