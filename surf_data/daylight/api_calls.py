"""Calls of the API, as a caller reports them: checked, and as the arrays of one statement."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from surf_data.daylight import checks
from surf_data.errors import ValidationError
from surf_data.kernel import validation

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
_MAX_RECORDS = 10_000
_CALL: dict[str, Callable[[str, object], Any]] = {
    "id": checks.identifier,
    "api_key_id": checks.identifier,
    "user_id": checks.identifier,
    "endpoint": checks.text(500),
    "method": lambda field, value: checks.choice(field, value, METHODS),
    "status_code": lambda field, value: validation.integer(field, value, minimum=100, maximum=599),
    "response_time": lambda field, value: float(validation.number(field, value)),
    "request_size": lambda field, value: validation.integer(field, value, minimum=0, maximum=validation.INT8_MAX),
    "response_size": lambda field, value: validation.integer(field, value, minimum=0, maximum=validation.INT8_MAX),
    "rate_limit_hit": checks.flag,
    "ip_address": checks.optional(validation.ip_address),
    "user_agent": checks.optional(checks.text(1000, minimum=0)),
    "error_code": checks.optional(checks.text(100)),
    "occurred_at": checks.moment,
}
_ARRAYS = {
    "ids": "id",
    "key_ids": "api_key_id",
    "user_ids": "user_id",
    "endpoints": "endpoint",
    "methods": "method",
    "status_codes": "status_code",
    "times_ms": "response_time",
    "request_sizes": "request_size",
    "response_sizes": "response_size",
    "limited": "rate_limit_hit",
    "ip_addresses": "ip_address",
    "user_agents": "user_agent",
    "error_codes": "error_code",
    "moments": "occurred_at",
}
_REQUIRED = ("api_key_id", "user_id", "endpoint", "method", "status_code", "response_time")


def arrays(calls: object) -> dict[str, list[Any]]:
    """Return the arguments of ``api_usage_record``: an array of each column, with an item for each call.

    Raises:
        ValidationError: a call is refused; ``field`` says which: ``calls[3].method``.
    """
    rows = _rows(calls)
    return {array: [row[name] for row in rows] for array, name in _ARRAYS.items()}


def _rows(calls: object) -> list[dict[str, Any]]:
    now = datetime.now(UTC)
    defaults: dict[str, Any] = {**dict.fromkeys(_CALL), "request_size": 0, "response_size": 0, "rate_limit_hit": False}
    rows: list[dict[str, Any]] = []
    for number, call in enumerate(validation.items("calls", calls, of="mappings")):
        if number == _MAX_RECORDS:
            raise validation.invalid("calls", f"must have at most {_MAX_RECORDS:,} items")
        try:
            checked = checks.record("call", call, _CALL)
            checks.require("call", checked, _REQUIRED)
            rows.append({**defaults, "id": checks.new_id("call"), "occurred_at": now, **checked})
            continue
        except ValidationError as error:
            problem = validation.nested(f"calls[{number}].", error)
        # Raised outside the handler, so that nothing is chained to it.
        raise problem
    return rows
