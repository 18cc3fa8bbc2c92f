"""Many rows by COPY: ids are reserved, and the rows are what the server would have returned."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any, TypeVar

import attrs

from surf_data.kernel.postgres import Executor, Json, bulk
from surf_data.kernel.validation import jsonb_text
from surf_data.specify.statements import specify_queries

R = TypeVar("R")

_EMPTY = Json("{}")


@attrs.frozen(kw_only=True)
class Copied:
    """How rows of one table are copied."""

    #: The query functions' first word: ``command`` for ``command_copy``.
    stem: str
    #: The columns of the COPY after the id, and their types; the UUID is sent as the 16 bytes that it is.
    columns: Mapping[str, str]
    #: The column of the UUID.
    uuid: str
    #: The column of the time, which is the transaction's where none is given.
    time: str
    #: The columns of JSON.
    documents: tuple[str, ...]
    #: Columns of a row that are not copied, computed of its document.
    computed: Mapping[str, Callable[[dict[str, Any]], Any]] = attrs.field(factory=dict)
    #: Looks up for the documents what they refer to.
    prepare: Callable[[Executor, Sequence[dict[str, Any]]], None] | None = None

    def create(self, executor: Executor, row: type[R], documents: Sequence[dict[str, Any]]) -> list[R]:
        """Copy documents as rows, all of them or none, and return the rows in the same order.

        Raises:
            DatabaseError: they could not be stored.
        """
        queries = specify_queries()
        with executor.transaction() as session:
            if self.prepare is not None:
                self.prepare(session, documents)
            ids, now = getattr(queries, f"{self.stem}_ids")(session, number=len(documents))
            made: list[R] = []
            bulk.copy_in(
                session,
                self._rows(row, documents, ids, now, made),
                types=("int8", *self.columns.values()),
                copy=getattr(queries, f"{self.stem}_copy"),
            )
        return made

    def _rows(
        self, row: type[R], documents: Sequence[dict[str, Any]], ids: Sequence[int], now: datetime, made: list[R]
    ) -> Iterator[Sequence[Any]]:
        """Yield the values of each row to be copied, and append the row to ``made``."""
        names = ("id", *self.columns)
        values_of = itemgetter(*names)
        # An attrs class has its fields in the order of the columns.
        fields_of = itemgetter(*(field.name for field in attrs.fields(row)))  # type: ignore[arg-type]
        json_places = [names.index(name) for name in self.documents]
        uuid, uuid_place, time = self.uuid, names.index(self.uuid), self.time
        for new, random, document in zip(ids, _uuids(len(documents)), documents, strict=True):
            document["id"] = new
            if document[time] is None:
                document[time] = now
            given = document[uuid]
            document[uuid] = text = random if given is None else str(given)
            for name, compute in self.computed.items():
                document[name] = compute(document)
            values = [*values_of(document)]
            values[uuid_place] = bytes.fromhex(text.replace("-", ""))
            for place in json_places:
                values[place] = _json(names[place], values[place])
            made.append(row(*fields_of(document)))
            yield values


def _uuids(number: int) -> Iterator[str]:
    """Yield random UUIDs as text: a third of what the objects of Python's module take."""
    digits = os.urandom(16 * number).hex()
    for begin in range(0, 32 * number, 32):
        d = digits[begin : begin + 32]
        # Version 4, and the variant that all have.
        yield f"{d[:8]}-{d[8:12]}-4{d[13:16]}-a{d[17:20]}-{d[20:]}"


def _json(name: str, document: Mapping[str, Any]) -> Json:
    return Json(jsonb_text(name, document)) if document else _EMPTY
