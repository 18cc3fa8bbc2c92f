"""The statements of the domain: ``sql/specify``. What callers know as ``queries`` are the query classes.

Type checkers read ``statements.pyi`` instead, which ``surf-data stubs`` writes; so there is nothing else here.
"""

from functools import cache
from typing import Any

from surf_data.kernel.postgres import packaged_queries
from surf_data.specify.models import (
    AuditLog,
    CacheEntry,
    Command,
    Configuration,
    PerformanceMetric,
    Project,
    RDFSpecification,
    TelemetryEvent,
)

_ROWS = {
    AuditLog: "audit_all audit_by_id audit_insert audit_list",
    CacheEntry: "cache_all cache_by_id cache_by_key cache_expired cache_insert cache_set",
    Command: (
        "command_all command_by_id command_by_uuid command_end command_insert command_list command_reap command_start"
        " command_tree command_update"
    ),
    Configuration: (
        "configuration_all configuration_by_id configuration_get configuration_insert configuration_of_project"
        " configuration_set configuration_update"
    ),
    PerformanceMetric: "metric_all metric_by_id metric_insert metric_list",
    Project: (
        "project_by_id project_by_slug project_find project_insert project_list project_recent project_search"
        " project_update"
    ),
    RDFSpecification: (
        "specification_all specification_by_hash specification_by_id specification_find specification_insert"
        " specification_invalid specification_of_project specification_update"
    ),
    TelemetryEvent: (
        "telemetry_all telemetry_by_id telemetry_insert telemetry_list telemetry_of_command telemetry_slowest"
        " telemetry_trace"
    ),
}


@cache
def specify_queries() -> Any:
    """Return the query functions of ``sql/specify``."""
    return packaged_queries("specify", rows={name: row for row, names in _ROWS.items() for name in names.split()})
