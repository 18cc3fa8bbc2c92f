"""The import: portion by portion, each a transaction, so that it goes on where it was interrupted."""

import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import attrs

from surf_data.daylight.errors import VerificationFailed
from surf_data.daylight.queries import daylight_queries
from surf_data.daylight.sqlite.layouts import Table, tables
from surf_data.daylight.sqlite.report import OUTCOMES, ImportReport, TableReport
from surf_data.daylight.sqlite.rows import Converted, Expired, Row
from surf_data.daylight.sqlite.source import SourceFile, opened
from surf_data.daylight.sqlite.values import Refused
from surf_data.errors import ConstraintViolation, MigrationError
from surf_data.kernel import validation
from surf_data.kernel.log_messages import get_logger
from surf_data.kernel.postgres import Executor, Json

#: Rows of the source in one transaction.
PORTION = 50_000
#: Days for which the location history is kept; what is older is reported as expired.
KEEP_DAYS = 90
_MAX_QUARANTINE = 1_000
_DIGITS = 15

_log = get_logger(__name__)


class _RolledBack(Exception):
    """What was done is to be rolled back."""


class SqliteImportService:
    """Imports SQLite files, verifies what was imported, and takes it back.

    Arguments:
        database: runs the statements.
    """

    def __init__(self, database: Executor) -> None:
        self._database = database

    def import_sqlite(
        self,
        path: str | PathLike[str],
        *,
        dry_run: bool = False,
        strict: bool = False,
        keep_expired: bool = False,
        on_progress: Callable[[str, int, int], object] | None = None,
    ) -> ImportReport:
        """Import a file. Rows that are there already are never changed; running it again is harmless.

        Arguments:
            path: the file, which is only read.
            dry_run: do everything in one transaction, and roll it back.
            strict: refuse the whole file if one row is refused, and change nothing.
            keep_expired: import location history that is older than 90 days, too.
            on_progress: called with the table, rows read and rows in all after each portion.

        Returns:
            What was done; rows that were refused are in ``quarantine``.

        Raises:
            MigrationError: the file cannot be read, another process imports it, or ``strict`` and rows are refused.
            VerificationFailed: what is stored is not what the file has; nothing is taken back.
            DatabaseError: it could not be stored; the next run goes on behind the last whole portion.
        """
        location = Path(validation.text("path", fspath(path), maximum=4096))
        with opened(location) as source:
            oldest = None if keep_expired else datetime.now(UTC) - timedelta(days=KEEP_DAYS)
            run = _Run(source, oldest, on_progress or (lambda _table, _done, _total: None))
            if not (dry_run or strict):
                return run.completed(self._database)
            report = run.within_one(self._database, keep=not dry_run)
        if report.quarantine and strict:
            raise MigrationError(
                f"{location.name}: {sum(t.quarantined for t in report.tables.values())} rows are refused, the first in "
                f"{report.quarantine[0][0]}.{report.quarantine[0][2]}: {report.quarantine[0][3]}; nothing was imported"
            )
        return report

    def has_completed(self, path: str | PathLike[str]) -> bool:
        """Return whether a file was imported completely, as it is now.

        Raises:
            MigrationError: the file cannot be read.
            DatabaseError: the question could not be answered.
        """
        with opened(Path(path)) as source:
            return daylight_queries().import_completed(self._database, fingerprint=source.fingerprint) is not None

    def verify_import(self, run_id: int) -> ImportReport:
        """Compare what a run has imported with what the source had then: counts, and a checksum of every portion.

        Raises:
            ValidationError: there is no such run.
            VerificationFailed: it differs; the error says where.
            DatabaseError: the question could not be answered.
        """
        report = self._report(run_id)
        differences = _differences(self._database, run_id, report.tables)
        if differences:
            raise VerificationFailed("; ".join(differences))
        return report

    def undo_import(self, run_id: int, *, dry_run: bool = False) -> dict[str, int]:
        """Delete what a run has inserted and nothing has changed since, in one transaction.

        Arguments:
            run_id: the run.
            dry_run: only say how many rows that are.

        Returns:
            How many rows of each table.

        Raises:
            ValidationError: there is no such run.
            DatabaseError: they could not be deleted.
        """
        run = self._run(run_id)
        deleted: dict[str, int] = {}
        try:
            with self._database.transaction() as executor:
                for table in reversed(tables()):
                    portions = daylight_queries().import_portions(executor, run_id=run_id, table_name=table.source)
                    if portions:
                        deleted[table.source] = sum(table.undo(executor, each[1], run[4]) for each in portions)
                daylight_queries().import_end(executor, run_id=run_id, status="undone")
                if dry_run:
                    raise _RolledBack  # noqa: TRY301 - it is what rolls back
        except _RolledBack:
            pass
        return deleted

    def _run(self, run_id: int) -> Any:
        number = validation.integer("run_id", run_id, minimum=1, maximum=validation.INT8_MAX)
        run = daylight_queries().import_run(self._database, run_id=number)
        if run is None:
            raise validation.invalid("run_id", "is no run of an import")
        return run

    def _report(self, run_id: int) -> ImportReport:
        run = self._run(run_id)
        return ImportReport(
            run_id=run[0],
            file=run[1],
            status=run[3],
            tables={name: TableReport(**counts) for name, counts in run[6].items()},
            unknown=[],
            quarantine=daylight_queries().import_quarantined(self._database, run_id=run[0], row_limit=_MAX_QUARANTINE),
            differences=[],
        )


class _Run:
    """One import of one file."""

    def __init__(
        self, source: SourceFile, oldest: datetime | None, on_progress: Callable[[str, int, int], object]
    ) -> None:
        self._source = source
        self._oldest = oldest
        self._on_progress = on_progress
        self._refused: list[tuple[str, str, str, str]] = []
        self.run_id = 0

    def completed(self, database: Executor) -> ImportReport:
        """Import the file, portion by portion, and verify it."""
        reports = self._import(database)
        differences = _differences(database, self.run_id, reports)
        status = "failed" if differences else "completed"
        daylight_queries().import_end(database, run_id=self.run_id, status=status)
        if differences:
            raise VerificationFailed("; ".join(differences))
        return self._report(status, reports)

    def within_one(self, database: Executor, *, keep: bool) -> ImportReport:
        """Import the file in one transaction, which is rolled back unless it is to be kept and no row is refused."""
        report: ImportReport | None = None
        try:
            with database.transaction() as executor:
                report = self.completed(executor)
                if not keep or report.quarantine:
                    raise _RolledBack  # noqa: TRY301 - it is what rolls back
        except _RolledBack:
            pass
        assert report is not None, "else it has raised"  # noqa: S101
        if keep:
            return report
        return self._report("dry run", report.tables)

    def _report(self, status: str, reports: dict[str, TableReport]) -> ImportReport:
        return ImportReport(
            run_id=None if status == "dry run" else self.run_id,
            file=self._source.path.name,
            status=status,
            tables=reports,
            unknown=self._source.unknown,
            quarantine=self._refused[:_MAX_QUARANTINE],
            differences=[],
        )

    def _import(self, database: Executor) -> dict[str, TableReport]:
        source = self._source
        begun = daylight_queries().import_begin(
            database, fingerprint=source.fingerprint, file_name=source.path.name, layout=source.layout
        )
        assert begun is not None, "it is found or created"  # noqa: S101
        self.run_id, progress = begun
        reports = {name: TableReport(**counts) for name, counts in progress.items()}
        for table in source.tables:
            report = reports.setdefault(table.source, TableReport(source=source.count(table)))
            row = Row(source.positions(table))
            while rows := source.portion(table, report.last_key, PORTION):
                with database.transaction() as executor:
                    self._portion(executor, table, report, row, rows)
                    done = {name: attrs.asdict(each) for name, each in reports.items()}
                    noted = daylight_queries().import_progress(
                        executor,
                        run_id=self.run_id,
                        expected=Json(json.dumps(progress)),
                        progress=Json(json.dumps(done)),
                    )
                    if not noted:
                        raise MigrationError(f"{source.path.name}: another process is importing it")
                progress = done
                self._on_progress(table.source, report.read, report.source)
                _log.info("import progress", extra={"table": table.source, "read": report.read})
        return reports

    def _portion(
        self, executor: Executor, table: Table, report: TableReport, row: Row, rows: Sequence[Sequence[Any]]
    ) -> None:
        """Convert and store rows, and note what became of each."""
        report.last_key = rows[-1][0]
        converted: dict[str, Converted] = {}
        keys: dict[str, str] = {}
        refused: list[tuple[str, str, str]] = []
        for values in rows:
            row.load(values)
            try:
                made = table.convert(row, self._oldest)
                if made[0] in converted:
                    raise Refused("is there twice")  # noqa: TRY301 - as what the conversion raises
                converted[made[0]] = made
                keys[made[0]] = str(values[0])
            except Expired:
                report.expired += 1
            except Refused as reason:
                refused.append((str(values[0]), row.column, str(reason)))
        outcomes = _stored(executor, table, list(converted.values())) if converted else {}
        for row_id, outcome in outcomes.items():
            if outcome == "refused":
                refused.append((keys[row_id], *table.refusal))
        by_outcome = {name: [key for key, each in outcomes.items() if each == name] for name in OUTCOMES}
        report.inserted += len(by_outcome["inserted"])
        report.unchanged += len(by_outcome["unchanged"])
        report.conflicting += len(by_outcome["conflicting"])
        report.quarantined += len(refused)
        present = by_outcome["inserted"] + by_outcome["unchanged"]
        daylight_queries().import_portion(
            executor,
            run_id=self.run_id,
            table_name=table.source,
            last_key=report.last_key,
            inserted_ids=by_outcome["inserted"],
            present_ids=present,
            checksum=Decimal(sum(_hash(converted[row_id][2]) for row_id in present)),
        )
        self._quarantine(executor, table, refused)

    def _quarantine(self, executor: Executor, table: Table, refused: list[tuple[str, str, str]]) -> None:
        if not refused:
            return
        self._refused += [(table.source, *each) for each in refused]
        keys, columns, reasons = (list(each) for each in zip(*refused, strict=True))
        daylight_queries().import_quarantine(
            executor, run_id=self.run_id, table_name=table.source, keys=keys, columns=columns, reasons=reasons
        )


def _stored(executor: Executor, table: Table, converted: list[Converted]) -> dict[str, str]:
    """Store rows, and return what became of each by its id."""
    ids = [each[0] for each in converted]
    if table.copy is not None and table.exists is not None:
        try:
            if not table.exists(executor, first_id=min(ids), last_id=max(ids)):
                with executor.savepoint() as session, table.copy(session) as copy:
                    copy.set_types(table.types)
                    copy.write_rows([each[1] for each in converted])
                return dict.fromkeys(ids, "inserted")
        except ConstraintViolation:
            # Stored by another process since; the other way finds out which.
            pass
    arrays = zip(*(each[1] for each in converted), strict=True)
    merged = table.merge(executor, **{name: list(array) for name, array in zip(table.arrays, arrays, strict=True)})
    return dict(merged)


def _differences(database: Executor, run_id: int, reports: dict[str, TableReport]) -> list[str]:
    """Return where what is stored is not what the source had."""
    found = [f"{name}: the counts do not add up" for name, report in reports.items() if not report.adds_up]
    for table in tables():
        portions = daylight_queries().import_portions(database, run_id=run_id, table_name=table.source)
        before = 0
        for last_key, _, present, expected in portions:
            if table.checksum(database, row_ids=present) != expected:
                found.append(f"{table.source}: rows {before + 1:,} to {last_key:,} differ from what was imported")
            before = last_key
    return found


def _hash(text: str) -> int:
    return int(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()[:_DIGITS], 16)
