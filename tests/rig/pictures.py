"""Pictures for tests: as small as they may be."""

import struct
import zlib


def png(width: int = 4, height: int = 4, padding: int = 0) -> bytes:
    """Return a PNG; with padding, of at least so many bytes that do not compress."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    pixels = zlib.compress(b"".join(b"\0" + b"\x20\x40\x80" * width for _ in range(min(height, 64))))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    filler = chunk(b"prVt", bytes(padding)) if padding else b""
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + filler + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
