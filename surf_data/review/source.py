"""Reads any folder of aiosql files: this library's own, and those that its stricter rules would refuse."""

from collections.abc import Iterator
from pathlib import Path

import attrs

from surf_data.errors import QueryFileError
from surf_data.kernel import validation
from surf_data.kernel.postgres import query_files
from surf_data.kernel.postgres.query_source import QuerySource


def read_queries(folder: Path) -> list[QuerySource]:
    """Return the queries of every ``.sql`` file below a folder, or of one file, in the order of their places.

    Where several files of a folder have a query of the same name, because they are loaded one by one, the file is part
    of the name: ``shop.create_schema`` is that of ``shop.sql``.

    Raises:
        ValidationError: ``folder`` is no path.
        QueryFileError: a file cannot be read, or a name is taken twice.
    """
    folder = validation.path("folder", folder)
    queries = read_file(folder) if folder.is_file() else _apart(list(_below(folder)))
    seen: dict[str, QuerySource] = {}
    for query in queries:
        other = seen.setdefault(query.name, query)
        if other is not query:
            raise query.error(f"the name {query.name} is taken by {other.file.name}:{other.line}")
    return queries


def read_file(path: Path) -> list[QuerySource]:
    """Return the queries of one file, named as they are in it.

    Raises:
        QueryFileError: the file cannot be read.
    """
    return query_files.read_file(path)


def _apart(queries: list[QuerySource]) -> list[QuerySource]:
    files: dict[str, set[Path]] = {}
    for query in queries:
        files.setdefault(query.name, set()).add(query.file)
    return [query if len(files[query.name]) == 1 else _with_file(query) for query in queries]


def _with_file(query: QuerySource) -> QuerySource:
    *folders, name = query.name.split(".")
    return attrs.evolve(query, name=".".join([*folders, query.file.stem, name]))


def _below(folder: Path) -> Iterator[QuerySource]:
    for found in query_files.query_files(folder):
        if isinstance(found, QueryFileError):
            raise found
        names, path = found
        yield from query_files.read_file(path, names)
