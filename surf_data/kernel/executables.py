"""Where other programs are: PostgreSQL's clients, sqruff, squawk."""

import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path


def executables(name: str, folders: Iterable[Path] = ()) -> Iterator[Path]:
    """Yield where a program is installed: in the environment of the running Python, then on ``PATH``, then in folders.

    Arguments:
        name: the program: ``pg_dump``.
        folders: where else to look, after ``PATH``.
    """
    places = [str(Path(sys.executable).parent), *os.get_exec_path(), *map(str, folders)]
    for place in dict.fromkeys(places):
        found = shutil.which(name, path=place)
        if found is not None:
            yield Path(found)


def find_executable(name: str, folders: Iterable[Path] = ()) -> Path | None:
    """Return the first of `executables`; ``None`` where the program is not installed."""
    return next(executables(name, folders), None)
