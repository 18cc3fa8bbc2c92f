"""Loads folders of .sql files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from surf_data.kernel import resources, validation


def load_queries(
    folder: str | Path,
    *,
    namespace: str = "",
    application: str = "surf_data",
    rows: Mapping[str, type[attrs.AttrsInstance]] | None = None,
) -> Any:
    """Load every ``.sql`` file below ``folder`` into an object with a function for each query.

    A query ``lamp_insert`` in ``folder/anything.sql`` becomes ``queries.lamp_insert(executor, lamp_id=...)``; one in a
    file of a subfolder ``shop`` becomes ``queries.shop.lamp_insert``. Parameters are keywords.

    Arguments:
        folder: where the files are.
        namespace: what the names of the queries begin with in tags, errors and statistics: ``lamps``. None, or 1 to 63
            of the characters a to z, 0 to 9, _ and the dot.
        application: the first half of the tag ``/* surf_data:lamps.lamp_insert */`` that the server sees: 1 to 63 of
            the characters a to z, 0 to 9, _ and -.
        rows: for queries whose rows are to be objects, by name below ``folder`` (``lamp_insert``,
            ``shop.lamp_insert``), an attrs class with one positional field for each column.

    Raises:
        ValidationError: ``namespace`` or ``application`` has other characters, which would become part of statements,
            ``folder`` is no path, or ``rows`` no mapping of attrs classes.
        QueryFileError: a file holds something that would be misread, a name is taken, ``rows`` names no query, or
            there is no query at all.
    """
    return _load(folder, namespace, application, rows)


def _load(folder: Any, namespace: str, application: str, rows: Any, *, plain: bool = False) -> Any:
    # Not with this module: what reads SQL is needed when queries load, and not with every import of the library.
    from surf_data.kernel.postgres import adapter  # noqa: PLC0415

    if namespace != "":
        validation.identifier("namespace", namespace, marks="_.")
    validation.identifier("application", application, marks="_-")
    folder = validation.path("folder", folder)
    rows = {} if rows is None else rows
    if not isinstance(rows, Mapping) or not all(isinstance(row, type) and attrs.has(row) for row in rows.values()):
        raise validation.invalid("rows", "must be a mapping of names to attrs classes")
    return adapter.load(folder, namespace, application, rows, plain=plain)


def packaged_queries(
    folder: str, *, namespace: str | None = None, rows: Mapping[str, type[attrs.AttrsInstance]] | None = None
) -> Any:
    """Load a folder of the SQL that comes with this package, as `load_queries` does.

    Arguments:
        folder: its place below ``sql/``: ``lamps``, ``kernel/migrate``.
        namespace: as in `load_queries`; the folder's own name when ``None``.
        rows: as in `load_queries`.

    Raises:
        FileNotFoundError: the package was installed without its SQL.
        QueryFileError: as in `load_queries`.
    """
    path = resources.directory("sql") / folder
    # Of our own queries it is known that the driver reads all their columns.
    return _load(path, path.name if namespace is None else namespace, "surf_data", rows, plain=True)
