"""Real servers for every test: one PostgreSQL and one Redis for the session, a database of its own for each test."""

import os
import random
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import accumulate, count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import hypothesis
import psycopg
import pytest
import redis
from pytest_postgresql import factories
from pytest_postgresql.executors import NoopExecutor
from pytest_postgresql.janitor import DatabaseJanitor

import surf_data
from rig import RedisServer
from rig.object_storage import azurite, object_store, seaweed  # noqa: F401 - fixtures
from rig.postgres import other_postgres
from surf_data import embedded, migrate
from surf_data.embedded import postgres
from surf_data.errors import SurfDataError
from surf_data.kernel import resources

# The examples take turns with real servers on shared machines: how long one takes says nothing.
hypothesis.settings.register_profile("default", deadline=None, max_examples=50)
hypothesis.settings.register_profile("ci", deadline=None, max_examples=100, derandomize=True)
# What `nox -s nightly` runs: over 60,000 examples for the public methods together.
hypothesis.settings.register_profile("nightly", deadline=None, max_examples=2_000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "default"))


# No setting of the library, which would refuse it.
_CITUS = os.environ.pop("SURF_DATA_TEST_CITUS", None)

# Where workers find the seed of the samples.
_SEED = "TEST_SEED"

# A shell that runs the tests in the background may have had these ignored, and what is ignored stays so in each process
# that the tests start; they show what a person at a terminal sees.
for _signal, _handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(_signal) is signal.SIG_IGN:
        signal.signal(_signal, _handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what `nox -s nightly` says: sweeps and sampled tests are sampled without it."""
    parser.addoption("--whole", action="store_true", help="Try every point and every case instead of a sample.")
    parser.addoption("--seed", type=int, help="The seed of the samples, which each run shows.")


def pytest_configure(config: pytest.Config) -> None:
    """Choose the samples, and have initdb run once for all servers; workers inherit what the first process says."""
    # Where coverage is counted, chance is no part of it.
    chosen = 1 if os.environ.get("CI") else random.SystemRandom().randrange(1, 2**31)
    os.environ[_SEED] = str(config.getoption("--seed") or os.environ.get(_SEED) or chosen)
    if postgres.CACHE not in os.environ:
        folder = tempfile.mkdtemp(prefix="surf_data-initdb-")
        # The account that runs the servers for root writes there.
        Path(folder).chmod(0o1777)
        os.environ[postgres.CACHE] = folder
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


def pytest_report_header(config: pytest.Config) -> str:
    """Show how the same samples are had again."""
    return "every point and every case" if config.getoption("--whole") else f"samples: --seed={os.environ[_SEED]}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what sweeps over points, so that `nox -s nightly` finds it, and leave a sample of what is sampled."""
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        if "sweep" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.sweep)
        if item.get_closest_marker("sampled"):
            cases.setdefault(item.nodeid.partition("[")[0], []).append(item)
    if config.getoption("--whole"):
        return
    left_out: set[pytest.Item] = set()
    for name, each in cases.items():
        marker = each[0].get_closest_marker("sampled")
        size = min(len(each), marker.args[0] if marker else 0)
        # Each worker chooses the same.
        left_out |= {*each} - {*random.Random(f"{os.environ[_SEED]} {name}").sample(each, size)}  # noqa: S311
    if left_out:
        config.hook.pytest_deselected(items=[*left_out])
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture
def sweep(request: pytest.FixtureRequest) -> Iterator[int]:
    """Return the points of a sweep, from 1 without end: each with --whole, else one in eight, chosen at random."""
    if request.config.getoption("--whole"):
        return count(1)
    chosen = random.Random(f"{os.environ[_SEED]} {request.node.nodeid}")  # noqa: S311 - not for secrets
    return accumulate(chosen.randint(1, 15) for _ in count())


@pytest.fixture(scope="session")
def citus_coordinator() -> str:
    """Return the URL of a Citus coordinator, or skip where none is named."""
    if _CITUS is None:
        pytest.skip("SURF_DATA_TEST_CITUS does not name the coordinator of a Citus cluster")
    return _CITUS


@pytest.fixture(scope="session")
def servers() -> Iterator[embedded.EmbeddedServers]:
    """Start one PostgreSQL and one Redis for all tests; PostgreSQL from ``POSTGRES_PROGRAMS`` if that is set."""
    with ExitStack() as stack:
        started = stack.enter_context(embedded.start())
        if programs := os.environ.get("POSTGRES_PROGRAMS"):
            started.database_url = stack.enter_context(other_postgres(Path(programs))).url
        yield started


@pytest.fixture(scope="session")
def postgresql_server(servers: embedded.EmbeddedServers) -> Iterator[NoopExecutor]:
    """Describe the server to pytest-postgresql, with an empty template database."""
    info = psycopg.conninfo.conninfo_to_dict(servers.database_url)
    server = NoopExecutor(
        host=str(info["host"]),
        port=int(str(info["port"])),
        user=str(info["user"]),
        password=None,
        dbname="empty",
        options="",
        maintenance_dbname="postgres",
    )
    with DatabaseJanitor(
        user=server.user, host=server.host, port=server.port, dbname=server.template_dbname, as_template=True
    ):
        yield server


def _migrate(**connection: Any) -> None:
    def connect() -> psycopg.Connection[Any]:
        return psycopg.connect(**{**connection, "autocommit": True})

    migrate.Runner(connect, resources.directory("migrations") / "lamps", "lamps").up()


empty_database = factories.postgresql("postgresql_server", dbname="test_empty")
migrated_server = factories.postgresql_noproc(depends_on="postgresql_server", dbname="migrated", load=[_migrate])
migrated_database = factories.postgresql("migrated_server", dbname="test_migrated")


def _url(connection: psycopg.Connection[Any]) -> str:
    info = connection.info
    return f"postgresql://{info.user}@/{info.dbname}?host={quote(info.host, safe='')}&port={info.port}"


@pytest.fixture
def database_url(empty_database: psycopg.Connection[Any]) -> str:
    """Return the URL of an empty database."""
    return _url(empty_database)


@pytest.fixture
def migrated_url(migrated_database: psycopg.Connection[Any]) -> str:
    """Return the URL of a database with all migrations applied."""
    return _url(migrated_database)


@pytest.fixture
def admin(migrated_database: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    """Return a connection to the migrated database that sees what others have committed."""
    migrated_database.autocommit = True
    return migrated_database


@pytest.fixture(scope="session")
def application_role(migrated_server: NoopExecutor) -> str:
    """Return a role that logs in as the application does: all it may do is what the application may."""
    server = migrated_server
    with psycopg.connect(host=server.host, port=server.port, user=server.user, dbname="postgres") as connection:
        connection.execute("CREATE ROLE surf_service LOGIN IN ROLE surf_lamp_app")
    return "surf_service"


@pytest.fixture
def application_url(migrated_url: str, application_role: str) -> str:
    """Return the URL of the migrated database for the application."""
    return migrated_url.replace("://surf_data@", f"://{application_role}@")


@pytest.fixture
def redis_url(servers: embedded.EmbeddedServers) -> str:
    """Return the URL of an empty Redis."""
    assert servers.redis_url is not None
    with redis.Redis.from_url(servers.redis_url) as client:
        client.flushall()
    return servers.redis_url


@pytest.fixture
def own_redis() -> Iterator[Callable[..., RedisServer]]:
    """Return a function that starts a Redis of the test's own, with options for its command line."""
    with ExitStack() as stack:

        def start(*options: str) -> RedisServer:
            server = RedisServer(stack.enter_context(tempfile.TemporaryDirectory(prefix="surf")), *options)
            stack.callback(server.stop)
            server.start()
            return server

        yield start


@pytest.fixture
def data(application_url: str, redis_url: str) -> Iterator[surf_data.LampsDataLayer]:
    """Open the data layer on a migrated database and an empty Redis, with the application's role."""
    with surf_data.open(application_url, redis_url, pool_min_size=1, pool_max_size=5) as opened:
        yield opened


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Return an empty folder that other accounts may enter, as pytest's own may not be; PostgreSQL refuses root."""
    with tempfile.TemporaryDirectory(prefix="surf_data-test-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def sql_folder(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes .sql files, given by name without suffix, and returns their folder."""

    def write(**files: str) -> Path:
        for name, text in files.items():
            path = tmp_path / f"{name.replace('__', '/')}.sql"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path

    return write


@pytest.fixture
def refused() -> Callable[..., Any]:
    """Return a function that returns the error that a call raises, after checking that nothing is chained to it."""

    def raised(call: Callable[[], Any], kind: type[SurfDataError] = surf_data.ValidationError) -> SurfDataError:
        with pytest.raises(kind) as caught:
            call()
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None
        return caught.value

    return raised
