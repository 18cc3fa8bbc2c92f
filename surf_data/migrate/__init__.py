"""Brings databases to a folder of migrations, plain SQL in dbmate's format, each applied together with its record.

It knows no domain: a folder and a name for its history are all it needs.
"""

from surf_data.migrate.distribution import Distribution, TablePlacement
from surf_data.migrate.files import Migration, Part, Section, read_folder
from surf_data.migrate.locks import MigrationEffect, StatementEffect, TableEffect, measure_locks
from surf_data.migrate.placement import Placement
from surf_data.migrate.reset import check_reset, reset
from surf_data.migrate.runner import Runner
from surf_data.migrate.scratch import ScratchServer
from surf_data.migrate.seed import seed
from surf_data.migrate.status import MigrationStatus
from surf_data.migrate.template import new_file
from surf_data.migrate.verification import Difference, verify

__all__ = [
    "Difference",
    "Distribution",
    "Migration",
    "MigrationEffect",
    "MigrationStatus",
    "Part",
    "Placement",
    "Runner",
    "ScratchServer",
    "Section",
    "StatementEffect",
    "TableEffect",
    "TablePlacement",
    "check_reset",
    "measure_locks",
    "new_file",
    "read_folder",
    "reset",
    "seed",
    "verify",
]
