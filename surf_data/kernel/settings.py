"""Settings: keywords over ``SURF_DATA_*`` variables over what libpq reads by itself (``PG*``, password files, ...).

No error repeats a value: a malformed one may be a password in the wrong place.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypedDict, TypeVar, cast

import attrs

from surf_data import domain
from surf_data.errors import ConfigurationError
from surf_data.kernel.secret import Secret
from surf_data.kernel.validation import identifier

S = TypeVar("S", bound="Settings")

#: What every environment variable of this library begins with.
ENVIRONMENT_PREFIX = "SURF_DATA_"

_TRUE = frozenset({"1", "on", "true", "yes"})
_FALSE = frozenset({"0", "off", "false", "no"})


def boolean(value: Any) -> bool:
    """Return a boolean, also from the words true, yes, on, 1, false, no, off and 0."""
    if isinstance(value, bool):
        return value
    text = value.strip().lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError


def integer(value: Any) -> int:
    """Return a whole number, also from its digits."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise TypeError
    return int(value)


def number(value: Any) -> float:
    """Return a number, also from its digits."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise TypeError
    return float(value)


def text(value: Any) -> str:
    """Return printable text."""
    if not isinstance(value, str) or not value.isprintable():
        raise TypeError
    return value


def _prefix(value: Any) -> str:
    return "" if value == "" else identifier("cache_prefix", value, marks="_-.:{}")


def secret(value: Any) -> Secret:
    """Return a `Secret`, also from its text."""
    return value if isinstance(value, Secret) else Secret(text(value))


def choice(*choices: str) -> Callable[[Any], str]:
    """Return a converter that accepts these texts alone."""

    def choose(value: Any) -> str:
        if value not in choices:
            raise ValueError
        return cast("str", value)

    return choose


def setting(
    default: Any,
    convert: Callable[[Any], Any],
    expected: str,
    low: float | None = None,
    high: float | None = None,
    *,
    variables: tuple[str, ...] = (),
) -> Any:
    """Declare a setting: an attribute of `Settings`, or of a class that extends it.

    Arguments:
        default: its value when it is not given.
        convert: makes a value of what was given, text from the environment included; one of this module's functions,
            or one that raises ``TypeError`` or ``ValueError``.
        expected: what the error message says that it must be.
        low: the least that is accepted.
        high: the most that is accepted.
        variables: environment variables of others that count when ``SURF_DATA_<NAME>`` is not set, the first one first.
    """
    limits = {"convert": convert, "expected": expected, "low": low, "high": high, "variables": variables}
    return attrs.field(default=default, metadata=limits)


@attrs.frozen(kw_only=True)
class Settings:
    """Everything that can be set. Build one with `load`; the attributes are final and checked."""

    #: ``postgresql://...``, a libpq connection string or ``embedded:[/folder]``; ``None`` leaves it to libpq (``PG*``).
    database_url: Secret | None = setting(None, secret, "a PostgreSQL URL or 'embedded:'")
    #: ``redis://``, ``rediss://``, ``unix://``, or for several servers ``redis+sentinel://`` or ``redis+cluster://``;
    #: ``None`` means no cache, unless the database is embedded.
    redis_url: Secret | None = setting(None, secret, "a Redis URL")
    #: Where a replica of the database is, for queries that are marked ``-- replica: ok``.
    replica_url: Secret | None = setting(None, secret, "a PostgreSQL URL")
    #: Seconds that a replica may lag behind; while it is further behind, the primary is asked.
    replica_max_lag: float = setting(10.0, number, "seconds from 0.1 to 86400", 0.1, 86_400)
    #: Fernet keys for API keys at rest, separated by commas, the newest first; without any, API keys are plain text.
    encryption_keys: Secret | None = setting(None, secret, "Fernet keys, separated by commas")
    #: What the server's views and logs call this client.
    application_name: str = setting("surf_data", text, "printable text", variables=("PGAPPNAME",))
    #: Connections kept open; not given, at most ``pool_max_size``.
    pool_min_size: int = setting(5, integer, "a whole number from 0 to 1000", 0, 1000)
    #: Connections at the most.
    pool_max_size: int = setting(20, integer, "a whole number from 1 to 1000", 1, 1000)
    #: Seconds a caller waits for a connection.
    pool_timeout: float = setting(5.0, number, "seconds from 0.001 to 3600", 0.001, 3600)
    #: Seconds after which an unused connection above the minimum is closed.
    pool_max_idle: float = setting(300.0, number, "seconds from 1 to 86400", 1, 86_400)
    #: Seconds after which a connection is replaced when it comes back, 5 per cent less at random, so that not all go at
    #: once: what a session has learnt and cached by then, it gives up, and new servers behind a proxy get their share.
    pool_max_lifetime: float = setting(3600.0, number, "seconds from 1 to 604800", 1, 604_800)
    #: Seconds a connection attempt may take; libpq counts whole seconds and treats 1 as 2.
    connect_timeout: int = setting(
        3, integer, "whole seconds from 1 to 3600", 1, 3600, variables=("PGCONNECT_TIMEOUT",)
    )
    #: Seconds a statement may run; 0 means without limit.
    statement_timeout: float = setting(60.0, number, "seconds from 0 to 86400", 0, 86_400)
    #: Seconds that a statement may take with all waiting and trying again, and within a transaction each answer of the
    #: server; 10 more than ``statement_timeout`` when not given; 0 means without limit.
    deadline: float = setting(70.0, number, "seconds from 0 to 86400", 0, 86_400)
    #: Just-in-time compilation, which costs these short statements more than it gives.
    jit: bool = setting(False, boolean, "true or false")
    #: ``auto`` prepares statements except behind a pooler that would mix them up.
    prepared_statements: Literal["auto", "on", "off"] = setting("auto", choice("auto", "on", "off"), "auto, on or off")
    #: Milliseconds above which a statement is logged as slow.
    slow_query_ms: float = setting(1000.0, number, "milliseconds from 0 to 86400000", 0, 86_400_000)
    #: Whether a statement that is run within a sampled span of OpenTelemetry ends with a comment that names the span,
    #: as W3C Trace Context does; it is then sent unprepared.
    trace_context: bool = setting(False, boolean, "true or false")
    #: A folder for journal entries that the server cannot accept now, a file for each table; without one they are lost.
    journal_spool: str | None = setting(None, text, "printable text", variables=("SURF_DATA_SPOOL",))
    #: Bytes that the spool of one table may take.
    journal_spool_max_bytes: int = setting(
        16_777_216,
        integer,
        "a whole number from 1024 to 1099511627776",
        1024,
        2**40,
        variables=("SURF_DATA_SPOOL_MAX_BYTES",),
    )
    #: Entries of one journal that may wait in memory to be written together, those under way included; it is what a
    #: process that is killed loses at the most. 0 writes each at once; 1000 is enough for all the speed there is.
    journal_buffer: int = setting(
        0, integer, "a whole number from 0 to 100000", 0, 100_000, variables=("SURF_DATA_BUFFER",)
    )
    #: Seconds after which what waits is written: long enough to write ten times a second and not for each entry, and
    #: short enough that a reader of the table does not notice.
    journal_buffer_seconds: float = setting(
        0.1, number, "seconds from 0.001 to 60", 0.001, 60, variables=("SURF_DATA_BUFFER_SECONDS",)
    )
    #: What every Redis key begins with.
    cache_prefix: str = setting("", _prefix, "at most 63 of the characters a to z, 0 to 9 and _ - . : { }")
    #: Seconds a Redis call, or a connection attempt to Redis, may take.
    cache_timeout: float = setting(0.1, number, "seconds from 0.001 to 60", 0.001, 60)
    #: Connections to Redis at the most.
    cache_max_connections: int = setting(20, integer, "a whole number from 1 to 1000", 1, 1000)
    #: Consecutive failures after which the cache is left alone.
    cache_breaker_failures: int = setting(3, integer, "a whole number from 1 to 1000", 1, 1000)
    #: Seconds the cache is left alone before one call tries it again.
    cache_breaker_seconds: float = setting(1.0, number, "seconds from 0.01 to 3600", 0.01, 3600)
    #: Bytes of JSON that a process may keep of what it read from Redis, to be answered without asking again; 0 keeps
    #: nothing. In memory it takes several times as much.
    near_cache_bytes: int = setting(0, integer, "a whole number from 0 to 1099511627776", 0, 2**40)


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
    pool_max_lifetime: float | None
    connect_timeout: int | None
    statement_timeout: float | None
    deadline: float | None
    jit: bool | None
    prepared_statements: Literal["auto", "on", "off"] | None
    slow_query_ms: float | None
    trace_context: bool | None
    journal_spool: str | None
    journal_spool_max_bytes: int | None
    journal_buffer: int | None
    journal_buffer_seconds: float | None
    cache_prefix: str | None
    cache_timeout: float | None
    cache_max_connections: int | None
    cache_breaker_failures: int | None
    cache_breaker_seconds: float | None
    near_cache_bytes: int | None


_KERNEL = frozenset(attrs.fields_dict(Settings))
# Which domain the command line is about is no setting of a data layer.
_RESERVED = frozenset({f"{ENVIRONMENT_PREFIX}DOMAIN"})


@attrs.frozen(kw_only=True)
class Source:
    """Where settings of a domain come from beside keywords and ``SURF_DATA_*``."""

    #: The name of the domain, for ``SURF_DATA_<NAME>_*``, which its own settings and the kernel's are called there; no
    #: name for the kernel's settings alone.
    name: str = ""
    #: What counts when nothing else is given.
    defaults: Mapping[str, Any] = attrs.field(factory=dict)
    #: Environment variables of others, by the name of the setting.
    variables: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)


def load(environ: Mapping[str, str] | None = None, /, **keywords: Any) -> Settings:
    """Return the kernel's settings from keywords and the environment.

    Arguments:
        environ: the environment; the process's own when ``None``.
        keywords: attributes of `Settings`; ``None`` means not given.

    Raises:
        ConfigurationError: a keyword or a ``SURF_DATA_*`` variable is unknown or malformed. The error names it, not
            its value.
    """
    return load_as(Settings, Source(), environ, **keywords)


def load_as(kind: type[S], source: Source, environ: Mapping[str, str] | None = None, /, **keywords: Any) -> S:
    """Return the settings of a domain from keywords and the environment.

    ``SURF_DATA_<DOMAIN>_<SETTING>`` counts for this domain alone and before ``SURF_DATA_<SETTING>``, which is for the
    kernel's settings and for all domains.

    Arguments:
        kind: their class, which is `Settings` or extends it.
        source: where they come from beside keywords and ``SURF_DATA_*``.
        environ: the environment; the process's own when ``None``.
        keywords: attributes of ``kind``; ``None`` means not given.

    Raises:
        ConfigurationError: a keyword or a ``SURF_DATA_*`` variable is unknown or malformed. The error names it, not
            its value.
    """
    environ = os.environ if environ is None else environ
    fields = attrs.fields_dict(kind)
    values: dict[str, Any] = {}
    for name, field in fields.items():
        variables = (*field.metadata["variables"], *source.variables.get(name, ()))
        if given := next((variable for variable in variables if variable in environ), None):
            values[name] = _converted(field, environ[given], given)
    for variable, name in sorted(_variables(fields, source, environ).items(), key=lambda each: len(each[0])):
        # The longer ones are the domain's own, and win.
        values[name] = _converted(fields[name], environ[variable], variable)
    for name, value in keywords.items():
        if name not in fields:
            raise ConfigurationError(f"unknown setting {name}", setting=name)
        if value is not None:
            values[name] = _converted(fields[name], value, name)
    values = {**source.defaults, **values}
    if "pool_max_size" in values:
        # A small pool need not be asked for twice.
        values.setdefault("pool_min_size", min(values["pool_max_size"], fields["pool_min_size"].default))
    if "statement_timeout" in values:
        # The server should be the one to cancel a statement that runs for too long: then the connection survives.
        values.setdefault("deadline", values["statement_timeout"] and min(values["statement_timeout"] + 10, 86_400.0))
    settings = kind(**values)
    if settings.pool_min_size > settings.pool_max_size:
        raise ConfigurationError("pool_min_size must not be larger than pool_max_size", setting="pool_min_size")
    return settings


def shared(settings: S, other: Settings) -> S:
    """Return ``settings`` with the kernel's part of ``other``, whose connections they are used with."""
    return attrs.evolve(settings, **{name: getattr(other, name) for name in _KERNEL})


def _variables(fields: Mapping[str, Any], source: Source, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the settings that ``SURF_DATA_*`` variables give, by variable."""
    aliases = {alias for field in fields.values() for alias in field.metadata["variables"]}
    aliases |= {alias for each in source.variables.values() for alias in each} | _RESERVED
    own = f"{ENVIRONMENT_PREFIX}{source.name.upper()}_"
    found: dict[str, str] = {}
    for variable in environ:
        if not variable.startswith(ENVIRONMENT_PREFIX) or variable in aliases:
            continue
        name = variable.removeprefix(ENVIRONMENT_PREFIX)
        special = variable.removeprefix(own)
        if source.name and special != variable and special.isupper() and special.lower() in fields:
            found[variable] = special.lower()
        elif name == name.upper() and name.lower() in _KERNEL:
            found[variable] = name.lower()
        elif not _is_of_another(name, source.name):
            raise ConfigurationError(f"unknown environment variable {variable}", setting=variable)
    return found


def _is_of_another(name: str, this: str) -> bool:
    return any(name.startswith(f"{other.upper()}_") for other in domain.names() if other != this)


def _converted(field: "attrs.Attribute[Any]", value: Any, label: str) -> Any:
    rule = field.metadata
    problem = ConfigurationError(f"{label} must be {rule['expected']}", setting=label)
    try:
        converted = rule["convert"](value)
        if rule["low"] is None or rule["low"] <= converted <= rule["high"]:
            return converted
    except (AttributeError, OverflowError, TypeError, ValueError):
        pass
    # Raised outside the handler: the converter's own error holds the value.
    raise problem
