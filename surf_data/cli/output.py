"""What the commands write to: tables for people, JSON for programs, one line on standard error when something fails."""

import functools
import json
import os
import re
import stat
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import IO, Any, TypeVar

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn

from surf_data.backup import Step

#: Columns, where there is no terminal that has a width and ``COLUMNS`` is not set.
WIDTH = 100

T = TypeVar("T")

_CREDENTIALS = re.compile(r"(:/{1,2})[^/\s]*@|\b(password\s*=\s*)('[^']*'?|\S+)")


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Go on without a reader: what a command does must not depend on who looks on."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.file.fileno())


def console(*, stderr: bool = False) -> Console:
    """Return a console on standard output or standard error.

    Colours are for terminals, and for those who do not set ``NO_COLOR``.
    """
    stream = sys.stderr if stderr else sys.stdout
    known = stream.isatty() or "COLUMNS" in os.environ
    # Text comes from databases and files: nothing in it is markup.
    return _Console(stderr=stderr, width=None if known else WIDTH, markup=False, emoji=False, highlight=False)


@contextmanager
def progress(what: str, file: IO[bytes]) -> Iterator[Callable[[int], object]]:
    """Show on a terminal how much of ``file`` is read while the block runs.

    Returns:
        A function to be told how many bytes were read; it does nothing where there is no terminal.
    """
    shown = console(stderr=True)
    if not shown.is_terminal:
        yield lambda _bytes: None
        return
    status = os.fstat(file.fileno())
    total = status.st_size if stat.S_ISREG(status.st_mode) else None
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=shown, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield functools.partial(bar.advance, task)


@contextmanager
def steps() -> Iterator[Callable[[Step], object] | None]:
    """Show on a terminal which table's turn it is while the block runs.

    Returns:
        A function to be told of each step; ``None`` where there is no terminal.
    """
    shown = console(stderr=True)
    if not shown.is_terminal:
        yield None
        return
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=shown, transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda step: bar.update(
            task, completed=step.done, total=step.total, description=printable(f"{step.what} {step.table}")
        )


@contextmanager
def working(what: str) -> Iterator[Callable[[str], object]]:
    """Say on a terminal what is being done while the block runs.

    Returns:
        A function to be told of what comes next; it does nothing where there is no terminal.
    """
    shown = console(stderr=True)
    if not shown.is_terminal:
        yield lambda _what: None
        return
    with shown.status(printable(what)) as status:
        yield lambda what: status.update(printable(what))


def tracked(what: str, items: Collection[T]) -> Iterator[T]:
    """Yield ``items``, and show on a terminal how many of them are done."""
    shown = console(stderr=True)
    if not shown.is_terminal:
        yield from items
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=shown, transient=True) as bar:
        yield from bar.track(items, description=what)


def write_json(document: Any) -> None:
    """Write ``document`` to standard output, as JSON in ASCII; datetimes are written in ISO 8601."""
    console().out(json.dumps(document, indent=2, default=datetime.isoformat), highlight=False)


def write_error(message: str) -> None:
    """Write ``message`` to standard error, as one line; what was typed may be a URL in the wrong place."""
    print(f"surf-data: {printable(redacted(' '.join(message.split())))}", file=sys.stderr)


def printable(text: str) -> str:
    """Return ``text`` with codes for control characters, which a terminal would obey."""
    return "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in text)


def redacted(text: str) -> str:
    """Return ``text`` with the credentials of URLs and connection strings in it replaced by asterisks."""
    return _CREDENTIALS.sub(lambda found: f"{found[1]}***@" if found[1] else f"{found[2]}***", text)
