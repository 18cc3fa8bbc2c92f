"""Runs a command and makes an exit code of whatever happens."""

import io
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from surf_data.cli import output
from surf_data.cli.commands import surf_data_command
from surf_data.errors import ConfigurationError, SurfDataError


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Arguments:
        arguments: what was typed after ``surf-data``; the process's own arguments when ``None``.

    Returns:
        The exit code, as `surf_data.cli.main`.
    """
    # The library's warnings are for services; without a handler Python would print them among the answers.
    logging.getLogger().addHandler(logging.NullHandler())  # noqa: TID251 - the root
    for name in ("stdout", "stderr"):
        # A closed stream is replaced by one that discards; a terminal that cannot encode a letter gets another one.
        stream = getattr(sys, name) or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
        stream.reconfigure(errors="replace")
        setattr(sys, name, stream)
    try:
        answer = surf_data_command.main(arguments, prog_name="surf-data", standalone_mode=False)
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(shown)
        # What was typed may be a URL in the wrong place.
        sys.stderr.write(output.redacted(shown.getvalue()))
        return error.exit_code
    except ConfigurationError as error:
        output.write_error(str(error))
        return 2
    except SurfDataError as error:
        # Of a folder of queries all that is wrong, each on a line of its own.
        for each in getattr(error, "faults", ()) or (error,):
            output.write_error(str(each))
        return 1
    except OSError as error:
        output.write_error(error.strerror or type(error).__name__)
        # Python would write once more at its end what could not be written, and end with an exit code of its own.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return answer if isinstance(answer, int) else 0
