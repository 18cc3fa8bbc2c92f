"""Applies a folder of migrations, plain SQL in dbmate's format, each in one transaction with its record.

It knows no domain: a folder and a name for its history are all it needs.
"""

from surf_data.migrate.files import Migration, Section, read_folder
from surf_data.migrate.runner import Runner
from surf_data.migrate.status import MigrationStatus

__all__ = ["Migration", "MigrationStatus", "Runner", "Section", "read_folder"]
