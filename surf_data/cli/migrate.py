"""``surf-data migrate``: bring the database's schema up to date, and see where it stands."""

from typing import Any

import click

from surf_data import resources
from surf_data.cli import output, tables
from surf_data.cli.target import Target, json_option, pass_target
from surf_data.data_layer import DataLayer
from surf_data.migrate import Migration, MigrationStatus, Runner

_DOMAIN = "lamps"


def runner(data: DataLayer) -> Runner:
    """Return what migrates the database of ``data``."""
    return Runner(data.database.connect, resources.directory("migrations") / _DOMAIN, _DOMAIN)


@click.group(name="migrate")
def migrate_group() -> None:
    """Bring the schema up to date, and see where it stands."""


@migrate_group.command
@json_option
@pass_target
def up(target: Target, *, as_json: bool) -> None:
    """Apply the pending migrations, in order.

    Each is applied in one transaction with its record. When one fails, the ones before it stay applied.
    """
    applied: list[MigrationStatus] = []
    console = output.console()
    with target.open() as data:
        migrations = runner(data)

        def tell(migration: Migration) -> None:
            [status] = [status for status in migrations.status() if status.number == migration.number]
            applied.append(status)
            if not as_json:
                console.print(f"applied {status.label} in {tables.duration(status.duration)}")

        try:
            migrations.up(on_applied=tell)
        finally:
            if as_json:
                output.write_json({"applied": [_document(status) for status in applied]})
    if not as_json and not applied:
        console.print("There is nothing to apply.")


@migrate_group.command
@json_option
@pass_target
@click.pass_context
def status(context: click.Context, target: Target, *, as_json: bool) -> None:
    """Show every migration and whether it is applied.

    Exits with 1 when something stands in the way of applying the pending ones, such as a file that was edited after
    it was applied.
    """
    with target.open() as data:
        statuses = runner(data).status()
    if as_json:
        output.write_json([_document(status) for status in statuses])
    else:
        output.console().print(tables.migrations(statuses))
    context.exit(0 if {status.state for status in statuses} <= {"applied", "pending"} else 1)


def _document(status: MigrationStatus) -> dict[str, Any]:
    return {
        "number": status.number,
        "name": status.name,
        "state": status.state,
        "applied_at": status.applied_at,
        "duration_ms": None if status.duration is None else status.duration.total_seconds() * 1000,
    }
