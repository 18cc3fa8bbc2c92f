"""A migrated database of the mining domain, with the application's role, and records to store in it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from pytest_postgresql import factories
from pytest_postgresql.executors import NoopExecutor

from surf_data import migrate, mining
from surf_data.kernel import resources
from surf_data.mining import CycleRecord, MiningDataLayer, PgsqlActionDAO, ProcessInfoRecord

Admin = psycopg.Connection[Any]

MONDAY = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)


def _migrate(**connection: Any) -> None:
    def connect() -> psycopg.Connection[Any]:
        return psycopg.connect(**{**connection, "autocommit": True})

    migrate.Runner(connect, resources.directory("migrations") / "mining", "mining").up()


mining_server = factories.postgresql_noproc(depends_on="postgresql_server", dbname="mining", load=[_migrate])
mining_database = factories.postgresql("mining_server", dbname="test_mining")


@pytest.fixture
def admin(mining_database: Admin) -> Admin:
    """Return a connection to the database that sees what others have committed, and may do anything."""
    mining_database.autocommit = True
    return mining_database


@pytest.fixture(scope="session")
def service_role(mining_server: NoopExecutor) -> str:
    """Return a role that logs in as the application does: all it may do is what the application may."""
    server = mining_server
    with psycopg.connect(host=server.host, port=server.port, user=server.user, dbname="postgres") as connection:
        connection.execute("CREATE ROLE mining_service LOGIN IN ROLE surf_mining_app")
    return "mining_service"


@pytest.fixture
def mining_url(mining_database: Admin, service_role: str) -> str:
    """Return the URL of the database for the application."""
    info = mining_database.info
    return f"postgresql://{service_role}@/{info.dbname}?host={quote(info.host, safe='')}&port={info.port}"


@pytest.fixture
def data(mining_url: str, redis_url: str) -> Iterator[MiningDataLayer]:
    """Open the data layer on the database and an empty Redis."""
    with mining.open(mining_url, redis_url, pool_min_size=1, pool_max_size=15) as opened:
        yield opened


@pytest.fixture
def dao(data: MiningDataLayer) -> PgsqlActionDAO:
    """Return an access object outside ``with``."""
    return PgsqlActionDAO(data)


@pytest.fixture
def cycle() -> Callable[..., CycleRecord]:
    """Return a function that builds a cycle."""

    def build(**changes: Any) -> CycleRecord:
        return CycleRecord(
            **{
                "asset_guid": "truck-1",
                "cycle_status": "INPROGRESS",
                "site_guid": "site-1",
                "current_work_state_id": 3,
                "created_date": MONDAY,
                "updated_date": MONDAY + timedelta(minutes=1),
                **changes,
            }
        )

    return build


@pytest.fixture
def checkpoint() -> Callable[..., ProcessInfoRecord]:
    """Return a function that builds a checkpoint."""

    def build(**changes: Any) -> ProcessInfoRecord:
        return ProcessInfoRecord(
            **{
                "asset_guid": "truck-1",
                "site_guid": "site-1",
                "process_name": "asset_cycle_vlx",
                "process_date": MONDAY,
                "created_date": MONDAY,
                **changes,
            }
        )

    return build
