"""What an object store is: immutable objects under keys of ours, whatever keeps them."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import BinaryIO, Protocol, Self, cast

import attrs

from surf_data.kernel.validation import integer, invalid, items, text

#: How long a key may be.
MAX_KEY = 1_000
#: How long a segment of a key may be, in bytes of UTF-8: what file systems take.
MAX_SEGMENT = 200
#: What is read and sent at a time.
CHUNK = 1 << 20
#: The longest time for which a URL may be signed, which is the cloud's limit: seven days.
MAX_SIGNED_SECONDS = 604_800

#: What can be stored: bytes, a binary file at its position, or an iterable of bytes.
Source = bytes | bytearray | memoryview | BinaryIO | Iterable[bytes]


@attrs.frozen(kw_only=True)
class Attributes:
    """What is stored with an object and sent with it by a signed URL. Local disk keeps none of it.

    What is stored is printable ASCII, each up to 1,000 characters; a ValidationError names one that is not.
    """

    #: The media type, ``image/png``.
    content_type: str | None = None
    #: ``gzip`` if the bytes are compressed.
    content_encoding: str | None = None
    #: ``attachment`` or ``inline``, with a file name if wanted (RFC 6266).
    content_disposition: str | None = None
    #: How long others may keep a copy.
    cache_control: str | None = None


#: Nothing stored with an object.
NO_ATTRIBUTES = Attributes()


@attrs.frozen(kw_only=True)
class ObjectInfo:
    """What a store knows of an object."""

    key: str
    #: Bytes.
    size: int
    #: When it was written, by the store's clock.
    last_modified: datetime | None = None
    #: The store's own fingerprint of it, if it has one.
    etag: str | None = None
    #: What was stored with it; ``None`` where only keys were asked for, and on local disk.
    attributes: Attributes | None = None


class Body(Protocol):
    """The bytes of an object, read once from front to back. A context manager; iterating yields pieces."""

    @property
    def info(self) -> ObjectInfo:
        """The object."""
        ...

    def __iter__(self) -> Iterator[bytes]: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def read(self) -> bytes:
        """Return all of it, or what has not been iterated over yet."""
        ...

    def close(self) -> None:
        """Free what it holds. Idempotent."""
        ...


class ObjectStore(Protocol):
    """A place for objects. All methods raise a StorageError, and ValidationError for a malformed key."""

    @property
    def backend(self) -> str:
        """``local``, ``s3`` or ``azure``."""
        ...

    @property
    def place(self) -> str:
        """The folder, bucket or container."""
        ...

    def initialize(self) -> bool:
        """Create the folder, bucket or container if it is missing; return whether it was. Idempotent."""
        ...

    def check(self) -> None:
        """Write, read and delete a trial object."""
        ...

    def put(
        self, key: str, source: Source, attributes: Attributes = NO_ATTRIBUTES, *, create: bool = True
    ) -> ObjectInfo:
        """Store an object. Either all of it is there afterwards or nothing.

        Arguments:
            key: its key; with ``create`` a key that is taken raises ObjectExists. In the cloud this is certain up to
                5 MiB only: larger objects from files and iterables are sent in parts, which knows no such condition.
            source: the bytes. What iterating over it raises is raised here, and nothing is stored.
            attributes: what is stored with it.
            create: whether to refuse to replace an object.
        """
        ...

    def get(self, key: str) -> Body:
        """Open an object."""
        ...

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """Return ``length`` bytes from ``start`` on, or as many as there are."""
        ...

    def head(self, key: str) -> ObjectInfo:
        """Return what the store knows of an object."""
        ...

    def delete_many(self, keys: Sequence[str]) -> None:
        """Delete objects; keys that are missing are fine."""
        ...

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Yield the objects whose keys begin with the whole segments of ``prefix``, all of them if it is empty."""
        ...

    def sign(self, key: str, seconds: int, *, method: str = "GET") -> str:
        """Return a URL for ``GET`` or ``PUT``, without credentials, for ``seconds``, 1 to 604,800. It is a secret.

        Whether the object exists is not checked, and nothing is sent.
        """
        ...

    def url(self, key: str) -> str:
        """Return the URL of an object without a signature."""
        ...


def checked_key(key: object) -> str:
    """Return ``key`` if it can name an object everywhere: segments of printable characters, joined by ``/``.

    Refused are empty segments (so a leading ``/`` too), segments that begin with a dot or end with a space or a dot,
    backslashes, control characters, and what is longer than 1,000 characters or 200 bytes in a segment.
    """
    checked = text("key", key, maximum=MAX_KEY)
    if "\\" in checked or not checked.isprintable():
        raise invalid("key", "must not contain backslashes, control or invisible characters")
    for segment in checked.split("/"):
        if not segment or segment[0] == "." or segment[-1] in " .":
            raise invalid(
                "key", "must not have segments that are empty, begin with a dot, or end with a space or a dot"
            )
        if len(segment.encode()) > MAX_SEGMENT:
            raise invalid("key", f"must not have segments of more than {MAX_SEGMENT} bytes")
    return checked


def checked_keys(keys: object) -> list[str]:
    """Return ``keys`` if each of them can name an object."""
    return [checked_key(key) for key in items("keys", keys, of="texts")]


def checked_attributes(attributes: object) -> Attributes:
    """Return ``attributes`` if they are some that headers of HTTP can hold."""
    if not isinstance(attributes, Attributes):
        raise invalid("attributes", "must be Attributes")
    for name, value in attrs.asdict(attributes).items():
        if value is not None and not (text(name, value, maximum=1_000).isascii() and value.isprintable()):
            raise invalid(name, "must be printable ASCII")
    return attributes


def checked_method(method: object) -> str:
    """Return ``method`` if a URL may be signed for it."""
    if method not in ("GET", "PUT"):
        raise invalid("method", "must be GET or PUT")
    return str(method)


def pieces(source: Source) -> Iterator[bytes]:
    """Yield the bytes of ``source`` in pieces of at most `CHUNK`.

    Raises:
        ValidationError: it is neither bytes nor a binary file nor an iterable of bytes.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        with memoryview(source) as view, view.cast("B") as raw:
            for start in range(0, len(raw), CHUNK):
                yield bytes(raw[start : start + CHUNK])
        return
    given: object = source
    if read := getattr(given, "read", None):
        given = iter(lambda: read(CHUNK), b"")
    elif isinstance(given, str) or not isinstance(given, Iterable):
        raise invalid("data", "must be bytes, a binary file or an iterable of bytes")
    for piece in cast("Iterable[object]", given):
        if not isinstance(piece, (bytes, bytearray, memoryview)):
            raise invalid("data", "must yield bytes")
        if piece:
            yield bytes(piece)


def checked_seconds(seconds: object) -> int:
    """Return ``seconds`` if a URL may be signed for as long."""
    return integer("expires_in", seconds, minimum=1, maximum=MAX_SIGNED_SECONDS)


class CountedSource:
    """The bytes of a source, counted.

    As a context manager it raises the error that ended the source, if one did, instead of what others made of it.
    """

    def __init__(self, source: Source) -> None:
        #: Bytes until now.
        self.size: int = 0
        #: What ended it early, if something did.
        self.error: BaseException | None = None
        self._source = pieces(source)

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        own = self.error
        if own is None or own is error:
            return
        context = own.__context__
        try:
            raise own
        finally:
            own.__context__ = context
            del own, error

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            piece = next(self._source)
        except BaseException as error:
            if not isinstance(error, StopIteration):
                self.error = error
            raise
        self.size += len(piece)
        return piece
