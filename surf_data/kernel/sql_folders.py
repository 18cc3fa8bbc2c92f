"""What of a folder is meant as SQL, and what editors and systems leave beside it."""

import re
from pathlib import Path

# What is meant as SQL: PostgreSQL's own suffixes, and what an editor or a system has put behind one.
_SQL = re.compile(r"\.(?:pg?)?sql(?:\.txt|\s+)?$", re.IGNORECASE)


def entries(folder: Path) -> list[Path]:
    """Return the .sql files and the folders in a folder, sorted, so that all is the same on every file system.

    Hidden ones are passed over: ``.git``, the lock that Emacs leaves beside a file (``.#shop.sql``), what Finder does
    (``._shop.sql``), checkpoints. The suffix counts in any case.

    Raises:
        OSError: the folder cannot be read.
    """
    return sorted(path for path in folder.iterdir() if not is_hidden(path) and (is_sql(path) or path.is_dir()))


def files(folder: Path) -> list[Path]:
    """Return the .sql files in a folder and in those below it, sorted, without hidden ones. Links to folders end there.

    Raises:
        OSError: a folder cannot be read.
    """
    found: list[Path] = []
    for path in entries(folder):
        if not path.is_dir():
            found.append(path)
        elif not path.is_symlink():
            found += files(path)
    return found


def is_sql(path: Path) -> bool:
    """Return whether a name is that of a .sql file, or looks as if it were meant so: ``.pgsql``, ``.sql.txt``."""
    return _SQL.search(path.name) is not None


def is_hidden(path: Path) -> bool:
    """Return whether a name is one that systems do not show."""
    return path.name.startswith(".")
