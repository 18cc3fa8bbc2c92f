"""The import: portion by portion, each a transaction, so that it goes on where it was interrupted."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from os import PathLike
from typing import Any

import attrs

from surf_data.daylight.errors import VerificationFailed
from surf_data.daylight.queries import daylight_queries
from surf_data.daylight.sqlite.layouts import Table, tables
from surf_data.daylight.sqlite.portions import Portion, stored
from surf_data.daylight.sqlite.report import ImportReport, TableReport
from surf_data.daylight.sqlite.source import SourceFile, opened
from surf_data.errors import MigrationError
from surf_data.kernel import validation
from surf_data.kernel.log_messages import get_logger
from surf_data.kernel.postgres import Executor, Json

#: Rows of the source in one transaction.
PORTION = 50_000
#: Days for which the location history is kept; what is older is reported as expired.
KEEP_DAYS = 90
_MAX_QUARANTINE = 1_000

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
            ValidationError: an argument is refused.
            MigrationError: the file cannot be read, another process imports it, or ``strict`` and rows are refused.
            VerificationFailed: what is stored is not what the file has; nothing is taken back.
            DatabaseError: it could not be stored; the next run goes on behind the last whole portion.
        """
        location = validation.path("path", path)
        dry_run, strict = validation.boolean("dry_run", dry_run), validation.boolean("strict", strict)
        keep_expired = validation.boolean("keep_expired", keep_expired)
        if on_progress is not None:
            validation.function("on_progress", on_progress)
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
            ValidationError: ``path`` can be no path.
            MigrationError: the file cannot be read.
            DatabaseError: the question could not be answered.
        """
        with opened(validation.path("path", path)) as source:
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
        dry_run = validation.boolean("dry_run", dry_run)
        self._run(run_id)
        deleted: dict[str, int] = {}
        try:
            with self._database.transaction() as executor:
                for table in reversed(tables()):
                    portions = _portions(executor, run_id, table)
                    if portions:
                        deleted[table.source] = sum(table.undo(executor, **portion) for portion, _ in portions)
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
            report = reports.get(table.source)
            if report is None:
                report = TableReport(source=source.count(table), is_new=_is_new(database, table, source))
                reports[table.source] = report
            while rows := source.portion(table, report.last_key, PORTION):
                with database.transaction() as executor:
                    self._portion(executor, table, report, rows)
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

    def _portion(self, executor: Executor, table: Table, report: TableReport, rows: Sequence[Sequence[Any]]) -> None:
        """Convert and store rows, and note what became of each."""
        last_key = report.last_key = rows[-1][0]
        portion = Portion()
        outcomes = stored(executor, table, portion, portion.convert(table, rows, self._oldest), is_new=report.is_new)
        refused = portion.refused + [(str(portion.rows[key][0]), *table.refusal) for key in outcomes["refused"]]
        report.inserted += len(outcomes["inserted"])
        report.unchanged += len(outcomes["unchanged"])
        report.conflicting += len(outcomes["conflicting"])
        report.quarantined += len(refused)
        report.expired += portion.expired
        present = [portion.rows[key] for key in outcomes["inserted"] + outcomes["unchanged"]]
        moments = [] if table.moment is None else [values[table.moment] for _, values, _ in present]
        daylight_queries().import_portion(
            executor,
            run_id=self.run_id,
            table_name=table.source,
            last_key=last_key,
            inserted_ids=outcomes["inserted"],
            unchanged_ids=outcomes["unchanged"],
            first_at=min(moments, default=None),
            last_at=max(moments, default=None),
            checksum=Decimal(sum([checksum for _, _, checksum in present])),
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


def _is_new(database: Executor, table: Table, source: SourceFile) -> bool:
    """Return whether none of a table's rows can be there yet, nor one twice, so that they can be copied."""
    if table.exists is None:
        return False
    extent = source.extent(table)
    return extent is not None and not table.exists(database, first_id=extent[0], last_id=extent[1])


def _portions(executor: Executor, run_id: int, table: Table) -> list[tuple[dict[str, Any], Decimal]]:
    """Return what names each portion of a table, in order, with its checksum."""
    found: list[tuple[dict[str, Any], Decimal]] = []
    for last_key, first_at, last_at, checksum in daylight_queries().import_portions(
        executor, run_id=run_id, table_name=table.source
    ):
        portion = {"run_id": run_id, "table_name": table.source, "last_key": last_key}
        bounds = {} if table.moment is None else {"first_at": first_at, "last_at": last_at}
        found.append(({**portion, **bounds}, checksum))
    return found


def _differences(database: Executor, run_id: int, reports: dict[str, TableReport]) -> list[str]:
    """Return where what is stored is not what the source had."""
    found = [f"{name}: the counts do not add up" for name, report in reports.items() if not report.adds_up]
    for table in tables():
        before = None
        for portion, expected in _portions(database, run_id, table):
            last_key = portion["last_key"]
            if table.checksum(database, **portion) != expected:
                first = "" if before is None else f" from {before + 1:,}"
                found.append(f"{table.source}: rows{first} up to {last_key:,} differ from what was imported")
            before = last_key
    return found
