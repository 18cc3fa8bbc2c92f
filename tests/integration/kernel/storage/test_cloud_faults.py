"""Object storage in the cloud that is gone, slow, full of errors or another's: each with its error, in time."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from rig import Relay, eventually
from rig.azurite import ACCOUNT, KEY, AzuriteServer
from rig.object_storage import seaweed_store
from rig.seaweed import SECRET_KEY, SeaweedServer
from surf_data.errors import ConfigurationError, ObjectNotFound, StorageDenied, StorageError, StorageUnavailable
from surf_data.kernel.secret import Secret
from surf_data.kernel.storage import ObjectStore, azure_store, cloud, s3_store

SKEWED = b"<Error><Code>RequestTimeTooSkewed</Code><Message>The difference is too large.</Message></Error>"
# As Azure says it, beside a code that means wrong credentials.
OLD = b"<Code>AuthenticationFailed</Code><AuthenticationErrorDetail>Request date header too old: '...'"
LENT = b"<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>"

FORKING = """
import os, sys
from surf_data.errors import StorageUnavailable
from surf_data.kernel.secret import Secret
from surf_data.kernel.storage import s3_store
from rig.seaweed import ACCESS_KEY, SECRET_KEY

def opened():
    keys = {"access_key_id": Secret(ACCESS_KEY), "secret_access_key": Secret(SECRET_KEY)}
    return s3_store("tests", endpoint=sys.argv[1], **keys)

def in_child(work):
    if not (child := os.fork()):
        try:
            print(work(), flush=True)
        except StorageUnavailable as error:
            print(type(error).__name__, error.operation, str(error).partition(":")[0], flush=True)
        finally:
            os._exit(0)
    os.waitpid(child, 0)

store = opened()
in_child(lambda: store.head("forked").size)
store.head("forked")
in_child(lambda: store.head("forked").size)
in_child(lambda: opened().put("forked", b""))
in_child(lambda: store.sign("forked", 60)[:7])
"""


def answer(status: str, body: bytes = b"") -> bytes:
    """Return an answer of HTTP."""
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body


@pytest.fixture
def relay(seaweed: SeaweedServer) -> Iterator[Relay]:
    """Return a relay to the server."""
    with Relay(("127.0.0.1", seaweed.port)) as relay:
        yield relay


@pytest.fixture
def through(relay: Relay, seaweed: SeaweedServer) -> ObjectStore:
    """Return a store that reaches the server through the relay, and does not wait for long."""
    seaweed_store(seaweed).initialize()
    return seaweed_store(seaweed, endpoint=f"http://{relay.address}", timeout=0.5, retries=0)


def calls(store: ObjectStore) -> list[Callable[[], object]]:
    """Return a call of each operation."""
    return [
        lambda: store.put("a", b"x"),
        lambda: store.get("a").read(),
        lambda: store.head("a"),
        lambda: store.delete_many(["a"]),
        lambda: list(store.list()),
        store.initialize,
        store.check,
    ]


def test_gone(relay: Relay, through: ObjectStore) -> None:
    """A server that is gone is an error of every operation that may pass, and has no text of the driver."""
    relay.close()
    for call in calls(through):
        with pytest.raises(StorageUnavailable) as caught:
            call()
        assert caught.value.retryable
        assert caught.value.__context__ is None
        assert "127.0.0.1" not in str(caught.value)


def test_slow(relay: Relay, through: ObjectStore) -> None:
    """A server that does not answer is given up after the timeout."""
    relay.pause()
    for call in calls(through)[:5]:
        with pytest.raises(StorageUnavailable, match="no answer in time"):
            call()
    relay.resume()


def test_failing(relay: Relay, through: ObjectStore) -> None:
    """A server that answers with an error of its own is an error that may pass."""
    for call in calls(through):
        relay.answers.extend([answer("503 Slow Down")] * 3)
        with pytest.raises(StorageUnavailable):
            call()
        relay.answers.clear()


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        ("403 Forbidden", SKEWED, "clock"),
        ("403 Server failed to authenticate the request", OLD, "clock"),
        ("403 Forbidden", b"<Error><Code>InvalidAccessKeyId</Code></Error>", "credentials were refused"),
        ("400 Bad Request", LENT, "credentials have expired"),
        ("403 Forbidden", b"", "denied"),
    ],
)
def test_denied(relay: Relay, through: ObjectStore, status: str, body: bytes, reason: str) -> None:
    """A wrong clock, wrong or expired credentials and a missing right are distinguished, and are not tried again."""
    for call in (lambda: through.put("a", b"x"), lambda: through.get("a")):
        relay.answers.append(answer(status, body))
        with pytest.raises(StorageDenied, match=reason) as caught:
            call()
        assert not caught.value.retryable


def test_a_refused_head_says_why(relay: Relay, through: ObjectStore) -> None:
    """An answer to HEAD has no body, so the reason is asked for; where nothing is said then, access is denied."""
    for body, reason in ((SKEWED, "clock"), (b"", "access denied")):
        relay.answers.extend([answer("403 Forbidden"), answer("403 Forbidden", body)])
        with pytest.raises(StorageDenied, match=f"head failed: .*{reason}"):
            through.head("a")
        assert not relay.answers
    # It is allowed then, or there is nothing: the refusal counts.
    through.put("a", b"", create=False)
    for key in ("a", "missing"):
        relay.answers.append(answer("403 Forbidden"))
        with pytest.raises(StorageDenied, match="head failed: access denied"):
            through.head(key)


@pytest.mark.parametrize(
    ("key", "status", "kind", "reason"),
    [
        ("kind: Connect", "403 Forbidden", StorageDenied, "access denied"),
        ("NoSuchBucket", "404 Not Found", ObjectNotFound, "no such object"),
        ("<Code>RequestTimeTooSkewed</Code>", "403 Forbidden", StorageDenied, "access denied"),
        ("404 kind: Timeout", "500 Failure", StorageUnavailable, "the server failed"),
        ("403 Forbidden", "503 Slow Down", StorageUnavailable, "the server failed"),
        ("Debug source: status: 403,", "503 Slow Down", StorageUnavailable, "the server failed"),
    ],
)
def test_a_key_that_sounds_like_an_error(
    relay: Relay, through: ObjectStore, key: str, status: str, kind: type[StorageError], reason: str
) -> None:
    """What a caller calls an object has no say in why a request failed."""
    relay.answers.append(answer(status))
    with pytest.raises(kind, match=reason):
        through.get(key)


def test_a_cut_connection(relay: Relay, seaweed: SeaweedServer) -> None:
    """A connection that is lost is replaced, and the request sent again."""
    store = seaweed_store(seaweed, endpoint=f"http://{relay.address}", retries=2)
    store.initialize()
    relay.lose_request(b"PUT /tests/cut")
    store.put("cut", b"again", create=False)
    assert store.get("cut").read() == b"again"
    store.delete_many(["cut"])


def test_half_an_answer(relay: Relay, through: ObjectStore) -> None:
    """An object whose transfer breaks off is an error and not a shorter object."""
    head = b'HTTP/1.1 200 OK\r\nETag: "x"\r\nLast-Modified: Wed, 21 Oct 2015 07:28:00 GMT\r\n'
    relay.answers.append(head + b"Content-Length: 100\r\n\r\nhalf")
    body = through.get("a")
    relay.cut()
    with pytest.raises(StorageUnavailable):
        body.read()


def test_wrong_credentials(seaweed: SeaweedServer, azurite: AzuriteServer) -> None:
    """Credentials that the server does not know are refused, and appear in no error."""
    wrong = "wrong-secret-access-key"
    stores = [
        seaweed_store(seaweed, secret_access_key=Secret(wrong)),
        azure_store("tests", Secret(azurite.connection_string.replace("Eby8", "Ebz8"))),
    ]
    for store in stores:
        for call in calls(store):
            with pytest.raises(StorageDenied) as caught:
                call()
            assert wrong not in repr(caught.value)
    assert wrong not in repr(vars(stores[0]))


def test_a_missing_bucket(seaweed: SeaweedServer, azurite: AzuriteServer) -> None:
    """A container that does not exist is no missing object but a store that is not there."""
    store = azure_store("missing", Secret(azurite.connection_string))
    for call in (calls(store)[0], calls(store)[1], calls(store)[4]):
        with pytest.raises(StorageUnavailable, match="bucket or container does not exist"):
            call()


def test_a_forked_child(seaweed: SeaweedServer) -> None:
    """A child works if its parent had not used object storage; else it is refused at once, and may still sign."""
    store = seaweed_store(seaweed)
    store.initialize()
    store.put("forked", b"12345")
    done = subprocess.run(
        [sys.executable, "-c", FORKING, seaweed.endpoint],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    refused = "object storage was used before the fork"
    expected = ["5", f"StorageUnavailable head {refused}", f"StorageUnavailable put {refused}", "http://"]
    assert done.stdout.splitlines() == expected
    store.delete_many(["forked"])


def test_threads(seaweed: SeaweedServer) -> None:
    """Eight threads may share a store."""
    store = seaweed_store(seaweed)
    store.initialize()
    keys = [f"threads/{number}" for number in range(200)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: store.put(key, key.encode()), keys))
        assert list(pool.map(lambda key: store.get(key).read(), keys)) == [key.encode() for key in keys]
    store.delete_many(keys)


def test_without_obstore(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra, the error says how to install it."""
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(ConfigurationError, match=r"surf-data\[storage\]"):
        s3_store("bucket")


@pytest.mark.parametrize("bucket", ["", "a", "UPPER", "with/slash", "x" * 64, "..", "a_b"])
def test_bad_buckets(bucket: str) -> None:
    """What cannot name a bucket is refused before anything is sent."""
    with pytest.raises(ConfigurationError) as caught:
        s3_store(bucket)
    assert caught.value.setting == "aws_s3_bucket"
    with pytest.raises(ConfigurationError) as caught:
        azure_store(bucket, Secret(f"AccountName=a;AccountKey={KEY}"))
    assert caught.value.setting == "azure_storage_container_name"


def test_half_the_credentials() -> None:
    """An access key needs its secret key."""
    with pytest.raises(ConfigurationError) as caught:
        s3_store("bucket", access_key_id=Secret("id"))
    assert caught.value.setting == "aws_access_key_id"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "AccountName=a",
        "AccountKey=YQ==",
        "AccountName=a;AccountKey=no base64",
        "AccountName=a;AccountKey=",
    ],
)
def test_bad_connection_strings(text: str) -> None:
    """A connection string without an account or its credentials is refused and not repeated."""
    with pytest.raises(ConfigurationError) as caught:
        azure_store("container", Secret(text))
    assert caught.value.setting == "azure_storage_connection_string"
    assert "base64" not in str(caught.value)


def test_settings_that_obstore_refuses() -> None:
    """What only obstore finds wrong is an error without its text."""
    with pytest.raises(ConfigurationError, match="not accepted") as caught:
        s3_store("bucket", encryption="planted-nonsense")
    assert caught.value.__context__ is None
    assert "planted" not in str(caught.value)


def test_addresses() -> None:
    """URLs lead to the bucket of the region, the container of the account, another server or a CDN."""
    azure = f"AccountName=acc;AccountKey={KEY};EndpointSuffix=core.example"
    assert s3_store("bucket", region="eu-north-1").url("a/b") == "https://bucket.s3.eu-north-1.amazonaws.com/a/b"
    assert s3_store("bucket", endpoint="https://s3.example/").url("a") == "https://s3.example/bucket/a"
    assert s3_store("bucket", cdn_url="https://cdn.example/").url("a") == "https://cdn.example/a"
    assert azure_store("shots", Secret(azure)).url("a") == "https://acc.blob.core.example/shots/a"
    assert azure_store("shots", Secret(azure), cdn_url="https://cdn.example").url("a") == "https://cdn.example/shots/a"
    assert azure_store("shots", Secret("UseDevelopmentStorage=true")).url("a").startswith("http://127.0.0.1:10000/")


def test_signing_of_temporary_credentials() -> None:
    """A session token and keys of the server's own encryption are accepted."""
    keys = {"access_key_id": Secret("id"), "secret_access_key": Secret(SECRET_KEY), "session_token": Secret("token")}
    store = s3_store("bucket", encryption="aws:kms", kms_key_id="key-id", **keys)
    assert "X-Amz-Security-Token=token" in store.sign("a", 60)


def test_a_container_by_its_signature(azurite: AzuriteServer) -> None:
    """With a shared access signature objects are reached, and the container must be there: it is not created."""
    whole = azure_store("tests", Secret(azurite.connection_string))
    whole.initialize()
    whole.put("signed", b"x")
    signature = whole.sign("signed", 60).partition("?")[2]
    endpoint = f"http://127.0.0.1:{azurite.port}/{ACCOUNT}"
    store = azure_store(
        "tests", Secret(f"BlobEndpoint={endpoint};AccountName={ACCOUNT};SharedAccessSignature={signature}")
    )
    assert store.initialize() is False
    assert store.get("signed").read() == b"x"
    whole.delete_many(["signed"])


def test_a_bucket_elsewhere(relay: Relay, seaweed: SeaweedServer) -> None:
    """Outside the first region the request to create a bucket names the region; another's bucket is refused."""
    store = seaweed_store(seaweed, endpoint=f"http://{relay.address}", region="eu-north-1")
    relay.answers.append(answer("200 OK"))
    assert store.initialize() is True
    # The body may come after what answers it.
    named = b"<LocationConstraint>eu-north-1</LocationConstraint>"
    eventually(lambda: any(named in request for request in relay.requests))
    relay.answers.append(answer("409 Conflict", b"<Code>BucketAlreadyExists</Code>"))
    with pytest.raises(StorageDenied, match="409"):
        store.initialize()


def test_an_error_without_a_name() -> None:
    """An error of obstore that has no words of its own is the server's."""
    with pytest.raises(StorageUnavailable, match="the server failed"), cloud.Translation("get", "a", cloud=True):
        raise RuntimeError("secret text")


def test_errors_of_ours_stay(seaweed: SeaweedServer) -> None:
    """An error of ours passes through unchanged."""
    error = StorageError("ours")
    with pytest.raises(StorageError) as caught, cloud.Translation("get", "a", cloud=True):
        raise error
    assert caught.value is error


@pytest.fixture
def emulator() -> Iterator[tuple[Relay, ObjectStore]]:
    """Return a container of Azure whose answers the test gives, as recorded from Azure's own."""
    with socket.create_server(("127.0.0.1", 0)) as nobody, Relay(nobody.getsockname()[:2]) as relay:
        text = f"AccountName=acc;AccountKey={KEY};BlobEndpoint=http://{relay.address}/acc"
        yield relay, azure_store("shots", Secret(text), timeout=5, retries=0)


def test_a_container_is_created_once(emulator: tuple[Relay, ObjectStore]) -> None:
    """A container is created by a request that is signed with the account's key, and without public access."""
    relay, store = emulator
    relay.answers.append(answer("201 Created"))
    assert store.initialize() is True
    assert relay.requests[0].startswith(b"PUT /acc/shots?restype=container HTTP/1.1\r\n")
    assert b"Authorization: SharedKey acc:" in relay.requests[0]
    assert b"x-ms-blob-public-access" not in relay.requests[0]
    relay.answers.append(answer("409 Conflict", b"<Code>ContainerAlreadyExists</Code>"))
    assert store.initialize() is False


def test_a_signature_creates_no_container() -> None:
    """With a shared access signature the container must be there, so nothing is sent."""
    store = azure_store("shots", Secret("AccountName=acc;SharedAccessSignature=sv=1&sig=x"))
    assert store.initialize() is False


def test_deleting_what_is_missing_from_azure(emulator: tuple[Relay, ObjectStore]) -> None:
    """Azure refuses a deletion that contains a missing object: then each is deleted by itself."""
    relay, store = emulator
    part = "--batch\r\nContent-Type: application/http\r\nContent-ID: 0\r\n\r\nHTTP/1.1 404 It does not exist.\r\n\r\n"
    head = "HTTP/1.1 202 Accepted\r\nContent-Type: multipart/mixed; boundary=batch\r\nConnection: close\r\n"
    body = f"{part}\r\n--batch--\r\n"
    relay.answers.extend([f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()] * 2)
    store.delete_many(["a"])
    assert not relay.answers
