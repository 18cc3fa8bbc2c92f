"""What object storage refuses, signs, lists, and does while the store is away."""

from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import attrs
import psycopg
import pytest

from rig.object_storage import SIGNING_KEY
from rig.pictures import png
from surf_data import screenshot
from surf_data.errors import (
    ConfigurationError,
    ObjectNotFound,
    SignedUrlExpired,
    SignedUrlInvalid,
    StorageError,
    StorageUnavailable,
    ValidationError,
)
from surf_data.screenshot import ScreenshotDataLayer, StoredObject
from surf_data.screenshot.storage_cleanup import Cleanup

NOTHING = Cleanup(released=0, orphans=0, left_overs=0)
HTML = b"<html>" + b"<p>hello</p>" * 500 + b"</html>"


def keys(data: ScreenshotDataLayer) -> set[str]:
    """Return the keys of all objects in the store."""
    return {each.key for each in data._store.list()}


def rows(admin: psycopg.Connection[Any]) -> set[tuple[str, str]]:
    """Return key and status of all rows."""
    return set(admin.execute("SELECT object_key, status FROM screenshot.stored_objects").fetchall())


@pytest.fixture
def local(app_url: str, tmp_path: Path) -> Iterator[ScreenshotDataLayer]:
    """Open the data layer on a local store with small limits."""
    with screenshot.open(
        app_url,
        local_storage_path=str(tmp_path / "uploads"),
        storage_signing_keys=SIGNING_KEY,
        storage_fsync=False,
        pool_min_size=1,
    ) as opened:
        opened.storage.initialize()
        yield opened


BAD_CONTENT = [
    ("a.png", b"", "empty"),
    ("a.png", b"<html><script>alert(1)</script>", "is not image/png"),
    ("a.html", png(), "is not text/html"),
    ("a.txt", b"caf\xe9", "is not text/plain"),
    ("a.json", b"a\0b", "is not application/json"),
    ("a.png", png(60_000, 60_000), "pixels"),
    ("a.png", png(0, 5), "readable size"),
    ("a.gif", b"GIF89a", "readable size"),
    ("a.zip", png(), "is not application/zip"),
    ("a.txt", b"x" * (52_428_800 + 1), "must not be larger than 52428800 bytes"),
    ("a.png", png(padding=52_428_800), "must not be larger than 52428800 bytes"),
]


def test_bad_content(local: ScreenshotDataLayer, admin: psycopg.Connection[Any]) -> None:
    """What is empty, too large, or not what it is called, is refused by its content and leaves nothing behind."""
    for path, content, problem in BAD_CONTENT:
        for source in (content, BytesIO(content)):
            with pytest.raises(ValidationError, match=problem) as caught:
                local.storage.upload(source, path)
            assert caught.value.field == "data"
            assert caught.value.__context__ is None
    assert (keys(local), rows(admin)) == (set(), set())
    assert local.storage.cleanup() == NOTHING


BAD_PATHS = [
    "",
    "/a",
    "a/",
    "a//b",
    "../x.png",
    "a/../b",
    "a/./b",
    "a\\b",
    "a\0b",
    "a\u202eb",
    "x" * 2_000,
    "x" * 201,
    7,
    None,
]


def test_bad_paths(local: ScreenshotDataLayer, refused: Callable[..., Any]) -> None:
    """A path that is none is refused by every method, before anything is sent."""
    storage = local.storage
    calls: list[Callable[[Any], Any]] = [
        lambda path: storage.upload(png(), path, "image/png"),
        storage.download,
        storage.open,
        storage.url,
        storage.signed_url,
        storage.exists,
        storage.info,
        storage.delete,
        lambda path: storage.update_metadata(path, {}),
    ]
    for path in BAD_PATHS:
        for call in calls:
            assert refused(lambda call=call, path=path: call(path)).field == "path"


def test_bad_arguments(local: ScreenshotDataLayer, refused: Callable[..., Any]) -> None:
    """Every other argument is checked, too."""
    storage = local.storage
    bad: list[tuple[str, dict[str, Any]]] = [
        ("content_type", {"content_type": "application/x-msdownload"}),
        ("content_type", {"content_type": 7}),
        ("metadata", {"metadata": "x"}),
        ("user_id", {"user_id": "user-123"}),
        ("project_id", {"project_id": 7}),
        ("expires_in", {"expires_in": 0}),
        ("expires_in", {"expires_in": True}),
        ("if_exists", {"if_exists": "overwrite"}),
        ("if_exists", {"if_exists": 7}),
    ]
    for field, options in bad:
        assert refused(lambda options=options: storage.upload(b"x", "a.txt", **options)).field == field
    assert refused(lambda: storage.upload("text", "a.txt")).field == "data"  # type: ignore[arg-type]
    assert refused(lambda: storage.upload(b"x", "unknown")).field == "content_type"
    assert refused(lambda: storage.list(limit=0)).field == "limit"


def test_signed_urls(local: ScreenshotDataLayer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A signed URL of a local object opens that object until its time; a forged or late one opens nothing."""
    local.storage.upload(png(), "a.png")
    url = local.storage.generate_signed_url("a.png", 60)
    assert url.startswith("http://localhost:3000/objects/")
    opened = local.storage.open_signed(url)
    assert (opened.object.path, opened.body.read()) == ("a.png", png())
    for forged in (url[:-1] + "!", url.replace("e=", "e=9"), url + "&x=1"):
        with pytest.raises(SignedUrlInvalid):
            local.storage.open_signed(forged)
    monkeypatch.setattr(local._signer, "_clock", lambda: 9e9)
    with pytest.raises(SignedUrlExpired):
        local.storage.open_signed(url)
    monkeypatch.undo()
    local.storage.delete("a.png")
    with pytest.raises(ObjectNotFound):
        local.storage.open_signed(url)


def test_without_keys(data: ScreenshotDataLayer) -> None:
    """Without keys nothing is signed and nothing verified, and URLs are those of files."""
    data.storage.initialize()
    assert data.storage.upload(b"x", "a.txt").startswith("file:///")
    with pytest.raises(StorageError, match="storage_signing_keys"):
        data.storage.signed_url("a.txt")
    with pytest.raises(StorageError, match="storage_signing_keys"):
        data.storage.open_signed("http://localhost/a")


def test_lists_and_metadata(local: ScreenshotDataLayer) -> None:
    """Objects come by the beginning of their paths, page by page."""
    for name in ("a", "b", "c", "d"):
        local.storage.upload(b"x", f"list/{name}.txt")
    local.storage.upload(b"x", "other.txt")
    first = local.storage.list("list/", limit=3)
    rest = local.storage.list("list/", after=first[-1].path, limit=3)
    assert [each.path for each in (*first, *rest)] == [f"list/{name}.txt" for name in "abcd"]
    assert local.storage.update_metadata("other.txt", {"k": [1]}) is True
    found = local.storage.info("other.txt")
    assert found is not None
    assert found.metadata == {"k": [1]}
    assert local.storage.update_metadata("none.txt", {}) is False


def test_what_is_not_what_was_stored(local: ScreenshotDataLayer, tmp_path: Path) -> None:
    """An object that was changed or removed behind our back is an error, not a wrong content."""
    html, picture = local.storage.store(HTML, "a.html"), local.storage.store(png(), "a.png")
    for each in (html, picture):
        (tmp_path / "uploads" / each.object_key).write_bytes(b"changed")
        with pytest.raises(StorageError, match="not what was stored"):
            local.storage.download(each.path)
        (tmp_path / "uploads" / each.object_key).unlink()
        with pytest.raises(ObjectNotFound):
            local.storage.download(each.path)
    assert local.storage.stats()["errors"] == 2


def test_storage_that_is_away(
    local: ScreenshotDataLayer, admin: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While storage is away, the row of an upload waits for the clean-up, and deleted objects do."""
    stored = local.storage.store(b"x", "a.txt")

    def away(*_: object, **__: object) -> None:
        raise StorageUnavailable

    monkeypatch.setattr(local._store, "put", away)
    monkeypatch.setattr(local._store, "delete_many", away)
    with pytest.raises(StorageUnavailable):
        local.storage.upload(b"x", "b.txt")
    assert local.storage.delete("a.txt") is True
    assert sorted(status for _, status in rows(admin)) == ["deleting", "pending"]
    with pytest.raises(StorageUnavailable):
        local.storage.cleanup()
    monkeypatch.undo()
    admin.execute("UPDATE screenshot.stored_objects SET created_at = now() - interval '2 hours'")
    assert local.storage.cleanup().released == 2
    assert stored.object_key not in keys(local)


def test_an_upload_that_took_too_long(local: ScreenshotDataLayer, admin: psycopg.Connection[Any]) -> None:
    """An upload whose row clean-up has taken meanwhile is refused at its end, and leaves nothing."""

    def slow() -> Iterator[bytes]:
        yield png(padding=100_000)
        admin.execute("UPDATE screenshot.stored_objects SET created_at = now() - interval '2 hours'")
        local.storage.cleanup()

    with pytest.raises(StorageUnavailable, match="longer than clean-up allows"):
        local.storage.upload(slow(), "a.png")
    assert not local.storage.exists("a.png")


def test_two_that_refuse(local: ScreenshotDataLayer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two that want a free path, the later one is refused also when both saw it free."""
    local.storage.upload(b"x", "a.txt")
    monkeypatch.setattr(type(local.storage), "exists", lambda *_: False)
    with pytest.raises(ValidationError, match="path is taken"):
        local.storage.upload(b"y", "a.txt", if_exists="refuse")
    assert local.storage.download("a.txt") == b"x"


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"storage_backend": "s3"}, "aws_s3_bucket"),
        ({"storage_backend": "azure"}, "azure_storage_connection_string"),
        ({"storage_backend": "ftp"}, "storage_backend"),
        ({"storage_signing_keys": "short"}, "storage_signing_keys"),
        ({"storage_signing_keys": "k" * 32, "storage_public_url": "here"}, "storage_public_url"),
        ({"allowed_file_types": ""}, "allowed_file_types"),
        ({"allowed_file_types": "png"}, "allowed_file_types"),
    ],
)
def test_bad_settings(app_url: str, settings: dict[str, Any], field: str) -> None:
    """A backend that lacks a setting is refused when the layer is opened."""
    with pytest.raises(ConfigurationError) as caught:
        screenshot.open(app_url, **settings)
    assert caught.value.setting == field


def test_rows_are_frozen(local: ScreenshotDataLayer) -> None:
    """What is known of an object is a value."""
    stored: StoredObject = local.storage.store(b"x", "a.txt")
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        stored.path = "b"  # type: ignore[misc]
