"""What PostgreSQL's types are in Python, by the adapters that every connection of this library starts with."""

import ipaddress
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from types import GenericAlias
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types import json
from psycopg.types.multirange import Multirange
from psycopg.types.range import Range

from surf_data.kernel.postgres import Json
from surf_data.review.analysis.facts import ColumnType

_ADDRESS = ipaddress.IPv4Address | ipaddress.IPv6Address | ipaddress.IPv4Interface | ipaddress.IPv6Interface
_NETWORK = ipaddress.IPv4Network | ipaddress.IPv6Network

#: What a value is in Python, by PostgreSQL's name of its type. What is not here arrives as text.
_READ: Mapping[str, Any] = {
    '"char"': str,
    "bigint": int,
    "boolean": bool,
    "bytea": bytes,
    "character varying": str,
    "character": str,
    "cidr": _NETWORK,
    "date": date,
    "datemultirange": Multirange[date],
    "daterange": Range[date],
    "double precision": float,
    "inet": _ADDRESS,
    "int4multirange": Multirange[int],
    "int4range": Range[int],
    "int8multirange": Multirange[int],
    "int8range": Range[int],
    "integer": int,
    "interval": timedelta,
    "json": Any,
    "jsonb": Any,
    "name": str,
    "numeric": Decimal,
    "nummultirange": Multirange[Decimal],
    "numrange": Range[Decimal],
    "oid": int,
    "real": float,
    "record": tuple[Any, ...],
    "smallint": int,
    "text": str,
    "time with time zone": time,
    "time without time zone": time,
    "timestamp with time zone": datetime,
    "timestamp without time zone": datetime,
    "tsmultirange": Multirange[datetime],
    "tsrange": Range[datetime],
    "tstzmultirange": Multirange[datetime],
    "tstzrange": Range[datetime],
    "uuid": UUID,
}

#: What may be given for a parameter, where it is not what a value is read as.
_GIVEN: Mapping[str, Any] = {
    "json": json.Json,
    "jsonb": Json | json.Jsonb,
    "numeric": Decimal | int,
}

#: What the driver says that a parameter is, where it says anything: text may become whatever the server wants.
_SENT: Mapping[str, str] = {
    "bigint": "int8",
    "boolean": "bool",
    "bytea": "bytea",
    "cidr": "cidr",
    "date": "date",
    "double precision": "float8",
    "inet": "inet",
    "integer": "int8",
    "interval": "interval",
    "json": "json",
    "jsonb": "jsonb",
    "numeric": "numeric",
    "oid": "int8",
    "real": "float8",
    "smallint": "int8",
    "time with time zone": "timetz",
    "time without time zone": "time",
    "timestamp with time zone": "timestamptz",
    "timestamp without time zone": "timestamp",
    "uuid": "uuid",
}


def read(column: ColumnType) -> Any:
    """Return the type, as in an annotation, that a value of a column has in Python when it is not null."""
    if column.element is not None:
        return GenericAlias(list, (read(column.element) | None,))
    return _READ.get(column.name, str)


def is_known(column: ColumnType) -> bool:
    """Return whether the driver knows a type, and so does more than hand its text on."""
    return is_known(column.element) if column.element is not None else column.name in _READ


def given(parameter: ColumnType) -> Any:
    """Return what may be given for a parameter, null aside, as in an annotation."""
    if parameter.element is not None:
        element = given(parameter.element)
        # A list is of one type or of the other to a type checker.
        return GenericAlias(list, (element,)) | GenericAlias(list, (element | None,))
    if parameter.name in _GIVEN:
        return _GIVEN[parameter.name]
    # Text becomes whatever the server wants it to be: an enum, an extension's type.
    return _READ.get(parameter.name, str) if parameter.kind != "c" else Any


def sent(parameter: ColumnType) -> int:
    """Return the number of the type that the driver says a parameter has; 0 where it leaves it to the server."""
    if parameter.element is not None:
        name = _SENT.get(parameter.element.name)
        return psycopg.adapters.types[name].array_oid if name else 0
    name = _SENT.get(parameter.name)
    return psycopg.adapters.types[name].oid if name else 0
