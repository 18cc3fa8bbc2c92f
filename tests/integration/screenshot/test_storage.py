"""Object storage of the domain: rows and objects agree, contents are what they are called, URLs are signed."""

import gzip
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from rig.object_storage import SIGNING_KEY
from rig.pictures import png
from rig.seaweed import ACCESS_KEY, SECRET_KEY
from surf_data import screenshot
from surf_data.errors import (
    ObjectNotFound,
    StorageError,
    ValidationError,
)
from surf_data.screenshot import Project, ScreenshotDataLayer, User
from surf_data.screenshot.storage_cleanup import Cleanup

NOTHING = Cleanup(released=0, orphans=0, left_overs=0)
HTML = b"<html>" + b"<p>hello</p>" * 500 + b"</html>"

KILLED = """
import os, signal, sys
from surf_data import screenshot
from surf_data.screenshot import storage as module
from rig.pictures import png

def kill(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

url, backend, step = sys.argv[1:4]
data = screenshot.open(url, **eval(backend))
queries = module.screenshot_queries()
if step == "begin":
    data._store.put = kill
    data.storage._store = data._store
elif step == "put":
    data.storage._finish = kill
elif step == "finish":
    module.Cleaner.remove = kill
elif step == "remove":
    data._store.delete_many = kill
elif step == "forget":
    type(queries).object_forget = property(lambda _: kill)
data.storage.upload(png(padding=int(sys.argv[4])), "killed.png")
print("survived")
"""


@pytest.fixture(params=["local", "s3", "azure"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    """Return the settings of each backend, one after the other."""
    if request.param == "s3":
        endpoint = request.getfixturevalue("seaweed").endpoint
        return {
            "storage_backend": "s3",
            "aws_s3_bucket": "domain",
            "aws_endpoint_url": endpoint,
            "aws_access_key_id": ACCESS_KEY,
            "aws_secret_access_key": SECRET_KEY,
        }
    if request.param == "azure":
        connection = request.getfixturevalue("azurite").connection_string
        return {"storage_backend": "azure", "azure_storage_connection_string": connection}
    return {
        "storage_backend": "local",
        "local_storage_path": str(tmp_path / "uploads"),
        "storage_signing_keys": SIGNING_KEY,
        "storage_fsync": False,
    }


@pytest.fixture
def stored(backend: dict[str, Any], app_url: str) -> Iterator[ScreenshotDataLayer]:
    """Open the data layer on an empty store of each backend."""
    with screenshot.open(app_url, pool_min_size=1, pool_max_size=10, **backend) as opened:
        opened.storage.initialize()
        yield opened
        opened._store.delete_many([each.key for each in opened._store.list()])


def keys(data: ScreenshotDataLayer) -> set[str]:
    """Return the keys of all objects in the store."""
    return {each.key for each in data._store.list()}


def rows(admin: psycopg.Connection[Any]) -> set[tuple[str, str]]:
    """Return key and status of all rows."""
    return set(admin.execute("SELECT object_key, status FROM screenshot.stored_objects").fetchall())


def test_upload_and_download(stored: ScreenshotDataLayer, user: User, project: Project) -> None:
    """What is uploaded comes back by its path, and what is known of it as well."""
    picture = png(40, 20)
    url = stored.storage.upload(
        picture, "images/photo.png", "image/png", metadata={"from": "test"}, user_id=user.id, project_id=project.id
    )
    assert url == stored.storage.url("images/photo.png") == stored.storage.get_url("images/photo.png")
    assert stored.storage.download("images/photo.png") == picture
    info = stored.storage.info("images/photo.png")
    assert info is not None
    assert (info.size_bytes, info.width, info.height, info.content_type) == (len(picture), 40, 20, "image/png")
    assert (info.metadata, info.user_id, info.project_id) == ({"from": "test"}, user.id, project.id)
    assert (info.content_encoding, info.stored_bytes) == (None, len(picture))
    assert stored.storage.exists("images/photo.png")
    assert stored.storage.stats() | {"place": ""} == {
        "backend": stored.storage.stats()["backend"],
        "place": "",
        "uploads": 1,
        "downloads": 1,
        "deletes": 0,
        "errors": 0,
        "bytes_in": len(picture),
        "bytes_out": len(picture),
    }
    assert stored.storage.usage().objects == 1


def test_text_is_compressed(stored: ScreenshotDataLayer) -> None:
    """Generated pages are stored compressed where that pays, and come back as they were."""
    info = stored.storage.store(HTML, "result.html")
    assert (info.content_type, info.content_encoding, info.size_bytes) == ("text/html", "gzip", len(HTML))
    assert info.stored_bytes < len(HTML) / 10
    assert stored.storage.download("result.html") == HTML
    with stored.storage.open("result.html").body as body:
        assert gzip.decompress(body.read()) == HTML
    archive = stored.storage.store(b"PK\x05\x06" + bytes(18), "a.zip")
    assert (archive.content_encoding, archive.width) == (None, None)
    plain = stored.storage.store(HTML, "plain.html", compress=False)
    assert (plain.content_encoding, plain.stored_bytes) == (None, len(HTML))


def test_a_path_is_replaced(stored: ScreenshotDataLayer, admin: psycopg.Connection[Any]) -> None:
    """A second upload takes the place of the first, whose object is gone; two spellings of a path are one."""
    first = stored.storage.store(b"1 first", "caf\u00e9.txt")
    second = stored.storage.store(b"2 second", "cafe\u0301.txt")
    assert stored.storage.download("caf\u00e9.txt") == b"2 second"
    assert keys(stored) == {second.object_key}
    assert rows(admin) == {(second.object_key, "stored")}
    assert first.object_key != second.object_key
    assert stored.storage.cleanup() == NOTHING
    with pytest.raises(ValidationError, match="path is taken"):
        stored.storage.store(b"3", "caf\u00e9.txt", if_exists="refuse")
    assert stored.storage.store(b"3", "new.txt", if_exists="refuse").size_bytes == 1


def test_delete(stored: ScreenshotDataLayer, admin: psycopg.Connection[Any]) -> None:
    """A deleted object is gone at once, with its row."""
    stored.storage.upload(b"x", "a.txt")
    assert stored.storage.delete("a.txt") is True
    assert stored.storage.delete("a.txt") is False
    assert (keys(stored), rows(admin)) == (set(), set())
    for call in (stored.storage.download, stored.storage.url, stored.storage.signed_url):
        with pytest.raises(ObjectNotFound):
            call("a.txt")
    assert stored.storage.info("a.txt") is None


def test_many_uploads_to_few_paths(stored: ScreenshotDataLayer, admin: psycopg.Connection[Any]) -> None:
    """Of 480 concurrent uploads to 20 paths each succeeds, no content is mixed, and rows and objects agree."""

    def upload(number: int) -> None:
        stored.storage.upload(b"%d" % number * 500, f"busy/{number % 20}.txt")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(upload, range(480)))
    found = stored.storage.list("busy/")
    assert len(found) == 20
    for each in found:
        number = int(each.path.removeprefix("busy/").removesuffix(".txt"))
        content = stored.storage.download(each.path)
        [winner] = {int(content[:length]) for length in (1, 2, 3) if content == content[:length] * 500}
        assert winner % 20 == number
    stored.storage.cleanup()
    assert keys(stored) == {each.object_key for each in found} == {key for key, _ in rows(admin)}


@pytest.mark.parametrize("step", ["begin", "put", "finish", "remove", "forget"])
def test_killed(
    stored: ScreenshotDataLayer, backend: dict[str, Any], app_url: str, admin: psycopg.Connection[Any], step: str
) -> None:
    """A process that is killed at any step leaves what clean-up brings together again, and never a row alone."""
    stored.storage.upload(png(8, 8), "killed.png")
    before = keys(stored)
    arguments = [app_url, repr(backend), step, "0"]
    done = subprocess.run(
        [sys.executable, "-c", KILLED, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    served = {key for key, status in rows(admin) if status == "stored"}
    assert served <= keys(stored)
    assert stored.storage.download("killed.png") == (png(8, 8) if step in ("begin", "put") else png())
    stored.storage.cleanup()
    admin.execute(
        "UPDATE screenshot.stored_objects SET created_at = now() - interval '2 hours' WHERE status = 'pending'"
    )
    stored.storage.cleanup()
    assert keys(stored) == {key for key, status in rows(admin) if status == "stored"} == {key for key, _ in rows(admin)}
    assert len(keys(stored)) == 1
    assert (keys(stored) == before) is (step in ("begin", "put"))


def test_a_transaction(stored: ScreenshotDataLayer, admin: psycopg.Connection[Any]) -> None:
    """In a transaction an upload counts when it is committed; rolled back, its object goes with the clean-up."""
    stored.storage.upload(b"old", "a.txt")
    with stored.transaction() as tx:
        tx.storage.upload(b"new", "a.txt")
        assert stored.storage.download("a.txt") == b"old"
        assert tx.storage.download("a.txt") == b"new"
    assert stored.storage.download("a.txt") == b"new"
    with pytest.raises(ZeroDivisionError), stored.transaction() as tx:
        tx.storage.upload(b"lost", "b.txt")
        tx.storage.delete("a.txt")
        raise ZeroDivisionError
    assert stored.storage.download("a.txt") == b"new"
    assert not stored.storage.exists("b.txt")
    with stored.transaction() as tx:
        assert tx.storage.delete("a.txt")
    admin.execute("UPDATE screenshot.stored_objects SET created_at = now() - interval '2 hours'")
    assert stored.storage.cleanup(dry_run=True).released == 3
    assert stored.storage.cleanup().released == 3
    assert (keys(stored), rows(admin)) == (set(), set())


def test_expiry(stored: ScreenshotDataLayer, admin: psycopg.Connection[Any]) -> None:
    """An object with an end is removed by the first clean-up after it."""
    stored.storage.upload(b"x", "a.txt", expires_in=3_600)
    assert stored.storage.cleanup() == NOTHING
    admin.execute("UPDATE screenshot.stored_objects SET delete_after = now() - interval '1 second'")
    assert stored.storage.cleanup().released == 1
    assert not stored.storage.exists("a.txt")


def test_orphans(stored: ScreenshotDataLayer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Objects without a row go when they are old; what this library did not make stays; a wrong database is noticed."""
    stored.storage.upload(b"x", "a.txt")
    stored._store.put("foreign/file.txt", b"theirs")
    for _ in range(3):
        stored._store.put(f"2020/01/{uuid4()}.txt", b"orphan")
    assert stored.storage.cleanup() == NOTHING
    monkeypatch.setattr("surf_data.screenshot.storage_cleanup.ORPHAN_SECONDS", -60)
    assert stored.storage.cleanup(dry_run=True).orphans == 3
    assert stored.storage.cleanup().orphans == 3
    assert len(keys(stored)) == 2
    for _ in range(12):
        stored._store.put(f"2020/01/{uuid4()}.txt", b"orphan")
    with pytest.raises(StorageError, match="is this the right database"):
        stored.storage.cleanup()
    assert stored.storage.cleanup(force=True).orphans == 12
    assert stored.storage.download("a.txt") == b"x"


def test_adoption(stored: ScreenshotDataLayer) -> None:
    """Objects of another program become readable under their keys, those of accepted types."""
    for key in ("old/a.png", "old/b.txt", "old/c.exe", "old/cafe\u0301.txt"):
        stored._store.put(key, b"1234")
    assert stored.storage.adopt("old") == 2
    assert stored.storage.adopt() == 0
    assert stored.storage.download("old/a.png") == b"1234"


def test_a_failed_put(stored: ScreenshotDataLayer, admin: psycopg.Connection[Any], tmp_path: Path) -> None:
    """A source that fails leaves neither row nor object, and its error is the caller's own."""

    def failing() -> Iterator[bytes]:
        yield png(padding=100_000)
        raise PermissionError(13, "mine")

    with pytest.raises(PermissionError, match="mine"):
        stored.storage.upload(failing(), "a.png")
    assert (keys(stored), rows(admin)) == (set(), set())
