"""The next file of a folder, to be filled in."""

import re
from pathlib import Path

from surf_data.errors import MigrationError
from surf_data.kernel import validation
from surf_data.migrate.files import LAST_NUMBER, NAME, read_folder

# Empty sections are refused when the folder is read, so the file does nothing until it has been filled in.
_TEXT = """\
-- Why: what gets better, and for whom.
-- Locks: which tables, in which mode, for how long at the size of production.

-- migrate:up

-- migrate:down

"""


def new_file(folder: Path, name: str, *, dry_run: bool = False) -> Path:
    """Write the next migration of a folder, with a line for each thing that a reviewer will ask.

    Arguments:
        folder: where the files are; it may be empty.
        name: what the migration is called: a-z, 0-9 and _, up to 63 characters.
        dry_run: only say which file it would be.

    Returns:
        The file.

    Raises:
        ValidationError: the name is no name for a migration.
        MigrationError: a file of the folder is faulty, or the new one cannot be written.
    """
    if not re.fullmatch(NAME, validation.text("name", name, maximum=validation.MAX_IDENTIFIER)):
        raise validation.invalid("name", "must be of a-z, 0-9 and single _ between them")
    folder = validation.path("folder", folder)
    empty = folder.is_dir() and not any(path.suffix.lower() == ".sql" for path in folder.iterdir())
    number = 1 if empty else len(read_folder(folder)) + 1
    if number > LAST_NUMBER:
        raise MigrationError(f"{LAST_NUMBER} was the last number", file=str(folder))
    path = folder / f"{number:04d}_{name}.sql"
    if dry_run:
        return path
    try:
        # Never over a file that has been created meanwhile.
        with path.open("x", encoding="utf-8") as file:
            file.write(_TEXT)
    except OSError as error:
        problem = MigrationError(f"cannot be written: {type(error).__name__}", file=str(path))
    else:
        return path
    # Outside the handler, so that it carries no other error.
    raise problem
