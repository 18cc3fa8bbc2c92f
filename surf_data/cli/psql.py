"""``surf-data psql``: PostgreSQL's own shell, where the data layer is."""

import os
import signal
import subprocess
from collections.abc import Sequence

import click

from surf_data.cli import signals
from surf_data.cli.programs import program_folders
from surf_data.cli.target import Target, pass_target
from surf_data.errors import SurfDataError
from surf_data.kernel.executables import find_executable

_MISSING = (
    "psql is not installed: install PostgreSQL's client, such as the package postgresql-client, "
    'or: pip install "surf-data[embedded]"'
)


@click.command
@click.argument("arguments", metavar="[-- ARGS]", nargs=-1, type=click.UNPROCESSED)
@pass_target
@click.pass_context
def psql(context: click.Context, target: Target, arguments: Sequence[str]) -> None:
    """Open psql on the same database.

    What follows -- goes to psql, whose exit code becomes this command's. The psql on PATH is taken, otherwise that of
    the embedded servers. Embedded servers run until psql ends. A password reaches psql by its environment.
    """
    program = find_executable("psql", program_folders())
    if program is None:
        raise SurfDataError(_MISSING)
    with target.database() as database:
        info = database.connection_info()
        place = [
            f"--host={info['host']}",
            f"--port={info['port']}",
            f"--username={info['user']}",
            f"--dbname={info['database']}",
        ]
        environment = {**os.environ, **database.client_environment()}
        code = _run([str(program), *place, *arguments], environment)
    context.exit(code)


def _run(command: Sequence[str], environment: dict[str, str]) -> int:
    """Run a program that talks to the user, and return its exit code."""
    # Ctrl-C belongs to psql, which cancels a statement with it.
    with signals.held_off(signal.SIGINT):
        code = subprocess.run(command, env=environment, check=False).returncode  # noqa: S603 - psql, with its arguments
    return 128 - code if code < 0 else code
