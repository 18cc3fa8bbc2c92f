"""Archives, whatever store they are in: CSV comes back as it went, and what is not whole is refused."""

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import pytest

from surf_data.errors import ArchiveError, SurfDataError
from surf_data.kernel import archive
from surf_data.kernel.archive import ArchivedCsv, Manifest
from surf_data.kernel.storage import CHUNK, LocalStore

KEY = "plans/a.csv.zst"
Refused = Callable[..., SurfDataError]


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    """Return a store in an empty folder."""
    made = LocalStore(tmp_path)
    made.initialize()
    return made


def _noise(size: int) -> bytes:
    return random.Random(size).randbytes(size)  # noqa: S311 - no secret: what cannot be compressed


def _manifest(written: ArchivedCsv) -> Manifest:
    until = datetime(2026, 11, 29, tzinfo=UTC)
    return Manifest(table="t", columns=("a",), since=None, until=until, location=KEY, csv=written)


def test_large_csv_comes_back_as_it_went(store: LocalStore) -> None:
    """What fills several pieces of the store, in blocks of its own."""
    blocks = [b"a\n", *(_noise(CHUNK // 2) for _ in range(5))]
    written = archive.write(store, KEY, blocks)
    assert written.raw_bytes == sum(map(len, blocks))
    assert b"".join(archive.csv_blocks(store, KEY)) == b"".join(blocks)


def test_blocks_are_bytes(store: LocalStore, refused: Refused) -> None:
    """A text among them is refused, and nothing is there."""
    assert str(refused(lambda: archive.write(store, KEY, [b"a\n", "b\n"]))) == "blocks must be bytes"  # type: ignore[list-item]
    assert list(store.list()) == []


def test_rows_are_counted_although_values_have_line_feeds(store: LocalStore, refused: Refused) -> None:
    """A text of several lines is one row; another number of rows is not what was written."""
    rows = 70_000
    blocks = [b"id,text\n", *(b'%d,"one\ntwo, ""three"""\n' % number for number in range(rows))]
    written = archive.write(store, KEY, blocks)
    archive.prove(store, KEY, attrs.evolve(written, rows=rows))
    plain = archive.write(store, "plain", [b"id\n1\n"])
    archive.prove(store, "plain", attrs.evolve(plain, rows=1))
    error = refused(lambda: archive.prove(store, KEY, attrs.evolve(written, rows=rows - 1)), ArchiveError)
    assert "it is not what was written" in str(error)


@pytest.mark.parametrize("damage", ["within", "after", "after a piece", "cut", "empty"])
def test_what_is_not_a_whole_file_is_refused(store: LocalStore, tmp_path: Path, refused: Refused, damage: str) -> None:
    """A byte that is missing or too much, also where the end is the end of a piece; an empty file."""
    # What cannot be compressed is stored with so many bytes more, whatever its size.
    added = archive.write(store, KEY, [_noise(CHUNK - 100)]).stored_bytes - (CHUNK - 100)
    assert archive.write(store, KEY, [_noise(CHUNK - added)]).stored_bytes == CHUNK
    content = (tmp_path / KEY).read_bytes()
    archive.write(store, KEY, [b"a\n1\n"])
    compressed = (tmp_path / KEY).read_bytes()
    changed = {
        "within": content[:4] + content[5:],
        "after": compressed + b"x",
        "after a piece": content + b"x",
        "cut": content[:-1],
        "empty": b"",
    }[damage]
    (tmp_path / KEY).write_bytes(changed)
    error = refused(lambda: list(archive.csv_blocks(store, KEY)), ArchiveError)
    assert "is not whole" in str(error)


@pytest.mark.parametrize(
    ("change", "value"), [("version", 2), ("format", "parquet"), ("location", "other"), ("until", "soon"), ("csv", 1)]
)
def test_a_manifest_of_something_else_is_refused(
    store: LocalStore, tmp_path: Path, refused: Refused, change: str, value: Any
) -> None:
    """A later version, another format, another archive's: although its digest is right."""
    manifest = _manifest(archive.write(store, KEY, [b"a\n1\n"]))
    archive.write_manifest(store, manifest)
    assert archive.read_manifest(store, KEY) == manifest
    document = json.loads(json.loads((tmp_path / manifest.key).read_text())["archive"])
    text = json.dumps(document | {change: value})
    outer = {"archive": text, "sha256": archive.manifest._digest(text)}
    (tmp_path / manifest.key).write_text(json.dumps(outer))
    assert "later version" in str(refused(lambda: archive.read_manifest(store, KEY), ArchiveError))


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"archive": 1, "sha256": ""}', '{"archive": "{}", "sha256": "x"}']
)
def test_a_manifest_that_was_edited_is_refused(store: LocalStore, refused: Refused, content: str) -> None:
    """Whatever is there instead of it."""
    store.put(f"{KEY}.manifest.json", content.encode())
    assert "was edited" in str(refused(lambda: archive.read_manifest(store, KEY), ArchiveError))


def test_a_deleted_archive_is_missing(store: LocalStore, refused: Refused) -> None:
    """Neither the rows nor what says of them is left."""
    archive.write_manifest(store, _manifest(archive.write(store, KEY, [b"a\n1\n"])))
    archive.delete(store, KEY)
    assert list(store.list()) == []
    assert "is missing" in str(refused(lambda: archive.read_manifest(store, KEY), ArchiveError))
    assert "is missing" in str(refused(lambda: list(archive.csv_blocks(store, KEY)), ArchiveError))
