"""Screenshots to code: users, projects, generated code and images, sessions, audit log, object storage."""

from typing import TYPE_CHECKING

from surf_data.kernel.lazy_names import lazily

if TYPE_CHECKING:
    from surf_data.kernel.sealing import Verification
    from surf_data.screenshot.audit_log import AuditLog
    from surf_data.screenshot.caching import CacheManager
    from surf_data.screenshot.compat import (
        app_data_source,
        cache_manager,
        check_data_layer_health,
        get_data_layer_stats,
        initialize_data_layer,
        shutdown_data_layer,
        storage_manager,
    )
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
    from surf_data.screenshot.storage import OpenedObject, StorageManager
    from surf_data.screenshot.storage_cleanup import Cleanup
    from surf_data.screenshot.user import User
else:
    __getattr__, __dir__ = lazily(
        __name__,
        {
            "surf_data.kernel.sealing": "Verification",
            "surf_data.screenshot.audit_log": "AuditLog",
            "surf_data.screenshot.caching": "CacheManager",
            "surf_data.screenshot.compat": """
                app_data_source cache_manager check_data_layer_health get_data_layer_stats
                initialize_data_layer shutdown_data_layer storage_manager
            """,
            "surf_data.screenshot.enums": """
                AuditAction AuditCategory AuditLevel AuthProvider CodeStack GenerationProvider
                GenerationStatus GenerationType ImageGenerationStatus ImageProvider ImageQuality ImageSize
                ImageStyle ProjectStatus ProjectType SessionStatus SessionType UserRole UserStatus
            """,
            "surf_data.screenshot.generated_code": "CodeSummary CodeUsage GeneratedCode",
            "surf_data.screenshot.generated_image": "GeneratedImage",
            "surf_data.screenshot.jobs": "Job",
            "surf_data.screenshot.layer": "DOMAIN ScreenshotDataLayer ScreenshotTransaction open",
            "surf_data.screenshot.project": "Project",
            "surf_data.screenshot.rows": "ProjectWithCode StorageUsage StoredObject",
            "surf_data.screenshot.session": "NewSession Session",
            "surf_data.screenshot.settings": "ScreenshotSettings",
            "surf_data.screenshot.storage": "OpenedObject StorageManager",
            "surf_data.screenshot.storage_cleanup": "Cleanup",
            "surf_data.screenshot.user": "User",
        },
    )

__all__ = [
    "DOMAIN",
    "AuditAction",
    "AuditCategory",
    "AuditLevel",
    "AuditLog",
    "AuthProvider",
    "CacheManager",
    "Cleanup",
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
    "OpenedObject",
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
    "StorageManager",
    "StorageUsage",
    "StoredObject",
    "User",
    "UserRole",
    "UserStatus",
    "Verification",
    "app_data_source",
    "cache_manager",
    "check_data_layer_health",
    "get_data_layer_stats",
    "initialize_data_layer",
    "open",
    "shutdown_data_layer",
    "storage_manager",
]
