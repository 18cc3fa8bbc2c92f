"""``surf-data daylight retention``: what is kept, held and archived."""

from datetime import UTC, datetime

import click

from surf_data import daylight
from surf_data.cli import output, tables
from surf_data.cli.target import Target, json_option, pass_target

_MOMENT = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S%z"])


def _aware(_context: click.Context, _option: click.Parameter, value: datetime | None) -> datetime | None:
    # A day alone is its midnight in UTC.
    return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


@click.group
def retention() -> None:
    """Archive and delete what has expired, as the owner of the tables."""


@retention.command(name="run")
@click.option("--table", metavar="NAME", help="One table alone.  [default: all]")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.option("--until", type=click.FloatRange(0), metavar="SECONDS", help="Begin no other table after so long.")
@json_option
@pass_target
@click.pass_context
def run_retention(
    context: click.Context, target: Target, *, table: str | None, dry_run: bool, until: float | None, as_json: bool
) -> None:
    """Archive what has expired, read the archive back, and only then delete. Exits with 1 when a table failed."""
    with target.open(daylight.open, pool_min_size=1) as data, output.working("retention") as on_step:
        jobs = data.retention.run_manual_retention(table, dry_run=dry_run, on_step=on_step, until=until)
    if as_json:
        output.write_json([job.to_dict() for job in jobs])
    else:
        rows = [
            (
                job.table_name,
                job.status,
                f"{job.records_processed:,}",
                f"{job.records_archived:,}",
                f"{job.records_deleted:,}",
                job.error or "",
            )
            for job in jobs
        ]
        heads = ("table", "status", "expired", "archived", "deleted", "error")
        output.console().print(tables.table(*heads, rows=rows, right=set(heads[2:5])))
    context.exit(1 if any(job.status == "failed" for job in jobs) else 0)


@retention.command(name="status")
@json_option
@pass_target
def retention_status(target: Target, *, as_json: bool) -> None:
    """Show how long each table is kept."""
    with target.open(daylight.open, pool_min_size=1) as data:
        policies = data.retention.list_policies()
    if as_json:
        output.write_json([policy.to_dict() for policy in policies])
        return
    rows = [
        (
            each.table_name,
            each.tier,
            f"{each.keep_days:,}",
            "yes" if each.archive else "no",
            "" if each.enabled else "off",
        )
        for each in policies
    ]
    output.console().print(tables.table("table", "tier", "days", "archive", "", rows=rows, right={"days"}))


@retention.command(name="report")
@json_option
@pass_target
def retention_report(target: Target, *, as_json: bool) -> None:
    """Show what is expired, overdue, held and archived."""
    with target.open(daylight.open, pool_min_size=1) as data:
        report = data.retention.get_retention_report()
    if as_json:
        output.write_json(report)
        return
    rows = [
        (
            each["tableName"],
            f"{each['keepDays']:,}",
            f"{each['expired']:,}",
            f"{each['overdueDays']:,}",
            f"{report['archives'].get(each['tableName'], {}).get('rows', 0):,}",
        )
        for each in report["tables"]
    ]
    heads = ("table", "days", "expired", "overdue days", "archived rows")
    output.console().print(tables.table(*heads, rows=rows, right=set(heads[1:])))


@retention.command
@click.argument("table")
@click.option("--since", type=_MOMENT, callback=_aware, help="Rows from then on.")
@click.option("--until", type=_MOMENT, callback=_aware, help="Rows before then.")
@click.option("--location", metavar="KEY", help="One archive by its key; nothing else need be known of it.")
@json_option
@pass_target
def restore(
    target: Target, table: str, *, since: datetime | None, until: datetime | None, location: str | None, as_json: bool
) -> None:
    """Restore archived rows of a table into a new table, never into the live one."""
    with target.open(daylight.open, pool_min_size=1) as data:
        service = data.retention
        found = service.restore(table, since, until) if location is None else service.restore_archive(table, location)
    if as_json:
        output.write_json(found.to_dict())
    else:
        output.console().print(f"{found.rows:,} rows in {found.table}")


@retention.command
@click.option(
    "--sample", type=click.FloatRange(0, 1, min_open=True), default=1.0, show_default=True, help="Which share of them."
)
@json_option
@pass_target
@click.pass_context
def verify(context: click.Context, target: Target, *, sample: float, as_json: bool) -> None:
    """Read archives back and compare them. Exits with 1 when one is missing or was altered."""
    with target.open(daylight.open, pool_min_size=1) as data:
        problems = data.retention.verify_archives(sample)
    if as_json:
        output.write_json(problems)
    else:
        output.console().print(
            tables.table("archive", "problem", rows=list(problems.items())) if problems else "all are as written"
        )
    context.exit(1 if problems else 0)


@retention.group
def hold() -> None:
    """Keep rows from being deleted, whatever their age."""


@hold.command(name="place")
@click.argument("reason")
@click.option("--table", metavar="NAME", help="Of this table.  [default: all]")
@click.option("--user", "user_id", metavar="ID", help="Of this user.")
@click.option("--since", type=_MOMENT, callback=_aware, help="From then on.")
@click.option("--until", type=_MOMENT, callback=_aware, help="Before then.")
@json_option
@pass_target
def place_hold(
    target: Target,
    reason: str,
    *,
    table: str | None,
    user_id: str | None,
    since: datetime | None,
    until: datetime | None,
    as_json: bool,
) -> None:
    """Place a hold."""
    with target.open(daylight.open, pool_min_size=1) as data:
        placed = data.retention.place_hold(table, reason, user_id=user_id, since=since, until=until)
    if as_json:
        output.write_json(placed.to_dict())
    else:
        output.console().print(f"hold {placed.id} placed")


@hold.command(name="release")
@click.argument("hold_id", type=click.IntRange(1))
@pass_target
@click.pass_context
def release_hold(context: click.Context, target: Target, hold_id: int) -> None:
    """Release a hold. Exits with 1 when there is none."""
    with target.open(daylight.open, pool_min_size=1) as data:
        released = data.retention.release_hold(hold_id)
    if not released:
        output.write_error(f"there is no hold {hold_id}")
        context.exit(1)
    output.console().print(f"hold {hold_id} released")


@hold.command(name="list")
@json_option
@pass_target
def list_holds(target: Target, *, as_json: bool) -> None:
    """List the holds that are not released."""
    with target.open(daylight.open, pool_min_size=1) as data:
        holds = data.retention.list_holds()
    if as_json:
        output.write_json([each.to_dict() for each in holds])
        return
    rows = [(f"{each.id}", each.table_name or "all", each.user_id or "all", each.reason) for each in holds]
    output.console().print(tables.table("hold", "table", "user", "reason", rows=rows))
