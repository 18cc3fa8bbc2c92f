"""PostgreSQL, without a word of any domain: connections, statements from .sql files, errors, observation."""

from surf_data.kernel.postgres.adaptation import Json
from surf_data.kernel.postgres.connector import Connector
from surf_data.kernel.postgres.deadlines import deadline
from surf_data.kernel.postgres.execution import CopyWriter, Executor, Statement, Stream
from surf_data.kernel.postgres.manager import DatabaseManager
from surf_data.kernel.postgres.observation import Observer, QueryEvent
from surf_data.kernel.postgres.queries import load_queries, packaged_queries
from surf_data.kernel.postgres.session import Session

__all__ = [
    "Connector",
    "CopyWriter",
    "DatabaseManager",
    "Executor",
    "Json",
    "Observer",
    "QueryEvent",
    "Session",
    "Statement",
    "Stream",
    "deadline",
    "load_queries",
    "packaged_queries",
]
