"""What all query classes and repositories have in common, as the requirement wants it: reading and writing by id.

The SQL of each table is its own; here is only in which order it is run, and what is checked before.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Generic, Self, TypeVar, cast

import attrs

from surf_data.errors import ConstraintViolation, DatabaseError, ValidationError
from surf_data.kernel import validation
from surf_data.kernel.paging import Page, limit_offset
from surf_data.kernel.postgres import Executor, bulk
from surf_data.specify import fields
from surf_data.specify.copying import Copied
from surf_data.specify.table import Document, Table, to_json

R = TypeVar("R")

# SQLSTATE of what the server does not support, such as COPY under row-level security.
_NO_COPY = "0A000"
#: The most rows that are created or updated at once.
MAX_BULK = 100_000


class BaseQueries(Generic[R]):
    """Reads rows of one table.

    Arguments:
        executor: runs the statements: a session, or a `DatabaseManager`.
    """

    table: ClassVar[Table[Any]]

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def get_by_id(self, id_: int) -> R | None:
        """Return a row by its id; ``None`` when there is none.

        Raises:
            ValidationError: ``id_`` cannot be an id.
            DatabaseError: it cannot be read.
        """
        found = self.table.run("by_id", self._executor, row_id=fields.row_id("id", id_))
        return None if found is None else self.table.made(found)

    def get_all(self, limit: int | None = None, offset: int = 0) -> list[R]:
        """Return rows by ascending id.

        Arguments:
            limit: how many, 1 to 10,000; ``None`` means 10,000.
            offset: how many to skip, 0 or more.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: they cannot be read.
        """
        return self._listed(
            "all",
            row_limit=fields.limit("limit", limit),
            row_offset=validation.integer("offset", offset, minimum=0, maximum=validation.INT8_MAX),
        )

    def _listed(self, verb: str, **parameters: Any) -> list[R]:
        return [self.table.made(found) for found in self.table.run(verb, self._executor, **parameters)]

    def _page(self, verb: str, page: int, per_page: int, **parameters: Any) -> Page[R]:
        row_limit, row_offset = limit_offset(page, per_page)
        rows = self.table.run(verb, self._executor, **parameters, row_limit=row_limit, row_offset=row_offset)
        items = [self.table.row(*values) for _, *values in rows if values[0] is not None]
        if not rows and row_offset:
            # Beyond the end: any row of the first page has the total.
            rows = self.table.run(verb, self._executor, **parameters, row_limit=1, row_offset=0)
        return Page(items, rows[0][0] if rows else 0, page, per_page)

    def count(self) -> int:
        """Return how many rows there are.

        Raises:
            DatabaseError: they cannot be counted.
        """
        return int(self.table.run("count", self._executor))

    def paginate(self, page: int = 1, per_page: int = 20, order_by: str | None = None) -> Page[R]:
        """Return a page of rows, and how many there are, in one statement.

        Arguments:
            page: its number, counted from 1.
            per_page: 1 to 1,000. Up to row 100,000; what lies beyond is for `get_all` or a list by keyset.
            order_by: ``id``, ``-id`` for the newest first, or another order of this class. ``None``: by id, or the
                newest first where there are millions.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: the page cannot be read.
        """
        order = self.table.orders[0] if order_by is None else order_by
        if self.table.newest is not None and order == self.table.newest[0]:
            return self._page("filtered", page, per_page, **self.table.newest[1], cap=None)
        if order not in self.table.orders:
            raise validation.invalid("order_by", f"must be one of {', '.join(self.table.orders)}")
        return self._page("page", page, per_page, row_order=order)

    def delete_by_id(self, id_: int) -> bool:
        """Delete a row; ``False`` when there is none.

        Raises:
            ValidationError: ``id_`` cannot be an id, or rows of this table are never deleted.
            DatabaseError: it cannot be deleted.
        """
        _check_changes(self.table)
        return bool(self.table.run("delete", self._executor, row_id=fields.row_id("id", id_)))


class BaseRepository(Generic[R]):
    """Writes rows of one table. What it does within a session's block is part of the block's transaction.

    Arguments:
        executor: runs the statements: a session, or a `DatabaseManager`.
        queries: reads the same table.
    """

    def __init__(self, executor: Executor, queries: BaseQueries[R]) -> None:
        self._executor = executor
        self._queries = queries
        self._table: Table[R] = queries.table

    def create(self, data: Mapping[str, Any]) -> R:
        """Create a row.

        Arguments:
            data: values by column.

        Returns:
            The row, with its id.

        Raises:
            ValidationError: a key is unknown or missing, a value is refused, or one that must be unique is taken.
            ConstraintViolation: what it refers to is not there.
            DatabaseError: it could not be stored.
        """
        return self._insert_one(self._table.checked(data, creating=True))

    def _insert_one(self, document: Document) -> R:
        found = self._table.run("insert", self._executor, documents=to_json([document]))
        if not found:
            raise self._table.refusal(self._executor, document)
        return self._shown(self._table.made(found[0]), document)

    def _shown(self, row: R, document: Document) -> R:
        """Return a new row with its secret, if it has one."""
        secret = self._table.secret
        return attrs.evolve(row, **{secret: document[secret]}) if secret else row  # type: ignore[misc]

    def get(self, id_: int) -> R | None:
        """Return a row by its id; ``None`` when there is none.

        Raises:
            ValidationError: ``id_`` cannot be an id.
            DatabaseError: it cannot be read.
        """
        return self._queries.get_by_id(id_)

    def update(self, id_: int, data: Mapping[str, Any]) -> R | None:
        """Change columns of a row; ``None`` when there is none.

        Arguments:
            id_: the row.
            data: values by column; the id is not among them.

        Raises:
            ValidationError: a key is unknown, a value is refused, one that must be unique is taken, or rows of this
                table never change.
            ConstraintViolation: what it refers to is not there.
            DatabaseError: it could not be stored.
        """
        _check_changes(self._table)
        document = {**self._table.checked(data, creating=False), "id": fields.row_id("id", id_)}
        found = self._update([document])
        return self._table.made(found[0]) if found else None

    def _update(self, documents: Sequence[Document]) -> list[Any]:
        try:
            with self._executor.savepoint() as session:
                return list(self._table.run("update", session, documents=to_json(documents)))
        except ConstraintViolation as error:
            field = self._table.unique.get(error.constraint or "")
            if field is None:
                raise
        raise ValidationError(f"{field} is taken", field=field)

    def delete(self, id_: int) -> bool:
        """Delete a row, and what belongs to it; ``False`` when there is none.

        Raises:
            ValidationError: ``id_`` cannot be an id, or rows of this table are never deleted.
            DatabaseError: it cannot be deleted.
        """
        return self._queries.delete_by_id(id_)

    def exists(self, id_: int) -> bool:
        """Return whether there is a row with this id.

        Raises:
            ValidationError: ``id_`` cannot be an id.
            DatabaseError: that cannot be found out.
        """
        return self.get(id_) is not None

    def bulk_create(self, rows: Iterable[Mapping[str, Any]]) -> list[R]:
        """Create many rows: all of them, or none.

        Arguments:
            rows: at most 100,000, each as `create` takes it.

        Returns:
            The rows with their ids, in the same order.

        Raises:
            ValidationError: a row is refused; the field says which: ``rows[17].email``.
            ConstraintViolation: what a row refers to is not there.
            DatabaseError: they could not be stored.
        """
        found = bulk.listed("rows", rows, maximum=MAX_BULK)
        documents = self._checked_rows(found)
        if not documents:
            return []
        if self._table.copied is not None:
            return self._copy(self._table.copied, documents, found)
        identity = self._table.identity
        with self._executor.transaction() as session:
            inserted = self._table.run("insert", session, documents=to_json(documents))
            made = {tuple(getattr(row, each) for each in identity): row for row in map(self._table.made, inserted)}
            created: list[R] = []
            for position, document in enumerate(documents):
                # Of two that are alike the first one takes the row.
                row = made.pop(tuple(document[column] for column in identity), None)
                if row is None:
                    raise self._table.refusal(session, document, f"rows[{position}].")
                created.append(self._shown(row, document))
        return created

    def _copy(self, copied: Copied, documents: list[Document], rows: Sequence[Any]) -> list[R]:
        try:
            return copied.create(self._executor, self._table.row, documents)
        except DatabaseError as error:
            if error.sqlstate != _NO_COPY:
                raise
        # The server takes no COPY where rows are protected by policies. A subclass takes the executor alone.
        with self._executor.transaction() as session:
            return [*map(cast("Callable[[Executor], Self]", type(self))(session).create, rows)]

    def bulk_update(self, updates: Iterable[Mapping[str, Any]], id_key: str = "id") -> int:
        """Change many rows: all of those that are there, or none.

        Arguments:
            updates: at most 100,000, each the columns to change, and the id under ``id_key``. Their keys may differ.
            id_key: what the id is called.

        Returns:
            How many of the rows were there.

        Raises:
            ValidationError: a row is refused, lacks its id, or has the id of another one; the field says which:
                ``updates[17].id``.
            ConstraintViolation: what a row refers to is not there.
            DatabaseError: they could not be stored.
        """
        _check_changes(self._table)
        validation.text("id_key", id_key, maximum=validation.MAX_IDENTIFIER)
        positions: dict[int, int] = {}

        def check(update: object) -> Document:
            given = dict(validation.mapping("data", update))
            if id_key not in given:
                raise validation.invalid(id_key, "is missing")
            row_id = fields.row_id(id_key, given.pop(id_key))
            if row_id in positions:
                raise validation.invalid(id_key, f"is that of updates[{positions[row_id]}], too")
            positions[row_id] = len(positions)
            return {**self._table.checked(given, creating=False), "id": row_id}

        found = bulk.listed("updates", updates, maximum=MAX_BULK)
        documents = list(bulk.checked("updates", found, check))
        return len(self._update(documents)) if documents else 0

    def _checked_rows(self, rows: Iterable[Mapping[str, Any]]) -> list[Document]:
        found = bulk.listed("rows", rows, maximum=MAX_BULK)
        return list(bulk.checked("rows", found, lambda row: self._table.checked(row, creating=True)))


def _check_changes(table: Table[Any]) -> None:
    if not table.changes:
        raise validation.invalid("id", f"is that of {table.noun}, which is never changed or deleted")
