"""Errors of the day planner's own, under the library's base class."""

from collections.abc import Mapping
from typing import Any

from surf_data.errors import MigrationError, SurfDataError


class ApiGatewayError(SurfDataError):
    """The API cannot answer."""

    def __init__(
        self,
        message: str | None = None,
        status_code: int = 500,
        code: str = "INTERNAL_ERROR",
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        #: The HTTP status.
        self.status_code = status_code
        #: What programs tell it by.
        self.code = code
        #: Facts for the caller; no secrets.
        self.details: dict[str, Any] = dict(details or {})


class RateLimitExceededError(ApiGatewayError):
    """The rate limit is exceeded."""

    def __init__(self, message: str | None = None, *, retry_after: float = 0.0) -> None:
        super().__init__(message, 429, "RATE_LIMIT_EXCEEDED", {"retryAfter": retry_after})
        #: Seconds until it is worth another try.
        self.retry_after = retry_after


class InvalidApiKeyError(ApiGatewayError):
    """The API key is not valid."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message, 401, "INVALID_API_KEY")


class InsufficientPermissionsError(ApiGatewayError):
    """The permissions do not suffice."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message, 403, "INSUFFICIENT_PERMISSIONS")


class LegalHoldError(SurfDataError):
    """Rows are under a legal hold, and must not be deleted."""


class VerificationFailed(MigrationError):
    """What was imported is not what the source has."""
