"""The repositories, under the name that callers know."""

from surf_data.specify.audit import AuditLogRepository
from surf_data.specify.base import BaseRepository
from surf_data.specify.cache import CacheRepository
from surf_data.specify.commands import CommandRepository
from surf_data.specify.configuration import ConfigurationRepository
from surf_data.specify.metrics import PerformanceMetricRepository
from surf_data.specify.projects import ProjectRepository
from surf_data.specify.specifications import RDFSpecificationRepository
from surf_data.specify.telemetry import TelemetryEventRepository
from surf_data.specify.tokens import SessionTokenRepository
from surf_data.specify.users import UserRepository

__all__ = [
    "AuditLogRepository",
    "BaseRepository",
    "CacheRepository",
    "CommandRepository",
    "ConfigurationRepository",
    "PerformanceMetricRepository",
    "ProjectRepository",
    "RDFSpecificationRepository",
    "SessionTokenRepository",
    "TelemetryEventRepository",
    "UserRepository",
]
