"""A database with the day planner's schema for every test, used with the application's role."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from pytest_postgresql import factories
from pytest_postgresql.executors import NoopExecutor

from surf_data import daylight, migrate
from surf_data.daylight import DaylightDataLayer
from surf_data.kernel import resources

_LOGIN = "daylight_service"


def _migrate(**connection: Any) -> None:
    def connect() -> psycopg.Connection[Any]:
        return psycopg.connect(**{**connection, "autocommit": True})

    migrate.Runner(connect, resources.directory("migrations") / "daylight", "daylight").up()


daylight_server = factories.postgresql_noproc(depends_on="postgresql_server", dbname="daylight", load=[_migrate])
daylight_database = factories.postgresql("daylight_server", dbname="test_daylight")


@pytest.fixture(scope="session")
def daylight_login(daylight_server: NoopExecutor) -> str:
    """Return a role that logs in as the application does: all it may do is what the application may."""
    server = daylight_server
    with psycopg.connect(host=server.host, port=server.port, user=server.user, dbname="postgres") as connection:
        connection.execute(f"CREATE ROLE {_LOGIN} LOGIN IN ROLE surf_daylight_app")
    return _LOGIN


@pytest.fixture
def owner_url(daylight_database: psycopg.Connection[Any]) -> str:
    """Return the URL of the migrated database for its owner."""
    info = daylight_database.info
    return f"postgresql://{info.user}@/{info.dbname}?host={quote(info.host, safe='')}&port={info.port}"


@pytest.fixture
def app_url(owner_url: str, daylight_login: str) -> str:
    """Return the URL of the migrated database for the application."""
    return owner_url.replace("://surf_data@", f"://{daylight_login}@")


@pytest.fixture
def admin(daylight_database: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    """Return a connection to the migrated database that sees what others have committed."""
    daylight_database.autocommit = True
    return daylight_database


@pytest.fixture
def data(app_url: str, redis_url: str) -> Iterator[DaylightDataLayer]:
    """Open the data layer with the application's role."""
    with daylight.open(app_url, redis_url, pool_min_size=1, pool_max_size=5) as opened:
        yield opened


@pytest.fixture
def owned(owner_url: str, redis_url: str, tmp_path: Path) -> Iterator[DaylightDataLayer]:
    """Open the data layer with the owner's role, and a folder for archives."""
    with daylight.open(
        owner_url, redis_url, archive_url=str(tmp_path / "archives"), pool_min_size=1, pool_max_size=5
    ) as opened:
        yield opened


@pytest.fixture
def user_id(data: DaylightDataLayer) -> str:
    """Return the id of a registered user."""
    return data.users.create_user(
        {"id": "kai", "email": "kai@example.org", "username": "kai", "password_hash": "x"}
    ).user.id
