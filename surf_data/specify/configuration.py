"""Configuration of projects: values of every JSON type, encrypted where a caller wants it."""

import json
import math
from typing import Any

from surf_data.errors import ConfigurationError
from surf_data.kernel import validation
from surf_data.kernel.crypto import KeyRing
from surf_data.kernel.postgres import Executor, Json
from surf_data.specify import fields
from surf_data.specify.base import BaseQueries, BaseRepository
from surf_data.specify.models import Configuration, typed_value
from surf_data.specify.statements import specify_queries
from surf_data.specify.table import Document, Table

#: The longest value as text, in bytes.
MAX_VALUE = 1_000_000
# An integer of more digits cannot be read back by Python's default.
_MAX_INTEGER = 10**4300
_TYPES = ("string", "integer", "float", "boolean", "json")


def stored_value(field: str, value: object) -> tuple[str, str]:
    """Return the type and the text under which a value is stored, so that the same value comes back.

    Arguments:
        field: what the error names.
        value: text, a boolean, a whole number of at most 4,300 digits, a finite float, ``None``, or lists and mappings
            of these as JSON has them.

    Raises:
        ValidationError: it is none of these.
    """
    if isinstance(value, bool):
        return "boolean", "true" if value else "false"
    if isinstance(value, int):
        if not -_MAX_INTEGER < value < _MAX_INTEGER:
            raise validation.invalid(field, "must have at most 4300 digits")
        return "integer", str(int(value))
    if isinstance(value, float):
        if not math.isfinite(value):
            raise validation.invalid(field, "must be finite")
        return "float", repr(float(value))
    if isinstance(value, str):
        return "string", fields.sized_text(field, value, MAX_VALUE)
    # As text, not as jsonb, which gives keys and numbers another form.
    return "json", validation.json_text(field, value)


def _type(field: str, value: object) -> str:
    if not isinstance(value, str) or value not in _TYPES:
        raise validation.invalid(field, f"must be one of {', '.join(_TYPES)}")
    return value


def _key(field: str, value: object) -> str:
    return validation.text(field, value, maximum=200)


def _complete(document: Document) -> None:
    if "value" not in document:
        if "type" in document:
            raise validation.invalid("type", "changes with its value alone")
        return
    given = document["value"]
    kind, text = stored_value("value", given)
    if document.get("type") not in {None, kind}:
        # The text of another type, as callers store it who convert by themselves.
        kind = document["type"]
        try:
            valid = isinstance(given, str) and stored_value("value", typed_value(kind, text))[0] == kind
        except ValueError:
            valid = False
        if not valid:
            raise validation.invalid("value", f"is not of the type {kind}")
    document["type"], document["value"] = kind, text


TABLE: Table[Configuration] = Table(
    noun="a configuration entry",
    stem="configuration",
    row=Configuration,
    checks={
        "project_id": fields.row_id,
        "key": _key,
        "value": lambda _field, value: value,
        "type": _type,
        "config_id": validation.uuid,
        "description": fields.optional(fields.text(10_000, 0)),
        "meta": fields.document,
    },
    required=("project_id", "key", "value"),
    defaults={"config_id": None, "encrypted": False, "description": None, "meta": {}},
    identity=("project_id", "key"),
    unique={"configurations_project_id_key_key": "key", "configurations_config_id_key": "config_id"},
    complete=_complete,
)


class ConfigurationQueries(BaseQueries[Configuration]):
    """Reads configuration entries as they are stored."""

    table = TABLE

    def find_by_project_and_key(self, project_id: int, key: str) -> Configuration | None:
        """Return an entry by its key; ``None`` when there is none.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: it cannot be read.
        """
        found: Configuration | None = specify_queries().configuration_get(
            self._executor, project_id=fields.row_id("project_id", project_id), key=_key("key", key)
        )
        return found

    def get_project_configs(self, project_id: int) -> list[Configuration]:
        """Return the entries of a project by key; 10,000 at the most.

        Raises:
            ValidationError: ``project_id`` cannot be an id.
            DatabaseError: they cannot be read.
        """
        return self._listed("of_project", project_id=fields.row_id("project_id", project_id))


class ConfigurationRepository(BaseRepository[Configuration]):
    """Keeps values with their types. Of two who set the same key at once the last one wins, and none fails.

    Arguments:
        executor: runs the statements: a session, or a `DatabaseManager`.
        keys: encrypts and decrypts; ``None``: nothing can be encrypted.
    """

    def __init__(self, executor: Executor, keys: KeyRing | None = None) -> None:
        self._keys = keys
        #: Reads configuration entries.
        self.queries: ConfigurationQueries = ConfigurationQueries(executor)
        super().__init__(executor, self.queries)

    def set_config(
        self,
        project_id: int,
        key: str,
        value: Any,
        *,
        encrypted: bool = False,
        description: str | None = None,
        meta: dict[str, Any] | None = None,
    ) -> Configuration:
        """Set a value, new or not.

        Arguments:
            project_id: the project.
            key: 1 to 200 characters.
            value: text, a boolean, a number, ``None``, a list or a mapping; it comes back equal, of the same type,
                tuples as lists.
            encrypted: whether it is stored encrypted.
            description: at most 10,000 characters; ``None`` leaves what is there.
            meta: likewise.

        Raises:
            ValidationError: an argument is refused.
            ConfigurationError: it is to be encrypted, and there are no keys.
            ConstraintViolation: there is no such project.
            DatabaseError: it could not be stored.
        """
        row_id, name = fields.row_id("project_id", project_id), _key("key", key)
        kind, text = stored_value("value", value)
        if fields.boolean("encrypted", encrypted):
            text = self._ring().encrypt(_context(row_id, name), text)
        stored: Configuration = specify_queries().configuration_set(
            self._executor,
            project_id=row_id,
            key=name,
            value=text,
            value_type=kind,
            encrypted=encrypted,
            description=fields.optional(fields.text(10_000, 0))("description", description),
            meta=None if meta is None else Json(validation.jsonb_text("meta", fields.document("meta", meta))),
        )
        return stored

    def get_config(self, project_id: int, key: str, default: Any = None) -> Any:
        """Return a value; ``default`` when there is none.

        Raises:
            ValidationError: an argument is refused.
            ConfigurationError: it is encrypted, and there are no keys.
            EncryptionError: no key decrypts it.
            DatabaseError: it cannot be read.
        """
        found = self.queries.find_by_project_and_key(project_id, key)
        return default if found is None else self._value(found)

    def get_configs(self, project_id: int) -> dict[str, Any]:
        """Return the values of a project by key, 10,000 at the most; see `get_config`."""
        return {entry.key: self._value(entry) for entry in self.queries.get_project_configs(project_id)}

    def delete_config(self, project_id: int, key: str) -> bool:
        """Delete a value; ``False`` when there is none.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: it could not be deleted.
        """
        row_id = fields.row_id("project_id", project_id)
        return bool(specify_queries().configuration_remove(self._executor, project_id=row_id, key=_key("key", key)))

    def compare_and_set_config(self, project_id: int, key: str, expected: Any, value: Any) -> bool:
        """Set a value if it is still ``expected``, so that no change by another caller is lost.

        Returns:
            ``False`` when it is another value, is encrypted, or is not there.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: it could not be stored.
        """
        expected_type, expected_text = stored_value("expected", expected)
        value_type, text = stored_value("value", value)
        return bool(
            specify_queries().configuration_compare_set(
                self._executor,
                project_id=fields.row_id("project_id", project_id),
                key=_key("key", key),
                expected_value=expected_text,
                expected_type=expected_type,
                value=text,
                value_type=value_type,
            )
        )

    def _value(self, entry: Configuration) -> Any:
        if not entry.encrypted:
            return entry.get_value()
        return typed_value(entry.type, self._ring().decrypt(_context(entry.project_id, entry.key), entry.value))

    def _ring(self) -> KeyRing:
        if self._keys is None:
            raise ConfigurationError(
                "encrypted configuration needs encryption_keys: surf-data keys new", setting="encryption_keys"
            )
        return self._keys


def _context(project_id: int, key: str) -> str:
    # Line breaks in a key would end the context; as JSON it has none.
    return f"configurations|value|{project_id}|{json.dumps(key)}"
