"""Makes the planner believe that tables are as large as was declared, in a database that is thrown away.

The planner looks at the length of the files that there are, so they are lengthened: by holes, which take no space. The
rest is noted where ANALYZE would note it. Nothing may be run there afterwards, for it would read the holes.
"""

import json
import math
import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import attrs
import psycopg
from psycopg import sql

from surf_data.errors import DatabaseError
from surf_data.kernel.postgres import Session
from surf_data.kernel.postgres.translation import Translation
from surf_data.migrate.scratch import PREFIX
from surf_data.review.planning.catalog_reader import StorageCatalog
from surf_data.review.planning.catalog_rows import Layout, StoredIndex
from surf_data.review.planning.estimates import Estimates, Missing, Size, Statistic
from surf_data.review.planning.scale import Scale
from surf_data.review.planning.scale_queries import scale_queries

_ESTIMATING = Translation("estimating the rows of an index")


def simulate(connection: psycopg.Connection[Any], scale: Scale, data: Path) -> tuple[Missing, ...]:
    """Let a database look as large as a scale says, to the planner alone.

    Arguments:
        connection: an idle connection in autocommit mode of a superuser, to a database that `scratch` made. The
            settings of the scale hold for it from here on.
        scale: what is declared.
        data: the folder of the data of its server, which the caller started and throws away.

    Returns:
        What is not declared and had to be guessed.

    Raises:
        ConfigurationError: the scale names what is not there, or says what cannot be.
        DatabaseError: it is no such server or database, or its files cannot be lengthened.
    """
    ask, session = scale_queries(), Session(connection)
    layout: Layout = ask.storage_layout(session)
    _prove(session, layout, data)
    storage = StorageCatalog.read(connection)
    sizing = Estimates(storage, scale, layout.page)
    _set(session, scale)
    files = {table.id: table.file for table in storage.tables.values() if table.file}
    files |= {index.id: index.file for each in storage.indexes.values() for index in each}

    def resize(sizes: list[Size]) -> None:
        for size in sizes:
            _lengthen(data / files[size.id], size.pages * layout.page, layout.segment)
        ask.storage_resize(session, sizes=_json(sizes))

    resize([sizing.table(table) for table in sizing.tables])
    ask.storage_forget(session, relations=list(sizing.tables))
    ask.storage_note(session, statistics=_json(sizing.statistics()))
    # Only now the planner knows how many rows an index with a condition would hold.
    indexes = [index for table in sizing.tables for index in storage.indexes.get(table, ())]
    resize([sizing.index(index, _rows(connection, storage, sizing, index)) for index in indexes])
    return tuple(sizing.undeclared())


def _prove(session: Session, layout: Layout, data: Path) -> None:
    """Refuse any server and any database but those that are thrown away."""
    sees = False
    if layout.database.startswith(PREFIX):
        with suppress(OSError), tempfile.NamedTemporaryFile(dir=data, prefix=PREFIX) as proof:
            sees = bool(scale_queries().storage_sees(session, file=Path(proof.name).name))
    if not sees:
        raise DatabaseError("plans at a declared scale are made in a database and on a server that are thrown away")


def _set(session: Session, scale: Scale) -> None:
    known = {setting.name for setting in scale_queries().planner_setting_list(session)}
    for name, value in scale.settings.items():
        problem = None if name in known else "is no setting of PostgreSQL's planner"
        try:
            if problem is None:
                scale_queries().planner_setting_set(session, name=name, value=value)
        except DatabaseError:
            problem = "is not a value that PostgreSQL takes"
        if problem is not None:
            # Outside the handler, so that it carries no other error.
            raise scale.error(("settings", name), problem)


def _rows(connection: psycopg.Connection[Any], storage: StorageCatalog, sizing: Estimates, index: StoredIndex) -> float:
    """Return how many rows an index holds: all, or as many as the planner expects to meet its condition."""
    table = storage.tables[index.relation]
    if index.condition is None:
        return sizing.tables[table.id].rows
    name = sql.Identifier(table.schema, table.name).as_string(connection)
    # The server itself wrote the condition down.
    asked = f"EXPLAIN (FORMAT JSON) SELECT FROM ONLY {name} WHERE {index.condition}"
    with _ESTIMATING:
        [[[document]]] = connection.execute(asked.encode(), prepare=False).fetchall()
    return float(document["Plan"]["Plan Rows"])


def _lengthen(file: Path, size: int, segment: int) -> None:
    """Make a table's or an index's files as long as they would be. What is there stays, and what is added is a hole."""
    problem = None
    try:
        owner = file.stat()
        for number in range(math.ceil(size / segment)):
            part = file if number == 0 else file.with_name(f"{file.name}.{number}")
            # The folder is the server's account's, which may have put anything there.
            opened = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            try:
                os.fchown(opened, owner.st_uid, owner.st_gid)
                length = min(segment, size - number * segment)
                if os.fstat(opened).st_size < length:
                    os.ftruncate(opened, length)
            finally:
                os.close(opened)
    except OSError as error:
        problem = error.strerror
    if problem is not None:
        # Outside the handler, so that it carries no other error.
        raise DatabaseError(f"a file of {size:,} bytes, most of them holes, cannot be made: {problem}")


def _json(values: Iterable[Size | Statistic]) -> str:
    return json.dumps([attrs.asdict(value) for value in values])
