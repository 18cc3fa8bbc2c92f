"""What bytes are: types by signature, sizes of images, compression."""

import gzip
import random
import struct

import pytest

from surf_data.kernel.storage import (
    Dimensions,
    canonical_type,
    compressed,
    decompressed,
    image_size,
    is_image,
    is_text,
    matches,
    sniff,
)

PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 800, 600)
GIF = b"GIF89a" + struct.pack("<HH", 320, 200)
JPEG = (
    b"\xff\xd8\xff\xe0"
    + struct.pack(">H", 16)
    + bytes(14)
    + b"\xff\xff\xd0\xff\xc0"
    + struct.pack(">HBHH", 17, 8, 480, 640)
)
WEBP_LOSSY = b"RIFF\0\0\0\0WEBPVP8 " + bytes(10) + struct.pack("<HH", 64 | 0x4000, 32)
WEBP_LOSSLESS = b"RIFF\0\0\0\0WEBPVP8L" + bytes(4) + b"\x2f" + struct.pack("<I", 99 | 49 << 14)
WEBP_EXTENDED = b"RIFF\0\0\0\0WEBPVP8X" + bytes(8) + (1919).to_bytes(3, "little") + (1079).to_bytes(3, "little")


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (PNG, "image/png"),
        (GIF, "image/gif"),
        (b"GIF87a", "image/gif"),
        (JPEG, "image/jpeg"),
        (WEBP_LOSSY, "image/webp"),
        (b"%PDF-1.7", "application/pdf"),
        (b"PK\x03\x04", "application/zip"),
        (b"<html>", None),
        (b"\x89PNG\r\n\x1a\nnothing", None),
        (b"", None),
    ],
)
def test_types(head: bytes, expected: str | None) -> None:
    """A type is recognized by how the content begins, whatever it is called."""
    assert sniff(head) == expected


@pytest.mark.parametrize(
    ("content_type", "head", "whole", "expected"),
    [
        ("image/png", PNG, True, True),
        ("image/png", b"<html><script>", True, False),
        ("image/jpg", JPEG, True, True),
        ("IMAGE/GIF; q=1", GIF, True, True),
        ("text/html", b"<html>\xc3\xa4", True, True),
        ("text/html", b"<html>\xc3", False, True),
        ("text/html", b"<html>\xc3", True, False),
        ("text/html", b"\xc3(html)", False, False),
        ("text/html", b"a\0b", True, False),
        ("text/html", GIF, True, False),
        ("application/zip", b"PK\x05\x06", True, True),
        ("application/octet-stream", b"abc", True, False),
    ],
)
def test_matches(content_type: str, head: bytes, whole: bool, expected: bool) -> None:  # noqa: FBT001 - a parameter
    """A content must be what it is called: an image by its signature, a text by being UTF-8 and nothing else."""
    assert matches(content_type, head, whole=whole) is expected


def test_names_of_types() -> None:
    """One type has one name, and the closed lists know which are images and texts."""
    assert canonical_type("image/JPG; charset=x") == "image/jpeg"
    assert canonical_type("application/javascript") == "text/javascript"
    assert is_image("image/jpg")
    assert not is_image("image/svg+xml")
    assert is_text("text/html; charset=utf-8")
    assert not is_text("image/png")


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (PNG, Dimensions(800, 600)),
        (GIF, Dimensions(320, 200)),
        (JPEG, Dimensions(640, 480)),
        (WEBP_LOSSY, Dimensions(64, 32)),
        (WEBP_LOSSLESS, Dimensions(100, 50)),
        (WEBP_EXTENDED, Dimensions(1920, 1080)),
        (PNG[:20], None),
        (JPEG[:8], None),
        (b"\xff\xd8\xff\xe0\0\x02\0\0", None),
        (b"RIFF\0\0\0\0WEBPnone", None),
        (b"GIF89a\0\0\0\0", None),
        (b"<html>", None),
    ],
)
def test_sizes_of_images(head: bytes, expected: Dimensions | None) -> None:
    """The size of an image stands in its header; one that is cut off, empty or no image has none."""
    assert image_size(head) == expected


def test_compression() -> None:
    """What compresses well comes back from gzip; what is short or does not compress stays as it is."""
    text = b"<p>hello</p>" * 500
    smaller = compressed(text)
    assert smaller is not None
    assert len(smaller) < len(text) / 10
    assert gzip.decompress(smaller) == text == decompressed(smaller, len(text))
    assert compressed(text) == smaller
    assert compressed(b"short") is None
    assert compressed(random.Random(7).randbytes(5_000)) is None  # noqa: S311 - the same each time


def test_decompression_is_bounded() -> None:
    """A bomb, a torn stream, trailing data and what is not gzip are refused."""
    bomb = gzip.compress(bytes(10_000_000))
    assert decompressed(bomb, 9_999_999) is None
    assert decompressed(bomb, 10_000_000) == bytes(10_000_000)
    assert decompressed(bomb[:-5], 10_000_000) is None
    assert decompressed(bomb + b"more", 10_000_000) is None
    assert decompressed(b"plain", 100) is None
