"""What the domain can be told, beside the kernel's settings; the variables are those of the original."""

from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import quote

import attrs

from surf_data.kernel.secret import Secret
from surf_data.kernel.settings import (
    Settings,
    SettingsKeywords,
    boolean,
    choice,
    integer,
    number,
    secret,
    setting,
    text,
)
from surf_data.kernel.storage import canonical_type
from surf_data.kernel.validation import identifier

#: What may be stored: images, and what is generated of them.
ALLOWED_TYPES = (
    "image/png", "image/jpeg", "image/webp", "image/gif", "text/html", "text/css", "text/javascript",
    "application/json", "text/plain", "application/zip",
)  # fmt: skip


def _types(value: Any) -> tuple[str, ...]:
    given = value.split(",") if isinstance(value, str) else value
    types = tuple(dict.fromkeys(canonical_type(each) for each in given if each.strip()))
    if not types or not all(each.count("/") == 1 for each in types):
        raise ValueError
    return types


def _key_prefix(value: Any) -> str:
    return identifier("redis_key_prefix", value, marks="_-.:")


@attrs.frozen(kw_only=True)
class ScreenshotSettings(Settings):
    """The settings; `surf_data.screenshot.open` takes them as keywords."""

    #: Where PostgreSQL is, if no ``database_url`` says so.
    db_host: str | None = setting(None, text, "printable text", variables=("DB_HOST",))
    db_port: int | None = setting(None, integer, "a port", 1, 65_535, variables=("DB_PORT",))
    db_name: str | None = setting(None, text, "printable text", variables=("DB_NAME",))
    db_username: str | None = setting(None, text, "printable text", variables=("DB_USERNAME",))
    db_password: Secret | None = setting(None, secret, "printable text", variables=("DB_PASSWORD",))
    #: Whether connections are encrypted; then the server's certificate is verified.
    db_ssl: bool = setting(False, boolean, "true or false", variables=("DB_SSL",))
    #: Files with the certificate of the authority, and with the client's own and its key.
    db_ssl_ca: str | None = setting(None, text, "a path", variables=("DB_SSL_CA",))
    db_ssl_cert: str | None = setting(None, text, "a path", variables=("DB_SSL_CERT",))
    db_ssl_key: str | None = setting(None, text, "a path", variables=("DB_SSL_KEY",))
    #: Where Redis is, if no ``redis_url`` says so.
    redis_host: str | None = setting(None, text, "printable text", variables=("REDIS_HOST",))
    redis_port: int | None = setting(None, integer, "a port", 1, 65_535, variables=("REDIS_PORT",))
    redis_database: int = setting(
        0, integer, "a whole number from 0 to 1000000", 0, 10**6, variables=("REDIS_DATABASE",)
    )
    redis_username: str | None = setting(None, text, "printable text", variables=("REDIS_USERNAME",))
    redis_password: Secret | None = setting(None, secret, "printable text", variables=("REDIS_PASSWORD",))
    redis_tls: bool = setting(False, boolean, "true or false", variables=("REDIS_TLS",))
    #: What the keys of this application begin with; a colon follows.
    redis_key_prefix: str = setting(
        "stc", _key_prefix, "at most 63 of the characters a to z, 0 to 9 and _ - . :", variables=("REDIS_KEY_PREFIX",)
    )
    #: Bytes from which on a cached value is compressed; 0 compresses none.
    cache_compress_bytes: int = setting(2_048, integer, "a whole number from 0 to 1000000", 0, 10**6)
    #: Seconds a session in Redis lives when nothing else is said.
    session_ttl: int = setting(
        3_600, integer, "a whole number from 1 to 31622400", 1, 31_622_400, variables=("SESSION_TTL",)
    )
    #: Seconds for which Redis is believed about a session before PostgreSQL is asked again; 0 always asks.
    session_trust_seconds: int = setting(60, integer, "a whole number from 0 to 3600", 0, 3_600)
    #: Where objects are stored.
    storage_backend: Literal["local", "azure", "s3"] = setting(
        "local", choice("local", "azure", "s3"), "local, azure or s3", variables=("STORAGE_BACKEND",)
    )
    #: The folder, for ``local``.
    local_storage_path: str = setting("./uploads", text, "a path", variables=("LOCAL_STORAGE_PATH",))
    #: Bytes of an object at the most.
    max_file_size: int = setting(
        52_428_800, integer, "a whole number from 1 to 1073741824", 1, 2**30, variables=("MAX_FILE_SIZE",)
    )
    #: Media types that may be stored, separated by commas.
    allowed_file_types: tuple[str, ...] = setting(
        ALLOWED_TYPES, _types, "media types, separated by commas", variables=("ALLOWED_FILE_TYPES",)
    )
    azure_storage_connection_string: Secret | None = setting(
        None, secret, "a connection string", variables=("AZURE_STORAGE_CONNECTION_STRING",)
    )
    azure_storage_container_name: str = setting(
        "screenshots", text, "the name of a container", variables=("AZURE_STORAGE_CONTAINER_NAME",)
    )
    azure_storage_cdn_url: str | None = setting(None, text, "a URL", variables=("AZURE_STORAGE_CDN_URL",))
    aws_access_key_id: Secret | None = setting(None, secret, "printable text", variables=("AWS_ACCESS_KEY_ID",))
    aws_secret_access_key: Secret | None = setting(None, secret, "printable text", variables=("AWS_SECRET_ACCESS_KEY",))
    aws_session_token: Secret | None = setting(None, secret, "printable text", variables=("AWS_SESSION_TOKEN",))
    aws_region: str = setting("us-east-1", text, "the name of a region", variables=("AWS_REGION",))
    aws_s3_bucket: str | None = setting(None, text, "the name of a bucket", variables=("AWS_S3_BUCKET",))
    aws_s3_cdn_url: str | None = setting(None, text, "a URL", variables=("AWS_S3_CDN_URL",))
    #: Another server that speaks S3.
    aws_endpoint_url: str | None = setting(None, text, "a URL", variables=("AWS_ENDPOINT_URL",))
    #: Encryption by the server: ``AES256`` or ``aws:kms``, with a key.
    storage_sse: Literal["AES256", "aws:kms"] | None = setting(None, choice("AES256", "aws:kms"), "AES256 or aws:kms")
    storage_sse_kms_key_id: str | None = setting(None, text, "the id of a key")
    #: Keys that sign URLs of local objects, 32 bytes or more each, separated by commas, the newest first.
    storage_signing_keys: Secret | None = setting(None, secret, "keys of 32 bytes or more, separated by commas")
    #: Where a service serves local objects.
    storage_public_url: str = setting("http://localhost:3000/objects", text, "a URL")
    #: Whether local objects are on the disk for sure before an upload is done.
    storage_fsync: bool = setting(True, boolean, "true or false")
    #: Seconds without a byte from the cloud after which an attempt has failed.
    storage_timeout: float = setting(30.0, number, "seconds from 0.1 to 3600", 0.1, 3_600)
    #: Attempts after the first one.
    storage_retries: int = setting(2, integer, "a whole number from 0 to 10", 0, 10)


class ScreenshotKeywords(SettingsKeywords, total=False):
    """The settings beside the two URLs, as keywords of `surf_data.screenshot.open`; see `ScreenshotSettings`."""

    db_host: str | None
    db_port: int | None
    db_name: str | None
    db_username: str | None
    db_password: str | Secret | None
    db_ssl: bool | None
    db_ssl_ca: str | None
    db_ssl_cert: str | None
    db_ssl_key: str | None
    redis_host: str | None
    redis_port: int | None
    redis_database: int | None
    redis_username: str | None
    redis_password: str | Secret | None
    redis_tls: bool | None
    redis_key_prefix: str | None
    cache_compress_bytes: int | None
    session_ttl: int | None
    session_trust_seconds: int | None
    storage_backend: Literal["local", "azure", "s3"] | None
    local_storage_path: str | None
    max_file_size: int | None
    allowed_file_types: str | tuple[str, ...] | None
    azure_storage_connection_string: str | Secret | None
    azure_storage_container_name: str | None
    azure_storage_cdn_url: str | None
    aws_access_key_id: str | Secret | None
    aws_secret_access_key: str | Secret | None
    aws_session_token: str | Secret | None
    aws_region: str | None
    aws_s3_bucket: str | None
    aws_s3_cdn_url: str | None
    aws_endpoint_url: str | None
    storage_sse: Literal["AES256", "aws:kms"] | None
    storage_sse_kms_key_id: str | None
    storage_signing_keys: str | Secret | None
    storage_public_url: str | None
    storage_fsync: bool | None
    storage_timeout: float | None
    storage_retries: int | None


def with_urls(settings: ScreenshotSettings) -> ScreenshotSettings:
    """Return settings whose URLs are made of host, port and so on, where there are such and no URL."""
    changes: dict[str, Any] = {}
    if settings.database_url is None and (settings.db_host or settings.db_name):
        changes["database_url"] = Secret(_database_url(settings))
    if settings.redis_url is None and settings.redis_host:
        changes["redis_url"] = Secret(_redis_url(settings))
    return attrs.evolve(settings, **changes) if changes else settings


def _database_url(settings: ScreenshotSettings) -> str:
    password = None if settings.db_password is None else settings.db_password.reveal()
    query = {
        "sslmode": "verify-full" if settings.db_ssl else None,
        "sslrootcert": (settings.db_ssl_ca or "system") if settings.db_ssl else None,
        "sslcert": settings.db_ssl_cert,
        "sslkey": settings.db_ssl_key,
    }
    options = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items() if value is not None)
    # A folder with a socket goes where a host does, percent-encoded.
    place = f"{quote(settings.db_host or 'localhost', safe='')}:{settings.db_port or 5432}"
    login = _login(settings.db_username or "postgres", password)
    name = quote(settings.db_name or "screenshot_to_code", safe="")
    return f"postgresql://{login}{place}/{name}" + (f"?{options}" if options else "")


def _redis_url(settings: ScreenshotSettings) -> str:
    password = None if settings.redis_password is None else settings.redis_password.reveal()
    scheme = "rediss" if settings.redis_tls else "redis"
    login = _login(settings.redis_username or "", password)
    return f"{scheme}://{login}{settings.redis_host}:{settings.redis_port or 6379}/{settings.redis_database}"


def _login(user: str, password: str | None) -> str:
    if not user and password is None:
        return ""
    return quote(user, safe="") + ("" if password is None else f":{quote(password, safe='')}") + "@"


#: Variables of the original for settings of the kernel.
VARIABLES: Mapping[str, tuple[str, ...]] = {
    "redis_url": ("REDIS_URL",),
    "pool_min_size": ("DB_MIN_CONNECTIONS",),
    "pool_max_size": ("DB_MAX_CONNECTIONS",),
}
