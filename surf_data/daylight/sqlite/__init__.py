"""Imports SQLite files: the log of external services, and the four tables of the development database."""

from surf_data.daylight.sqlite.report import ImportReport, TableReport
from surf_data.daylight.sqlite.service import SqliteImportService

__all__ = ["ImportReport", "SqliteImportService", "TableReport"]
