"""``surf-data scale``: how large the tables are in production."""

from contextlib import closing

import attrs
import click

from surf_data.cli import output
from surf_data.cli.target import Target, pass_target
from surf_data.review import export_scale


@click.group(name="scale")
def scale_group() -> None:
    """Say how large the tables are in production, so that surf-data review can plan queries for it."""


@scale_group.command
@click.argument("url", required=False)
@pass_target
def export(target: Target, url: str | None) -> None:
    """Write a scale from the database at URL, or from the one that --database-url or the environment names.

    It goes to standard output, for a file scale.toml in the folder of migrations: rows, pages, how many values are
    distinct or null, how wide they are, and the settings of the planner. Values are neither read nor written, and
    the session is read-only. ANALYZE must have run there.

    The role needs the right to read the tables; of columns that it may not read nothing is known.
    """
    if url is not None:
        target = attrs.evolve(target, database_url=url)
    with target.database() as database, closing(database.connect()) as connection:
        text = export_scale(connection)
    output.console().out(text, end="", highlight=False)
