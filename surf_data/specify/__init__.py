"""The history of a command-line tool: users, projects, commands, metrics, audit, specifications, telemetry."""

from typing import TYPE_CHECKING

from surf_data.kernel.lazy_names import lazily

if TYPE_CHECKING:
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
    from surf_data.specify.filters import (
        AuditFilter,
        CommandFilter,
        MetricFilter,
        TelemetryFilter,
    )
    from surf_data.specify.layer import (
        DOMAIN,
        SpecifyDataLayer,
        SpecifyTransaction,
        open,
    )
    from surf_data.specify.metrics import (
        Bucket,
    )
    from surf_data.specify.migrations import (
        MigrationManager,
        create_data_migration,
        get_current_revision,
        get_migration_history,
        verify_schema,
    )
    from surf_data.specify.models import (
        AuditAction,
        AuditLog,
        CacheEntry,
        Command,
        Configuration,
        ExecutionStatus,
        MetricType,
        PerformanceMetric,
        Project,
        RDFSpecification,
        SessionToken,
        TelemetryEvent,
        User,
    )
    from surf_data.specify.otlp import (
        OtlpResult,
    )
    from surf_data.specify.queries import (
        AuditLogQueries,
        BaseQueries,
        CacheQueries,
        CommandQueries,
        ConfigurationQueries,
        PaginationResult,
        PerformanceMetricQueries,
        ProjectQueries,
        RDFSpecificationQueries,
        SessionTokenQueries,
        TelemetryEventQueries,
        UserQueries,
    )
    from surf_data.specify.repositories import (
        AuditLogRepository,
        BaseRepository,
        CacheRepository,
        CommandRepository,
        ConfigurationRepository,
        PerformanceMetricRepository,
        ProjectRepository,
        RDFSpecificationRepository,
        SessionTokenRepository,
        TelemetryEventRepository,
        UserRepository,
    )
    from surf_data.specify.specifications import (
        Verification,
    )
    from surf_data.specify.telemetry import (
        Trace,
    )
else:
    __getattr__, __dir__ = lazily(
        __name__,
        {
            "surf_data.specify.compat": """
                DatabaseManager RetryConfig close_db get_engine get_session get_session_factory
                health_check init_db
            """,
            "surf_data.specify.filters": "AuditFilter CommandFilter MetricFilter TelemetryFilter",
            "surf_data.specify.layer": "DOMAIN SpecifyDataLayer SpecifyTransaction open",
            "surf_data.specify.metrics": "Bucket",
            "surf_data.specify.migrations": """
                MigrationManager create_data_migration get_current_revision get_migration_history
                verify_schema
            """,
            "surf_data.specify.models": """
                AuditAction AuditLog CacheEntry Command Configuration ExecutionStatus MetricType
                PerformanceMetric Project RDFSpecification SessionToken TelemetryEvent User
            """,
            "surf_data.specify.otlp": "OtlpResult",
            "surf_data.specify.queries": """
                AuditLogQueries BaseQueries CacheQueries CommandQueries ConfigurationQueries
                PaginationResult PerformanceMetricQueries ProjectQueries RDFSpecificationQueries
                SessionTokenQueries TelemetryEventQueries UserQueries
            """,
            "surf_data.specify.repositories": """
                AuditLogRepository BaseRepository CacheRepository CommandRepository
                ConfigurationRepository PerformanceMetricRepository ProjectRepository
                RDFSpecificationRepository SessionTokenRepository TelemetryEventRepository UserRepository
            """,
            "surf_data.specify.specifications": "Verification",
            "surf_data.specify.telemetry": "Trace",
        },
    )

__all__ = [
    "DOMAIN",
    "AuditAction",
    "AuditFilter",
    "AuditLog",
    "AuditLogQueries",
    "AuditLogRepository",
    "BaseQueries",
    "BaseRepository",
    "Bucket",
    "CacheEntry",
    "CacheQueries",
    "CacheRepository",
    "Command",
    "CommandFilter",
    "CommandQueries",
    "CommandRepository",
    "Configuration",
    "ConfigurationQueries",
    "ConfigurationRepository",
    "DatabaseManager",
    "ExecutionStatus",
    "MetricFilter",
    "MetricType",
    "MigrationManager",
    "OtlpResult",
    "PaginationResult",
    "PerformanceMetric",
    "PerformanceMetricQueries",
    "PerformanceMetricRepository",
    "Project",
    "ProjectQueries",
    "ProjectRepository",
    "RDFSpecification",
    "RDFSpecificationQueries",
    "RDFSpecificationRepository",
    "RetryConfig",
    "SessionToken",
    "SessionTokenQueries",
    "SessionTokenRepository",
    "SpecifyDataLayer",
    "SpecifyTransaction",
    "TelemetryEvent",
    "TelemetryEventQueries",
    "TelemetryEventRepository",
    "TelemetryFilter",
    "Trace",
    "User",
    "UserQueries",
    "UserRepository",
    "Verification",
    "close_db",
    "create_data_migration",
    "get_current_revision",
    "get_engine",
    "get_migration_history",
    "get_session",
    "get_session_factory",
    "health_check",
    "init_db",
    "open",
    "verify_schema",
]
