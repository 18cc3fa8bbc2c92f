"""Many rows at once: checked before they are sent, copied in under ids that were reserved, or as arrays for unnest().

A row that is refused is named by its position: by the field of a `ValidationError` (``rows[17].email``), or by
`DatabaseError.row`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import islice
from operator import itemgetter
from typing import Any, TypeVar

from surf_data.errors import ConstraintViolation, ValidationError
from surf_data.kernel import validation
from surf_data.kernel.postgres.copying import CopyWriter
from surf_data.kernel.postgres.execution import Executor

T = TypeVar("T")
#: What the columns of a row are called, and their values.
Row = Mapping[str, Any]


def listed(field: str, rows: object, *, maximum: int) -> Sequence[Any]:
    """Return the rows that a caller hands in, all of them read; an iterator could wait, or use this database itself.

    Arguments:
        field: what the error names.
        rows: a list, a tuple or any other iterable; no text, and no mapping.
        maximum: how many there may be.

    Raises:
        ValidationError: they are nothing of the kind, or more.
    """
    if isinstance(rows, (str, bytes, Mapping)) or not isinstance(rows, Iterable):
        raise validation.invalid(field, "must be a list of mappings")
    found = rows if isinstance(rows, (list, tuple)) else list(islice(rows, maximum + 1))
    if len(found) > maximum:
        raise validation.invalid(field, f"must be {maximum:,} at the most")
    return found


def checked(field: str, rows: Iterable[Any], check: Callable[[Any], T]) -> Iterator[T]:
    """Yield what ``check`` makes of each row.

    Arguments:
        field: what the error names, before the row's position.
        rows: as `listed` returns them.
        check: returns what is to be stored of a row, or raises ValidationError with the field in the row.

    Raises:
        ValidationError: a row is refused; the field says which: ``rows[17].email``.
    """
    for position, row in enumerate(rows):
        try:
            values = check(row)
        except ValidationError as error:
            problem = validation.nested(f"{field}[{position}].", error)
            break
        yield values
    else:
        return
    # Outside the handler, so that it stands alone.
    raise problem


def insert(
    executor: Executor,
    rows: Sequence[Row],
    *,
    columns: Sequence[str],
    types: Sequence[str],
    ids: Callable[..., Sequence[int] | None],
    copy: Callable[[Executor], AbstractContextManager[CopyWriter]],
    one: Callable[..., int],
) -> list[int]:
    """Insert rows, all of them or none, and return their ids in the order of the rows.

    One row is an INSERT. From two on, ids are reserved and the rows are copied, in three round trips however many they
    are. On the same machine that pays from five rows on; for a thousand it takes a fifth of the time.

    Arguments:
        executor: runs the statements: the pool, a connection or a transaction, which goes on if they are refused.
        rows: the values by the names of ``columns``, checked.
        columns: the columns of ``copy`` after its first one, the id.
        types: PostgreSQL's types of these columns: ``text``, ``int4``, ``timestamptz``.
        ids: a query ``(number)$`` that returns an array of so many new ids.
        copy: a query ``()#``: ``COPY ... FROM STDIN (FORMAT "binary")``.
        one: a query that inserts a row, which it takes by the names of ``columns``, and returns its id: ``$``.

    Raises:
        DatabaseError: they could not be stored; `row` is the position of the one that was refused, ``None`` if that is
            not known: a foreign key is checked when all are there.
    """
    if not rows:
        return []
    if len(rows) == 1:
        try:
            with executor.savepoint() as session:
                return [one(session, **rows[0])]
        except ConstraintViolation as error:
            error.row = 0
            raise
    # What has one column is no tuple to itemgetter.
    values = map(itemgetter(*columns), rows) if len(columns) > 1 else ((row[columns[0]],) for row in rows)
    with executor.connection() as session:
        reserved = list(ids(session, number=len(rows)) or ())
        copied = ((new, *row) for new, row in zip(reserved, values, strict=True))
        copy_in(session, copied, types=("int8", *types), copy=copy)
    return reserved


def copy_in(
    executor: Executor,
    rows: Iterable[Sequence[Any]],
    *,
    types: Sequence[str],
    copy: Callable[[Executor], AbstractContextManager[CopyWriter]],
) -> None:
    """Copy rows that have all their values, ids among them; all of them or none.

    Arguments:
        executor: runs the statement; a transaction goes on if they are refused.
        rows: the values of each in the order of the columns; they may be made while the server stores those before.
        types: PostgreSQL's types of the columns.
        copy: a query ``()#``: ``COPY ... FROM STDIN (FORMAT "binary")``.

    Raises:
        DatabaseError: as for `insert`.
    """
    with executor.savepoint() as session, copy(session) as writer:
        writer.set_types(types)
        writer.write_rows(rows)


def arrays(rows: Iterable[Row], parameters: Mapping[str, str]) -> dict[str, list[Any]]:
    """Return rows as a statement with unnest() takes them: an array for each column, where COPY cannot serve.

    Arguments:
        rows: the values by the names of their columns.
        parameters: the statement's parameter for each column: ``{"email": "emails"}``.
    """
    found = list(rows)
    return {parameter: [row[column] for row in found] for column, parameter in parameters.items()}


def in_batches(change: Callable[[int], int], batch: int) -> int:
    """Change all rows, so many at a time, so that no transaction takes long; on a session all are one transaction.

    Arguments:
        change: changes so many rows at the most, and returns how many it has; it is called until they are fewer.
        batch: how many.

    Returns:
        How many in all.
    """
    changed = found = change(batch)
    while found == batch:
        found = change(batch)
        changed += found
    return changed
