"""``surf-data daylight``: how the day planner is, and the import of SQLite files."""

import csv
import os
from pathlib import Path
from typing import Any

import click

from surf_data import daylight
from surf_data.cli import output, tables
from surf_data.cli.daylight_retention import retention
from surf_data.cli.options import PathType
from surf_data.cli.target import Target, json_option, pass_target
from surf_data.daylight import DatabaseService
from surf_data.daylight.sqlite import ImportReport
from surf_data.daylight.sqlite.report import OUTCOMES


@click.group(name="daylight")
def group() -> None:
    """Keep the day planner: status, retention and archives, imports from SQLite."""


group.add_command(retention)


@group.command
@json_option
@pass_target
@click.pass_context
def status(context: click.Context, target: Target, *, as_json: bool) -> None:
    """Show how the servers, migrations and monitoring are. Exits with 1 when PostgreSQL does not answer."""
    with target.open(daylight.open, pool_min_size=1) as data:
        found = DatabaseService(data).get_service_status()
        health = data.monitoring.last_health
    if as_json:
        output.write_json(found)
    else:
        migration = found["migration"]
        asked = () if health is None else (("postgresql", health.database), ("redis", health.cache))
        rows = [
            ("overall", found["health"]["overall"]),
            # A server that is too old, or that refuses a password, does answer.
            *((name, "answers" if part.ok else part.reason or "") for name, part in asked),
            (
                "migration",
                f"{migration['currentVersion'] or 'not known'}{'' if migration['completed'] else ', pending'}",
            ),
            ("archives", "set" if found["retention"]["enabled"] else "no place is set: archive_url"),
        ]
        output.console().print(tables.table("what", "how", rows=rows))
    context.exit(1 if found["health"]["overall"] == "critical" else 0)


@group.command
@click.option("--hours", type=click.FloatRange(0, 24, min_open=True), default=1, show_default=True)
@json_option
@pass_target
def metrics(target: Target, *, hours: float, as_json: bool) -> None:
    """Show what all processes did in the last hours, by query, as their samplers have written."""
    with target.open(daylight.open, pool_min_size=1) as data:
        found = data.monitoring.read_window(hours)
    if as_json:
        output.write_json(found)
        return
    rows = [
        (each["query"], f"{each['calls']:,}", f"{each['errors']:,}", f"{each['averageMs']:.2f}", f"{each['maxMs']:.1f}")
        for each in found
    ]
    output.console().print(
        tables.table(
            "query",
            "calls",
            "errors",
            "average ms",
            "max ms",
            rows=rows,
            right={"calls", "errors", "average ms", "max ms"},
        )
    )


@group.command(name="import-sqlite")
@click.argument("path", type=PathType())
@click.option("--dry-run", is_flag=True, help="Do everything, and roll it back.")
@click.option("--strict", is_flag=True, help="Refuse the file if one row is refused.")
@click.option("--keep-expired", is_flag=True, help="Import location history that is older than 90 days, too.")
@click.option(
    "--quarantine",
    type=PathType(dir_okay=False),
    metavar="FILE.csv",
    help="Write what was refused, and why.",
)
@json_option
@pass_target
def import_sqlite(
    target: Target,
    path: Path,
    *,
    dry_run: bool,
    strict: bool,
    keep_expired: bool,
    quarantine: Path | None,
    as_json: bool,
) -> None:
    """Import a SQLite file: the history of external services, or users, profiles, sessions and locations.

    Rows that are there already are never changed; running it again is harmless. Each portion is a transaction, and an
    interrupted run goes on where it was. What is stored is compared with the file in the end.
    """
    with target.open(daylight.open, pool_min_size=1) as data, output.working("importing") as working:
        report = data.imports.import_sqlite(
            path,
            dry_run=dry_run,
            strict=strict,
            keep_expired=keep_expired,
            on_progress=lambda table, done, total: working(f"importing {table}: {done:,} of {total:,}"),
        )
    if quarantine is not None:
        _write_quarantine(quarantine, report)
    _show_import(report, as_json=as_json)


@group.command(name="verify-import")
@click.argument("run_id", type=click.IntRange(1))
@json_option
@pass_target
def verify_import(target: Target, run_id: int, *, as_json: bool) -> None:
    """Compare what a run has imported with what its file had: counts, and a checksum of every portion."""
    with target.open(daylight.open, pool_min_size=1) as data:
        _show_import(data.imports.verify_import(run_id), as_json=as_json)


@group.command(name="undo-import")
@click.argument("run_id", type=click.IntRange(1))
@click.option("--dry-run", is_flag=True, help="Only say how many rows would go.")
@json_option
@pass_target
def undo_import(target: Target, run_id: int, *, dry_run: bool, as_json: bool) -> None:
    """Delete what a run has inserted and nothing has changed since."""
    with target.open(daylight.open, pool_min_size=1) as data:
        deleted = data.imports.undo_import(run_id, dry_run=dry_run)
    if as_json:
        output.write_json(deleted)
        return
    rows = [(name, f"{count:,}") for name, count in deleted.items()]
    output.console().print(tables.table("table", "would go" if dry_run else "deleted", rows=rows))


def _show_import(report: ImportReport, *, as_json: bool) -> None:
    if as_json:
        output.write_json(report.to_dict())
        return
    rows = [
        (name, *(f"{getattr(table, each):,}" for each in ("source", *OUTCOMES)))
        for name, table in report.tables.items()
    ]
    heads = ("table", "source", *OUTCOMES)
    output.console().print(tables.table(*heads, rows=rows, right=set(heads[1:])))
    refused: list[tuple[Any, ...]] = list(report.quarantine[:20])
    if refused:
        output.console().print(tables.table("table", "key", "column", "reason", rows=refused))
    if report.unknown:
        output.console().print(f"left alone: {', '.join(report.unknown)}")
    output.console().print(f"{report.file}: {report.status}{'' if report.run_id is None else f', run {report.run_id}'}")


def _write_quarantine(path: Path, report: ImportReport) -> None:
    # Keys may be personal: for the owner of the file alone.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("table", "key", "column", "reason"))
        writer.writerows(report.quarantine)
