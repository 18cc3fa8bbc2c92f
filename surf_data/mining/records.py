"""The records that callers build, change and hand over; each assignment is checked."""

from collections.abc import Callable
from datetime import datetime
from operator import attrgetter
from typing import Any, ClassVar, Literal, cast

import attrs

from surf_data.kernel import validation
from surf_data.mining import values
from surf_data.mining.named_query import NamedQuery

#: With one of these a cycle is over, and is archived.
CYCLES_FOR_FINAL_TABLE: tuple[str, ...] = ("COMPLETE", "INVALID", "OUTLIER")

_INT4_MIN = -(2**31)

_Check = Callable[[str, object], Any]


def _field(check: _Check, default: Any = attrs.NOTHING, *, optional: bool = True) -> Any:
    """Declare a field whose value ``check`` accepts or converts; ``None`` as well when it is optional."""

    def convert(value: object, field: "attrs.Attribute[Any]") -> Any:
        return None if value is None and optional else check(field.name, value)

    converter: Any = attrs.Converter(convert, takes_field=True)
    return attrs.field(default=default, converter=converter)


def _key(field: str, value: object) -> int:
    return validation.integer(field, value, minimum=1, maximum=validation.INT8_MAX)


def _number(field: str, value: object) -> int:
    return validation.integer(field, value, minimum=1)


def _code(field: str, value: object) -> int:
    return validation.integer(field, value, minimum=_INT4_MIN)


def _name(field: str, value: object) -> str:
    return validation.text(field, value, maximum=values.MAX_WORD)


def _word(field: str, value: object) -> str:
    return validation.text(field, value, minimum=0, maximum=values.MAX_WORD)


def _reference(field: str, value: object) -> str:
    return validation.text(field, value, minimum=0, maximum=values.MAX_GUID)


def _text(field: str, value: object) -> str:
    return validation.text(field, value, minimum=0, maximum=values.MAX_TEXT)


def _service_type(field: str, value: object) -> str:
    if value in ("realtime", "reprocess"):
        return str(value)
    raise validation.invalid(field, "must be realtime or reprocess")


@attrs.define(kw_only=True)
class Record:
    """What all records have: a key that the database gives, and columns."""

    #: The field that is the key.
    DB_PRIMARY_KEY_FIELD: ClassVar[str]
    #: The schema of the views.
    SCHEMA_NAME: ClassVar[str] = "dx"
    #: The view that reads the records.
    TABLE_NAME: ClassVar[str]

    @property
    def id(self) -> int | None:
        """The key; ``None`` for a new record."""
        return cast("int | None", getattr(self, self.DB_PRIMARY_KEY_FIELD))

    @id.setter
    def id(self, value: int | None) -> None:
        setattr(self, self.DB_PRIMARY_KEY_FIELD, value)

    def set_key(self, key: int | None) -> None:
        """Set the key to one that the database has given, or to none."""
        object.__setattr__(self, self.DB_PRIMARY_KEY_FIELD, key)

    def is_new_record(self) -> bool:
        """Return whether the record has no key yet."""
        return self.id is None

    @classmethod
    def get_column_names(cls) -> list[str]:
        """Return the columns in the order of the fields, without the key."""
        return [
            field.name
            for field in attrs.fields(cls)
            if field.name != cls.DB_PRIMARY_KEY_FIELD and not field.name.isupper()
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return the key and the columns."""
        return {name: getattr(self, name) for name in (self.DB_PRIMARY_KEY_FIELD, *self.get_column_names())}

    def data_to_insert_tuple(self) -> list[tuple[Any, ...]]:
        """Return a list of one tuple, with the values in the order of the columns."""
        return [_values_of(type(self))(self)]

    def get_update_values(self) -> tuple[Any, ...]:
        """Return the values in the order of the columns, and the key behind them.

        Raises:
            ValidationError: the record has no key.
        """
        if self.id is None:
            raise validation.invalid(self.DB_PRIMARY_KEY_FIELD, "must be set: the record was never inserted")
        return (*_values_of(type(self))(self), self.id)


_GETTERS: dict[type[Record], Callable[[Record], tuple[Any, ...]]] = {}


def _values_of(kind: type[Record]) -> Callable[[Record], tuple[Any, ...]]:
    """Return what takes all values of such a record at once, which one by one takes three times as long."""
    if kind not in _GETTERS:
        _GETTERS[kind] = attrgetter(*kind.get_column_names())
    return _GETTERS[kind]


@attrs.define(kw_only=True)
class CycleRecord(Record):
    """A cycle of a truck: from one load to the next."""

    DB_PRIMARY_KEY_FIELD: ClassVar[str] = "asset_cycle_vlx_id"
    TABLE_NAME: ClassVar[str] = "asset_cycle_tmp_vlx"
    #: The view that reads the archived ones.
    FINAL_TABLE_NAME: ClassVar[str] = "asset_cycle_vlx"

    #: Given by the database.
    asset_cycle_vlx_id: int | None = _field(_key, None)
    #: The truck.
    asset_guid: str = _field(values.guid, optional=False)
    #: Counted from 1 for each truck.
    cycle_number: int = _field(_number, 1, optional=False)
    #: ``INPROGRESS``, or one of `CYCLES_FOR_FINAL_TABLE`; others are accepted.
    cycle_status: str = _field(values.status, optional=False)
    #: The site.
    site_guid: str = _field(values.guid, optional=False)
    #: 2 idle, 3 working.
    current_work_state_id: int = _field(_code, optional=False)
    #: Set by the caller.
    created_date: datetime = _field(values.moment, optional=False)
    #: Set by the caller.
    updated_date: datetime = _field(values.moment, optional=False)
    previous_work_state_id: int | None = _field(_code, None)
    #: ``LOAD_TIME``, ``LOAD_TRAVEL``, ``DUMP_TIME`` or ``EMPTY_TRAVEL``.
    current_segment: str | None = _field(_word, None)
    loader_asset_guid: str | None = _field(_reference, None)
    loader_latitude: float | None = _field(values.real, None)
    loader_longitude: float | None = _field(values.real, None)
    #: In metres, as all distances.
    previous_loader_distance: float | None = _field(values.real, None)
    current_loader_distance: float | None = _field(values.real, None)
    dump_region_guid: str | None = _field(_reference, None)
    is_outlier: bool | None = _field(values.boolean, None)
    outlier_position_latitude: float | None = _field(values.real, None)
    outlier_position_longitude: float | None = _field(values.real, None)
    load_start_utc: datetime | None = _field(values.moment, None)
    load_end_utc: datetime | None = _field(values.moment, None)
    dump_start_utc: datetime | None = _field(values.moment, None)
    dump_end_utc: datetime | None = _field(values.moment, None)
    #: In seconds, as all durations.
    load_travel_seconds: float | None = _field(values.real, None)
    empty_travel_seconds: float | None = _field(values.real, None)
    dump_seconds: float | None = _field(values.real, None)
    load_seconds: float | None = _field(values.real, None)
    total_cycle_seconds: float | None = _field(values.real, None)
    outlier_seconds: float | None = _field(values.real, None)
    current_process_date: datetime | None = _field(values.moment, None)
    #: ``LOAD``, ``DUMP`` or ``TRAVEL``.
    current_area: str | None = _field(_word, None)
    current_asset_longitude: float | None = _field(values.real, None)
    current_asset_latitude: float | None = _field(values.real, None)
    load_region_guid: str | None = _field(_reference, None)
    is_within_load_region: bool | None = _field(values.boolean, None)
    asset_load_region_distance: float | None = _field(values.real, None)
    idle_in_dump_region_guid: str | None = _field(_reference, None)
    #: JSON text.
    tmp_idle_near_loader: str | None = _field(_text, None)
    outlier_type_id: int | None = _field(_code, None)
    all_assets_in_same_dump_area: bool | None = _field(values.boolean, None)
    outlier_date_utc: datetime | None = _field(values.moment, None)
    outlier_loader_guid: str | None = _field(_reference, None)
    outlier_loader_latitude: float | None = _field(values.real, None)
    outlier_loader_longitude: float | None = _field(values.real, None)
    outlier_dump_region_guid: str | None = _field(_reference, None)
    cycle_start_utc: datetime | None = _field(values.moment, None)
    cycle_end_utc: datetime | None = _field(values.moment, None)
    #: The work table: of what happens now, or of what is processed again.
    SERVICE_TYPE: Literal["realtime", "reprocess"] = _field(_service_type, "realtime", optional=False)

    @staticmethod
    def generate_insert_query() -> NamedQuery:
        """Return the query that inserts a cycle."""
        return NamedQuery(name="cycle_insert")

    @staticmethod
    def generate_update_query() -> NamedQuery:
        """Return the query that updates a cycle."""
        return NamedQuery(name="cycle_update")

    @staticmethod
    def generate_insert_query_final() -> NamedQuery:
        """Return the query that archives a cycle."""
        return NamedQuery(name="cycle_archive")


@attrs.define(kw_only=True)
class ProcessInfoRecord(Record):
    """A checkpoint: how far a process has come with an asset."""

    DB_PRIMARY_KEY_FIELD: ClassVar[str] = "tx_process_info_id"
    TABLE_NAME: ClassVar[str] = "tx_process_info"

    #: Given by the database.
    tx_process_info_id: int | None = _field(_key, None)
    asset_guid: str = _field(values.guid, optional=False)
    site_guid: str = _field(values.guid, optional=False)
    process_name: str = _field(_name, optional=False)
    process_date: datetime = _field(values.moment, optional=False)
    created_date: datetime = _field(values.moment, optional=False)
    updated_date: datetime | None = _field(values.moment, None)
    asset_type_guid: str | None = _field(_reference, None)
    current_latitude: float | None = _field(values.real, None)
    current_longitude: float | None = _field(values.real, None)

    @staticmethod
    def generate_insert_query() -> NamedQuery:
        """Return the query that inserts a checkpoint."""
        return NamedQuery(name="checkpoint_insert")

    @staticmethod
    def generate_update_query() -> NamedQuery:
        """Return the query that updates a checkpoint."""
        return NamedQuery(name="checkpoint_update")


_TYPES = {"str": "text", "int": "int4", "float": "float8", "bool": "bool", "datetime": "timestamptz"}


def column_types(kind: type[Record]) -> tuple[str, ...]:
    """Return PostgreSQL's names for the types of a record's columns."""
    hints = {
        # From Python 3.14 on, what is one type or another has a name as well, which says nothing.
        field.name: field.type.__name__ if isinstance(field.type, type) else str(field.type)
        for field in attrs.fields(kind)
    }
    return tuple(_TYPES[hints[name].partition(" ")[0].rpartition(".")[2]] for name in kind.get_column_names())
