"""A database with the schema of the screenshot domain for every test, used with the application's role."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from pytest_postgresql import factories
from pytest_postgresql.executors import NoopExecutor

from surf_data import migrate, screenshot
from surf_data.kernel import resources
from surf_data.screenshot import GeneratedCode, Project, ScreenshotDataLayer, User

_LOGIN = "screenshot_service"


def _migrate(**connection: Any) -> None:
    def connect() -> psycopg.Connection[Any]:
        return psycopg.connect(**{**connection, "autocommit": True})

    migrate.Runner(connect, resources.directory("migrations") / "screenshot", "screenshot").up()


screenshot_server = factories.postgresql_noproc(depends_on="postgresql_server", dbname="screenshot", load=[_migrate])
screenshot_database = factories.postgresql("screenshot_server", dbname="test_screenshot")


@pytest.fixture(scope="session")
def screenshot_login(screenshot_server: NoopExecutor) -> str:
    """Return a role that logs in as the application does: all it may do is what the application may."""
    server = screenshot_server
    with psycopg.connect(host=server.host, port=server.port, user=server.user, dbname="postgres") as connection:
        connection.execute(f"CREATE ROLE {_LOGIN} LOGIN IN ROLE surf_screenshot_app")
    return _LOGIN


@pytest.fixture
def owner_url(screenshot_database: psycopg.Connection[Any]) -> str:
    """Return the URL of the migrated database for its owner."""
    info = screenshot_database.info
    return f"postgresql://{info.user}@/{info.dbname}?host={quote(info.host, safe='')}&port={info.port}"


@pytest.fixture
def app_url(owner_url: str, screenshot_login: str) -> str:
    """Return the URL of the migrated database for the application."""
    return owner_url.replace("://surf_data@", f"://{screenshot_login}@")


@pytest.fixture
def admin(screenshot_database: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    """Return a connection to the migrated database that sees what others have committed."""
    screenshot_database.autocommit = True
    return screenshot_database


@pytest.fixture
def data(app_url: str, redis_url: str, tmp_path: Path) -> Iterator[ScreenshotDataLayer]:
    """Open the data layer with the application's role, and local storage."""
    with screenshot.open(
        app_url, redis_url, pool_min_size=1, pool_max_size=10, local_storage_path=str(tmp_path / "uploads")
    ) as opened:
        yield opened


@pytest.fixture
def user(data: ScreenshotDataLayer) -> User:
    """Return a new user."""
    return data.users.save(User(email="john@example.com", first_name="John", last_name="Doe"))


@pytest.fixture
def project(data: ScreenshotDataLayer, user: User) -> Project:
    """Return a new project of the user."""
    return data.projects.save(Project(name="My Website", description="A beautiful website", user_id=user.id))


@pytest.fixture
def code(data: ScreenshotDataLayer, project: Project) -> GeneratedCode:
    """Return new code of the project."""
    return data.codes.save(GeneratedCode(code="<html></html>", provider="openai", project_id=project.id))
