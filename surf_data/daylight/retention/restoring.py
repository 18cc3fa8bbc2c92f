"""Brings archived rows back, into a table of their own, and proves that they are the same."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from surf_data.daylight.operation_records import Archive, Restoration
from surf_data.daylight.queries import daylight_queries
from surf_data.daylight.retention.aside import Runner
from surf_data.daylight.retention.tables import TABLES, ArchivePlace
from surf_data.errors import ArchiveError
from surf_data.kernel import archive
from surf_data.kernel.archive import ArchivedCsv, Manifest
from surf_data.kernel.postgres import Statement


def restore(
    runner: Runner,
    place: ArchivePlace,
    table: str,
    locations: list[str],
    period: tuple[datetime | None, datetime | None],
) -> Restoration:
    """Restore archives into one new table, in one transaction.

    Arguments:
        runner: the connection.
        place: where the archives are.
        table: whose rows they are.
        locations: the keys of the archives, oldest first.
        period: rows from the first moment on, and before the second; all where it is ``None``.

    Raises:
        ArchiveError: an archive is missing, was altered, or has other columns than the first; nothing is restored.
        StorageError: an archive cannot be read.
        DatabaseError: the rows cannot be stored.
    """
    manifests = [archive.read_manifest(place.store, location) for location in locations]
    columns = manifests[0].columns
    for manifest in manifests:
        if manifest.columns != columns or manifest.table != f"daylight.{table}":
            raise ArchiveError(
                "has another table's rows or other columns: restore it alone", location=manifest.location
            )
    stamp = f"{datetime.now(UTC):%y%m%d%H%M%S%f}"
    commands: Any = daylight_queries().retention_restore_commands(
        runner.session, table_name=table, columns=list(columns), stamp=stamp
    )
    name, create, copy, export = commands
    sent = hashlib.sha256()
    with runner.session.transaction():
        runner.send(create)
        for manifest in manifests:
            _load(runner, place, manifest, copy, sent)
        _compare(runner, export, sent.hexdigest(), name)
        for bound, operator in zip(period, ("<", ">="), strict=True):
            if bound is not None:
                # What an archive has beyond the range; a name of ours, and a moment as a literal.
                runner.send(f"DELETE FROM {name} WHERE {TABLES[table].by} {operator} '{bound.isoformat()}'")  # noqa: S608
        rows = runner.value(f"SELECT count(*) FROM {name}")  # noqa: S608 - a name of ours
    return Restoration(table=name, rows=rows, archives=locations)


def problems(place: ArchivePlace, archives: list[Archive]) -> dict[str, str]:
    """Return what is wrong with archives that are missing or were altered, by their keys.

    Raises:
        StorageError: an archive cannot be read.
    """
    found = {}
    for each in archives:
        expected = ArchivedCsv(
            rows=each.row_count, raw_bytes=each.raw_bytes, sha256=each.checksum, stored_bytes=each.stored_bytes
        )
        try:
            if archive.read_manifest(place.store, each.location).csv != expected:
                raise ArchiveError("has another manifest", location=each.location)  # noqa: TRY301
            archive.prove(place.store, each.location, expected)
        except ArchiveError as error:
            found[each.location] = str(error)
    return found


def _load(runner: Runner, place: ArchivePlace, manifest: Manifest, copy: str, sent: Any) -> None:
    # Before anything is sent: the server's error for a damaged file would say less.
    archive.prove(place.store, manifest.location, manifest.csv)
    statement = Statement(name="daylight.retention_restore", sql=copy.encode())
    with runner.session.copy(statement) as writer:

        def copied() -> Iterator[bytes]:
            for block in archive.csv_blocks(place.store, manifest.location):
                writer.write(block)
                yield block

        for body in _without_header(copied()):
            sent.update(body)


def _compare(runner: Runner, export: str, expected: str, name: str) -> None:
    """Write the restored rows as CSV again: the same bytes, row for row."""
    digest = hashlib.sha256()
    statement = Statement(name="daylight.retention_archive", sql=export.encode(), reads=True)
    with runner.session.copy_to(statement) as reader:
        for block in _without_header(iter(reader)):
            digest.update(block)
    if digest.hexdigest() != expected:
        raise ArchiveError("was restored as other rows", location=name)


def _without_header(blocks: Iterator[bytes]) -> Iterator[bytes]:
    # No name of a column has a line feed.
    within = True
    for block in blocks:
        _, ends, rows = block.partition(b"\n") if within else (b"", b"", block)
        within = within and not ends
        yield rows
