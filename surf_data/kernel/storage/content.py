"""What bytes are, whatever they are called: types by signature, compression."""

import gzip
import zlib
from contextlib import suppress

from surf_data.kernel.validation import binary, integer, text

#: How many bytes `sniff` and `matches` want to see of a content, or all of it.
HEAD_BYTES = 65_536

_TEXTS = frozenset(
    {
        "application/javascript",
        "application/json",
        "application/xml",
        "image/svg+xml",
        "text/css",
        "text/csv",
        "text/html",
        "text/javascript",
        "text/markdown",
        "text/plain",
        "text/xml",
    }
)
_ZIP = "application/zip"
# What a file of the type begins with, and what stands further on.
_SIGNATURES: tuple[tuple[str, bytes, int, bytes], ...] = (
    ("image/png", b"\x89PNG\r\n\x1a\n", 12, b"IHDR"),
    ("image/jpeg", b"\xff\xd8\xff", 0, b""),
    ("image/gif", b"GIF87a", 0, b""),
    ("image/gif", b"GIF89a", 0, b""),
    ("image/webp", b"RIFF", 8, b"WEBP"),
    ("image/avif", b"\0\0\0", 4, b"ftypavif"),
    ("application/pdf", b"%PDF-", 0, b""),
    (_ZIP, b"PK\x03\x04", 0, b""),
    (_ZIP, b"PK\x05\x06", 0, b""),
)
# Other names of the same.
_ALIASES = {
    "image/jpg": "image/jpeg",
    "application/x-javascript": "text/javascript",
    "application/javascript": "text/javascript",
}
_IMAGES = frozenset({"image/gif", "image/jpeg", "image/png", "image/webp"})
# Below this a packet is a packet.
_MIN_COMPRESSED = 1_024
_LEVEL = 6
_GZIP = 31


def canonical_type(content_type: str) -> str:
    """Return the usual name of a media type, without parameters: ``image/jpeg`` for ``image/JPG``."""
    plain = text("content_type", content_type, maximum=1_000, minimum=0).partition(";")[0].strip().lower()
    return _ALIASES.get(plain, plain)


def is_text(content_type: str) -> bool:
    """Return whether contents of the type are text, as HTML and JSON are."""
    return canonical_type(content_type) in _TEXTS


def is_image(content_type: str) -> bool:
    """Return whether the type is one of the raster images whose size `surf_data.kernel.storage.images` finds."""
    return canonical_type(content_type) in _IMAGES


def sniff(head: bytes) -> str | None:
    """Return the type of a content by how it begins: an image, PDF or zip; ``None`` for all else, texts among them."""
    binary("head", head)
    for content_type, start, offset, inner in _SIGNATURES:
        if head.startswith(start) and head[offset : offset + len(inner)] == inner:
            return content_type
    return None


def matches(content_type: str, head: bytes, *, whole: bool) -> bool:
    """Return whether a content that begins with ``head`` can be of the type.

    Arguments:
        content_type: the type that is claimed.
        head: how the content begins.
        whole: whether that is all of it; otherwise the last character may be cut off.
    """
    claimed = canonical_type(content_type)
    binary("head", head)
    if not is_text(claimed):
        return sniff(head) == claimed
    # A text is UTF-8 without NUL, and begins like nothing else.
    if b"\0" in head or sniff(head) is not None:
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return not whole and error.start >= len(head) - 3 and error.reason == "unexpected end of data"
    return True


def compressed(content: bytes) -> bytes | None:
    """Return ``content`` compressed by gzip, always to the same bytes; ``None`` if that saves less than a tenth."""
    if len(binary("content", content)) < _MIN_COMPRESSED:
        return None
    smaller = gzip.compress(content, _LEVEL, mtime=0)
    return smaller if len(smaller) <= len(content) * 0.9 else None


def decompressed(content: bytes, limit: int) -> bytes | None:
    """Return what was compressed by gzip; ``None`` if it is no such thing, incomplete, or more than ``limit`` bytes."""
    binary("content", content)
    integer("limit", limit, minimum=0, maximum=2**53)
    with suppress(zlib.error):
        inflating = zlib.decompressobj(_GZIP)
        plain = inflating.decompress(content, limit + 1)
        if inflating.eof and not inflating.unused_data and len(plain) <= limit:
            return plain
    return None
