"""Entries of the activity log: what is checked before one is sent, and the table that they go to."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from surf_data.errors import ValidationError
from surf_data.kernel import validation
from surf_data.kernel.journal import Column, JournalTable
from surf_data.kernel.postgres import Json
from surf_data.lamps.queries import lamp_queries

_REQUIRED = ("activity_type", "status")
_OPTIONAL = ("lamp_id", "details", "ip_address", "user_agent")
_NEEDED = frozenset(_REQUIRED)
_KNOWN = _NEEDED.union(_OPTIONAL)


@cache
def activity_table() -> JournalTable:
    """Return what a journal has to know of the activity log."""
    queries = lamp_queries()
    return JournalTable(
        name="lamps.activity_log",
        columns={
            "id": Column("ids", "int8"),
            "lamp_id": Column("lamp_ids", "uuid"),
            "activity_type": Column("activity_types", "varchar"),
            "status": Column("statuses", "varchar"),
            "details": Column("documents", "jsonb"),
            "ip_address": Column("ip_addresses", "inet"),
            "user_agent": Column("user_agents", "text"),
            "created_at": Column("times", "timestamptz"),
        },
        reserve=queries.activity_ids,
        insert=queries.activity_insert,
        insert_once=queries.activity_insert_once,
        insert_many=queries.activity_insert_many,
        copy_many=queries.activity_copy_many,
        references=("lamp_id",),
        large=("details",),
    )


def checked(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of ``entry`` in the order in which COPY expects them.

    Raises:
        ValidationError: a value is refused; the error names it.
    """
    lamp_id, details, ip_address, user_agent = map(entry.get, _OPTIONAL)
    if details is not None:
        details = Json(validation.jsonb_object("details", details))
    return {
        "lamp_id": None if lamp_id is None else validation.uuid("lamp_id", lamp_id),
        "activity_type": validation.text("activity_type", entry["activity_type"], maximum=50),
        "status": validation.text("status", entry["status"], maximum=20),
        "details": details,
        "ip_address": None if ip_address is None else validation.ip_address("ip_address", ip_address),
        "user_agent": None
        if user_agent is None
        else validation.text("user_agent", user_agent, minimum=0, maximum=2000),
    }


def checked_rows(entries: Iterable[Mapping[str, Any]]) -> Iterator[tuple[Any, ...]]:
    """Yield the columns of each entry in the order in which COPY expects them.

    Raises:
        ValidationError: an entry is refused; the field says which: ``entries[3].status``.
    """
    for position, entry in enumerate(entries):
        # Most are dicts with no other keys than there may be, which takes less to find out than which one is wrong.
        if type(entry) is not dict or not _NEEDED <= entry.keys() <= _KNOWN:
            name = f"entries[{position}]"
            validation.check_keys(name, validation.mapping(name, entry), required=_REQUIRED, optional=_OPTIONAL)
        try:
            row = tuple(checked(entry).values())
        except ValidationError as error:
            problem = validation.nested(f"entries[{position}].", error)
            break
        yield row
    else:
        return
    raise problem
