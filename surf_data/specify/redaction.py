"""Secrets that give themselves away by their names are replaced before anything is stored."""

import re
from collections.abc import Mapping
from typing import Any

#: What stands in the place of a secret.
MASK = "***"

_NAMES = (
    r"pass(?:word|wd|phrase)?|pwd|secret|token|api[-_]?key|apikey|authorization|auth|credentials?|private[-_]?key"
    r"|cookie"
)
# A part of a name, such as GITHUB_TOKEN or x-api-key; but no "author" and no "tokenizer".
_NAME = re.compile(rf"(?:^|[-_. ])(?:{_NAMES})(?:$|[-_. ])", re.IGNORECASE)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_OPTION = re.compile(
    rf"""
    (?P<name> (?:^|(?<=\s)) (?:--?|/)? [\w.-]* (?:{_NAMES}) [\w.-]* )
    (?P<sign> \s*[=:]\s* | \s+ (?=[^-\s]) )
    (?P<value> "[^"]*" | '[^']*' | \S+ )
    """,
    re.IGNORECASE | re.VERBOSE,
)
_BEARER = re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{8,}", re.IGNORECASE)
_URL = re.compile(r"(?P<scheme>\w+://)[^/\s@:]*:[^/\s@]+@")


def is_secret(name: str) -> bool:
    """Return whether a value of this name is to be kept secret."""
    return _NAME.search(_CAMEL.sub("_", name)) is not None


def redacted(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document in which the values of secret names are replaced, at any depth."""
    return {
        name: MASK if is_secret(name) and not isinstance(value, (bool, type(None))) else _redacted_value(value)
        for name, value in document.items()
    }


def _redacted_value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return redacted(value)
    if isinstance(value, (list, tuple)):
        return [_redacted_value(each) for each in value]
    return redacted_text(value) if isinstance(value, str) else value


def redacted_text(text: str) -> str:
    """Return a command line in which the values of secret options, and passwords in URLs, are replaced."""
    text = _URL.sub(rf"\g<scheme>{MASK}@", text)
    text = _BEARER.sub(rf"\1 {MASK}", text)
    return _OPTION.sub(_masked, text)


def _masked(found: re.Match[str]) -> str:
    # Only an option takes its value as the next word; "token" alone may be an ordinary word.
    name, sign = found["name"], found["sign"]
    if sign.isspace() and not name.startswith("-"):
        return found[0]
    return f"{name}{sign}{MASK}" if is_secret(name.lstrip("-/")) else found[0]
