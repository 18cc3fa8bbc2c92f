"""The size of an image, read from its header without decoding it."""

import struct
from contextlib import suppress

import attrs

from surf_data.kernel.validation import binary

_MARKER = 0xFF
# Segments of JPEG that hold the size: all kinds of "start of frame".
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_NO_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})


@attrs.frozen
class Dimensions:
    """The size of an image in pixels."""

    width: int
    height: int


def image_size(head: bytes) -> Dimensions | None:
    """Return the size of a PNG, GIF, WebP or JPEG; ``None`` if there is none to be found.

    Arguments:
        head: how the file begins: 64 KiB are enough for all but JPEGs with a large preview in front.
    """
    binary("head", head)
    with suppress(struct.error, IndexError):
        size = _size(head)
        if size is not None and min(size) > 0:
            return Dimensions(*size)
    return None


def _size(head: bytes) -> tuple[int, int] | None:
    if head.startswith(b"\x89PNG\r\n\x1a\n") and head[12:16] == b"IHDR":
        return struct.unpack_from(">II", head, 16)
    if head.startswith((b"GIF87a", b"GIF89a")):
        return struct.unpack_from("<HH", head, 6)
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return _webp(head)
    return _jpeg(head) if head.startswith(b"\xff\xd8\xff") else None


def _webp(head: bytes) -> tuple[int, int] | None:
    kind = head[12:16]
    if kind == b"VP8X":
        # 24 bits each, one less than the size.
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", head, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", head, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None


def _jpeg(head: bytes) -> tuple[int, int] | None:
    place = 2
    while head[place] == _MARKER:
        marker = head[place + 1]
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", head, place + 5)
            return width, height
        # The byte before a marker is filling.
        step = 1 if marker == _MARKER else 2
        if marker not in _NO_LENGTH and marker != _MARKER:
            (length,) = struct.unpack_from(">H", head, place + 2)
            step += length
        place += step
    return None
