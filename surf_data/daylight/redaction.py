"""Keeps secrets out of what is recorded: values under keys that name one are masked."""

from collections.abc import Mapping
from typing import Any

#: What a key contains, without case and separators, whose value is masked.
SECRET_WORDS = (
    "password",
    "passwd",
    "secret",
    "token",
    "apikey",
    "authorization",
    "cookie",
    "credential",
    "privatekey",
    "cardnumber",
    "cvv",
    "ssn",
)
MASK = "***"


def redacted(value: Any) -> Any:
    """Return JSON with values masked whose key names a secret, at any depth.

    Arguments:
        value: mappings, lists and scalars; it is not changed.
    """
    if isinstance(value, Mapping):
        return {key: MASK if _names_a_secret(key) else redacted(member) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [redacted(member) for member in value]
    return value


def _names_a_secret(key: object) -> bool:
    plain = str(key).lower().replace("_", "").replace("-", "")
    return any(word in plain for word in SECRET_WORDS)
