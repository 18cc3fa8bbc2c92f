"""A database with the schema of the command-line tool's history for every test, used with the application's role."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from pytest_postgresql import factories
from pytest_postgresql.executors import NoopExecutor

from surf_data import migrate, specify
from surf_data.kernel import resources
from surf_data.specify import Command, Project, SpecifyDataLayer, User

_LOGIN = "specify_service"


def _migrate(**connection: Any) -> None:
    def connect() -> psycopg.Connection[Any]:
        return psycopg.connect(**{**connection, "autocommit": True})

    migrate.Runner(connect, resources.directory("migrations") / "specify", "specify").up()


specify_server = factories.postgresql_noproc(depends_on="postgresql_server", dbname="specify", load=[_migrate])
specify_database = factories.postgresql("specify_server", dbname="test_specify")


@pytest.fixture(scope="session")
def specify_login(specify_server: NoopExecutor) -> str:
    """Return a role that logs in as the application does: all it may do is what the application may."""
    server = specify_server
    with psycopg.connect(host=server.host, port=server.port, user=server.user, dbname="postgres") as connection:
        connection.execute(f"CREATE ROLE {_LOGIN} LOGIN IN ROLE surf_specify_app")
    return _LOGIN


@pytest.fixture
def owner_url(specify_database: psycopg.Connection[Any]) -> str:
    """Return the URL of the migrated database for its owner."""
    info = specify_database.info
    return f"postgresql://{info.user}@/{info.dbname}?host={quote(info.host, safe='')}&port={info.port}"


@pytest.fixture
def app_url(owner_url: str, specify_login: str) -> str:
    """Return the URL of the migrated database for the application."""
    return owner_url.replace("://surf_data@", f"://{specify_login}@")


@pytest.fixture
def admin(specify_database: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    """Return a connection to the migrated database that sees what others have committed."""
    specify_database.autocommit = True
    return specify_database


@pytest.fixture
def data(app_url: str) -> Iterator[SpecifyDataLayer]:
    """Open the data layer with the application's role."""
    with specify.open(app_url, pool_min_size=1, pool_max_size=10) as opened:
        yield opened


@pytest.fixture
def user(data: SpecifyDataLayer) -> User:
    """Return a new user."""
    return data.users.create_user("alice", "alice@example.com", b"hashed")


@pytest.fixture
def project(data: SpecifyDataLayer, user: User) -> Project:
    """Return a new project of the user."""
    return data.projects.create_project("Surf API", "surf-api", user.id, description="An API for surfers")


@pytest.fixture
def command(data: SpecifyDataLayer, user: User, project: Project) -> Command:
    """Return a command that runs."""
    return data.commands.start_command("specify init", "--here", user.id, project.id)
