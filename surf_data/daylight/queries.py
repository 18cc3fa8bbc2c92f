"""The statements of the domain: ``sql/daylight``.

Type checkers read ``queries.pyi`` instead, which ``surf-data stubs`` writes; so there is nothing else here.
"""

from functools import cache
from typing import Any

from surf_data.daylight import operation_records, records
from surf_data.kernel.postgres import packaged_queries
from surf_data.kernel.sealing import Seal


@cache
def daylight_queries() -> Any:
    """Return the query functions of ``sql/daylight``."""
    return packaged_queries(
        "daylight",
        rows={
            "alert_history_list": operation_records.SentAlert,
            "alert_rule_list": operation_records.AlertRule,
            "archive_by_relation": operation_records.Archive,
            "archive_list": operation_records.Archive,
            "api_key_insert": records.ApiKey,
            "api_key_list": records.ApiKey,
            "api_key_rotate": records.ApiKey,
            "api_key_update": records.ApiKey,
            "api_key_validate": records.ApiKeyFound,
            "api_usage_series": records.ApiUsage,
            "audit_list": operation_records.AuditEntry,
            "audit_seal_list": Seal,
            "error_groups": operation_records.ErrorGroup,
            "error_insert": operation_records.ErrorLog,
            "error_list": operation_records.ErrorLog,
            "history_by_id": records.HistoryEntry,
            "history_days": records.HistoryDay,
            "history_insert": records.HistoryEntry,
            "history_latest": records.HistoryEntry,
            "history_range": records.HistoryEntry,
            "hold_insert": operation_records.LegalHold,
            "hold_list": operation_records.LegalHold,
            "location_insert": records.SavedLocation,
            "location_list": records.SavedLocation,
            "location_near": records.SavedLocation,
            "location_update": records.SavedLocation,
            "permission_insert": records.Permission,
            "permission_list": records.Permission,
            "plan_by_id": records.Plan,
            "plan_insert": records.Plan,
            "plan_list": records.Plan,
            "plan_update": records.Plan,
            "policy_list": operation_records.RetentionPolicy,
            "policy_update": operation_records.RetentionPolicy,
            "profile_by_user": records.UserProfile,
            "profile_insert": records.UserProfile,
            "profile_update": records.UserProfile,
            "rate_limit_list": operation_records.RateLimit,
            "rate_limit_upsert": operation_records.RateLimit,
            "role_by_id": records.Role,
            "role_of_user": records.Assignment,
            "session_get": records.UserSession,
            "usage_daily": records.UsageCount,
            "usage_insert": records.UsageEvent,
            "usage_of_user": records.UsageEvent,
            "user_by_email": records.User,
            "user_by_id": records.User,
            "user_insert": records.User,
            "user_update": records.User,
        },
    )
