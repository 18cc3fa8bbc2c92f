"""The fault matrix: servers and relays of each test's own, and the record of what was measured.

A test is one cell of the matrix, or a part of one. Its docstring is ``NUMBER. The promise, as a sentence.``; with
``measure`` it names the fault and says what it measured. ``--measurements=FILE`` writes all of it as JSON, from which
``report.py`` makes the table in docs/reliability.md.
"""

import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest

import surf_data
from rig import PostgresServer, RedisServer, Relay
from rig.postgres import standby
from rig.secrecy import LOGIN, Watch, planted, pytest_runtest_makereport, watch
from surf_data import migrate
from surf_data.embedded.account import Account, account_for
from surf_data.embedded.folder import Folder
from surf_data.embedded.postgres import initialize, installations, usable_programs
from surf_data.kernel import resources

__all__ = ["pytest_runtest_makereport", "watch"]

_DOCSTRING = re.compile(r"(?P<cell>\d+)\. (?P<promise>.+)", re.DOTALL)

Measure = Callable[..., None]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the caller say where the measurements go, and how much time there is."""
    parser.addoption("--measurements", type=Path, metavar="FILE", help="write what the fault tests measured, as JSON")
    parser.addoption("--full-length", action="store_true", help="let outages last as long as in the matrix")


def pytest_configure(config: pytest.Config) -> None:
    """Collect what the tests measure, unless this is a worker, whose tests are reported to another process."""
    # Without this folder on its command line pytest does not know the option.
    path = config.getoption("--measurements", None)
    if path and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Collector(path))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Attach cell and promise to each fault test, also to one that will be skipped."""
    for item in items:
        if isinstance(item, pytest.Function) and Path(__file__).parent in item.path.parents:
            found = _DOCSTRING.fullmatch(" ".join((item.function.__doc__ or "").split()))
            assert found, f"{item.nodeid}: the docstring must be 'NUMBER. The promise.'"
            item.user_properties.append(("cell", (int(found["cell"]), found["promise"])))


class _Collector:
    """Writes a JSON list with one object for each test, in the order of the cells."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: dict[str, dict[str, Any]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take over what a test attached to its report."""
        properties = dict(report.user_properties)
        if "cell" not in properties or not (report.when == "call" or report.skipped):
            return
        cell, promise = properties["cell"]
        fault, measured = properties.get("measured", ("", []))
        row = {"cell": cell, "fault": fault, "promise": promise, "measured": measured}
        if report.skipped and isinstance(report.longrepr, tuple):
            row["skipped"] = report.longrepr[2].removeprefix("Skipped: ")
        self._rows[report.nodeid] = row

    def pytest_sessionfinish(self) -> None:
        """Write the file."""
        rows = sorted(self._rows.values(), key=lambda row: (row["cell"], row["fault"]))
        self._path.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")


@pytest.fixture
def measure(request: pytest.FixtureRequest) -> Measure:
    """Return a function that records the fault, and measurements as name, value and unit.

    ``measure("Redis is stopped", ("slowest read", 0.0021, "s"), ("reads", 500, ""))``
    """

    def record(fault: str, *measured: tuple[str, float, str]) -> None:
        request.node.user_properties.append(("measured", (fault, measured)))

    return record


@pytest.fixture(scope="session")
def account() -> Account:
    """Return who runs the servers: PostgreSQL refuses root."""
    return account_for(None)


@pytest.fixture(scope="session")
def postgres_folder(account: Account) -> Iterator[Callable[[], Path]]:
    """Return a function that makes folders for PostgreSQL servers; a socket in them has a short path."""
    with ExitStack() as stack:

        def make() -> Path:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="surf_data-test-")))
            folder.chmod(0o755)
            account.give(folder)
            return folder

        yield make


@pytest.fixture(scope="session")
def postgres_template(postgres_folder: Callable[[], Path], account: Account) -> PostgresServer:
    """Return a server that is not running, with all migrations applied: its data is what each test begins with."""
    folder = postgres_folder()
    programs = usable_programs(installations()[18], account, folder)
    initialize(Folder(folder, account), programs, durable=False)
    (folder / "postgres").rename(folder / "data")
    template = PostgresServer(folder, programs, account)
    template.start()
    try:
        lamps = resources.directory("migrations") / "lamps"
        migrate.Runner(lambda: psycopg.connect(template.url, autocommit=True), lamps, "lamps").up()
        role, _, password = LOGIN.partition(":")
        template.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{password}' IN ROLE surf_lamp_app")
        rules = template.data / "pg_hba.conf"
        rules.write_text(f"local all surf_service scram-sha-256\n{rules.read_text('utf-8')}", "utf-8")
    finally:
        template.stop()
    return template


@pytest.fixture
def own_postgres(
    postgres_template: PostgresServer, postgres_folder: Callable[[], Path], account: Account
) -> Iterator[Callable[..., PostgresServer]]:
    """Return a function that starts a migrated PostgreSQL of the test's own, with options for its command line."""
    with ExitStack() as stack:

        def start(*options: str) -> PostgresServer:
            server = PostgresServer(postgres_folder(), postgres_template.programs, account)
            copied = account.run(["cp", "-R", str(postgres_template.data), str(server.data)])
            assert copied.returncode == 0, copied.stderr
            stack.callback(shutil.rmtree, server.data)
            stack.callback(server.stop)
            server.start(*options)
            return server

        yield start


@pytest.fixture
def own_standby() -> Iterator[Callable[[PostgresServer], PostgresServer]]:
    """Return a function that makes a standby of a server by pg_basebackup, and starts it."""
    with ExitStack() as stack:
        yield lambda primary: stack.enter_context(standby(primary))


@pytest.fixture
def relay() -> Iterator[Callable[..., Relay]]:
    """Return a function that starts a relay to a server, which is given as `rig.Relay` takes it."""
    with ExitStack() as stack:
        yield lambda *arguments, **keywords: stack.enter_context(Relay(*arguments, **keywords))


@pytest.fixture
def open_data(watch: Watch) -> Iterator[Callable[..., surf_data.LampsDataLayer]]:
    """Return a function that opens a data layer as `surf_data.open` does; all are closed in the end."""
    with ExitStack() as stack:

        def start(*urls: str, **settings: Any) -> surf_data.LampsDataLayer:
            data = stack.enter_context(surf_data.open(*urls, **settings))
            stack.callback(watch.look_at_data, data)
            return data

        yield start


@pytest.fixture
def relayed(
    own_postgres: Callable[..., PostgresServer],
    relay: Callable[..., Relay],
    open_data: Callable[..., surf_data.LampsDataLayer],
) -> Callable[..., tuple[PostgresServer, Relay, surf_data.LampsDataLayer]]:
    """Return a function that opens a data layer behind a relay to a PostgreSQL of the test's own; returns all three."""

    def start(**settings: Any) -> tuple[PostgresServer, Relay, surf_data.LampsDataLayer]:
        server = own_postgres()
        line = relay(server.path)
        return server, line, open_data(server.url_for(LOGIN, line.address), **settings)

    return start


@pytest.fixture
def application_url(migrated_url: str, application_role: str) -> str:
    """Return the URL of the migrated database for the application, with a password, which the server does not want."""
    return migrated_url.replace("://surf_data@", f"://{application_role}:{planted('url')}@")


@pytest.fixture
def own_redis() -> Iterator[Callable[..., RedisServer]]:
    """Return a function that starts a Redis of the test's own, which wants a password."""
    with ExitStack() as stack:

        def start(*options: str) -> RedisServer:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="surf"))
            server = RedisServer(folder, *options, password=planted("redis"))
            stack.callback(server.stop)
            server.start()
            return server

        yield start
