"""Sessions, under the name that callers know; see `surf_data.specify.compat`."""

from surf_data.specify.compat import (
    DatabaseManager,
    RetryConfig,
    close_db,
    get_engine,
    get_session,
    get_session_factory,
    health_check,
    init_db,
)

__all__ = [
    "DatabaseManager",
    "RetryConfig",
    "close_db",
    "get_engine",
    "get_session",
    "get_session_factory",
    "health_check",
    "init_db",
]
