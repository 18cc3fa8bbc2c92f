"""``surf-data maintain``: the next partitions created, what has expired removed, and the domain's own nightly work."""

import attrs
import click

from surf_data.cli import output
from surf_data.cli.target import Target, all_option, domain_option, domains, json_option, pass_target
from surf_data.domain import Domain
from surf_data.kernel.postgres.remains import remaining_transactions
from surf_data.retention import TableMaintenance


@click.command
@domain_option
@all_option
@click.option("--table", metavar="NAME", help="One table of the domain alone.  [default: each that has a policy]")
@click.option(
    "--ahead",
    type=click.IntRange(0, 120),
    metavar="PERIODS",
    help="For how many periods after this one there are to be partitions.  [default: 3 months, 6 weeks or 14 days]",
)
@click.option(
    "--keep-days",
    type=click.IntRange(1, 36_500),
    metavar="DAYS",
    help="Remove what is older where the domain leaves that to the operator, or from --table.  [default: the policies]",
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
    domain: Domain,
    every: bool,
    table: str | None,
    ahead: int | None,
    keep_days: int | None,
    dry_run: bool,
    check: bool,
    lock_timeout: float,
    attempts: int,
    as_json: bool,
) -> None:
    """Keep tables as their domain declares: create the next partitions, and remove what has expired.

    For a nightly job, as the role that migrates. Rows that are in a default partition, because theirs was not created
    in time, are moved into their own, and reported.

    A partition is dropped when all of it has expired. Rows of tables without partitions, and those that were there
    before there were partitions, are deleted, 10,000 at a time. Readers and writers go first: a lock that cannot be had
    at once is asked for later. What a domain archives before it goes is left to the domain's own command.

    Transactions that were prepared and never ended, on any node of a cluster, are named: they hold their locks.

    In the end, unless --table is given, the domain does what else is due, such as counting activity that is over.
    """
    if every and table is not None:
        raise click.UsageError("--all does not go with --table")
    found: list[tuple[str, TableMaintenance]] = []
    told: dict[str, None] = {}
    for each in domains(domain, every=every):
        with target.open(each.open) as data, output.working(f"maintaining {each.name}") as on_step:
            done = data.maintain(
                table,
                keep_days=keep_days,
                ahead=ahead,
                dry_run=dry_run or check,
                lock_timeout=lock_timeout,
                attempts=attempts,
                on_step=on_step,
            )
            # Of the database, not of the domain: said once, however many domains are in it.
            told |= dict.fromkeys(remaining_transactions(data.database))
        found += [(each.name, result) for result in done]
    if as_json:
        tables = [{"domain": name, **attrs.asdict(result)} for name, result in found]
        output.write_json({"tables": tables, "dry_run": dry_run or check})
    else:
        for _, result in found:
            for line in _lines(result, "would be " if dry_run or check else ""):
                output.console().print(output.printable(line))
    for problem in told:
        output.console(stderr=True).print(output.printable(problem), style="yellow")
    context.exit(1 if check and not all(result.is_idle for _, result in found) else 0)


def _lines(done: TableMaintenance, would: str) -> list[str]:
    if done.is_idle:
        return [f"nothing to do: {done.table}"]
    lines = [f"{would}dropped: {name}" for name in done.dropped]
    lines += [f"{would}deleted from {done.table}: {done.deleted:,} expired rows"] if done.deleted else []
    lines += [f"{would}created: {name}" for name in done.created]
    lines += [f"{would}moved from the default partition of {done.table}: {done.moved:,} rows"] if done.moved else []
    return lines
