"""Runs retention, reports on it, places holds, restores archives."""

import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

from surf_data.daylight import checks
from surf_data.daylight.operation_records import Archive, LegalHold, Restoration, RetentionJob, RetentionPolicy
from surf_data.daylight.queries import daylight_queries
from surf_data.daylight.records import as_json
from surf_data.daylight.retention import restoring
from surf_data.daylight.retention.aside import Runner
from surf_data.daylight.retention.jobs import Maintain, run_job
from surf_data.daylight.retention.tables import TABLES, ArchivePlace
from surf_data.errors import DatabaseError, MigrationError
from surf_data.kernel import validation
from surf_data.kernel.postgres import DatabaseManager, Json


class RetentionService:
    """Deletes what has expired, once its archive is proved. Never within a transaction: each step is one.

    Arguments:
        database: connects with the role that owns the tables.
        maintain: maintains the partitions of a table.
        place: returns where archives are.
    """

    def __init__(self, database: DatabaseManager, maintain: Maintain, place: Callable[[], ArchivePlace]) -> None:
        self._database = database
        self._maintain = maintain
        self._place = place

    def run_daily_retention(
        self,
        *,
        dry_run: bool = False,
        on_step: Callable[[str], object] | None = None,
        until: float | None = None,
    ) -> list[RetentionJob]:
        """Archive and delete what has expired in all tables, as a timer does every night.

        A table that fails does not keep the others from their turn; its job says why, and nothing of it is deleted
        whose archive was not read back and compared in this run.

        Arguments:
            dry_run: only say what would be done.
            on_step: called with what is done next, in words.
            until: seconds after which no other table is begun.

        Returns:
            What was done, by table.

        Raises:
            MigrationError: another run is under way.
            DatabaseError: the server cannot be reached, or the role does not own the tables.
        """
        return self._run(list(TABLES), dry_run=dry_run, on_step=on_step, until=until)

    def run_manual_retention(
        self,
        table: str | None = None,
        *,
        dry_run: bool = False,
        on_step: Callable[[str], object] | None = None,
        until: float | None = None,
    ) -> list[RetentionJob]:
        """Do the same for one table, or all.

        Raises:
            ValidationError: there is no policy for such a table, or an argument is refused.
            MigrationError: another run is under way.
            DatabaseError: the server cannot be reached, or the role does not own the tables.
        """
        tables = list(TABLES) if table is None else [_table(table)]
        return self._run(tables, dry_run=dry_run, on_step=on_step, until=until)

    def list_policies(self) -> list[RetentionPolicy]:
        """Return how long each table is kept.

        Raises:
            DatabaseError: the question could not be answered.
        """
        return daylight_queries().policy_list(self._database)

    def set_policy(
        self,
        table: str,
        *,
        keep_days: int | None = None,
        archive: bool | None = None,
        storage_class: str | None = None,
        enabled: bool | None = None,
    ) -> RetentionPolicy:
        """Change what is given of a table's policy.

        Arguments:
            table: the table.
            keep_days: 1 to 36,500.
            archive: whether rows are archived before they go.
            storage_class: a label for the rules of a bucket, 1 to 50 characters.
            enabled: whether anything goes.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: it could not be changed.
        """
        policy: RetentionPolicy | None = daylight_queries().policy_update(
            self._database,
            table_name=_table(table),
            keep_days=None
            if keep_days is None
            else validation.integer("keep_days", keep_days, minimum=1, maximum=36_500),
            archive=None if archive is None else checks.flag("archive", archive),
            storage_class=None
            if storage_class is None
            else validation.text("storage_class", storage_class, maximum=50),
            enabled=None if enabled is None else checks.flag("enabled", enabled),
        )
        assert policy is not None, "there is a row for each table"  # noqa: S101
        return policy

    def place_hold(
        self,
        table: str | None,
        reason: str,
        *,
        user_id: str | None = None,
        since: object = None,
        until: object = None,
    ) -> LegalHold:
        """Keep rows from being deleted, whatever their age, until the hold is released.

        When it returns, whatever the hold is about is in its table or was archived before; rows that a run has just
        set aside return to their table with the next run.

        Arguments:
            table: of this table, ``None`` for all.
            reason: 1 to 1,000 characters.
            user_id: of this user alone.
            since: from this moment on.
            until: before this moment.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: it could not be placed.
        """
        first = None if since is None else checks.moment("since", since)
        last = None if until is None else checks.moment("until", until)
        if first is not None and last is not None and last <= first:
            raise validation.invalid("until", "must be after since")
        hold: LegalHold | None = daylight_queries().hold_insert(
            self._database,
            table_name=None if table is None else _table(table),
            reason=validation.text("reason", reason, maximum=1000),
            user_id=None if user_id is None else checks.identifier("user_id", user_id),
            since=first,
            until=last,
        )
        assert hold is not None, "INSERT ... RETURNING has a row"  # noqa: S101
        with self._database.transaction() as session:
            daylight_queries().retention_drop_wait(session)
        return hold

    def release_hold(self, hold_id: int) -> bool:
        """Release a hold; return whether there was one.

        Raises:
            ValidationError: ``hold_id`` cannot be one.
            DatabaseError: it could not be released.
        """
        number = validation.integer("hold_id", hold_id, minimum=1, maximum=validation.INT8_MAX)
        return bool(daylight_queries().hold_release(self._database, hold_id=number))

    def list_holds(self) -> list[LegalHold]:
        """Return the holds that are not released, oldest first.

        Raises:
            DatabaseError: the question could not be answered.
        """
        return daylight_queries().hold_list(self._database)

    def list_archives(self, table: str | None = None) -> list[Archive]:
        """Return the proved archives of a table, or of all, oldest first.

        Raises:
            ValidationError: there is no such table.
            DatabaseError: the question could not be answered.
        """
        name = None if table is None else _table(table)
        return daylight_queries().archive_list(self._database, table_name=name, since=None, until=None)

    def restore(self, table: str, since: object = None, until: object = None) -> Restoration:
        """Restore archived rows of a table into a new table of the schema ``daylight_restored``.

        Arguments:
            table: the table.
            since: rows from this moment on; all by default.
            until: rows before this moment; all by default.

        Returns:
            The new table, with rows that are identical to those that were archived.

        Raises:
            ValidationError: an argument is refused, or nothing is archived of that time.
            ArchiveError: an archive is missing or was altered; nothing is restored.
            StorageError: an archive cannot be read.
            DatabaseError: the rows cannot be stored.
        """
        name = _table(table)
        first = None if since is None else checks.moment("since", since)
        last = None if until is None else checks.moment("until", until)
        found: list[Archive] = daylight_queries().archive_list(self._database, table_name=name, since=first, until=last)
        if not found:
            raise validation.invalid("table", "has no archive of that time")
        with self._runner(None) as runner:
            return restoring.restore(runner, self._place(), name, [each.location for each in found], (first, last))

    def restore_archive(self, table: str, location: str) -> Restoration:
        """Restore one archive by its key: all that is needed is its objects and a migrated database.

        Raises:
            ValidationError: an argument is refused.
            ArchiveError: the archive is missing or was altered; nothing is restored.
            StorageError: it cannot be read.
            DatabaseError: the rows cannot be stored.
        """
        key = validation.text("location", location, maximum=1000)
        with self._runner(None) as runner:
            return restoring.restore(runner, self._place(), _table(table), [key], (None, None))

    def verify_archives(self, sample: float = 1.0) -> dict[str, str]:
        """Read archives back and compare them with what was written.

        Arguments:
            sample: which share of them, above 0 and at most 1.

        Returns:
            The key of each archive that is missing or was altered, with what is wrong; nothing if all is well.

        Raises:
            ValidationError: ``sample`` is no such share.
            StorageError: they cannot be read.
            DatabaseError: the question could not be answered.
        """
        share = validation.number("sample", sample)
        if not 0 < share <= 1:
            raise validation.invalid("sample", "must be above 0 and at most 1")
        chosen = [each for each in self.list_archives() if random.random() <= share]  # noqa: S311 - a sample, no secret
        return restoring.problems(self._place(), chosen)

    def get_retention_report(self) -> dict[str, Any]:
        """Return ``status`` (``policies``, ``activeJobs``, ``lastRun``), ``archives``, ``holds`` and ``tables``.

        Raises:
            DatabaseError: the question could not be answered, or the role does not own the tables.
        """
        queries = daylight_queries()
        last = queries.retention_last_run(self._database)
        tables: list[dict[str, Any]] = []
        with self._runner(None) as runner:
            for policy in self.list_policies():
                before = queries.retention_days_ago(runner.session, days=policy.keep_days)
                expired, oldest = runner.row(runner.commands(policy.table_name, before).count)
                tables.append(
                    policy.to_dict()
                    | {
                        "expired": expired,
                        "oldestExpired": as_json(oldest),
                        "overdueDays": 0 if oldest is None else max((before - oldest).days, 0),
                        "setAside": len(runner.aside(policy.table_name)),
                    }
                )
        return {
            "status": {
                "policies": len(tables),
                "activeJobs": 0 if self._is_idle() else 1,
                "lastRun": None
                if last is None
                else {"startedAt": as_json(last[1]), "endedAt": as_json(last[2]), "jobs": last[3]},
            },
            "archives": {
                name: {"archives": count, "rows": rows, "storedBytes": size}
                for name, count, rows, size in queries.archive_totals(self._database)
            },
            "holds": [hold.to_dict() for hold in self.list_holds()],
            "tables": tables,
        }

    def _is_idle(self) -> bool:
        try:
            with closing(self._database.connect()) as connection, _alone(Runner(connection, self._place, _silent)):
                return True
        except MigrationError:
            return False

    @contextmanager
    def _runner(self, on_step: Callable[[str], object] | None) -> Iterator[Runner]:
        with closing(self._database.connect()) as connection:
            runner = Runner(connection, self._place, on_step or _silent)
            daylight_queries().retention_configure(runner.session)
            yield runner

    def _run(
        self, tables: list[str], *, dry_run: bool, on_step: Callable[[str], object] | None, until: float | None
    ) -> list[RetentionJob]:
        started = datetime.now(UTC)
        deadline = None if until is None else time.monotonic() + validation.number("until", until)
        jobs: list[RetentionJob] = []
        dry_run = validation.boolean("dry_run", dry_run)
        if on_step is not None:
            validation.function("on_step", on_step)
        with self._runner(on_step) as runner, _alone(runner):
            policies = {policy.table_name: policy for policy in self.list_policies() if policy.enabled}
            jobs.extend(
                run_job(runner, policies[table], self._maintain, dry_run=dry_run)
                for table in tables
                if table in policies and (deadline is None or time.monotonic() < deadline)
            )
            if not dry_run:
                summary = Json(json.dumps([job.to_dict() for job in jobs]))
                daylight_queries().retention_log_insert(runner.session, started_at=started, summary=summary)
        return jobs


@contextmanager
def _alone(runner: Runner) -> Iterator[None]:
    if not daylight_queries().retention_lock(runner.session):
        raise MigrationError("another run of retention is under way")
    try:
        yield
    finally:
        # Where the server is gone, so is the lock.
        with suppress(DatabaseError):
            daylight_queries().retention_unlock(runner.session)


def _table(value: object) -> str:
    name = value.removeprefix("daylight.") if isinstance(value, str) else value
    if not isinstance(name, str) or name not in TABLES:
        raise validation.invalid("table", f"must be one with a policy: {', '.join(TABLES)}")
    return name


def _silent(_step: str) -> None:
    pass
