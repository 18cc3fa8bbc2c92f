"""Append-only tables: entries buffered in memory, spooled to disk while the server is away, written exactly once."""

from surf_data.kernel.journal.buffer import BufferLimits
from surf_data.kernel.journal.journal import Journal
from surf_data.kernel.journal.losses import LossCounter
from surf_data.kernel.journal.spool import Spool
from surf_data.kernel.journal.table import Column, Entry, JournalTable

__all__ = ["BufferLimits", "Column", "Entry", "Journal", "JournalTable", "LossCounter", "Spool"]
