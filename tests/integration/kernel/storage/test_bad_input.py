"""Whatever a caller hands to object storage and archives: a result, or an error of ours without the value."""

import inspect
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rig.awkward import attempts, methods
from rig.object_storage import SIGNING_KEY
from surf_data.errors import (
    ArchiveError,
    ConfigurationError,
    ObjectExists,
    ObjectNotFound,
    SignedUrlInvalid,
    StorageUnavailable,
    ValidationError,
)
from surf_data.kernel import archive, storage
from surf_data.kernel.archive import ArchivedCsv, Manifest
from surf_data.kernel.secret import Secret
from surf_data.kernel.storage import Attributes, CloudStore, LocalStore, UrlSigner, objects

pytestmark = pytest.mark.hypothesis

BASE = "http://localhost/objects"
CSV = ArchivedCsv(rows=1, raw_bytes=1, sha256="x", stored_bytes=1)
MANIFEST = Manifest(
    table="x.y", columns=("id",), since=None, until=datetime(2025, 1, 1, tzinfo=UTC), location="a.csv.zst", csv=CSV
)
#: Arguments that are good, by the names of parameters.
GOOD: dict[str, Any] = {
    "access_key_id": Secret("x"),
    "attributes": Attributes(),
    "base_url": BASE,
    "blocks": [b"id\n"],
    "bucket": "tests",
    "connection_string": Secret("AccountName=a;AccountKey=YQ=="),
    "container": "tests",
    "content": b"x" * 5000,
    "content_type": "text/html",
    "expected": CSV,
    "folder": "here",
    "head": b"<html>",
    "key": "a/b",
    "keys": ["a/b"],
    "length": 1,
    "location": "a.csv.zst",
    "manifest": MANIFEST,
    "maximum": 9,
    "method": "GET",
    "prefix": "a",
    "seconds": 60,
    "secret_access_key": Secret("x"),
    "size": 9,
    "source": b"x",
    "start": 0,
    "url": f"{BASE}/a",
    "whole": True,
}
DOCUMENTED = (*(ArchiveError, ConfigurationError, ObjectExists, ObjectNotFound, SignedUrlInvalid, ValidationError),)


@pytest.fixture
def local(tmp_path: Path) -> LocalStore:
    """Return a store on local disk with an object."""
    store = LocalStore(tmp_path / "objects", signer=UrlSigner(Secret(SIGNING_KEY), BASE), fsync=False)
    store.initialize()
    store.put("a/b", b"x")
    return store


def test_local_store(local: LocalStore) -> None:
    """Every method of a store on local disk, and of what signs its URLs."""
    signer = UrlSigner(Secret(SIGNING_KEY), BASE)
    for method in methods({"local": local, "signer": signer}).values():
        attempts(method, GOOD, DOCUMENTED)()


@pytest.mark.parametrize("backend", ["s3", "azure"])
def test_cloud_stores(backend: str) -> None:
    """Every method of a store in the cloud: what is not refused before anything is sent finds no server there."""
    store: CloudStore = {
        "s3": lambda: storage.s3_store(
            "tests", endpoint="http://127.0.0.1:1", access_key_id=Secret("x"), secret_access_key=Secret("x"), retries=0
        ),
        "azure": lambda: storage.azure_store(
            "tests", Secret("AccountName=a;AccountKey=YQ==;BlobEndpoint=http://127.0.0.1:1/a"), retries=0
        ),
    }[backend]()
    for method in methods({backend: store}).values():
        attempts(method, GOOD, (*DOCUMENTED, StorageUnavailable))()


FUNCTIONS: list[Callable[..., Any]] = [
    *(storage.s3_store, storage.azure_store, UrlSigner, storage.checked_key, storage.pieces, storage.sniff),
    *(storage.matches, storage.canonical_type, storage.is_text, storage.is_image, storage.compressed),
    *(storage.decompressed, storage.image_size, LocalStore),
]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_functions(function: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What opens stores, and what says of bytes what they are."""
    monkeypatch.chdir(tmp_path)
    attempts(function, {**GOOD, "keys": Secret(SIGNING_KEY)} if function is UrlSigner else GOOD, DOCUMENTED)()


@pytest.mark.parametrize("name", ["write", "csv_blocks", "prove", "read_manifest", "write_manifest", "delete"])
def test_archives(local: LocalStore, name: str) -> None:
    """What writes archives and reads them back, in a store that there is."""

    def call(**arguments: Any) -> Any:
        return getattr(archive, name)(local, **arguments)

    signature = inspect.signature(getattr(archive, name))
    call.__signature__ = signature.replace(parameters=[*signature.parameters.values()][1:])  # type: ignore[attr-defined]
    attempts(call, GOOD, DOCUMENTED)()


@pytest.mark.parametrize(
    ("call", "kind", "said"),
    [
        (lambda: storage.s3_store("tests", timeout=0), ValidationError, "timeout must be above 0"),
        (lambda: storage.s3_store("tests", access_key_id="x"), ConfigurationError, "must be a Secret"),  # type: ignore[arg-type]
        (lambda: objects.checked_attributes(Attributes(content_type="\u00e9")), ValidationError, "printable ASCII"),
    ],
    ids=["no time", "a text for a secret", "a header beyond ASCII"],
)
def test_refusals(call: Callable[[], object], kind: type[Exception], said: str, refused: Callable[..., Any]) -> None:
    """Each is refused by the name of the argument, before anything is sent."""
    assert said in str(refused(call, kind))
