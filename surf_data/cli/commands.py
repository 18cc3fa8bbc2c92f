"""The command ``surf-data`` itself, and the commands that only look."""

from typing import Any

import click

from surf_data.cli import output, psql, tables
from surf_data.cli.adopt import adopt_files
from surf_data.cli.backup import backup, restore
from surf_data.cli.demo import demo
from surf_data.cli.format import format_files
from surf_data.cli.lamps import statistics
from surf_data.cli.lazy import LazyGroup
from surf_data.cli.maintain import maintain
from surf_data.cli.migrate import migrate_group
from surf_data.cli.migrate_checks import plan, verify
from surf_data.cli.migrate_cluster import distribute, undistribute
from surf_data.cli.new import new_group
from surf_data.cli.reset import reset, seed
from surf_data.cli.review import review
from surf_data.cli.scale import scale_group
from surf_data.cli.statements import statements
from surf_data.cli.stubs import stubs
from surf_data.cli.target import Target, all_option, domain_option, domains, json_option, pass_target
from surf_data.domain import Domain
from surf_data.kernel.health import Health
from surf_data.lamps import LampsDataLayer
from surf_data.lamps.activity_statistics import MAX_STATISTICS_HOURS


@click.group(
    name="surf-data", cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.option(
    "--database-url",
    metavar="URL",
    help="PostgreSQL: postgresql://..., or embedded:/FOLDER for servers that are started for the command. "
    "Without it SURF_DATA_DATABASE_URL counts, then PGHOST and libpq's other variables.",
)
@click.option("--redis-url", metavar="URL", help="Redis: redis://... Without it SURF_DATA_REDIS_URL counts.")
@click.version_option(package_name="surf-data", message="surf-data %(version)s")
@click.pass_context
def surf_data_command(context: click.Context, database_url: str | None, redis_url: str | None) -> None:
    """Look after a surf_data database and cache.

    A password in an option can be read by everybody on the machine, in the list of processes: put URLs with
    passwords into the environment variables, or the password into ~/.pgpass.

    Exit codes: 0, all went well; 1, something failed, and one line on standard error says what; 2, what was typed or
    set is wrong; 130, interrupted with Ctrl-C.
    """
    context.obj = Target(database_url, redis_url)


@click.command
@domain_option
@all_option
@json_option
@pass_target
@click.pass_context
def health(context: click.Context, target: Target, *, domain: Domain, every: bool, as_json: bool) -> None:
    """Ask PostgreSQL and Redis whether they answer.

    Exits with 1 when a data layer cannot work. It can without the cache, which is then shown as the reason why it
    is degraded; so is what an operator should see to, such as rows for which there was no partition.
    """
    states: dict[str, Health] = {}
    for each in domains(domain, every=every):
        with target.open(each.open, pool_min_size=1) as data:
            states[each.name] = data.health()
    if as_json:
        documents = {name: state.to_dict() for name, state in states.items()}
        output.write_json(documents if every else documents[domain.name])
    else:
        shown = [tables.health(state, name if every else None) for name, state in states.items()]
        output.console().print(tables.stacked(shown))
    context.exit(0 if all(state.overall.ok for state in states.values()) else 1)


@click.command
@domain_option
@click.option(
    "--hours",
    type=click.IntRange(1, MAX_STATISTICS_HOURS),
    default=24,
    show_default=True,
    help="How far to look back in the lamps' activity log.",
)
@json_option
@pass_target
def stats(target: Target, *, domain: Domain, hours: int, as_json: bool) -> None:
    """Show what it took to reach the data, and for the lamps the activity of the last hours.

    Activity comes from the database and so covers all services. The other figures are those of this command's own
    process: the queries that it ran, its connections, and its calls to the cache, where it reads the system statistics
    that a service may have left. A service shows its own with data.stats(). What the database has spent on each
    query, whichever client ran it, is shown by surf-data statements.
    """
    found: dict[str, Any] = {}
    with target.open(domain.open) as data:
        if isinstance(data, LampsDataLayer):
            found = statistics.documents(data, hours)
        else:
            data.health()
        process = data.stats()
    if as_json:
        output.write_json({**found, "process": process})
        return
    shown = statistics.parts(found) if found else ()
    output.console().print(tables.stacked((*shown, *tables.process(process))))


migrate_group.add_command(distribute)
migrate_group.add_command(plan)
migrate_group.add_command(undistribute)
migrate_group.add_command(verify)
surf_data_command.add_command(adopt_files)
surf_data_command.add_command(backup)
surf_data_command.add_command(demo)
surf_data_command.add_command(format_files)
surf_data_command.add_command(health)
surf_data_command.add_command(maintain)
surf_data_command.add_command(migrate_group)
surf_data_command.add_command(new_group)
surf_data_command.add_command(psql.psql)
surf_data_command.add_command(reset)
surf_data_command.add_command(restore)
surf_data_command.add_command(review)
surf_data_command.add_command(scale_group)
surf_data_command.add_command(seed)
surf_data_command.add_command(statements)
surf_data_command.add_command(stats)
surf_data_command.add_command(stubs)
