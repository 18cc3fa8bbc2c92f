"""How repositories keep entities: a new one is inserted, a known one updated unless it has changed meanwhile."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import attrs

from surf_data.errors import TransactionConflict
from surf_data.kernel.identifiers import new_id
from surf_data.kernel.postgres import Executor
from surf_data.kernel.validation import invalid
from surf_data.screenshot.entities import Entity, json_document
from surf_data.screenshot.fields import check_required

T = TypeVar("T", bound=Entity)


def columns(entity: Entity, names: tuple[str, ...]) -> dict[str, Any]:
    """Return columns of an entity as parameters: JSON objects as ``jsonb``, members of enums as text."""
    values: dict[str, Any] = {}
    for name in names:
        value = getattr(entity, name)
        if isinstance(value, Mapping):
            value = json_document(name, value)
        elif isinstance(value, str):
            value = str(value)
        values[name] = value
    return values


def save(
    executor: Executor,
    entity: T,
    parameters: Mapping[str, Any],
    *,
    insert: Callable[..., T | None],
    update: Callable[..., T | None],
) -> T | None:
    """Insert or update an entity, and give it what the database has made of it.

    Arguments:
        executor: runs the statement.
        entity: the entity. With ``updated_at`` it was read before, and must not have changed since.
        parameters: its columns.
        insert: inserts a row and returns it.
        update: updates the row of an id and a moment, and returns it.

    Returns:
        The same entity; ``None`` when the insert returned no row.

    Raises:
        TransactionConflict: it was changed or removed since it was read: read it again.
        DatabaseError: it could not be stored.
    """
    seen: Any = getattr(entity, "updated_at", None)
    identifier = getattr(entity, "id", None)
    if seen is None:
        row = insert(executor, id=identifier or new_id(), **parameters)
    else:
        row = update(executor, id=identifier, seen_at=seen, **parameters)
        if row is None:
            kind = type(entity).__name__
            raise TransactionConflict(f"the {kind} was changed or removed since it was read: read it again")
    return None if row is None else refresh(entity, row)


def refresh(entity: T, row: T) -> T:
    """Give an entity all fields of another one."""
    for field in attrs.fields(type(entity)):
        setattr(entity, field.name, getattr(row, field.name))
    return entity


def checked(entity: object, kind: type[T]) -> T:
    """Return ``entity`` if it is of a class and complete.

    Raises:
        ValidationError: it is not.
    """
    if not isinstance(entity, kind):
        raise invalid("entity", f"must be a {kind.__name__}")
    check_required(entity)
    return entity
