"""Objects on a local disk: atomic, durable, and never outside their folder."""

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from surf_data.errors import ObjectNotFound, StorageDenied, StorageError, StorageUnavailable
from surf_data.kernel.secret import Secret
from surf_data.kernel.storage import LocalStore, UrlSigner
from surf_data.kernel.storage import local as local_module

NAMESPACE = ["unshare", "--map-root-user", "--mount", "--", "sh", "-c"]

FILLING = """
import sys
from surf_data.errors import StorageUnavailable
from surf_data.kernel.storage import LocalStore
store = LocalStore(sys.argv[1])
store.initialize()
store.put("small", b"x" * 1000)
try:
    store.put("large", (b"x" * 100_000 for _ in range(50)))
except StorageUnavailable as error:
    print(error, error.retryable, error.__context__)
print([info.key for info in store.list()], store.free_bytes() > 500_000)
"""

WRITING = """
import os, sys
from surf_data.kernel.storage import LocalStore
store = LocalStore(sys.argv[1])
def endless():
    yield b"begun"
    print("writing", flush=True)
    while True:
        yield b"x"
store.put("never", endless())
"""


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    """Return an empty store that waits for its disk."""
    store = LocalStore(tmp_path / "objects")
    assert store.initialize() is True
    return store


def test_a_folder(store: LocalStore, tmp_path: Path) -> None:
    """Objects are files at their key, for the owner and the group alone; URLs are file URLs without a public one."""
    store.put("2026/11/a b.png", b"picture")
    file = tmp_path / "objects/2026/11/a b.png"
    assert file.read_bytes() == b"picture"
    assert file.stat().st_mode & 0o777 & ~0o640 == 0
    assert file.parent.stat().st_mode & 0o777 & ~0o750 == 0
    assert store.place == str(tmp_path / "objects")
    assert store.url("2026/11/a b.png") == f"file://{tmp_path}/objects/2026/11/a%20b.png"
    assert os.listdir(tmp_path / "objects/.tmp") == []  # noqa: PTH208 - names alone


def test_urls_need_keys(store: LocalStore) -> None:
    """Without keys nothing is signed; with them the public URL is."""
    with pytest.raises(StorageError, match="storage_signing_keys"):
        store.sign("a", 60)
    signer = UrlSigner(Secret("k" * 32), "https://example.org/objects/")
    signing = LocalStore(store.place, signer=signer)
    assert signing.url("a/b") == "https://example.org/objects/a/b"
    assert signer.verify("GET", signing.sign("a/b", 60)).key == "a/b"


def test_empty_folders_go(store: LocalStore, tmp_path: Path) -> None:
    """With its last object a folder is removed, and with it those above that are empty then."""
    store.put("a/b/c/1", b"")
    store.put("a/b/2", b"")
    store.delete_many(["a/b/c/1"])
    assert not (tmp_path / "objects/a/b/c").exists()
    assert (tmp_path / "objects/a/b/2").exists()
    store.delete_many(["a/b/2"])
    assert sorted(path.name for path in (tmp_path / "objects").iterdir()) == [".tmp"]


def test_folders_that_come_and_go(store: LocalStore) -> None:
    """Objects that are created in a folder while others empty it are all stored."""

    def churn(number: int) -> None:
        for turn in range(100):
            key = f"shared/folder/{number}-{turn}"
            store.put(key, b"x")
            assert store.head(key).size == 1
            store.delete_many([key])

    quick = LocalStore(store.place, fsync=False)
    store = quick
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(churn, range(4)))
    assert list(store.list()) == []


def test_a_folder_that_never_stays(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is removed each time before it is used ends in an error, not in a loop."""

    def vanish(*_: object, **__: object) -> None:
        raise FileNotFoundError

    monkeypatch.setattr(local_module.os, "link", vanish)
    with pytest.raises(StorageError):
        store.put("a/b", b"x")
    assert list(store.list()) == []


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """Return a folder outside the store, with a file in it."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret").write_bytes(b"secret")
    return folder


def test_links_are_not_followed(store: LocalStore, outside: Path, tmp_path: Path) -> None:
    """A symbolic link that was planted leads nowhere: neither as a folder nor as a file, reading or writing."""
    objects = tmp_path / "objects"
    (objects / "folder").symlink_to(outside)
    (objects / "file").symlink_to(outside / "secret")
    with pytest.raises(StorageDenied):
        store.put("folder/new", b"x")
    with pytest.raises(StorageError):
        store.put("file", b"x")
    for read in (store.get, store.head):
        for key in ("folder/secret", "file"):
            with pytest.raises((ObjectNotFound, StorageDenied)):
                read(key)
    with pytest.raises(StorageDenied):
        store.delete_many(["folder/secret"])
    store.put("file", b"x", create=False)
    assert not (objects / "file").is_symlink()
    assert [info.key for info in store.list()] == ["file"]
    assert (outside / "secret").read_bytes() == b"secret"
    assert sorted(path.name for path in outside.iterdir()) == ["secret"]


def test_what_is_no_file(store: LocalStore, tmp_path: Path) -> None:
    """A folder and a pipe are no objects, and a file is no folder."""
    store.put("a/b", b"x")
    os.mkfifo(tmp_path / "objects/pipe")
    for key in ("a", "pipe", "a/b/c"):
        with pytest.raises(ObjectNotFound):
            store.get(key)
    with pytest.raises(StorageDenied):
        store.put("a/b/c", b"x")
    with pytest.raises(StorageError):
        store.put("a", b"x", create=False)
    assert [info.key for info in store.list()] == ["a/b"]


def test_files_that_vanish_meanwhile(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is deleted while a folder is listed or tidied up is left out."""
    store.put("a", b"x")
    store.put("b", b"x")
    names = local_module.os.listdir

    def stale(folder: int) -> list[str]:
        return [*names(folder), "gone"]

    monkeypatch.setattr(local_module.os, "listdir", stale)
    assert [info.key for info in store.list()] == ["a", "b"]


def test_a_full_disk(open_folder: Path) -> None:
    """A disk that fills up while an object is written is an error that may pass; nothing of the object remains."""
    script = f"mount -t tmpfs -o size=1m none {open_folder} && exec {sys.executable} -c '{FILLING}' {open_folder}/o"
    done = subprocess.run([*NAMESPACE, script], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("this system does not allow mounting a file system")
    assert done.stdout == "put failed: the disk is full True None\n['small'] True\n"


def test_killed_while_writing(store: LocalStore, tmp_path: Path) -> None:
    """A process that is killed leaves a temporary file and no object; the file goes when it is old."""
    process = subprocess.Popen([sys.executable, "-c", WRITING, store.place], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    process.stdout.close()
    assert list(store.list()) == []
    assert store.remove_left_overs() == 0
    assert len(list((tmp_path / "objects/.tmp").iterdir())) == 1
    assert store.remove_left_overs(seconds=-1) == 1
    assert list((tmp_path / "objects/.tmp").iterdir()) == []


def test_left_overs_that_vanish_meanwhile(store: LocalStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Two processes may tidy up at a time."""
    (tmp_path / "objects/.tmp/old").touch()

    def gone(*_: object, **__: object) -> None:
        raise FileNotFoundError

    monkeypatch.setattr(local_module.os, "unlink", gone)
    assert store.remove_left_overs(seconds=-1) == 0


def test_a_store_that_is_not_there(tmp_path: Path) -> None:
    """A folder that does not exist holds no objects, and takes none before it was initialized."""
    store = LocalStore(tmp_path / "none")
    with pytest.raises(ObjectNotFound):
        store.get("a")
    with pytest.raises(StorageError):
        store.put("a", b"x")
    assert list(store.list()) == []
    (tmp_path / "file").touch()
    with pytest.raises(StorageDenied):
        LocalStore(tmp_path / "file/below").initialize()


def test_an_error_that_is_not_listed() -> None:
    """An error of the file system that has no words of its own gives its number."""
    error = local_module.Translation("put")
    with pytest.raises(StorageUnavailable, match="errno 5"), error:
        raise OSError(5, "/private/path")


def test_a_source_with_an_error_of_the_system(store: LocalStore) -> None:
    """An OSError of the caller's own file is raised as it is, not as one of the store."""

    def failing() -> object:
        yield b"x"
        raise PermissionError(13, "mine")

    with pytest.raises(PermissionError, match="mine") as caught:
        store.put("a", failing())  # type: ignore[arg-type]
    assert caught.value.__context__ is None


def test_readers_of_a_deleted_object(store: LocalStore) -> None:
    """A reader that has opened an object reads it to its end, also when it is deleted meanwhile."""
    store.put("a", b"whole")
    body = store.get("a")
    store.delete_many(["a"])
    assert body.read() == b"whole"


def test_after_a_fork(store: LocalStore) -> None:
    """A forked child uses the store as its parent does."""
    store.put("parent", b"x")
    if (child := os.fork()) == 0:
        store.put("child", store.get("parent").read())
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert store.get("child").read() == b"x"


def test_replacing_under_readers(store: LocalStore) -> None:
    """Who reads an object while it is replaced sees the old one or the new one, never a mixture."""
    store.put("a", b"0" * 300_000)
    stop = threading.Event()

    def read() -> set[tuple[int, int]]:
        seen: set[tuple[int, int]] = set()
        while not stop.is_set():
            content = store.get("a").read()
            seen.add((len(content), len(set(content))))
        return seen

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        for turn in range(50):
            store.put("a", b"%d" % (turn % 10) * 300_000, create=False)
        stop.set()
        assert {content for reader in readers for content in reader.result()} == {(300_000, 1)}
