"""Migrations as callers of the original know them, over the library's own runner."""

import re
from pathlib import Path
from typing import Any

import attrs

from surf_data.errors import MigrationError
from surf_data.kernel import resources, validation
from surf_data.kernel.postgres import Executor
from surf_data.specify import compat, layer, models
from surf_data.specify.statements import specify_queries

_TEMPLATE = """\
-- Why: {message}
-- Locks: which tables, how strong, and for how long at the size that scale.toml declares?
-- Old and new code run side by side during a deploy: does it suit both? Else the name begins with pre_ or post_.

-- migrate:up{option}
SELECT 1;

-- migrate:down{option}
SELECT 1;
"""
_WORD = re.compile(r"[^a-z0-9]+")
_RELATIVE = re.compile(r"[+-][0-9]{1,4}")

# What is in a table beside the columns that its model has, and what of a model is no column.
_HIDDEN = {
    "users": {"username_key", "email_key", "api_key_hash"},
    "projects": {"search"},
    "rdf_contents": {"content_hash", "content", "stored_at", "search"},
    "session_tokens": {"token_hash"},
}
_COMPUTED = {"active_projects_count", "api_key", "token"}
_TABLES: dict[str, type[attrs.AttrsInstance]] = {
    "audit_logs": models.AuditLog,
    "cache_entries": models.CacheEntry,
    "commands": models.Command,
    "configurations": models.Configuration,
    "performance_metrics": models.PerformanceMetric,
    "projects": models.Project,
    "rdf_specifications": models.RDFSpecification,
    "session_tokens": models.SessionToken,
    "telemetry_events": models.TelemetryEvent,
    "users": models.User,
}


class MigrationManager:
    """Brings the schema of the process's database up to date, and says how it stands.

    There are no models to generate migrations from: a migration is a file of SQL that was written and reviewed by hand.

    Arguments:
        alembic_ini_path: accepted for the sake of callers.
        migrations_dir: a folder for new files; ``None``: the library's own.
        manager: the database; the process's own, by `init_db`, when ``None``.
    """

    def __init__(
        self,
        alembic_ini_path: str | None = None,
        migrations_dir: str | Path | None = None,
        *,
        manager: "compat.DatabaseManager | None" = None,
    ) -> None:
        del alembic_ini_path
        self._folder = resources.migrations_folder(layer.DOMAIN) if migrations_dir is None else Path(migrations_dir)
        self._manager = manager

    @property
    def _runner(self) -> Any:
        return (self._manager or compat.current()).data.migrations

    def init(self, template: str = "generic") -> None:
        """Create the folder for new files, if it is not there.

        Arguments:
            template: accepted for the sake of callers.
        """
        del template
        self._folder.mkdir(parents=True, exist_ok=True)

    def create_migration(self, message: str, autogenerate: bool = True) -> str:  # noqa: FBT001, FBT002 - as callers know it
        """Write the next file of the folder, for its author to fill in.

        Arguments:
            message: what it changes; becomes its name.
            autogenerate: accepted; nothing is generated.

        Returns:
            Its number, four digits.

        Raises:
            ValidationError: ``message`` has no letter or digit, or is longer than 200 characters.
            MigrationError: the folder cannot be written to.
        """
        del autogenerate
        return self.create_file(message, "")

    def create_file(self, message: str, option: str) -> str:
        """Write the next file; see `create_migration`.

        Arguments:
            message: what it changes.
            option: what stands behind the markers of its sections.
        """
        text = " ".join(validation.text("message", message, maximum=200).split())
        name = _WORD.sub("_", text.lower()).strip("_")[:60].strip("_")
        if not name:
            raise validation.invalid("message", "must have a letter or a digit")
        try:
            number = f"{len(list(self._folder.glob('[0-9][0-9][0-9][0-9]_*.sql'))) + 1:04d}"
            path = self._folder / f"{number}_{name}.sql"
            path.write_text(_TEMPLATE.format(message=text, option=option), encoding="utf-8")
        except OSError as error:
            problem = MigrationError(f"cannot be written: {type(error).__name__}", file=str(self._folder))
        else:
            return number
        raise problem

    def upgrade(self, revision: str = "head", sql: bool = False) -> list[str]:  # noqa: FBT001, FBT002 - as callers know it
        """Apply migrations.

        Arguments:
            revision: the last one, by its number; ``head`` for all, ``+1`` for the next one.
            sql: whether to print their SQL instead.

        Returns:
            What was applied, or printed, as ``0001_initial_schema``.

        Raises:
            ValidationError: there is no such revision.
            MigrationError: one cannot be applied.
            DatabaseError: the server cannot be reached.
        """
        statuses = self._runner.up(to=self._number(revision), dry_run=sql)
        return self._done(statuses, sql=sql, direction="up")

    def downgrade(self, revision: str = "-1", sql: bool = False) -> list[str]:  # noqa: FBT001, FBT002 - as callers know it
        """Revert migrations, the last one first.

        Arguments:
            revision: the last one that stays, by its number; ``base`` for none, ``-1`` to revert one.
            sql: whether to print their SQL instead.

        Returns:
            What was reverted, or printed.

        Raises:
            ValidationError: there is no such revision.
            MigrationError: one cannot be reverted.
            DatabaseError: the server cannot be reached.
        """
        statuses = self._runner.down(to=self._number(revision) or 0, dry_run=sql)
        return self._done(statuses, sql=sql, direction="down")

    def _done(self, statuses: list[Any], *, sql: bool, direction: str) -> list[str]:
        labels = [status.label for status in statuses]
        for label in labels if sql else []:
            text = (resources.migrations_folder(layer.DOMAIN) / f"{label}.sql").read_text(encoding="utf-8")
            up, _, down = text.partition("-- migrate:down")
            print(up.partition("-- migrate:up")[2] if direction == "up" else down)  # noqa: T201 - what it is asked for
        return labels

    def _number(self, revision: str) -> int | None:
        validation.text("revision", revision, maximum=200)
        known = {"head": None, "base": 0}
        if revision in known:
            return known[revision]
        applied = int(self.current() or 0)
        if _RELATIVE.fullmatch(revision):
            return max(applied + int(revision), 0)
        if any(each["revision"] == revision[:4] for each in self.history()):
            return int(revision[:4])
        raise validation.invalid("revision", "must be head, base, a step such as -1, or the number of a migration")

    def current(self) -> str | None:
        """Return the number of the last migration that is applied, four digits; ``None`` without any.

        Raises:
            DatabaseError: the server cannot be reached.
        """
        applied = [status.number for status in self._runner.status() if status.state == "applied"]
        return f"{max(applied):04d}" if applied else None

    def history(self, verbose: bool = False) -> list[dict[str, Any]]:  # noqa: FBT001, FBT002 - as callers know it
        """Return the migrations that there are, the first one first.

        Arguments:
            verbose: whether to say of each also ``state`` and ``applied_at``.

        Returns:
            For each ``revision``, ``down_revision``, ``branch_labels`` (always ``None``) and ``message``.

        Raises:
            DatabaseError: the server cannot be reached.
        """
        return [
            {
                "revision": f"{status.number:04d}",
                "down_revision": f"{status.number - 1:04d}" if status.number > 1 else None,
                "branch_labels": None,
                "message": status.name.replace("_", " "),
                **({"state": status.state, "applied_at": status.applied_at} if verbose else {}),
            }
            for status in self._runner.status()
        ]

    def stamp(self, revision: str = "head") -> None:
        """Record migrations as applied without running them, for a database that has what they create.

        Arguments:
            revision: the last one, by its number; ``head`` for all.

        Raises:
            ValidationError: there is no such revision.
            MigrationError: the history has begun already.
            DatabaseError: the server cannot be reached.
        """
        number = self._number(revision)
        self._runner.baseline(len(self.history()) if number is None else number)

    def verify(self) -> dict[str, Any]:
        """Return how the tables compare with the models; see `verify_schema`.

        ``surf-data migrate verify`` compares everything, also constraints, indexes and rights.
        """
        return verify_schema((self._manager or compat.current()).engine)


def verify_schema(engine: Executor) -> dict[str, Any]:
    """Return how the tables of a database compare with the models.

    Arguments:
        engine: the database.

    Returns:
        ``valid``; ``missing_tables`` and ``extra_tables``; ``column_issues``: by table its columns that are
        ``missing`` and those that are ``extra``.

    Raises:
        DatabaseError: the server cannot be reached.
    """
    found: dict[str, set[str]] = {}
    for table, column in specify_queries().schema_columns(engine):
        found.setdefault(table, set()).add(column)
    wanted = {table: {field.name for field in attrs.fields(model)} - _COMPUTED for table, model in _TABLES.items()}
    for table, hidden in _HIDDEN.items():
        wanted[table] = wanted.get(table, set()) | hidden
    issues = {
        table: {"missing": sorted(wanted[table] - found[table]), "extra": sorted(found[table] - wanted[table])}
        for table in sorted(set(wanted) & set(found))
        if wanted[table] != found[table]
    }
    missing, extra = sorted(set(wanted) - set(found)), sorted(set(found) - set(wanted))
    return {
        "valid": not (missing or extra or issues),
        "missing_tables": missing,
        "extra_tables": extra,
        "column_issues": issues,
    }


def get_current_revision() -> str | None:
    """Return the number of the last migration of the process's database; see `MigrationManager.current`."""
    return MigrationManager().current()


def get_migration_history() -> list[dict[str, Any]]:
    """Return the migrations that there are; see `MigrationManager.history`."""
    return MigrationManager().history()


def create_data_migration(manager: MigrationManager, message: str) -> str:
    """Write the next file, whose statements are sent one by one; see `MigrationManager.create_migration`.

    Each is a transaction by itself, so that many rows can be changed in portions.
    """
    return manager.create_file(message, " transaction:false")
