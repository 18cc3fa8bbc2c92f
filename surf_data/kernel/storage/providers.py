"""Where a bucket or container is, and how it is created: S3 and what speaks like it, Azure Blob Storage."""

import base64
import binascii
import hashlib
import hmac
import http.client
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from surf_data.errors import ConfigurationError
from surf_data.kernel.secret import Secret
from surf_data.kernel.storage.cloud import CloudStore, client_options, library, sign
from surf_data.kernel.storage.translation import from_answer

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", re.ASCII)
# The code in the XML of an answer.
_OURS = re.compile(rb"<Code>(?:BucketAlreadyOwnedByYou|ContainerAlreadyExists)</Code>")
_CONTAINER = re.compile(r"[a-z0-9](?:-?[a-z0-9]){2,62}", re.ASCII)
_CREATION_SECONDS = 60
# The emulator's own account, which Microsoft documents.
_EMULATOR = (
    "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6"
    "IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1"
)
_CONFLICT = 409


def s3_store(
    bucket: str,
    *,
    region: str = "us-east-1",
    access_key_id: Secret | None = None,
    secret_access_key: Secret | None = None,
    session_token: Secret | None = None,
    endpoint: str | None = None,
    cdn_url: str | None = None,
    encryption: str | None = None,
    kms_key_id: str | None = None,
    timeout: float = 30.0,
    retries: int = 2,
) -> CloudStore:
    """Return a store that keeps objects in a bucket of S3. Nothing is sent yet.

    Arguments:
        bucket: its name.
        region: where it is.
        access_key_id: with the secret key, the credentials; without, those of the machine or the pod.
        secret_access_key: see there.
        session_token: for temporary credentials.
        endpoint: of another server that speaks S3, ``https://...``; ``http://`` is spoken without TLS.
        cdn_url: what `url` begins with, instead of the bucket's address.
        encryption: ``AES256`` or ``aws:kms``, for encryption by the server; the bucket's default when not given.
        kms_key_id: the key for ``aws:kms``.
        timeout: seconds without a byte after which an attempt has failed, above 0 and up to 86,400.
        retries: attempts after the first one, 0 to 100.

    Raises:
        ConfigurationError: the bucket's name is none, half the credentials are missing, another argument is malformed,
            or obstore is not installed.
        ValidationError: ``timeout`` or ``retries`` is no such number.
    """
    _check_texts(
        aws_s3_bucket=bucket,
        aws_region=region,
        aws_endpoint_url=endpoint,
        aws_s3_cdn_url=cdn_url,
        storage_sse=encryption,
        storage_sse_kms_key_id=kms_key_id,
    )
    _check_secrets(
        aws_access_key_id=access_key_id, aws_secret_access_key=secret_access_key, aws_session_token=session_token
    )
    if not _BUCKET.fullmatch(bucket or ""):
        raise ConfigurationError("aws_s3_bucket must be the name of a bucket", setting="aws_s3_bucket")
    if (access_key_id is None) is not (secret_access_key is None):
        problem = "aws_access_key_id and aws_secret_access_key must be given together"
        raise ConfigurationError(problem, setting="aws_access_key_id")
    address = f"https://{bucket}.s3.{region}.amazonaws.com"
    options: dict[str, Any] = {"region": region, "virtual_hosted_style_request": endpoint is None}
    if endpoint is not None:
        address = f"{endpoint.rstrip('/')}/{bucket}"
        options["endpoint"] = endpoint
    if access_key_id is not None and secret_access_key is not None:
        options |= {"access_key_id": access_key_id.reveal(), "secret_access_key": secret_access_key.reveal()}
    if session_token is not None:
        options["session_token"] = session_token.reveal()
    if encryption is not None:
        options["server_side_encryption"] = encryption
    if kms_key_id is not None:
        options["sse_kms_key_id"] = kms_key_id
    store = _made("S3Store", bucket, options, client_options(endpoint or "https://", timeout, retries))

    def create() -> bool:
        # obstore has no call for it, but signs the request of the empty key, which is the bucket's.
        body = "" if region == "us-east-1" else _location(region)
        return _create(sign(store, "PUT", "", _CREATION_SECONDS), {}, body, timeout)

    return CloudStore("s3", bucket, store, cdn_url or address, create)


def azure_store(
    container: str,
    connection_string: Secret,
    *,
    cdn_url: str | None = None,
    timeout: float = 30.0,
    retries: int = 2,
) -> CloudStore:
    """Return a store that keeps objects in a container of Azure Blob Storage. Nothing is sent yet.

    Arguments:
        container: its name. It is created without public access.
        connection_string: as the portal shows it: ``AccountName=...;AccountKey=...`` or with a
            ``SharedAccessSignature``; ``UseDevelopmentStorage=true`` is the emulator.
        cdn_url: what `url` begins with, before the container's name, instead of the account's address.
        timeout: seconds without a byte after which an attempt has failed, above 0 and up to 86,400.
        retries: attempts after the first one, 0 to 100.

    Raises:
        ConfigurationError: the name, the connection string or the URL is malformed, or obstore is not installed.
        ValidationError: ``timeout`` or ``retries`` is no such number.
    """
    _check_texts(azure_storage_container_name=container, azure_storage_cdn_url=cdn_url)
    if not _CONTAINER.fullmatch(container or ""):
        problem = "azure_storage_container_name must be the name of a container"
        raise ConfigurationError(problem, setting="azure_storage_container_name")
    parts = _connection(connection_string)
    account, endpoint = parts["AccountName"], parts["BlobEndpoint"].rstrip("/")
    options: dict[str, Any] = {"account_name": account, "endpoint": endpoint}
    key = parts.get("AccountKey")
    options |= {"account_key": key} if key else {"sas_key": parts["SharedAccessSignature"]}
    store = _made("AzureStore", container, options, client_options(endpoint, timeout, retries))

    def create() -> bool:
        if key is None:
            return False  # a signature for the container's content cannot create it
        url = f"{endpoint}/{container}?restype=container"
        return _create(url, _shared_key(account, key, url), "", timeout)

    return CloudStore("azure", container, store, f"{(cdn_url or endpoint).rstrip('/')}/{container}", create)


def _check_texts(**settings: object) -> None:
    for setting, value in settings.items():
        if value is not None and not (isinstance(value, str) and value.isprintable()):
            raise ConfigurationError(f"{setting} must be printable text", setting=setting)


def _check_secrets(**settings: object) -> None:
    for setting, value in settings.items():
        if value is not None and not isinstance(value, Secret):
            raise ConfigurationError(f"{setting} must be a Secret", setting=setting)


def _made(kind: str, place: str, options: Mapping[str, Any], waiting: Mapping[str, Any]) -> Any:
    obstore = library()
    with suppress(Exception):
        return getattr(obstore.store, kind)(place, **options, **waiting)
    # Raised outside the handler: obstore's error may hold what it was given.
    raise ConfigurationError("the settings of object storage are not accepted", setting="storage_backend")


def _connection(connection_string: Secret) -> dict[str, str]:
    given: object = connection_string
    text = given.reveal().strip() if isinstance(given, Secret) else ""
    if text.rstrip(";").lower() == "usedevelopmentstorage=true":
        text = _EMULATOR
    parts = dict(part.split("=", 1) for part in text.split(";") if part.partition("=")[2])
    account = parts.get("AccountName", "")
    if account and "BlobEndpoint" not in parts:
        scheme, suffix = parts.get("DefaultEndpointsProtocol", "https"), parts.get("EndpointSuffix", "core.windows.net")
        parts["BlobEndpoint"] = f"{scheme}://{account}.blob.{suffix}"
    endpoint = urlsplit(parts.get("BlobEndpoint", ""))
    parts.setdefault("AccountName", (endpoint.hostname or "").partition(".")[0])
    try:
        base64.b64decode(parts.get("AccountKey", ""), validate=True)
    except binascii.Error:
        account = ""
        parts = {}
    if (
        endpoint.scheme in {"http", "https"}
        and endpoint.netloc
        and {"AccountKey", "SharedAccessSignature"} & set(parts)
    ):
        return parts
    problem = "azure_storage_connection_string must be a connection string with AccountKey or SharedAccessSignature"
    raise ConfigurationError(problem, setting="azure_storage_connection_string")


def _location(region: str) -> str:
    namespace = "http://s3.amazonaws.com/doc/2006-03-01/"
    return (
        f'<CreateBucketConfiguration xmlns="{namespace}"><LocationConstraint>{region}</LocationConstraint>'
        "</CreateBucketConfiguration>"
    )


def _shared_key(account: str, key: str, url: str) -> dict[str, str]:
    """Return the headers of a request that creates a container (Azure's "Authorize with Shared Key")."""
    headers = {"x-ms-date": datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT"), "x-ms-version": "2021-12-02"}
    fields = "".join(f"{name}:{value}\n" for name, value in headers.items())
    # The method, eleven standard headers that are empty, ours, and what is asked for.
    message = f"PUT{chr(10) * 12}{fields}/{account}{urlsplit(url).path}\nrestype:container"
    signature = base64.b64encode(hmac.digest(base64.b64decode(key), message.encode(), hashlib.sha256)).decode()
    return {**headers, "Authorization": f"SharedKey {account}:{signature}", "Content-Length": "0"}


def _create(url: str, headers: Mapping[str, str], body: str, timeout: float) -> bool:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=timeout)
    status, said = 0, b""
    with suppress(OSError, http.client.HTTPException):
        connection.request("PUT", f"{parts.path}?{parts.query}", body.encode() or None, dict(headers))
        answer = connection.getresponse()
        status, said = answer.status, answer.read()
    connection.close()
    if status in {200, 201}:
        return True
    # Azure says so of one's own, S3 of anybody's: only the first means that it is there for us.
    if status == _CONFLICT and _OURS.search(said):
        return False
    raise from_answer(status, said, "initialize")
