"""Runs a command and makes an exit code of whatever happens."""

import io
import logging
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click

from surf_data.cli import output
from surf_data.cli.commands import surf_data_command
from surf_data.errors import ConfigurationError, SurfDataError

_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Arguments:
        arguments: what was typed after ``surf-data``; the process's own arguments when ``None``.

    Returns:
        The exit code, as `surf_data.cli.main`.
    """
    # The library's warnings are for services; without a handler Python would print them among the answers.
    logging.getLogger().addHandler(logging.NullHandler())
    for name in ("stdout", "stderr"):
        # Whoever closed a stream does not want to hear; and a terminal that does not know a letter gets another one.
        stream = getattr(sys, name) or Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
        stream.reconfigure(errors="replace")
        setattr(sys, name, stream)
    try:
        with _signals():
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
        output.write_error(str(error))
        return 1
    except OSError as error:
        output.write_error(error.strerror or type(error).__name__)
        return 1
    except _Stopped as stopped:
        return 128 + stopped.signal
    return answer if isinstance(answer, int) else 0


class _Stopped(BaseException):
    """A signal asks the process to end."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.signal = number


@contextmanager
def _signals() -> Iterator[None]:
    """Let the signals that end a process end the block as an exception does, so that servers are stopped."""

    def stop(number: int, _frame: FrameType | None) -> None:
        # The first one counts; whatever comes later must not interrupt the cleaning up.
        for each in before:
            signal.signal(each, _ignore)
        raise _Stopped(number)

    # What is ignored stays ignored: nohup, and a shell's background jobs.
    before = {each: signal.getsignal(each) for each in _SIGNALS if signal.getsignal(each) != signal.SIG_IGN}
    for each in before:
        signal.signal(each, stop)
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _ignore(_number: int, _frame: FrameType | None) -> None:
    # A handler of Python's own, and not SIG_IGN, because child processes would inherit that.
    pass
