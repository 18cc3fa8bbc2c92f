"""Finds and reads the files of queries in a folder."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from surf_data.errors import QueryFileError
from surf_data.kernel import sql_folders
from surf_data.kernel.postgres.query_faults import faults
from surf_data.kernel.postgres.query_source import QuerySource, parse


def query_files(folder: Path) -> Iterator[tuple[tuple[str, ...], Path] | QueryFileError]:
    """Yield the .sql files below a folder, each after the names of the folders that lead to it.

    What editors and systems leave in a folder is passed over. In the place of a folder that cannot be read, or that is
    one of those above it, comes the error.

    Arguments:
        folder: the folder.
    """
    return _below(folder, (), ())


def _below(
    folder: Path, names: tuple[str, ...], above: tuple[Path, ...]
) -> Iterator[tuple[tuple[str, ...], Path] | QueryFileError]:
    try:
        here = folder.resolve()
        entries = [] if here in above else sql_folders.entries(folder)
    except OSError as error:
        yield QueryFileError(f"cannot be read: {type(error).__name__}", file=str(folder))
        return
    if here in above:
        yield QueryFileError("a link leads back to a folder above it", file=str(folder))
    for path in entries:
        if path.is_dir():
            yield from _below(path, (*names, path.name), (*above, here))
        else:
            yield names, path


def read_file(path: Path, below: tuple[str, ...] = ()) -> list[QuerySource]:
    """Return the queries of a file, whatever `check_file` says of it. A header without name or SQL is passed over.

    Arguments:
        path: the file.
        below: what the names of the queries begin with.

    Raises:
        QueryFileError: the file cannot be read.
    """
    return [query for query in parse(_text(path), path, below) if query.code and query.name.rpartition(".")[2]]


def check_file(path: Path) -> tuple[list[QuerySource], list[QueryFileError]]:
    """Return all that a file holds in the place of queries, and what is wrong with it.

    Raises:
        QueryFileError: the file cannot be read.
    """
    text = _text(path)
    queries = list(parse(text, path))
    return queries, list(faults(text, path, queries))


def together(errors: Sequence[QueryFileError]) -> QueryFileError:
    """Return one error that says all of several, file by file in the order of their lines."""
    files = {error.file: place for place, error in reversed(list(enumerate(errors)))}
    first, *others = sorted(errors, key=lambda error: (files[error.file], error.line or 0))
    return QueryFileError(file=first.file, line=first.line, faults=(first, *others)) if others else first


def _text(path: Path) -> str:
    try:
        # An editor may have put a byte order mark before the text.
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        problem = QueryFileError(f"cannot be read: {type(error).__name__}", file=str(path))
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        problem = QueryFileError("is not UTF-8", file=str(path), line=line)
    # Outside the handler, so that it carries no other error.
    raise problem
