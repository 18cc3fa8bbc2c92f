"""PostgreSQL, without a word of any domain: connections, statements from .sql files, errors, observation."""

from surf_data.kernel.histograms import QueryHistogram
from surf_data.kernel.observation import Observer, QueryEvent
from surf_data.kernel.postgres.adaptation import Json
from surf_data.kernel.postgres.connector import Connector
from surf_data.kernel.postgres.copying import CopyReader, CopyWriter
from surf_data.kernel.postgres.deadlines import deadline
from surf_data.kernel.postgres.execution import Executor, Stream
from surf_data.kernel.postgres.manager import DatabaseManager
from surf_data.kernel.postgres.portions import in_portions
from surf_data.kernel.postgres.queries import load_queries, packaged_queries
from surf_data.kernel.postgres.rows import maker
from surf_data.kernel.postgres.session import Session
from surf_data.kernel.postgres.statement import Statement

__all__ = [
    "Connector",
    "CopyReader",
    "CopyWriter",
    "DatabaseManager",
    "Executor",
    "Json",
    "Observer",
    "QueryEvent",
    "QueryHistogram",
    "Session",
    "Statement",
    "Stream",
    "deadline",
    "in_portions",
    "load_queries",
    "maker",
    "packaged_queries",
]
