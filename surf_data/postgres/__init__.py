"""PostgreSQL, without a word of any domain: connections, statements from .sql files, errors, observation."""

from surf_data.postgres.adaptation import Json
from surf_data.postgres.connector import Connector
from surf_data.postgres.deadlines import deadline
from surf_data.postgres.execution import CopyWriter, Executor, Statement, Stream
from surf_data.postgres.manager import DatabaseManager
from surf_data.postgres.observation import Observer, QueryEvent
from surf_data.postgres.queries import load_queries
from surf_data.postgres.session import Session

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
]
