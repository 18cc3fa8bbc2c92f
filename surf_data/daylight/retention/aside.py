"""What was set aside: archived, proved, and only then dropped. It is in no other table, and does not change."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import attrs
import psycopg

from surf_data.daylight.operation_records import Archive
from surf_data.daylight.queries import daylight_queries
from surf_data.daylight.retention.tables import TABLES, ArchivePlace
from surf_data.errors import ArchiveError
from surf_data.kernel import archive
from surf_data.kernel.archive import ArchivedCsv, Manifest
from surf_data.kernel.postgres import Session, Statement

#: Rows of a table without partitions that are set aside at once.
PORTION = 50_000


@attrs.frozen
class Aside:
    """A table with rows that were set aside."""

    table: str
    relation: str
    since: datetime | None
    until: datetime


@attrs.frozen
class Commands:
    """The commands for a table and what is set aside of it; see ``retention_commands``."""

    columns: list[str | None]
    aside_name: str
    aside: list[str | None]
    delete: str
    count: str
    held: str
    back: str
    copy: str
    rows: str
    drop: str


class Runner:
    """One run, on a connection of its own.

    Arguments:
        connection: a direct connection of the tables' owner, in autocommit mode.
        place: where archives go; asked for when the first one is written.
        on_step: called with what is done next, in words.
    """

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        place: Callable[[], ArchivePlace],
        on_step: Callable[[str], object],
    ) -> None:
        self._connection = connection
        self.session: Session = Session(connection)
        self._place = place
        self._on_step = on_step
        #: Rows archived since it was last set to 0.
        self.archived: int = 0
        #: Rows of tables that were found to be droppable, likewise.
        self.released: int = 0

    def commands(self, table: str, before: datetime, relation: str = "-") -> Commands:
        """Return the commands for a table, and for what is set aside of it."""
        aging = TABLES[table]
        row = daylight_queries().retention_commands(
            self.session,
            table_name=table,
            relation_name=relation,
            time_column=aging.by,
            owner_column=aging.owner,
            before=before,
            batch=PORTION,
        )
        assert row is not None, "the table is there: its migration is applied"  # noqa: S101
        return Commands(*row)

    def aside(self, table: str) -> list[Aside]:
        """Return what was set aside of a table, oldest first."""
        found = daylight_queries().retention_aside(self.session, table_name=table)
        return [Aside(table, name, since, until) for name, since, until in found]

    def set_aside(self, commands: Commands) -> int:
        """Move a portion of expired rows to a table of their own; return how many."""
        create, owner, move, comment = commands.aside
        with self.session.transaction():
            self.send(str(create))
            self.send(str(owner))
            moved = self.send(str(move))
            # A table without rows is archived as quickly as it is dropped.
            self.send(str(comment))
        if not moved:
            self.send(f"DROP TABLE {commands.aside_name}")
        return moved

    def release(self, aside: Aside, *, archived: bool) -> bool:
        """Return whether what was set aside may be dropped: held rows moved back, the rest archived and proved.

        If so, no hold can be placed before `dropped` is called.

        Raises:
            ArchiveError: the archive is not what was written.
            ConfigurationError: there is no place for archives.
            StorageError: the archive cannot be written or read.
            DatabaseError: the server fails.
        """
        commands = self.commands(aside.table, aside.until, aside.relation)
        if self.value(commands.held):
            self._on_step(f"moving held rows of {aside.relation} back")
            self.send(commands.back)
        rows = self.value(commands.rows)
        if rows and archived:
            self._on_step(f"archiving {aside.relation}")
            self._archive(aside, commands, rows)
            self.archived += rows
        daylight_queries().retention_drop_lock(self.session)
        if self.value(commands.held):
            # A hold was placed meanwhile: the next run moves its rows back.
            self.dropped()
            return False
        self.released += rows
        return True

    def drop(self, aside: Aside) -> None:
        """Drop what `release` has released."""
        self.send(f"DROP TABLE {aside.relation}")
        self.dropped()

    def dropped(self) -> None:
        """Let holds be placed again, and note which archives have the only copy now."""
        daylight_queries().retention_drop_unlock(self.session)
        daylight_queries().archive_complete(self.session)

    def send(self, command: str) -> int:
        """Send a command; return how many rows it concerns."""
        statement = Statement(name="daylight.retention", sql=command.encode(), prepare=False)
        return self.session.run(statement, {}, lambda cursor: max(cursor.rowcount, 0))

    def value(self, command: str) -> int:
        """Send a command; return the first column of its row."""
        statement = Statement(name="daylight.retention", sql=command.encode(), prepare=False)
        return self.session.run(statement, {}, lambda cursor: int((cursor.fetchone() or (0,))[0]))

    def row(self, command: str) -> Sequence[Any]:
        """Send a command; return its row."""
        statement = Statement(name="daylight.retention", sql=command.encode(), prepare=False)
        return self.session.run(statement, {}, lambda cursor: cursor.fetchone() or ())

    def _archive(self, aside: Aside, commands: Commands, rows: int) -> None:
        """Archive what was set aside and prove it, or prove what a run that was interrupted has archived."""
        place = self._place()
        location = f"{place.prefix}{aside.table}/{aside.until:%Y/%m}/{aside.relation.rpartition('.')[2]}.csv.zst"
        queries = daylight_queries()
        queries.archive_begin(
            self.session,
            table_name=aside.table,
            relation_name=aside.relation,
            since=aside.since,
            until=aside.until,
            location=location,
        )
        noted: Archive | None = queries.archive_by_relation(self.session, relation_name=aside.relation)
        assert noted is not None, "it was just noted"  # noqa: S101
        manifest = self._adopted(place, noted, rows)
        if manifest is None:
            manifest = self._written(place, aside, commands, noted.location)
        archive.prove(place.store, manifest.location, manifest.csv)
        if manifest.csv.rows != rows or archive.read_manifest(place.store, manifest.location) != manifest:
            raise ArchiveError("has another number of rows, or another manifest", location=manifest.location)
        queries.archive_stored(
            self.session,
            relation_name=aside.relation,
            row_count=rows,
            checksum=manifest.csv.sha256,
            raw_bytes=manifest.csv.raw_bytes,
            stored_bytes=manifest.csv.stored_bytes,
        )

    @staticmethod
    def _adopted(place: ArchivePlace, noted: Archive, rows: int) -> Manifest | None:
        """Return the manifest that an earlier run has written, if it is of these rows."""
        try:
            manifest = archive.read_manifest(place.store, noted.location)
        except ArchiveError:
            # Not written yet, or not to be trusted: the rows are all here, and are written anew.
            return None
        return manifest if manifest.csv.rows == rows else None

    def _written(self, place: ArchivePlace, aside: Aside, commands: Commands, location: str) -> Manifest:
        statement = Statement(name="daylight.retention_archive", sql=commands.copy.encode(), reads=True)
        with self.session.copy_to(statement) as reader:
            csv: ArchivedCsv = archive.write(place.store, location, reader)
        manifest = Manifest(
            table=f"daylight.{aside.table}",
            columns=tuple(map(str, commands.columns)),
            since=aside.since,
            until=aside.until,
            location=location,
            csv=attrs.evolve(csv, rows=reader.rows or 0),
        )
        archive.write_manifest(place.store, manifest)
        return manifest
