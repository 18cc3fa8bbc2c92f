"""What is checked of an upload before and while it is stored: its path, its type by content, its size."""

import hashlib
import mimetypes
import unicodedata
from collections.abc import Iterator
from itertools import chain

from surf_data.errors import ValidationError
from surf_data.kernel import validation
from surf_data.kernel.storage import (
    HEAD_BYTES,
    Attributes,
    Dimensions,
    Source,
    canonical_type,
    compressed,
    image_size,
    is_image,
    is_text,
    matches,
    pieces,
)

#: Characters of a path at the most.
MAX_PATH = 512
_MAX_SEGMENT = 200
_MAX_PIXELS = 50_000_000
_EXTENSIONS = {
    "application/json": "json",
    "application/zip": "zip",
    "image/avif": "avif",
    "image/gif": "gif",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/svg+xml": "svg",
    "image/webp": "webp",
    "text/css": "css",
    "text/html": "html",
    "text/javascript": "js",
    "text/plain": "txt",
}


def checked_path(path: object) -> str:
    """Return ``path`` in one spelling (NFC). It is a column and no file name, and is held to what people can read.

    Raises:
        ValidationError: it is empty or longer than 512 characters; has a backslash, a control or an invisible
            character, or a segment that is empty, ``.``, ``..`` or longer than 200 characters.
    """
    text = unicodedata.normalize("NFC", validation.text("path", path, maximum=MAX_PATH))
    if len(text) > MAX_PATH or "\\" in text or not text.isprintable():
        raise validation.invalid("path", "must not contain backslashes, control or invisible characters")
    if any(segment in ("", ".", "..") or len(segment) > _MAX_SEGMENT for segment in text.split("/")):
        raise validation.invalid("path", "must not have segments that are empty, . or .., or very long")
    return text


def checked_type(content_type: object, path: str, allowed: tuple[str, ...]) -> str:
    """Return the type of an upload: the declared one, else that of the path's extension.

    Raises:
        ValidationError: there is none, or it is not allowed.
    """
    if content_type is None:
        content_type = mimetypes.guess_type(path)[0]
        if content_type is None:
            raise validation.invalid("content_type", "is needed: the extension of the path says nothing")
    chosen = canonical_type(validation.text("content_type", content_type, maximum=255))
    if chosen not in allowed:
        raise validation.invalid("content_type", f"must be one of {', '.join(allowed)}")
    return chosen


def extension(content_type: str) -> str:
    """Return the extension of a type, for the object's key."""
    return _EXTENSIONS.get(content_type, "bin")


def attributes(content_type: str, encoding: str | None) -> Attributes:
    """Return what is stored with an object and sent with it: what is no image is not shown but saved."""
    return Attributes(
        content_type=f"{content_type}; charset=utf-8" if is_text(content_type) else content_type,
        content_encoding=encoding,
        content_disposition=None if is_image(content_type) else "attachment",
        # A key is used for one content, for good.
        cache_control="private, max-age=31536000, immutable",
    )


class Content:
    """The content of an upload, checked as it is read: iterating yields what is to be stored.

    Text is read whole, checked and compressed where that pays; anything else passes in pieces.

    Arguments:
        source: the content.
        content_type: what it is said to be.
        max_bytes: how large it may be.
        compress: whether text may be compressed.

    Raises:
        ValidationError: it is empty, too large or not what it is said to be; while it is read for its size.
    """

    def __init__(self, source: Source, content_type: str, max_bytes: int, *, compress: bool) -> None:
        self._max_bytes = max_bytes
        #: Bytes of the content so far.
        self.size: int = 0
        #: ``gzip`` if what is to be stored is compressed.
        self.encoding: str | None = None
        #: Of an image.
        self.dimensions: Dimensions | None = None
        self._sha256 = hashlib.sha256()
        measured = self._measured(pieces(source))
        if is_text(content_type):
            self._stored = iter([self._text(b"".join(measured), content_type, compress=compress)])
        else:
            self._stored = self._binary(measured, content_type)

    def __iter__(self) -> Iterator[bytes]:
        return self._stored

    @property
    def sha256(self) -> bytes:
        """The SHA-256 of the content, once all is read."""
        return self._sha256.digest()

    def _measured(self, source: Iterator[bytes]) -> Iterator[bytes]:
        for piece in source:
            self.size += len(piece)
            if self.size > self._max_bytes:
                raise ValidationError(f"data must not be larger than {self._max_bytes} bytes", field="data")
            self._sha256.update(piece)
            yield piece
        if self.size == 0:
            raise ValidationError("data must not be empty", field="data")

    def _text(self, content: bytes, content_type: str, *, compress: bool) -> bytes:
        _check(content_type, content, whole=True)
        smaller = compressed(content) if compress else None
        if smaller is None:
            return content
        self.encoding = "gzip"
        return smaller

    def _binary(self, source: Iterator[bytes], content_type: str) -> Iterator[bytes]:
        first: list[bytes] = []
        for piece in source:
            first.append(piece)
            if self.size >= HEAD_BYTES:
                break
        head = b"".join(first)
        _check(content_type, head, whole=False)
        if is_image(content_type):
            self.dimensions = image_size(head)
            if self.dimensions is None:
                raise ValidationError("data has no readable size of an image", field="data")
            if self.dimensions.width * self.dimensions.height > _MAX_PIXELS:
                raise ValidationError(f"data must be an image of at most {_MAX_PIXELS} pixels", field="data")
        return chain([head], source)


def _check(content_type: str, head: bytes, *, whole: bool) -> None:
    if not matches(content_type, head, whole=whole):
        raise ValidationError(f"data is not {content_type}", field="data")
