"""A day planner: users, plans, places and where they were; kept exactly as long as it should be."""

from typing import TYPE_CHECKING

from surf_data.kernel.lazy_names import lazily

if TYPE_CHECKING:
    from surf_data.daylight.database import (
        DatabaseService,
        analytics_service,
        analyticsService,
        cache_service,
        cacheService,
        database_service,
        error_logging_service,
        errorLoggingService,
        get_database_metrics,
        get_database_status,
        getDatabaseMetrics,
        getDatabaseStatus,
        initialize_database,
        initializeDatabase,
        location_history_service,
        locationHistoryService,
        perform_database_health_check,
        performDatabaseHealthCheck,
        planning_service,
        planningService,
        shutdown_database,
        shutdownDatabase,
        user_service,
        userService,
    )
    from surf_data.daylight.layer import DOMAIN, DaylightDataLayer, DaylightTransaction, open
    from surf_data.daylight.operation_records import AlertRule
    from surf_data.daylight.rate_limits import Decision
else:
    __getattr__, __dir__ = lazily(
        __name__,
        {
            "surf_data.daylight.database": """
                DatabaseService analytics_service analyticsService cache_service cacheService
                database_service error_logging_service errorLoggingService get_database_metrics
                get_database_status getDatabaseMetrics getDatabaseStatus initialize_database
                initializeDatabase location_history_service locationHistoryService
                perform_database_health_check performDatabaseHealthCheck planning_service planningService
                shutdown_database shutdownDatabase user_service userService
            """,
            "surf_data.daylight.layer": "DOMAIN DaylightDataLayer DaylightTransaction open",
            "surf_data.daylight.operation_records": "AlertRule",
            "surf_data.daylight.rate_limits": "Decision",
        },
    )

__all__ = [
    "DOMAIN",
    "AlertRule",
    "DatabaseService",
    "DaylightDataLayer",
    "DaylightTransaction",
    "Decision",
    "analyticsService",
    "analytics_service",
    "cacheService",
    "cache_service",
    "database_service",
    "errorLoggingService",
    "error_logging_service",
    "getDatabaseMetrics",
    "getDatabaseStatus",
    "get_database_metrics",
    "get_database_status",
    "initializeDatabase",
    "initialize_database",
    "locationHistoryService",
    "location_history_service",
    "open",
    "performDatabaseHealthCheck",
    "perform_database_health_check",
    "planningService",
    "planning_service",
    "shutdownDatabase",
    "shutdown_database",
    "userService",
    "user_service",
]
