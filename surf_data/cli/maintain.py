"""``surf-data maintain``: the next partitions made, the expired ones dropped, what is over counted."""

import attrs
import click

from surf_data import lamps, migrate
from surf_data.cli import output
from surf_data.cli.target import Target, json_option, pass_target
from surf_data.migrate import Upkeep

# The tables of this library that are counted, and what says that rows are gone; see their migrations.
_FORGET = {"activity_log": "activity_rollup_forget"}


@click.command
@click.option("--table", default="activity_log", show_default=True, help="A table in partitions by month.")
@click.option(
    "--ahead",
    type=click.IntRange(0, 120),
    default=3,
    show_default=True,
    metavar="MONTHS",
    help="For how many months after this one there are to be partitions.",
)
@click.option(
    "--keep-days",
    type=click.IntRange(1, 36_500),
    metavar="DAYS",
    help="Delete what is older.  [default: nothing is deleted]",
)
@click.option("--dry-run", is_flag=True, help="Say what would be done, and change nothing.")
@click.option("--check", is_flag=True, help="As --dry-run, and exit with 1 if there is something to do.")
@click.option(
    "--lock-timeout",
    type=click.FloatRange(0.001),
    default=0.2,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for a lock on a table while others queue behind.",
)
@click.option(
    "--attempts",
    type=click.IntRange(1, 1000),
    default=30,
    show_default=True,
    help="How many times to try what cannot have a lock, or loses a deadlock.",
)
@json_option
@pass_target
@click.pass_context
def maintain(
    context: click.Context,
    target: Target,
    *,
    table: str,
    ahead: int,
    keep_days: int | None,
    dry_run: bool,
    check: bool,
    lock_timeout: float,
    attempts: int,
    as_json: bool,
) -> None:
    """Keep a table in partitions: make those of the next months, and drop those that have expired.

    For a nightly job, as the role that migrates. Rows that are in the default partition, because nobody made one for
    them in time, are moved into their own, and told of.

    With --keep-days a month is dropped when all of it has expired. Where rows are in no month's partition, such as
    those that were there before there were partitions, they are deleted, 10,000 at a time. Readers and writers go
    before: a lock that cannot be had at once is asked for later.

    In the end the activity that is over is counted, so that nobody who asks for statistics has to.
    """
    with target.open(lamps.open) as data, output.working(f"looking at {table}") as tell:
        done = migrate.maintain(
            data.database.connect,
            table,
            ahead=ahead,
            keep_days=keep_days,
            forget=_FORGET.get(table),
            dry_run=dry_run or check,
            lock_timeout=lock_timeout,
            attempts=attempts,
            on_step=tell,
        )
        if table in _FORGET and not (dry_run or check):
            tell("counting what is over")
            data.activity.roll_up()
    if as_json:
        output.write_json({**attrs.asdict(done), "dry_run": dry_run or check})
    else:
        for line in _lines(done, "would be " if dry_run or check else ""):
            output.console().print(output.printable(line))
    context.exit(1 if check and not done.is_idle else 0)


def _lines(done: Upkeep, would: str) -> list[str]:
    if done.is_idle:
        return [f"{done.table} has the partitions that it needs."]
    lines = [f"{would}dropped: {name}" for name in done.dropped]
    lines += [f"{would}deleted: {done.deleted:,} rows that had expired"] if done.deleted else []
    lines += [f"{would}made: {name}" for name in done.made]
    lines += [f"{would}moved out of the default partition: {done.moved:,} rows"] if done.moved else []
    return lines
