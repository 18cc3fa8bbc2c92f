"""Copies a database into a file by pg_dump and back by pg_restore, and counts that every row arrived.

It knows no domain: any database will do.
"""

from surf_data.backup.dump import Backup, backup, prepare_backup
from surf_data.backup.manifest import Manifest, Table
from surf_data.backup.progress import Step
from surf_data.backup.restoration import Restore, prepare_restore, restore

__all__ = ["Backup", "Manifest", "Restore", "Step", "Table", "backup", "prepare_backup", "prepare_restore", "restore"]
