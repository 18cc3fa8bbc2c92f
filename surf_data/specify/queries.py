"""The query classes, under the name that callers know."""

from surf_data.kernel.paging import Page as PaginationResult
from surf_data.specify.audit import AuditLogQueries
from surf_data.specify.base import BaseQueries
from surf_data.specify.cache import CacheQueries
from surf_data.specify.command_queries import CommandQueries
from surf_data.specify.configuration import ConfigurationQueries
from surf_data.specify.metrics import PerformanceMetricQueries
from surf_data.specify.projects import ProjectQueries
from surf_data.specify.specifications import RDFSpecificationQueries
from surf_data.specify.telemetry import TelemetryEventQueries
from surf_data.specify.tokens import SessionTokenQueries
from surf_data.specify.users import UserQueries

__all__ = [
    "AuditLogQueries",
    "BaseQueries",
    "CacheQueries",
    "CommandQueries",
    "ConfigurationQueries",
    "PaginationResult",
    "PerformanceMetricQueries",
    "ProjectQueries",
    "RDFSpecificationQueries",
    "SessionTokenQueries",
    "TelemetryEventQueries",
    "UserQueries",
]
