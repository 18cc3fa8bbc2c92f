"""What entities have in common: what they show of themselves, and JSON documents in them."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal, TypeVar
from uuid import UUID

import attrs

from surf_data.kernel import validation
from surf_data.kernel.postgres import Json

T = TypeVar("T")
Style = Literal["snake", "camel"]

_WORD = re.compile(r"_([a-z0-9])")


@attrs.define
class Entity:
    """A row of the database as an object. Fields are checked when they are assigned; a repository saves them.

    Methods that change an entity change this object alone; a repository has methods of the same names that change the
    row by one statement, so that nothing that another process counts meanwhile is lost.
    """

    #: What `to_dict` leaves out.
    hidden: ClassVar[frozenset[str]] = frozenset()

    def to_dict(self, style: Style = "camel") -> dict[str, Any]:
        """Return the entity for JSON, without secrets: moments as ISO 8601 text in UTC, ids and addresses as text.

        Arguments:
            style: of the keys: ``camel``, as callers of the original know them, or ``snake``.
        """
        names = (field.name for field in attrs.fields(type(self)) if field.name not in self.hidden)
        return self.selected(names, style)

    def selected(self, names: Iterable[str], style: Style = "camel") -> dict[str, Any]:
        """Return some attributes for JSON, by name."""
        if style not in ("snake", "camel"):
            raise validation.invalid("style", "must be snake or camel")
        rename = camel_case if style == "camel" else str
        return {rename(name): as_json(getattr(self, name)) for name in names}


def camel_case(name: str) -> str:
    """Return ``name`` in camelCase: ``created_at`` is ``createdAt``."""
    return _WORD.sub(lambda match: match[1].upper(), name)


def as_json(value: Any) -> Any:
    """Return ``value`` as JSON has it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if value is None or isinstance(value, (bool, int, float, str, dict, list)):
        # Members of enums are text.
        return str(value) if isinstance(value, str) else value
    return str(value)


def stored(document: Mapping[str, Any], key: str, default: T) -> Any | T:
    """Return what a document holds under a key; the default where there is nothing, or null."""
    value = document.get(validation.text("key", key, maximum=255))
    return default if value is None else value


def json_document(field: str, value: Mapping[str, Any] | None) -> Json | None:
    """Return a JSON object of an entity as ``jsonb``."""
    return None if value is None else Json(validation.jsonb_object(field, value))


def identifier(field: str, value: "UUID | str | Entity") -> UUID:
    """Return the id that is meant: a UUID, its text, or that of an entity that was saved."""
    return validation.uuid(field, getattr(value, "id", None) if isinstance(value, Entity) else value)
