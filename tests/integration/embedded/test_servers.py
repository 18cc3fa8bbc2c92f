"""The embedded servers in one process: what a start gives, what is kept, and what is left after the last stop."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
import redis

from surf_data import embedded
from surf_data.embedded import postgres
from surf_data.embedded import supervisor as supervision
from surf_data.embedded.folder import Folder
from surf_data.embedded.lock import Lock
from surf_data.errors import EmbeddedServerError

MAJOR_VERSION = "SELECT current_setting('server_version_num')::int / 10000"
Ask = Callable[[str, str], Any]
Remains = Callable[[str, str | Path], list[object]]
Processes = Callable[..., list[psutil.Process]]
Supervisor = Callable[[str | Path], psutil.Process]


def redis_of(servers: embedded.EmbeddedServers) -> redis.Redis:
    """Return a client of the embedded Redis."""
    assert servers.redis_url is not None
    return redis.Redis.from_url(servers.redis_url)


def test_postgres_is_real(ask: Ask, sockets: Callable[[str], Path]) -> None:
    """A start gives PostgreSQL 18 with the database and the superuser surf_data, by a socket in a private folder."""
    with embedded.start() as servers:
        assert ask(servers.database_url, MAJOR_VERSION) == 18
        assert ask(servers.database_url, "SELECT current_database() || ' ' || current_user") == "surf_data surf_data"
        assert ask(servers.database_url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is True
        assert ask(servers.database_url, "SELECT current_setting('TimeZone')") == "UTC"
        assert ask(servers.database_url, "SHOW server_encoding") == "UTF8"
        assert ask(servers.database_url, "SELECT current_setting('listen_addresses')") == ""
        assert sockets(servers.database_url).stat().st_mode & 0o777 == 0o700
        version = subprocess.check_output([servers.postgres_bin / "psql", "--version"], text=True)
        assert version.startswith("psql (PostgreSQL) 18.")


def test_redis_is_real(sockets: Callable[[str], Path]) -> None:
    """A start gives a Redis without a port, by a socket in the same private folder."""
    with embedded.start() as servers, redis_of(servers) as client:
        assert client.ping() is True
        assert client.config_get("port") == {"port": "0"}
        assert Path(urlsplit(servers.redis_url or "").path).parent == sockets(servers.database_url)


def test_stop_leaves_nothing(supervisor: Supervisor) -> None:
    """When stop returns, no process is left and no folder, and a second call has nothing to do."""
    servers = embedded.start()
    owner = supervisor(servers.directory)
    everything = [owner, *owner.children(recursive=True)]
    assert {process.name() for process in everything} >= {"postgres", "redis-server"}

    servers.stop()

    assert not servers.directory.exists()
    assert [process for process in everything if process.is_running()] == []
    servers.stop()


def test_repr_names_the_folder(data_folder: Path) -> None:
    """A handle shows which folder it stands for, and an existing folder keeps its mode."""
    data_folder.mkdir(mode=0o755)
    with embedded.start(data_folder, redis=False) as servers:
        assert repr(servers) == f"<EmbeddedServers {str(data_folder)!r}>"
        assert data_folder.stat().st_mode & 0o777 == 0o755


def test_data_is_kept(data_folder: Path, ask: Ask, remains: Remains) -> None:
    """What PostgreSQL and Redis were given is there again after all have stopped, and was durable all along."""
    with embedded.start(data_folder) as first, redis_of(first) as client:
        client.set("surf", "up")
        ask(first.database_url, "CREATE TABLE kept AS SELECT 1 AS n")
        assert ask(first.database_url, "SELECT current_setting('fsync')") == "on"
    assert remains(first.database_url, data_folder) == []

    with embedded.start(data_folder) as second, redis_of(second) as client:
        assert client.get("surf") == b"up"
        assert ask(second.database_url, "SELECT n FROM kept") == 1


def test_the_version_of_the_data_wins(data_folder: Path, ask: Ask) -> None:
    """PostgreSQL 16 runs when it is asked for, and goes on running where the data is its."""
    for asked in (16, 18):
        with embedded.start(data_folder, postgres_version=asked, redis=False) as servers:
            assert ask(servers.database_url, MAJOR_VERSION) == 16
            version = subprocess.check_output([servers.postgres_bin / "postgres", "--version"], text=True)
            assert version.startswith("postgres (PostgreSQL) 16.")


def test_joining_for_redis_where_there_is_none(data_folder: Path, ask: Ask) -> None:
    """A process that wants Redis and joins servers without it gets an error, and the servers go on."""
    with embedded.start(data_folder, redis=False) as servers:
        assert servers.redis_url is None
        with pytest.raises(EmbeddedServerError, match="run without Redis"):
            embedded.start(data_folder)
        assert ask(servers.database_url, "SELECT 1") == 1


def test_joining_without_need_of_redis(data_folder: Path) -> None:
    """Who does without Redis shares the servers of one who has it."""
    with embedded.start(data_folder) as servers, embedded.start(data_folder, redis=False) as other:
        assert other.database_url == servers.database_url
        assert (servers.redis_url is None, other.redis_url is None) == (False, True)


def test_two_handles(data_folder: Path, ask: Ask, remains: Remains) -> None:
    """Two starts in one process share the servers, and the first stop leaves them to the second."""
    first, second = embedded.start(data_folder), embedded.start(data_folder)
    assert second.database_url == first.database_url
    first.stop()
    assert ask(second.database_url, "SELECT 1") == 1
    second.stop()
    assert remains(first.database_url, data_folder) == []


def test_temporary_servers_are_apart(ask: Ask) -> None:
    """Two starts without a folder have nothing in common."""
    with embedded.start(redis=False) as first:
        with embedded.start(redis=False) as second:
            assert second.directory != first.directory
        assert ask(first.database_url, "SELECT 1") == 1


@pytest.mark.parametrize("durable", [False, True], ids=["temporary", "durable"])
def test_what_initdb_made_is_kept(
    open_folder: Path, data_folder: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch, *, durable: bool
) -> None:
    """Where a folder for it is named, initdb runs once: all clusters have the identity of the first."""
    open_folder.chmod(0o1777)
    identity = "SELECT system_identifier FROM pg_control_system()"
    places: list[Path | None] = [data_folder, data_folder.with_name("other")] if durable else [None, None]

    def identities() -> list[Any]:
        found = []
        for place in places:
            with embedded.start(place, redis=False) as servers:
                found.append(ask(servers.database_url, identity))
        return found

    monkeypatch.setenv(postgres.CACHE, str(open_folder))
    assert len({*identities()}) == 1
    assert [path.name[:9] for path in open_folder.iterdir()] == ["postgres-"]
    if not durable:
        monkeypatch.setenv(postgres.CACHE, str(open_folder / "nowhere"))
        assert len({*identities()}) == 2
        monkeypatch.delenv(postgres.CACHE)
        assert len({*identities()}) == 2


def test_long_path(data_folder: Path, ask: Ask) -> None:
    """A data folder may have a path that is far too long for a socket."""
    deep = data_folder / ("d" * 100) / ("e" * 100)
    with embedded.start(deep, redis=False) as servers:
        assert servers.directory == deep
        assert ask(servers.database_url, "SELECT 1") == 1


def test_environment_is_not_handed_on(monkeypatch: pytest.MonkeyPatch, processes: Processes) -> None:
    """Neither the caller's secrets nor variables that would change the servers reach them."""
    for name, value in {"PGDATA": "/nowhere", "PGPORT": "1", "SURF_DATA_DATABASE_URL": "secret"}.items():
        monkeypatch.setenv(name, value)
    with embedded.start() as servers:
        for process in processes(servers.directory):
            if "surf_data.embedded.supervisor" not in process.cmdline():
                assert not {"PGDATA", "PGPORT", "SURF_DATA_DATABASE_URL"} & set(process.environ())


def test_supervising_without_users(ask: Ask) -> None:
    """Servers that no process uses are started, announced, and stopped again."""
    folder = Folder.temporary()
    state = folder.new_state(temporary=True, redis=True, postgres_version=18)
    answers: list[int] = []
    end = supervision.Pipe(*os.pipe())
    with folder.lock("supervisor") as own:
        own.take()
        supervision.supervise(folder, state, lambda: answers.append(ask(state.database_url, "SELECT 1")), end)
    assert answers == [1]
    assert not folder.path.exists()
    for descriptor in end:
        os.close(descriptor)


@pytest.mark.parametrize("kept", [True, False])
def test_supervisor_told_to_end(data_folder: Path, supervisor: Supervisor, remains: Remains, *, kept: bool) -> None:
    """A supervisor that gets a signal to end stops the servers, and their users can still call stop."""
    servers = embedded.start(data_folder if kept else None, redis=False)
    owner = supervisor(servers.directory)
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        owner.send_signal(number)
    psutil.wait_procs([owner], timeout=60)
    servers.stop()
    assert remains(servers.database_url, servers.directory) == []
    assert servers.directory.exists() is kept


def test_postgres_ended_from_outside(data_folder: Path, ask: Ask, supervisor: Supervisor, processes: Processes) -> None:
    """When PostgreSQL is ended from outside the supervisor ends as well, and the next start begins anew."""
    first = embedded.start(data_folder, redis=False)
    owner = supervisor(data_folder)
    [postgres] = [process for process in processes(data_folder) if process.name() == "postgres"]
    postgres.send_signal(signal.SIGINT)
    psutil.wait_procs([owner], timeout=60)
    with embedded.start(data_folder, redis=False) as second:
        assert ask(second.database_url, "SELECT 1") == 1
    first.stop()


def test_folder_taken_away(data_folder: Path, supervisor: Supervisor, remains: Remains) -> None:
    """When the data folder is taken away, stop still ends the servers."""
    servers = embedded.start(data_folder)
    owner = supervisor(data_folder)
    data_folder.rename(data_folder.with_name("elsewhere"))
    servers.stop()
    psutil.wait_procs([owner], timeout=60)
    assert remains(servers.database_url, data_folder) == []


def test_waiting_for_a_supervisor_that_stops(data_folder: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes while a supervisor stops its servers waits for its end, even if the folder goes with it."""
    removed = data_folder.with_name("removed")
    stopping = Folder.kept(data_folder).lock("supervisor")
    assert stopping.take()
    take = Lock.take

    def taken(lock: Lock, *, shared: bool = False, wait: bool = True) -> bool:
        if wait and not removed.exists() and os.path.sameopenfile(lock.fileno(), stopping.fileno()):
            data_folder.rename(removed)
            stopping.close()
        return take(lock, shared=shared, wait=wait)

    monkeypatch.setattr(Lock, "take", taken)
    with embedded.start(data_folder, redis=False) as servers:
        assert ask(servers.database_url, "SELECT 1") == 1
        assert servers.directory == data_folder
