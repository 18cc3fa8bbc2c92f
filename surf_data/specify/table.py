"""What reading and writing by id needs to know of a table."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar

import attrs

from surf_data.errors import ValidationError
from surf_data.kernel import validation
from surf_data.kernel.postgres import Executor, Json
from surf_data.kernel.secret import Secret
from surf_data.specify.copying import Copied
from surf_data.specify.fields import Check
from surf_data.specify.statements import specify_queries

R = TypeVar("R")
Document = dict[str, Any]

_NONE: frozenset[str] = frozenset()


@attrs.frozen(kw_only=True)
class Table(Generic[R]):
    """One table, for those who read and write by id."""

    #: What a row is called in messages.
    noun: str
    #: The query functions' first word: ``user`` for ``user_by_id``.
    stem: str
    #: The class of a row.
    row: type[R]
    #: What `BaseRepository.create` and `BaseRepository.update` take, and how it is checked.
    checks: Mapping[str, Check]
    #: What `BaseRepository.create` must be given.
    required: tuple[str, ...] = ()
    #: What a column holds that is not given.
    defaults: Mapping[str, Any] = attrs.field(factory=dict)
    #: In which orders a page may be, the usual one first.
    orders: tuple[str, ...] = ("id", "-id")
    #: Whether rows can be changed and deleted.
    changes: bool = True
    #: The columns by which a row is recognised among those that were created with it.
    identity: tuple[str, ...] = ()
    #: The field that is taken, by the constraint that says so.
    unique: Mapping[str, str] = attrs.field(factory=dict)
    #: Adds to a checked document what is computed, such as keys and hashes.
    complete: Callable[[Document], None] = lambda _document: None
    #: Returns which field of a document is taken, where more than one can be.
    taken: Callable[[Executor, Document], str] | None = None
    #: The field of a row that its creator alone is shown; the table has a hash.
    secret: str = ""
    #: The order that lists with filters have, and their parameters without any filter.
    newest: tuple[str, Mapping[str, Any]] | None = None
    #: How many rows are copied, where they can be.
    copied: Copied | None = None

    def run(self, verb: str, executor: Executor, **parameters: Any) -> Any:
        """Run a query of this table: ``run("by_id", ...)`` is ``user_by_id(...)``."""
        return getattr(specify_queries(), f"{self.stem}_{verb}")(executor, **parameters)

    def made(self, found: Any) -> R:
        """Return a row of what a query returned: an object, or a tuple where the class has more than the columns."""
        return self.row(*found) if isinstance(found, tuple) else found

    def checked(self, data: object, *, creating: bool) -> Document:
        """Return what is stored of ``data``, by column.

        Raises:
            ValidationError: a key is unknown or missing, or a value is refused.
        """
        given = validation.mapping("data", data)
        required = frozenset(self.required) if creating else _NONE
        if not (self.checks.keys() >= given.keys() >= required):
            validation.check_keys("data", given, required=tuple(required), optional=tuple(self.checks))
        document = {**self.defaults} if creating else {}
        for field, value in given.items():
            document[field] = self.checks[field](field, value)
        self.complete(document)
        return document

    def refusal(self, executor: Executor, document: Document, place: str = "") -> ValidationError:
        """Return what to say of a document that was not inserted, because another row has what must be unique."""
        field = self.taken(executor, document) if self.taken else next(iter(self.unique.values()))
        return ValidationError(f"{place}{field} is taken", field=f"{place}{field}")


def to_json(documents: Sequence[Document]) -> Json:
    """Return documents as the statements take them: one JSON array. What is a secret is left out."""
    plain = [{key: value for key, value in each.items() if not isinstance(value, Secret)} for each in documents]
    return Json(json.dumps(plain, ensure_ascii=False, separators=(",", ":"), default=_plain))


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    if isinstance(value, datetime):
        return value.isoformat()
    # Mappings of other kinds within documents; UUIDs and addresses.
    return dict(value) if isinstance(value, Mapping) else str(value)
