"""Settings of the domain: the kernel's, and the variables ``PGSQL_*`` and ``REDIS_*`` that its callers set."""

import ipaddress
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import attrs
from psycopg import conninfo

from surf_data import data_layer
from surf_data.data_layer import DataLayer
from surf_data.domain import Domain
from surf_data.errors import ConfigurationError
from surf_data.kernel.secret import Secret
from surf_data.kernel.settings import Settings, SettingsKeywords, choice, integer, number, secret, setting, text

_PORT = "a port from 1 to 65535"
_CREDENTIALS = ("host", "port", "dbname", "username", "password")


@attrs.frozen(kw_only=True)
class MiningSettings(Settings):
    """Everything that can be set. ``database_url`` and ``redis_url`` count before their parts."""

    #: Seconds a connection attempt may take.
    connect_timeout: int = setting(
        15, integer, "whole seconds from 1 to 3600", 1, 3600, variables=("PGSQL_CONNECT_TIMEOUT", "PGCONNECT_TIMEOUT")
    )
    #: Seconds a Redis call, or a connection attempt to Redis, may take.
    cache_timeout: float = setting(
        5.0, number, "seconds from 0.001 to 60", 0.001, 60, variables=("REDIS_SOCKET_TIMEOUT",)
    )
    #: Where PostgreSQL is.
    pgsql_host: str | None = setting(None, text, "printable text", variables=("PGSQL_HOST",))
    #: Its port.
    pgsql_port: int = setting(5432, integer, _PORT, 1, 65_535, variables=("PGSQL_PORT",))
    #: The database.
    pgsql_database: str | None = setting(None, text, "printable text", variables=("PGSQL_DATABASE",))
    #: The role.
    pgsql_username: str | None = setting(None, text, "printable text", variables=("PGSQL_USERNAME",))
    #: Its password.
    pgsql_password: Secret | None = setting(None, secret, "printable text", variables=("PGSQL_PASSWORD",))
    #: Where Redis is.
    redis_host: str | None = setting(None, text, "printable text", variables=("REDIS_HOST",))
    #: Its port.
    redis_port: int = setting(6379, integer, _PORT, 1, 65_535, variables=("REDIS_PORT",))
    #: The number of its database.
    redis_db: int = setting(0, integer, "a whole number from 0 to 1000000", 0, 1_000_000, variables=("REDIS_DB",))
    #: The user; Redis's default user when not given.
    redis_username: str | None = setting(None, text, "printable text", variables=("REDIS_USERNAME",))
    #: Its password.
    redis_password: Secret | None = setting(None, secret, "printable text", variables=("REDIS_PASSWORD",))
    #: ``auto`` encrypts what leaves this machine.
    redis_ssl: str = setting("auto", choice("auto", "true", "false"), "auto, true or false", variables=("REDIS_SSL",))
    #: Seconds that a call of `RedisSourceDAO` may take with all waiting and trying again.
    redis_total_timeout: float = setting(
        10.0, number, "seconds from 0.001 to 3600", 0.001, 3600, variables=("REDIS_TOTAL_TIMEOUT",)
    )
    #: ``guarded`` runs custom queries read-only, as a role that may only read the views of ``dx``; ``off`` refuses all
    #: but named queries.
    custom_queries: str = setting("guarded", choice("guarded", "off"), "guarded or off")


class MiningKeywords(SettingsKeywords, total=False):
    """The settings beside the two URLs, as keywords of `surf_data.mining.open`."""

    pgsql_host: str | None
    pgsql_port: int | None
    pgsql_database: str | None
    pgsql_username: str | None
    pgsql_password: str | Secret | None
    redis_host: str | None
    redis_port: int | None
    redis_db: int | None
    redis_username: str | None
    redis_password: str | Secret | None
    redis_ssl: str | None
    redis_total_timeout: float | None
    custom_queries: str | None


def load_settings(
    domain: Domain,
    on: DataLayer[Any] | None = None,
    *,
    postgresql: Callable[[], Mapping[str, Any]] | None = None,
    redis: Callable[[], Mapping[str, Any]] | None = None,
    **keywords: Any,
) -> MiningSettings:
    """Return the settings, with both URLs put together where only their parts were given.

    Arguments:
        domain: whose they are.
        on: another data layer, whose connections are to be used.
        postgresql: returns what a secret store keeps for PostgreSQL: ``host``, ``port``, ``dbname``, ``username`` and
            ``password``, none of them required.
        redis: the same for Redis; ``dbname`` is the number of the database.
        keywords: attributes of `MiningSettings`; ``None`` means not given.

    Raises:
        ConfigurationError: a setting is unknown or malformed; the error names it, not its value.
    """
    parts = {
        **_stored("pgsql", postgresql, {"dbname": "pgsql_database"}),
        **_stored("redis", redis, {"dbname": "redis_db"}),
    }
    settings = data_layer.load_settings(MiningSettings, domain, on, **{**parts, **keywords})
    if on is not None:
        return settings
    return attrs.evolve(
        settings,
        database_url=settings.database_url or _database_url(settings),
        redis_url=settings.redis_url or _redis_url(settings),
    )


def _stored(
    server: str, credentials: Callable[[], Mapping[str, Any]] | None, names: Mapping[str, str]
) -> dict[str, Any]:
    """Return the settings that a secret store has."""
    if credentials is None:
        return {}
    stored = credentials()
    if not isinstance(stored, Mapping):
        raise ConfigurationError(f"the credentials for {server} must be a mapping", setting=server)
    return {names.get(name, f"{server}_{name}"): stored[name] for name in _CREDENTIALS if name in stored}


def _database_url(settings: MiningSettings) -> Secret | None:
    if not (settings.pgsql_host or settings.pgsql_database):
        # libpq's own variables say where it is.
        return None
    password = settings.pgsql_password
    parts: dict[str, Any] = {
        "host": settings.pgsql_host,
        "port": settings.pgsql_port,
        "dbname": settings.pgsql_database,
        "user": settings.pgsql_username,
        "password": password and password.reveal(),
    }
    return Secret(conninfo.make_conninfo("", **parts))


def _redis_url(settings: MiningSettings) -> Secret | None:
    host = settings.redis_host
    if not host:
        return None
    password = settings.redis_password
    account = (
        ""
        if password is None
        else f"{quote(settings.redis_username or '', safe='')}:{quote(password.reveal(), safe='')}@"
    )
    encrypted = settings.redis_ssl == "true" or (settings.redis_ssl == "auto" and not _is_local(host))
    place = f"[{host}]" if ":" in host else quote(host, safe="")
    scheme = "rediss" if encrypted else "redis"
    return Secret(f"{scheme}://{account}{place}:{settings.redis_port}/{settings.redis_db}")


def _is_local(host: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"
