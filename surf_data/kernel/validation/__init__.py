"""Checks of what callers hand in, before anything is sent. Every refusal is a ValidationError that names the field.

The limits are what PostgreSQL, Redis and JSON can store and give back unchanged; where one of them would truncate,
round or shift a value silently, the value is refused here.
"""

from surf_data.kernel.validation.documents import (
    MAX_JSON_BYTES,
    MAX_JSON_DEPTH,
    MAX_JSONB_FLOAT,
    json_text,
    json_value,
    jsonb_object,
    jsonb_text,
)
from surf_data.kernel.validation.scalars import (
    INT4_MAX,
    INT8_MAX,
    MAX_IDENTIFIER,
    aware_datetime,
    boolean,
    check_keys,
    function,
    identifier,
    integer,
    invalid,
    ip_address,
    mapping,
    nested,
    number,
    path,
    text,
    unicode,
    uuid,
)

__all__ = [
    "INT4_MAX",
    "INT8_MAX",
    "MAX_IDENTIFIER",
    "MAX_JSONB_FLOAT",
    "MAX_JSON_BYTES",
    "MAX_JSON_DEPTH",
    "aware_datetime",
    "boolean",
    "check_keys",
    "function",
    "identifier",
    "integer",
    "invalid",
    "ip_address",
    "json_text",
    "json_value",
    "jsonb_object",
    "jsonb_text",
    "mapping",
    "nested",
    "number",
    "path",
    "text",
    "unicode",
    "uuid",
]
