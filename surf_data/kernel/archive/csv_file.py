"""CSV as COPY writes it, compressed by zstd on its way to object storage and back."""

import csv
import hashlib
import io
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

import attrs

from surf_data.errors import ArchiveError, ConfigurationError, ObjectNotFound
from surf_data.kernel.storage import ObjectStore

#: What compresses a week of locations to a tenth in the time that the server takes to write them.
LEVEL = 3


@attrs.frozen(kw_only=True)
class ArchivedCsv:
    """What a CSV file is known by."""

    #: Rows, the header not counted.
    rows: int
    #: Bytes of the CSV, and its SHA-256 in hexadecimal.
    raw_bytes: int
    sha256: str
    #: Bytes of the object.
    stored_bytes: int


def write(store: ObjectStore, key: str, blocks: Iterable[bytes]) -> ArchivedCsv:
    """Store CSV in one object; whatever was there under its key is replaced.

    Arguments:
        store: where.
        key: the key of the object.
        blocks: what COPY sends, with a header.

    Returns:
        What it is known by; ``rows`` is 0, because only COPY knows how many it sent.

    Raises:
        ConfigurationError: the extra ``archive`` is not installed.
        StorageError: it could not be stored, and nothing is there.
    """
    digest, size = hashlib.sha256(), 0

    def compressed() -> Iterator[bytes]:
        nonlocal size
        zstd = _zstd()
        parameter = zstd.CompressionParameter
        compressor = zstd.ZstdCompressor(options={parameter.compression_level: LEVEL, parameter.checksum_flag: 1})
        for block in blocks:
            digest.update(block)
            size += len(block)
            if piece := compressor.compress(block):
                yield piece
        yield compressor.flush()

    stored = store.put(key, compressed(), create=False)
    return ArchivedCsv(rows=0, raw_bytes=size, sha256=digest.hexdigest(), stored_bytes=stored.size)


def csv_blocks(store: ObjectStore, key: str) -> Iterator[bytes]:
    """Yield the CSV of an object in blocks.

    Raises:
        ArchiveError: there is no such object, or it is no whole zstd file.
        ConfigurationError: the extra ``archive`` is not installed.
        StorageError: it could not be read.
    """
    zstd = _zstd()
    try:
        body = store.get(key)
    except ObjectNotFound:
        body = None
    if body is None:
        raise ArchiveError("is missing", location=key)
    decompressor = zstd.ZstdDecompressor()
    with body:
        for piece in body:
            block = b""
            if not decompressor.eof:
                # Raised below, so that nothing is chained to it.
                with suppress(zstd.ZstdError):
                    block = decompressor.decompress(piece)
            if not block and decompressor.needs_input is False:
                break
            yield block
    if not decompressor.eof or decompressor.unused_data:
        raise ArchiveError("was altered, or is not whole", location=key)


def prove(store: ObjectStore, key: str, expected: ArchivedCsv) -> None:
    """Read an object back, and compare its CSV with what was written: bytes, SHA-256, rows.

    Raises:
        ArchiveError: it is missing, or not what was written.
        ConfigurationError: the extra ``archive`` is not installed.
        StorageError: it could not be read.
    """
    digest, size, lines = hashlib.sha256(), 0, 0
    for block in csv_blocks(store, key):
        digest.update(block)
        size += len(block)
        lines += block.count(b"\n")
    same = (size, digest.hexdigest()) == (expected.raw_bytes, expected.sha256)
    # Each row ends in a line feed, as the header does; where there are more of these, some are within values.
    if same and lines != expected.rows + 1:
        same = _rows(csv_blocks(store, key)) == expected.rows
    if not same:
        raise ArchiveError("was altered: it is not what was written", location=key)


def _rows(blocks: Iterator[bytes]) -> int:
    reader = csv.reader(io.TextIOWrapper(io.BufferedReader(_Raw(blocks)), encoding="utf-8", newline=""))
    csv.field_size_limit(sys.maxsize)
    return sum(1 for _ in reader) - 1


class _Raw(io.RawIOBase):
    """Blocks of bytes as a file."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._rest = b""

    def readable(self) -> bool:
        """Return that it is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read into a buffer; return how many bytes."""
        while not self._rest:
            block = next(self._blocks, None)
            if block is None:
                return 0
            self._rest = block
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size


def _zstd() -> Any:
    # An extra: imported only where it is asked for.
    if sys.version_info >= (3, 14):
        from compression import zstd  # noqa: PLC0415

        return zstd
    with suppress(ImportError):
        from backports import zstd  # noqa: PLC0415

        return zstd
    raise ConfigurationError('archives need the extra archive: pip install "surf-data[archive]"')
