"""Settings of the mining domain: from the variables that its callers set."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from surf_data import ConfigurationError, SurfDataError, mining
from surf_data.mining import MiningSettings, connections, postgresql_config, redis_config
from surf_data.mining.named_query import loader_type

Refused = Callable[..., SurfDataError]

PASSWORD = "tube ride/8211'"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the variables of the requirement."""
    for name, value in {
        "PGSQL_HOST": "localhost",
        "PGSQL_PORT": "5433",
        "PGSQL_DATABASE": "mining_db",
        "PGSQL_USERNAME": "app_user",
        "PGSQL_PASSWORD": PASSWORD,
        "REDIS_HOST": "localhost",
        "REDIS_PORT": "6380",
        "REDIS_USERNAME": "redis_user",
        "REDIS_PASSWORD": PASSWORD,
    }.items():
        monkeypatch.setenv(name, value)


def database(settings: MiningSettings) -> dict[str, Any]:
    """Return the parts of the database's URL."""
    assert settings.database_url is not None
    return psycopg.conninfo.conninfo_to_dict(settings.database_url.reveal())


def redis_url(settings: MiningSettings) -> str:
    """Return the URL of Redis."""
    assert settings.redis_url is not None
    return settings.redis_url.reveal()


def test_variables() -> None:
    """The variables of the requirement say where both servers are."""
    settings = postgresql_config.settings()
    assert database(settings) == {
        "host": "localhost",
        "port": "5433",
        "dbname": "mining_db",
        "user": "app_user",
        "password": PASSWORD,
    }
    assert redis_url(redis_config.settings()) == "redis://redis_user:tube%20ride%2F8211%27@localhost:6380/0"
    assert PASSWORD not in repr(settings)


def test_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    """Timeouts have the defaults of the requirement, and its variables change them."""
    settings = postgresql_config.settings()
    assert (settings.connect_timeout, settings.cache_timeout, settings.redis_total_timeout) == (15, 5.0, 10.0)
    monkeypatch.setenv("PGSQL_CONNECT_TIMEOUT", "30")
    monkeypatch.setenv("REDIS_SOCKET_TIMEOUT", "10")
    monkeypatch.setenv("REDIS_TOTAL_TIMEOUT", "20")
    settings = redis_config.settings()
    assert (settings.connect_timeout, settings.cache_timeout, settings.redis_total_timeout) == (30, 10.0, 20.0)


def test_precedence(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library's own variables count before them, and URLs before their parts."""
    monkeypatch.setenv("SURF_DATA_MINING_PGSQL_HOST", "elsewhere")
    assert database(postgresql_config.settings())["host"] == "elsewhere"
    monkeypatch.setenv("SURF_DATA_DATABASE_URL", "dbname=other")
    monkeypatch.setenv("SURF_DATA_REDIS_URL", "redis://other")
    settings = postgresql_config.settings()
    assert (database(settings), redis_url(settings)) == ({"dbname": "other"}, "redis://other")


def test_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any of them, libpq's own variables say where PostgreSQL is, and there is no Redis."""
    for name in ("PGSQL_HOST", "PGSQL_DATABASE", "REDIS_HOST"):
        monkeypatch.delenv(name)
    settings = postgresql_config.settings()
    assert (settings.database_url, settings.redis_url) == (None, None)


@pytest.mark.parametrize(
    ("host", "ssl", "begins"),
    [
        ("localhost", "auto", "redis://"),
        ("127.0.0.9", "auto", "redis://"),
        ("::1", "auto", "redis://:p@[::1]:"),
        ("10.0.0.1", "auto", "rediss://"),
        ("redis.example.com", "auto", "rediss://"),
        ("redis.example.com", "false", "redis://"),
        ("localhost", "true", "rediss://"),
    ],
)
def test_encryption(host: str, ssl: str, begins: str) -> None:
    """What leaves the machine is encrypted, unless a setting says otherwise."""
    settings = redis_config.settings(redis_host=host, redis_ssl=ssl, redis_username="", redis_password="p")
    assert redis_url(settings).startswith(begins)


def test_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """Redis without a password has none in its URL."""
    monkeypatch.delenv("REDIS_PASSWORD")
    assert redis_url(redis_config.settings(redis_db=3)) == "redis://localhost:6380/3"


def test_a_secret_store() -> None:
    """What a secret store returns counts before the environment."""
    stored = {"host": "db", "port": 5434, "dbname": "d", "username": "u", "password": "p", "engine": "postgres"}
    assert database(postgresql_config.settings(lambda: stored)) == {
        "host": "db",
        "port": "5434",
        "dbname": "d",
        "user": "u",
        "password": "p",
    }
    cache = {"host": "127.0.0.1", "port": "6381", "dbname": "2", "username": "u", "password": "p"}
    assert redis_url(redis_config.settings(lambda: cache)) == "redis://u:p@127.0.0.1:6381/2"


def test_what_is_refused(refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    """A malformed variable or secret is named, and its value is not."""
    refused(lambda: postgresql_config.settings(lambda: ["hunter2"]), ConfigurationError)  # type: ignore[arg-type,return-value]
    refused(lambda: redis_config.settings(redis_ssl="hunter2"), ConfigurationError)
    monkeypatch.setenv("PGSQL_PORT", "hunter2")
    error = refused(postgresql_config.settings, ConfigurationError)
    assert "PGSQL_PORT" in str(error)
    assert "hunter2" not in f"{error} {vars(error)}"


def test_shared_connections() -> None:
    """Access objects without a data layer share one, which is opened at the first use and may be closed."""
    first = connections.shared_layer()
    assert connections.shared_layer() is first
    mining.close_all_connections()
    mining.close_all_connections()
    assert connections.shared_layer() is not first
    mining.close_all_connections()


def test_on_another_layer(refused: Refused) -> None:
    """On another domain's data layer, its connections count, and not the variables for these."""
    with mining.open("host=/nowhere") as other, mining.open(on=other, custom_queries="off") as data:
        assert data.database is other.database
        assert data.mining.custom_queries == "off"
        assert data.settings.database_url is other.settings.database_url
        refused(lambda: mining.open("host=/x", on=other), ConfigurationError)


def test_the_type_of_loaders(monkeypatch: pytest.MonkeyPatch, refused: Refused) -> None:
    """Which assets are loaders is said by a variable."""
    assert loader_type() == "loader"
    monkeypatch.setenv("LOADER_ASSET_TYPE_GUID", "type-7")
    assert mining.get_loaders_from_process_info_query().fixed == {"asset_type_guid": "type-7"}
    monkeypatch.setenv("LOADER_ASSET_TYPE_GUID", "")
    refused(mining.get_loaders_from_asset_idle_query)
