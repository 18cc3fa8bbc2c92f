"""Settings: keywords over ``SURF_DATA_*`` variables over what libpq reads by itself (``PG*``, password files, ...).

No error repeats a value: a malformed one may be a password in the wrong place.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypedDict, cast

import attrs

from surf_data.errors import ConfigurationError
from surf_data.kernel.secret import Secret
from surf_data.kernel.validation import identifier

#: What every environment variable of this library begins with.
ENVIRONMENT_PREFIX = "SURF_DATA_"

_TRUE = frozenset({"1", "on", "true", "yes"})
_FALSE = frozenset({"0", "off", "false", "no"})


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    text = value.strip().lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise TypeError
    return int(value)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise TypeError
    return float(value)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.isprintable():
        raise TypeError
    return value


def _prefix(value: Any) -> str:
    return "" if value == "" else identifier("cache_prefix", value, marks="_-.:{}")


def _secret(value: Any) -> Secret:
    return value if isinstance(value, Secret) else Secret(_text(value))


def _choice(*choices: str) -> Callable[[Any], str]:
    def choose(value: Any) -> str:
        if value not in choices:
            raise ValueError
        return cast("str", value)

    return choose


def _field(
    default: Any,
    convert: Callable[[Any], Any],
    expected: str,
    low: float | None = None,
    high: float | None = None,
    *,
    libpq: str | None = None,
) -> Any:
    """Declare a setting: its converter, the range that the error message states, and libpq's variable for it."""
    limits = {"convert": convert, "expected": expected, "low": low, "high": high, "libpq": libpq}
    return attrs.field(default=default, metadata=limits)


@attrs.frozen(kw_only=True)
class Settings:
    """Everything that can be set. Build one with `load`; the attributes are final and checked."""

    #: ``postgresql://...``, a libpq connection string or ``embedded:[/folder]``; ``None`` leaves it to libpq (``PG*``).
    database_url: Secret | None = _field(None, _secret, "a PostgreSQL URL or 'embedded:'")
    #: ``redis://``, ``rediss://``, ``unix://``, or for several servers ``redis+sentinel://`` or ``redis+cluster://``;
    #: ``None`` means no cache, unless the database is embedded.
    redis_url: Secret | None = _field(None, _secret, "a Redis URL")
    #: Where a replica of the database is, for queries that are marked ``-- replica: ok``.
    replica_url: Secret | None = _field(None, _secret, "a PostgreSQL URL")
    #: Seconds that a replica may lag behind; while it is further behind, the primary is asked.
    replica_max_lag: float = _field(10.0, _number, "seconds from 0.1 to 86400", 0.1, 86_400)
    #: Fernet keys for API keys at rest, separated by commas, the newest first; without any, API keys are plain text.
    encryption_keys: Secret | None = _field(None, _secret, "Fernet keys, separated by commas")
    #: What the server's views and logs call this client.
    application_name: str = _field("surfboard_lamp_backend", _text, "printable text", libpq="PGAPPNAME")
    #: Connections kept open; not given, at most ``pool_max_size``.
    pool_min_size: int = _field(5, _integer, "a whole number from 0 to 1000", 0, 1000)
    #: Connections at the most.
    pool_max_size: int = _field(20, _integer, "a whole number from 1 to 1000", 1, 1000)
    #: Seconds a caller waits for a connection.
    pool_timeout: float = _field(5.0, _number, "seconds from 0.001 to 3600", 0.001, 3600)
    #: Seconds after which an unused connection above the minimum is closed.
    pool_max_idle: float = _field(300.0, _number, "seconds from 1 to 86400", 1, 86_400)
    #: Seconds a connection attempt may take; libpq counts whole seconds and treats 1 as 2.
    connect_timeout: int = _field(3, _integer, "whole seconds from 1 to 3600", 1, 3600, libpq="PGCONNECT_TIMEOUT")
    #: Seconds a statement may run; 0 means without limit.
    statement_timeout: float = _field(60.0, _number, "seconds from 0 to 86400", 0, 86_400)
    #: Seconds that a statement may take with all waiting and trying again, and within a transaction each answer of the
    #: server; 10 more than ``statement_timeout`` when not given; 0 means without limit.
    deadline: float = _field(70.0, _number, "seconds from 0 to 86400", 0, 86_400)
    #: Just-in-time compilation, which costs these short statements more than it gives.
    jit: bool = _field(False, _boolean, "true or false")
    #: ``auto`` prepares statements except behind a pooler that would mix them up.
    prepared_statements: Literal["auto", "on", "off"] = _field("auto", _choice("auto", "on", "off"), "auto, on or off")
    #: Milliseconds above which a statement is logged as slow.
    slow_query_ms: float = _field(1000.0, _number, "milliseconds from 0 to 86400000", 0, 86_400_000)
    #: A folder for entries of the activity log that the server cannot take now; without one they are lost.
    spool: str | None = _field(None, _text, "printable text")
    #: Bytes that the spool may take.
    spool_max_bytes: int = _field(16_777_216, _integer, "a whole number from 1024 to 1099511627776", 1024, 2**40)
    #: Entries of the activity log that may wait in memory to be written together, those under way included; it is what
    #: a process that is killed loses at the most. 0 writes each at once; 1000 is enough for all the speed there is.
    buffer: int = _field(0, _integer, "a whole number from 0 to 100000", 0, 100_000)
    #: Seconds after which what waits is written: long enough to write ten times a second and not for each entry, and
    #: short enough that who looks at the log does not notice.
    buffer_seconds: float = _field(0.1, _number, "seconds from 0.001 to 60", 0.001, 60)
    #: What every Redis key begins with.
    cache_prefix: str = _field("", _prefix, "at most 63 of the characters a to z, 0 to 9 and _ - . : { }")
    #: Seconds a Redis call, or a connection attempt to Redis, may take.
    cache_timeout: float = _field(0.1, _number, "seconds from 0.001 to 60", 0.001, 60)
    #: Connections to Redis at the most.
    cache_max_connections: int = _field(20, _integer, "a whole number from 1 to 1000", 1, 1000)
    #: Consecutive failures after which the cache is left alone.
    cache_breaker_failures: int = _field(3, _integer, "a whole number from 1 to 1000", 1, 1000)
    #: Seconds the cache is left alone before one call tries it again.
    cache_breaker_seconds: float = _field(1.0, _number, "seconds from 0.01 to 3600", 0.01, 3600)
    #: Bytes of JSON that a process may keep of what it read from Redis, to be answered without asking again; 0 keeps
    #: nothing. In memory it takes several times as much.
    near_cache_bytes: int = _field(0, _integer, "a whole number from 0 to 1099511627776", 0, 2**40)


class SettingsKeywords(TypedDict, total=False):
    """The settings beside the two URLs, as keywords of `surf_data.open`; `Settings` says what each is."""

    replica_url: str | Secret | None
    replica_max_lag: float | None
    encryption_keys: str | Secret | None
    application_name: str | None
    pool_min_size: int | None
    pool_max_size: int | None
    pool_timeout: float | None
    pool_max_idle: float | None
    connect_timeout: int | None
    statement_timeout: float | None
    deadline: float | None
    jit: bool | None
    prepared_statements: Literal["auto", "on", "off"] | None
    slow_query_ms: float | None
    spool: str | None
    spool_max_bytes: int | None
    buffer: int | None
    buffer_seconds: float | None
    cache_prefix: str | None
    cache_timeout: float | None
    cache_max_connections: int | None
    cache_breaker_failures: int | None
    cache_breaker_seconds: float | None
    near_cache_bytes: int | None


_FIELDS = attrs.fields_dict(Settings)


def load(environ: Mapping[str, str] | None = None, /, **keywords: Any) -> Settings:
    """Return the settings from keywords and the environment.

    Arguments:
        environ: the environment; the process's own when ``None``.
        keywords: attributes of `Settings`; ``None`` means not given.

    Raises:
        ConfigurationError: a keyword or a ``SURF_DATA_*`` variable is unknown or malformed. The error names it, not
            its value.
    """
    environ = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    for name, field in _FIELDS.items():
        # libpq does not look for what it is told, and it is always told these.
        if (libpq := field.metadata["libpq"]) and libpq in environ:
            values[name] = _converted(name, environ[libpq], libpq)
    for variable in sorted(name for name in environ if name.startswith(ENVIRONMENT_PREFIX)):
        name = variable.removeprefix(ENVIRONMENT_PREFIX).lower()
        if name not in _FIELDS or variable != ENVIRONMENT_PREFIX + name.upper():
            raise ConfigurationError(f"unknown environment variable {variable}", setting=variable)
        values[name] = _converted(name, environ[variable], variable)
    for name, value in keywords.items():
        if name not in _FIELDS:
            raise ConfigurationError(f"unknown setting {name}", setting=name)
        if value is not None:
            values[name] = _converted(name, value, name)
    if "pool_max_size" in values:
        # Whoever wants a small pool need not say so twice.
        values.setdefault("pool_min_size", min(values["pool_max_size"], _FIELDS["pool_min_size"].default))
    if "statement_timeout" in values:
        # The server should be the one to end a statement that runs for too long: it says so, and the connection lives.
        values.setdefault("deadline", values["statement_timeout"] and min(values["statement_timeout"] + 10, 86_400.0))
    settings = Settings(**values)
    if settings.pool_min_size > settings.pool_max_size:
        raise ConfigurationError("pool_min_size must not be larger than pool_max_size", setting="pool_min_size")
    return settings


def _converted(name: str, value: Any, label: str) -> Any:
    rule = _FIELDS[name].metadata
    problem = ConfigurationError(f"{label} must be {rule['expected']}", setting=label)
    try:
        converted = rule["convert"](value)
        if rule["low"] is None or rule["low"] <= converted <= rule["high"]:
            return converted
    except (AttributeError, OverflowError, TypeError, ValueError):
        pass
    # Raised outside the handler: the converter's own error holds the value.
    raise problem
