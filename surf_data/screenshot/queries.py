"""The statements of the domain: ``sql/screenshot``.

Type checkers read ``queries.pyi`` instead, which ``surf-data stubs`` writes; so there is nothing else here.
"""

from functools import cache
from typing import Any

from surf_data.kernel.postgres import packaged_queries
from surf_data.kernel.sealing import Seal
from surf_data.screenshot.audit_log import AuditLog
from surf_data.screenshot.generated_code import CodeSummary, CodeUsage, GeneratedCode
from surf_data.screenshot.generated_image import GeneratedImage
from surf_data.screenshot.project import Project
from surf_data.screenshot.rows import ProjectWithCode, StorageUsage, StoredObject
from surf_data.screenshot.session import Session
from surf_data.screenshot.user import User

_USER = ("user_by_azure_id", "user_by_email", "user_by_github_id", "user_by_google_id", "user_by_id")
_OBJECT = ("object_by_id", "object_by_key", "object_by_path", "object_finish", "object_list")


@cache
def screenshot_queries() -> Any:
    """Return the query functions of ``sql/screenshot``."""
    return packaged_queries(
        "screenshot",
        rows={
            **dict.fromkeys((*_USER, "user_by_preference", "user_insert", "user_list", "user_update"), User),
            **dict.fromkeys(("project_by_id", "project_insert", "project_update"), Project),
            **dict.fromkeys(
                ("project_list", "project_list_by_settings", "project_list_by_tag", "project_search"), Project
            ),
            "project_list_with_code": ProjectWithCode,
            **dict.fromkeys(("code_by_id", "code_by_version", "code_claim", "code_insert"), GeneratedCode),
            **dict.fromkeys(("code_latest", "code_update"), GeneratedCode),
            "code_history": CodeSummary,
            "code_usage": CodeUsage,
            **dict.fromkeys(
                ("image_by_id", "image_claim", "image_insert", "image_list", "image_update"), GeneratedImage
            ),
            **dict.fromkeys(
                ("session_by_id", "session_by_session_id", "session_insert", "session_list_active"), Session
            ),
            **dict.fromkeys(("audit_by_correlation_id", "audit_history", "audit_search"), AuditLog),
            "audit_seal_list": Seal,
            **dict.fromkeys(_OBJECT, StoredObject),
            "object_usage": StorageUsage,
        },
    )
