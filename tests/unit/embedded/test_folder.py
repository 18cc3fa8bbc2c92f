"""The folder of the embedded servers: its locks, its state, and what may be removed."""

import os
import shutil
import tempfile
from pathlib import Path

import attrs
import pytest

from surf_data.embedded import folder as folders
from surf_data.embedded import postgres
from surf_data.embedded import redis as redis_server
from surf_data.embedded.account import Account
from surf_data.embedded.folder import Folder
from surf_data.embedded.lock import Lock
from surf_data.embedded.presence import FolderGone, ServerLease, exclusive_turn
from surf_data.errors import EmbeddedServerError

ME = Account(name="me")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Return a folder of this process's own account."""
    return Folder(tmp_path, ME)


@pytest.fixture
def long_temporary(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Have temporary files in a folder with a long path."""
    place = tmp_path / ("t" * 80)
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    return place


def test_lock(tmp_path: Path) -> None:
    """A lock is had by one, or shared by several."""
    with Lock(tmp_path / "lock") as first, Lock(tmp_path / "lock") as second:
        assert first.take(shared=True)
        assert second.take(shared=True)
        assert not second.take(wait=False)
        first.release()
        assert second.take(wait=False)
        assert not first.take(shared=True, wait=False)


def test_lock_on_a_removed_file(tmp_path: Path) -> None:
    """A lock knows whether its path still leads to it."""
    with Lock(tmp_path / "lock") as lock:
        assert lock.is_current()
        (tmp_path / "lock").unlink()
        assert not lock.is_current()
        (tmp_path / "lock").touch()
        assert not lock.is_current()


def test_turn_in_a_removed_folder(folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that gets its turn in a folder that was removed in the meantime gets an error."""
    with pytest.raises(FolderGone), exclusive_turn(Folder(tmp_path / "missing", ME)):
        pytest.fail("there is no such folder")
    monkeypatch.setattr(Lock, "is_current", lambda _: False)
    with pytest.raises(FolderGone), exclusive_turn(folder):
        pytest.fail("the folder is gone")


def test_presence_that_fails(folder: Folder) -> None:
    """A user that cannot have both locks has none."""
    (folder.path / "alive.lock").mkdir()
    with pytest.raises(IsADirectoryError):
        ServerLease(folder)
    with folder.lock("users") as users:
        assert users.take(wait=False)


def test_state(folder: Folder) -> None:
    """The state that is written is the state that is read."""
    state = folder.new_state(temporary=True, redis=False, postgres_version=16)
    assert folder.read_state() == state
    assert (state.redis_url, state.ready) == (None, False)


def test_urls(folder: Folder) -> None:
    """The URLs lead to the sockets, whatever characters their path has."""
    state = attrs.evolve(folder.new_state(temporary=True, redis=True, postgres_version=18), runtime="/t m/p%")
    assert state.database_url == "postgresql://surf_data@/surf_data?host=%2Ft%20m%2Fp%25&port=5432"
    assert state.redis_url == "unix:///t%20m/p%25/redis.sock"


@pytest.mark.parametrize("text", ["", "[]", '{"folder": 1}', "{"])
def test_state_that_makes_no_sense(folder: Folder, text: str) -> None:
    """A state that makes no sense is no state."""
    (folder.path / "servers.json").write_text(text)
    assert folder.read_state() is None


def test_copy_of_a_folder(folder: Folder, tmp_path: Path) -> None:
    """A copy of a folder knows nothing of the servers of the original."""
    folder.new_state(temporary=True, redis=False, postgres_version=18)
    copy = tmp_path / "copy"
    copy.mkdir()
    shutil.copy(tmp_path / "servers.json", copy)
    assert Folder(copy, ME).read_state() is None


def test_removing_the_folder_of_the_sockets(folder: Folder) -> None:
    """When the servers have stopped, the folder of the sockets goes, and the data stays."""
    state = folder.new_state(temporary=False, redis=False, postgres_version=18)
    assert Path(state.runtime).is_dir()
    for _ in range(2):
        folder.remove(state)
        assert not Path(state.runtime).exists()
        assert list(folder.path.iterdir()) == []


def test_removing_no_other_folder(folder: Folder, tmp_path: Path) -> None:
    """A state that was tampered with has no other folder removed."""
    for name, owner in (("precious", None), ("surf_data-theirs", os.geteuid() + 1)):
        precious = tmp_path / name
        precious.mkdir()
        state = folder.new_state(temporary=False, redis=False, postgres_version=18)
        shutil.rmtree(state.runtime)
        Folder(tmp_path, Account(name="me", user=owner)).remove(attrs.evolve(state, runtime=str(precious)))
        assert precious.exists()


def test_last_log_is_kept(folder: Folder) -> None:
    """A new log begins empty, and the last one lies beside it."""
    for text in (b"first", b"second"):
        with folder.new_log("server") as log:
            log.write(text)
    assert (folder.log_path("server").read_text(), (folder.path / "server.log.1").read_text()) == ("second", "first")


@pytest.mark.usefixtures("long_temporary")
def test_long_folder_for_temporary_files() -> None:
    """Where the path for temporary files is too long for a socket, a short one is taken."""
    folder = Folder.temporary()
    assert folder.path.parent == folders._SHORT.resolve()
    folder.path.rmdir()


@pytest.mark.usefixtures("long_temporary")
def test_no_short_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where no path is short enough for a socket the error says which variable to set."""
    monkeypatch.setattr(folders, "_SHORT", tmp_path / "missing")
    with pytest.raises(EmbeddedServerError, match=r"too long a path for a socket .* set TMPDIR"):
        Folder.temporary()


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """Return the programs of an installation without the right to execute them."""
    site = tmp_path / "site"
    for name in ("pg/18/bin/postgres", "pg/18/include/postgres.h", "pg/18/lib.a", "pg/18/lib.so", "pg.libs/libpq.so"):
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).touch(mode=0o600)
    return site / "pg" / "18" / "bin"


def test_copy_of_the_programs(programs: Path, tmp_path: Path) -> None:
    """An installation of PostgreSQL that the account cannot use is copied, with all that it needs to run."""
    runtime = tmp_path / "runtime"
    runtime.mkdir()
    usable = postgres.usable_programs(programs, ME, runtime)
    copy = runtime / "programs"
    assert usable == copy / "pg" / "18" / "bin"
    copied = {str(path.relative_to(copy)) for path in copy.rglob("*") if path.is_file()}
    assert copied == {"pg/18/bin/postgres", "pg/18/lib.so", "pg.libs/libpq.so"}


def test_programs_that_need_no_copy(programs: Path, tmp_path: Path) -> None:
    """An installation that the account can use is used where it is."""
    (programs / "postgres").chmod(0o700)
    assert postgres.usable_programs(programs, ME, tmp_path) == programs


def test_copy_of_redis(programs: Path, tmp_path: Path) -> None:
    """A Redis that the account cannot use is copied."""
    assert redis_server.usable_program(programs / "postgres", ME, tmp_path) == tmp_path / "postgres"
