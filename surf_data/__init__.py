"""A small synchronous data layer for PostgreSQL and Redis in which every statement is a reviewed .sql file."""

from typing import TYPE_CHECKING

from surf_data.data_layer import DataLayer, Transaction, load_settings
from surf_data.domain import Domain, Retention
from surf_data.errors import (
    BackupError,
    CommitUnknown,
    ConfigurationError,
    ConstraintViolation,
    DatabaseError,
    DatabaseUnavailable,
    DeadlineExceeded,
    EmbeddedServerError,
    EncryptionError,
    LockTimeout,
    MigrationError,
    PoolTimeout,
    QueryFileError,
    RedisError,
    RedisUnavailable,
    StatementTimeout,
    SurfDataError,
    TransactionConflict,
    ValidationError,
)
from surf_data.kernel import settings, validation
from surf_data.kernel.cache import JsonCache
from surf_data.kernel.health import Check, Health
from surf_data.kernel.lazy_names import lazily
from surf_data.kernel.postgres import DatabaseManager, Executor, Observer, QueryEvent, Session, load_queries
from surf_data.kernel.redis import RedisManager
from surf_data.kernel.secret import Secret
from surf_data.kernel.settings import Settings, SettingsKeywords, setting

if TYPE_CHECKING:
    from surf_data.kernel.correlation import correlation_id
    from surf_data.kernel.crypto import KeyRing, PasswordHasher, new_api_key, new_token, token_digest
    from surf_data.kernel.emails import checked_email, email_key
    from surf_data.kernel.journal import Column, Journal, JournalTable
    from surf_data.kernel.logs import JsonFormatter
    from surf_data.kernel.paging import Page, keyset, limit_offset
    from surf_data.kernel.postgres import CopyReader, CopyWriter
    from surf_data.lamps import (
        ApiConfig,
        Coordinates,
        IActivityLogger,
        ICacheManager,
        ILampRepository,
        IUserRepository,
        LampConfig,
        LampsDataLayer,
        LampsTransaction,
        PostgresActivityLogger,
        PostgresLampRepository,
        PostgresSessionRepository,
        PostgresUserRepository,
        RedisCacheManager,
        SurfData,
        open,
    )
else:
    # Other domains do without the Surf Lamp's names, and most callers without what only those need who write a domain.
    __getattr__, __dir__ = lazily(
        __name__,
        {
            "surf_data.kernel.correlation": "correlation_id",
            "surf_data.kernel.crypto": "KeyRing PasswordHasher new_api_key new_token token_digest",
            "surf_data.kernel.emails": "checked_email email_key",
            "surf_data.kernel.journal": "Column Journal JournalTable",
            "surf_data.kernel.logs": "JsonFormatter",
            "surf_data.kernel.paging": "Page keyset limit_offset",
            "surf_data.kernel.postgres": "CopyReader CopyWriter",
            "surf_data.lamps": """
                ApiConfig Coordinates IActivityLogger ICacheManager ILampRepository IUserRepository
                LampConfig LampsDataLayer LampsTransaction PostgresActivityLogger PostgresLampRepository
                PostgresSessionRepository PostgresUserRepository RedisCacheManager SurfData open
            """,
        },
    )

__all__ = [
    "ApiConfig",
    "BackupError",
    "Check",
    "Column",
    "CommitUnknown",
    "ConfigurationError",
    "ConstraintViolation",
    "Coordinates",
    "CopyReader",
    "CopyWriter",
    "DataLayer",
    "DatabaseError",
    "DatabaseManager",
    "DatabaseUnavailable",
    "DeadlineExceeded",
    "Domain",
    "EmbeddedServerError",
    "EncryptionError",
    "Executor",
    "Health",
    "IActivityLogger",
    "ICacheManager",
    "ILampRepository",
    "IUserRepository",
    "Journal",
    "JournalTable",
    "JsonCache",
    "JsonFormatter",
    "KeyRing",
    "LampConfig",
    "LampsDataLayer",
    "LampsTransaction",
    "LockTimeout",
    "MigrationError",
    "Observer",
    "Page",
    "PasswordHasher",
    "PoolTimeout",
    "PostgresActivityLogger",
    "PostgresLampRepository",
    "PostgresSessionRepository",
    "PostgresUserRepository",
    "QueryEvent",
    "QueryFileError",
    "RedisCacheManager",
    "RedisError",
    "RedisManager",
    "RedisUnavailable",
    "Retention",
    "Secret",
    "Session",
    "Settings",
    "SettingsKeywords",
    "StatementTimeout",
    "SurfData",
    "SurfDataError",
    "Transaction",
    "TransactionConflict",
    "ValidationError",
    "checked_email",
    "correlation_id",
    "email_key",
    "keyset",
    "limit_offset",
    "load_queries",
    "load_settings",
    "new_api_key",
    "new_token",
    "open",
    "setting",
    "settings",
    "token_digest",
    "validation",
]
