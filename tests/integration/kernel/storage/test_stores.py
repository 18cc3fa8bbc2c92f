"""What every object store does, on local disk, S3 and Azure alike."""

import os
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from itertools import chain
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from surf_data.errors import ObjectExists, ObjectNotFound, StorageError, ValidationError
from surf_data.kernel.storage import Attributes, LocalStore, ObjectStore

HTML = Attributes(
    content_type="text/html", content_encoding="gzip", content_disposition="attachment", cache_control="private"
)


def test_put_and_get(object_store: ObjectStore) -> None:
    """What was stored comes back: whole, in pieces, in part, with its size and what was stored with it."""
    content = secrets.token_bytes(3_000)
    stored = object_store.put("2026/11/a.html", content, HTML)
    assert (stored.key, stored.size) == ("2026/11/a.html", 3_000)
    with object_store.get("2026/11/a.html") as body:
        assert body.info.size == 3_000
        assert b"".join(body) == content
        assert body.read() == b""
    assert object_store.get("2026/11/a.html").read() == content
    assert object_store.get_range("2026/11/a.html", 2_990, 100) == content[2_990:]
    assert object_store.get_range("2026/11/a.html", 10, 20) == content[10:30]
    assert object_store.get_range("2026/11/a.html", 3_000, 1) == b""
    info = object_store.head("2026/11/a.html")
    assert info.size == 3_000
    assert info.last_modified is not None
    assert info.attributes == (None if object_store.backend == "local" else HTML)


@pytest.mark.parametrize("kind", ["bytes", "bytearray", "memoryview", "file", "iterable"])
def test_sources(object_store: ObjectStore, kind: str) -> None:
    """Bytes, files and iterables can be stored, also when they are sent in parts."""
    content = os.urandom(6 << 20)
    pieces = chain([b""], (content[start : start + 700_001] for start in range(0, len(content), 700_001)))
    sources = {
        "bytes": content,
        "bytearray": bytearray(content),
        "memoryview": memoryview(content),
        "file": BytesIO(content),
        "iterable": pieces,
    }
    assert object_store.put("large", sources[kind]).size == len(content)
    assert object_store.get("large").read() == content


def test_an_empty_object(object_store: ObjectStore) -> None:
    """Nothing is stored as nothing; that a content must not be empty is for callers to say."""
    assert object_store.put("empty", b"").size == 0
    assert object_store.get("empty").read() == b""


def test_create_only(object_store: ObjectStore) -> None:
    """A key that is taken is refused and keeps its content, unless it is to be replaced."""
    object_store.put("a/b", b"first")
    with pytest.raises(ObjectExists) as caught:
        object_store.put("a/b", b"second")
    assert (caught.value.operation, caught.value.key, caught.value.retryable) == ("put", "a/b", False)
    assert caught.value.__context__ is None
    assert object_store.get("a/b").read() == b"first"
    object_store.put("a/b", b"third", create=False)
    assert object_store.get("a/b").read() == b"third"


def test_eight_that_create_the_same(object_store: ObjectStore) -> None:
    """Of eight threads that create one key, one succeeds, and its content is whole."""

    def put(number: int) -> bool:
        try:
            object_store.put("race", bytes([number]) * 100_000)
        except ObjectExists:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        winners = [number for number, won in enumerate(pool.map(put, range(8))) if won]
    assert len(winners) == 1
    assert object_store.get("race").read() == bytes(winners) * 100_000


def test_a_source_that_fails(object_store: ObjectStore) -> None:
    """What a source raises reaches the caller as it was, early or late, and nothing is stored."""

    class OwnError(Exception):
        pass

    def failing(good: int) -> Iterator[bytes]:
        for _ in range(good):
            yield bytes(1 << 20)
        raise OwnError

    for good in (0, 12):
        with pytest.raises(OwnError):
            object_store.put("failing", failing(good))
    assert list(object_store.list()) == []


@pytest.mark.parametrize("source", ["text", 7, None, ["text"], [b"a", 7]])
def test_bad_sources(object_store: ObjectStore, source: object) -> None:
    """What yields no bytes is refused, and nothing is stored."""
    with pytest.raises(ValidationError) as caught:
        object_store.put("bad", source)  # type: ignore[arg-type]
    assert caught.value.field == "data"
    assert list(object_store.list()) == []


def test_missing(object_store: ObjectStore) -> None:
    """A missing object is an error to read and none to delete."""
    for read in (
        lambda: object_store.get("no/such"),
        lambda: object_store.head("no/such"),
        lambda: object_store.get_range("no/such", 0, 1),
    ):
        with pytest.raises(ObjectNotFound) as caught:
            read()
        assert caught.value.__context__ is None
    object_store.put("here/too", b"x")
    object_store.delete_many(["no/such", "here/too", "here/neither"])
    with pytest.raises(ObjectNotFound):
        object_store.get("here/too")


def test_list(object_store: ObjectStore) -> None:
    """Keys come in order, below whole segments of a prefix."""
    for key in ("m/1", "m/2/x", "m/10", "mm/1", "z"):
        object_store.put(key, b"abc")
    assert [info.key for info in object_store.list()] == ["m/1", "m/10", "m/2/x", "mm/1", "z"]
    assert [(info.key, info.size) for info in object_store.list("m")] == [("m/1", 3), ("m/10", 3), ("m/2/x", 3)]
    assert list(object_store.list("m/1")) == []
    assert list(object_store.list("none/at/all")) == []


BAD_KEYS = [
    "",
    "/a",
    "a/",
    "a//b",
    ".",
    "..",
    "../x",
    "a/../b",
    "a/./b",
    ".hidden",
    "a/.tmp",
    "a\\b",
    "a\0b",
    "a\nb",
    "a\u202eb",
    "\ud800",
    "x" * 2_000,
    "é" * 101,
    "a./b",
    "a /b",
    7,
    None,
    b"a",
]


@pytest.mark.parametrize("key", BAD_KEYS)
def test_bad_keys(object_store: ObjectStore, key: str) -> None:
    """A key that could mean another place, or that not all backends can have, is refused by every method."""
    calls = [
        lambda: object_store.put(key, b"x"),
        lambda: object_store.get(key),
        lambda: object_store.get_range(key, 0, 1),
        lambda: object_store.head(key),
        lambda: object_store.delete_many([key]),
        lambda: object_store.sign(key, 60),
        lambda: object_store.url(key),
    ]
    for call in calls:
        with pytest.raises(ValidationError) as caught:
            call()
        assert caught.value.field == "key"
    assert list(object_store.list()) == []


@pytest.mark.parametrize("key", ["ä/ö ü+%&?#=.png", "日本/語.txt", "A/b", "a/B", "'quoted'.css"])
def test_odd_keys(object_store: ObjectStore, key: str) -> None:
    """Keys of all languages come back from the list as they were given, and differ where their case does."""
    object_store.put(key, b"odd")
    assert [info.key for info in object_store.list()] == [key]
    assert object_store.get(key).read() == b"odd"
    object_store.delete_many([key])
    assert list(object_store.list()) == []


def test_signed_urls(object_store: ObjectStore) -> None:
    """A signed URL gives the object with its attributes to its holder; a changed one gives nothing."""
    object_store.put("a/signed.txt", b"signed", Attributes(content_type="text/plain"))
    url = object_store.sign("a/signed.txt", 60)
    assert url.startswith(f"{object_store.url('a/signed.txt')}?")
    if isinstance(object_store, LocalStore):
        return  # served by a service of one's own: tests/unit/kernel/storage/test_signing.py
    with urlopen(url) as answer:  # noqa: S310 - loopback
        assert answer.read() == b"signed"
        assert answer.headers["Content-Type"] == "text/plain"
    for wrong in (url[:-4], object_store.url("a/signed.txt"), url.replace("signed.txt", "other.txt")):
        with pytest.raises(HTTPError, match="HTTP Error 40") as refused:
            urlopen(wrong)  # noqa: S310 - loopback
        refused.value.close()
    headers = {"x-ms-blob-type": "BlockBlob"}
    put = Request(object_store.sign("a/up", 60, method="PUT"), b"up", headers, method="PUT")  # noqa: S310 - loopback
    with urlopen(put):  # noqa: S310 - loopback
        pass
    assert object_store.get("a/up").read() == b"up"


@pytest.mark.parametrize("seconds", [0, 604_801, True, "60"])
def test_bad_seconds(object_store: ObjectStore, seconds: int) -> None:
    """A URL lives from one second to seven days."""
    with pytest.raises(ValidationError) as caught:
        object_store.sign("a", seconds)
    assert caught.value.field == "expires_in"


def test_initialize_and_check(object_store: ObjectStore) -> None:
    """A store that is there is not created again, and a trial leaves nothing behind."""
    assert object_store.initialize() is False
    object_store.check()
    assert list(object_store.list()) == []


def test_a_trial_that_comes_back_changed(object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that gives back something else fails its trial, and the trial object is removed."""
    object_store.put("other", b"another content")
    monkeypatch.setattr(object_store, "get", lambda _key, get=object_store.get: get("other"))
    with pytest.raises(StorageError, match="came back changed"):
        object_store.check()
    assert [info.key for info in object_store.list()] == ["other"]
