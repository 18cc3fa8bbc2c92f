"""CSV as COPY writes it, compressed by zstd on its way to object storage and back."""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from importlib import import_module
from typing import Any

import attrs

from surf_data.errors import ArchiveError, ConfigurationError, ObjectNotFound
from surf_data.kernel.storage import ObjectStore
from surf_data.kernel.validation import invalid, items

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
        for block in items("blocks", blocks, of="bytes"):
            if not isinstance(block, (bytes, bytearray, memoryview)):
                raise invalid("blocks", "must be bytes")
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
    decompressor, whole = zstd.ZstdDecompressor(), False
    with body:
        for piece in body:
            block, failed = b"", True
            # A piece after the end, or one that is damaged. Raised below, so that nothing is chained to it.
            with suppress(EOFError, zstd.ZstdError):
                block, failed = decompressor.decompress(piece), False
            whole = decompressor.eof and not decompressor.unused_data and not failed
            if failed:
                break
            yield block
    if not whole:
        raise ArchiveError("was altered, or is not whole", location=key)


def prove(store: ObjectStore, key: str, expected: ArchivedCsv) -> None:
    """Read an object back, and compare its CSV with what was written: bytes, SHA-256, rows.

    Raises:
        ArchiveError: it is missing, or not what was written.
        ConfigurationError: the extra ``archive`` is not installed.
        StorageError: it could not be read.
    """
    if not isinstance(expected, ArchivedCsv):
        raise invalid("expected", "must be an ArchivedCsv")
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
    """Count the line feeds that are not within quotation marks, the header's not counted."""
    rows, quoted = -1, False
    for block in blocks:
        for number, part in enumerate(block.split(b'"')):
            quoted ^= number > 0
            rows += 0 if quoted else part.count(b"\n")
    return rows


def _zstd() -> Any:
    # Python's own, from 3.14 on; before, an extra that is imported only where it is asked for.
    for module in ("compression.zstd", "backports.zstd"):
        with suppress(ImportError):
            return import_module(module)
    raise ConfigurationError('archives need the extra archive: pip install "surf-data[archive]"')
