"""Screenshots to code: users, projects, generated code and images, sessions, audit log, object storage."""

from surf_data.screenshot.audit_log import AuditLog
from surf_data.screenshot.enums import (
    AuditAction,
    AuditCategory,
    AuditLevel,
    AuthProvider,
    CodeStack,
    GenerationProvider,
    GenerationStatus,
    GenerationType,
    ImageGenerationStatus,
    ImageProvider,
    ImageQuality,
    ImageSize,
    ImageStyle,
    ProjectStatus,
    ProjectType,
    SessionStatus,
    SessionType,
    UserRole,
    UserStatus,
)
from surf_data.screenshot.generated_code import CodeSummary, CodeUsage, GeneratedCode
from surf_data.screenshot.generated_image import GeneratedImage
from surf_data.screenshot.jobs import Job
from surf_data.screenshot.layer import DOMAIN, ScreenshotDataLayer, ScreenshotTransaction, open
from surf_data.screenshot.project import Project
from surf_data.screenshot.rows import ProjectWithCode, StorageUsage, StoredObject
from surf_data.screenshot.session import NewSession, Session
from surf_data.screenshot.settings import ScreenshotSettings
from surf_data.screenshot.user import User

__all__ = [
    "DOMAIN",
    "AuditAction",
    "AuditCategory",
    "AuditLevel",
    "AuditLog",
    "AuthProvider",
    "CodeStack",
    "CodeSummary",
    "CodeUsage",
    "GeneratedCode",
    "GeneratedImage",
    "GenerationProvider",
    "GenerationStatus",
    "GenerationType",
    "ImageGenerationStatus",
    "ImageProvider",
    "ImageQuality",
    "ImageSize",
    "ImageStyle",
    "Job",
    "NewSession",
    "Project",
    "ProjectStatus",
    "ProjectType",
    "ProjectWithCode",
    "ScreenshotDataLayer",
    "ScreenshotSettings",
    "ScreenshotTransaction",
    "Session",
    "SessionStatus",
    "SessionType",
    "StorageUsage",
    "StoredObject",
    "User",
    "UserRole",
    "UserStatus",
    "open",
]
