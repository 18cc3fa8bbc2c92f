"""Objects in S3 or Azure, by obstore.

obstore brings threads of its own, which a forked child does not have: a call there would never return. So a child
whose parent has used it is refused.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from itertools import chain
from typing import Any, Self
from urllib.parse import quote

from surf_data.errors import ConfigurationError, StorageUnavailable
from surf_data.kernel.storage.objects import (
    CHUNK,
    NO_ATTRIBUTES,
    Attributes,
    CountedSource,
    ObjectInfo,
    Source,
    checked_attributes,
    checked_key,
    checked_keys,
    checked_method,
    checked_seconds,
)
from surf_data.kernel.storage.translation import Translation
from surf_data.kernel.storage.trial import trial
from surf_data.kernel.validation import integer, invalid, number

#: Above this many bytes, files and iterables are sent in parts, of this size each.
PART_BYTES = 5 << 20
# Parts under way at a time: with the part that is being read, 15 MiB of memory at the most.
_PARALLEL_PARTS = 2
_MAX_TIMEOUT = 86_400
_NAMES = {
    "content_type": "Content-Type",
    "content_encoding": "Content-Encoding",
    "content_disposition": "Content-Disposition",
    "cache_control": "Cache-Control",
}

# The process that has used obstore first, and with it its threads.
_user: int | None = None


def _enter(operation: str) -> None:
    global _user  # noqa: PLW0603 - the threads are the process's as well
    if _user is None:
        _user = os.getpid()
    elif _user != os.getpid():
        raise StorageUnavailable(
            "object storage was used before the fork: use it first in the child, or start processes by spawn",
            operation=operation,
        )


class CloudStore:
    """Keeps objects in a bucket or container. Made by `s3_store` and `azure_store`; threads may share it.

    A call that was interrupted (Ctrl-C) ends with its request.

    Arguments:
        backend: ``s3`` or ``azure``.
        place: the bucket or container.
        store: obstore's store.
        base_url: where the objects are, or the CDN in front of them.
        create: creates the bucket or container, and returns whether it was missing.
    """

    def __init__(self, backend: str, place: str, store: Any, base_url: str, create: Callable[[], bool]) -> None:
        self.backend = backend
        self.place = place
        self._store = store
        self._base = base_url.rstrip("/")
        self._create = create

    def initialize(self) -> bool:
        """Create the bucket or container if it is missing; return whether it was. Idempotent."""
        return self._create()

    def check(self) -> None:
        """Write, read and delete a trial object."""
        trial(self)

    def put(
        self, key: str, source: Source, attributes: Attributes = NO_ATTRIBUTES, *, create: bool = True
    ) -> ObjectInfo:
        """Store an object: see `ObjectStore.put`."""
        obstore = _obstore("put")
        checked_key(key)
        counted = CountedSource(source)
        first = deque(_first_part(counted))
        options: dict[str, Any] = {"attributes": _to_obstore(checked_attributes(attributes))}
        with counted, Translation("put", key, cloud=True):
            if counted.size <= PART_BYTES:
                mode = "create" if create else "overwrite"
                result = obstore.put(self._store, key, b"".join(first), mode=mode, use_multipart=False, **options)
            else:
                limits = {"chunk_size": PART_BYTES, "max_concurrency": _PARALLEL_PARTS, "use_multipart": True}
                result = obstore.put(self._store, key, chain(_drained(first), counted), **limits, **options)
        return ObjectInfo(key=key, size=counted.size, etag=result["e_tag"], attributes=attributes)

    def get(self, key: str) -> "CloudBody":
        """Open an object."""
        obstore = _obstore("get")
        with Translation("get", checked_key(key), cloud=True):
            return CloudBody(key, obstore.get(self._store, key))

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """Return ``length`` bytes from ``start`` on, or as many as there are."""
        obstore = _obstore("get")
        integer("start", start, minimum=0, maximum=2**53)
        integer("length", length, minimum=1, maximum=2**31 - 1)
        # To ask for what is behind the end is an error there, and none on a disk.
        if start >= self.head(key).size:
            return b""
        with Translation("get", key, cloud=True):
            return bytes(obstore.get_range(self._store, key, start=start, length=length))

    def head(self, key: str) -> ObjectInfo:
        """Return what the store knows of an object."""
        obstore = _obstore("head")
        with Translation("head", checked_key(key), cloud=True):
            try:
                result = obstore.get(self._store, key, options={"head": True})
            except obstore.exceptions.PermissionDeniedError:
                # An answer to HEAD has no body, so it does not say why: one to GET does.
                with suppress(FileNotFoundError):
                    obstore.get(self._store, key)
                raise
            return _info(result.meta, key, result.attributes)

    def delete_many(self, keys: Sequence[str]) -> None:
        """Delete objects; keys that are missing are fine."""
        obstore = _obstore("delete")
        checked = checked_keys(keys)
        with Translation("delete", cloud=True):
            with suppress(FileNotFoundError):
                # Many in one request.
                obstore.delete(self._store, checked)
                return
            # Azure minds one that is missing, and does not say what became of the others.
            for key in checked:
                with suppress(FileNotFoundError):
                    obstore.delete(self._store, key)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Yield the objects whose keys begin with the whole segments of ``prefix``, in the order of their keys."""
        obstore = _obstore("list")
        with Translation("list", cloud=True):
            pages = iter(obstore.list(self._store, prefix=checked_key(prefix) if prefix else None, chunk_size=1000))
        while True:
            with Translation("list", cloud=True):
                page = next(pages, None)
            if page is None:
                return
            for meta in page:
                yield _info(meta, meta["path"], None)

    def sign(self, key: str, seconds: int, *, method: str = "GET") -> str:
        """Return a URL that may be used without credentials for ``seconds``, 1 to 604,800. It is a secret."""
        # No request is sent, so a forked child may sign.
        return sign(self._store, checked_method(method), checked_key(key), checked_seconds(seconds))

    def url(self, key: str) -> str:
        """Return the URL of an object without a signature."""
        return f"{self._base}/{quote(checked_key(key))}"


class CloudBody:
    """The bytes of an object that are on their way."""

    def __init__(self, key: str, result: Any) -> None:
        self.info: ObjectInfo = _info(result.meta, key, result.attributes)
        self._stream: Iterator[bytes] = iter(result.stream(min_chunk_size=CHUNK))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[bytes]:
        while True:
            with Translation("get", self.info.key, cloud=True):
                piece = next(self._stream, None)
            if piece is None:
                return
            yield bytes(piece)

    def read(self) -> bytes:
        """Return all of it, or what has not been iterated over yet."""
        return b"".join(self)

    def close(self) -> None:
        """Let go of the answer. Idempotent."""
        self._stream = iter(())


def library() -> Any:
    """Return obstore.

    Raises:
        ConfigurationError: it is not installed.
    """
    try:
        import obstore  # noqa: PLC0415
    except ImportError:
        pass
    else:
        return obstore
    raise ConfigurationError('S3 and Azure need the extra storage: pip install "surf-data[storage]"')


def sign(store: Any, method: str, key: str, seconds: int) -> str:
    """Return a URL of obstore's that may be used for ``seconds``."""
    with Translation("sign", key, cloud=True):
        url: str = library().sign(store, method, key, timedelta(seconds=seconds))
    return url


def client_options(endpoint: str, timeout: float, retries: int) -> dict[str, Any]:
    """Return obstore's options for timeouts and retries: its defaults try for three minutes.

    Arguments:
        endpoint: where the server is; only what begins with ``http://`` is spoken to without TLS.
        timeout: seconds without a byte after which an attempt has failed, above 0 and up to 86,400.
        retries: attempts after the first one, 0 to 100.

    Raises:
        ValidationError: one of the two is no such number.
    """
    if not 0 < number("timeout", timeout) <= _MAX_TIMEOUT:
        raise invalid("timeout", f"must be above 0 and at most {_MAX_TIMEOUT:,}")
    retries = integer("retries", retries, minimum=0, maximum=100)
    wait = timedelta(seconds=timeout)
    return {
        "client_options": {
            "allow_http": endpoint.startswith("http://"),
            "connect_timeout": min(wait, timedelta(seconds=5)),
            "read_timeout": wait,
            # An upper bound for a whole object, which may be large and its reader slow.
            "timeout": timedelta(hours=1),
        },
        "retry_config": {
            "max_retries": retries,
            "retry_timeout": wait * (retries + 1),
            "backoff": {"init_backoff": timedelta(seconds=0.1), "max_backoff": timedelta(seconds=2), "base": 2},
        },
    }


def _obstore(operation: str) -> Any:
    _enter(operation)
    return library()


def _first_part(source: Iterator[bytes]) -> Iterator[bytes]:
    size = 0
    for piece in source:
        yield piece
        size += len(piece)
        if size > PART_BYTES:
            return


def _drained(first: deque[bytes]) -> Iterator[bytes]:
    # What is sent need not be kept.
    while first:
        yield first.popleft()


def _to_obstore(attributes: Attributes) -> dict[str, str]:
    given = ((header, getattr(attributes, name)) for name, header in _NAMES.items())
    return {header: value for header, value in given if value is not None}


def _info(meta: Mapping[str, Any], key: str, attributes: Mapping[str, str] | None) -> ObjectInfo:
    known = None if attributes is None else Attributes(**{name: attributes.get(of) for name, of in _NAMES.items()})
    return ObjectInfo(
        key=key, size=meta["size"], last_modified=meta["last_modified"], etag=meta["e_tag"], attributes=known
    )
