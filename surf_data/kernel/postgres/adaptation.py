"""How Python values travel to PostgreSQL: the adapters that every connection of this library starts with."""

import struct
from typing import Any
from uuid import UUID

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import AdaptersMap, Dumper, PyFormat
from psycopg.pq import Format
from psycopg.types.array import BaseListDumper, ListBinaryDumper, ListDumper
from psycopg.types.json import JsonbBinaryLoader
from psycopg.types.numeric import Int2BinaryDumper, Int4BinaryDumper, Int8BinaryDumper, Int8Dumper

_UUID = psycopg.adapters.types["uuid"]
# An array in binary: dimensions, whether there are nulls, the type; for each dimension its size and first index.
_ARRAY = struct.Struct("!iiIii")
_UUID_LENGTH = struct.pack("!i", 16)


class Json:
    """A document that is JSON text already, bound as ``jsonb``; it does not show its text.

    In a column of a COPY that is ``jsonb`` the text can stand for itself.

    Arguments:
        text: what `surf_data.kernel.validation.json_text` returned.
    """

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text: str = text


class _JsonBinaryDumper(Dumper):
    format = Format.BINARY
    oid = psycopg.adapters.types["jsonb"].oid

    def dump(self, obj: Json | str) -> Buffer | None:
        # The binary form of jsonb is a version byte and the text.
        return b"\x01" + (obj if isinstance(obj, str) else obj.text).encode()


# For the columns of a COPY: psycopg's own, in C, cut off what does not fit. A class of our own it does not replace.
class _Int2BinaryDumper(Int2BinaryDumper):
    pass


class _Int4BinaryDumper(Int4BinaryDumper):
    pass


class _ListBinaryDumper(ListBinaryDumper):
    def dump(self, obj: list[Any]) -> Buffer | None:
        # Ids come by the thousand, and psycopg takes longer over each of them than the server does to find its row.
        if self.oid == _UUID.array_oid and set(map(type, obj)) == {UUID}:
            head = _ARRAY.pack(1, 0, _UUID.oid, len(obj), 1)
            return _UUID_LENGTH.join([head, *[each.int.to_bytes(16, "big") for each in obj]])
        return super().dump(obj)

    def upgrade(self, obj: list[Any], format: PyFormat) -> BaseListDumper:  # noqa: A002 - psycopg's name
        try:
            return super().upgrade(obj, format)
        except psycopg.ProgrammingError:
            # Rows of a composite type, and whatever else has no form in binary.
            return ListDumper(self.cls, self._tx).upgrade(obj, format)


class _JsonbBinaryLoader(JsonbBinaryLoader):
    def load(self, data: Buffer) -> Any:
        # What is empty is half of some tables' documents, and the decoder takes 3 us to find that out.
        return {} if data == b"\x01{}" else super().load(data)


class Adapters:
    """psycopg copies the adapters of any object with these two attributes."""

    def __init__(self) -> None:
        self.adapters: AdaptersMap = AdaptersMap(psycopg.adapters)
        self.connection: None = None
        # psycopg picks int2, int4, int8 or numeric by value, so that one query became four prepared statements and
        # four rows of pg_stat_statements; and an integer column compared with a numeric cannot use its index.
        # The one for text serves lists, and the last one registered is what a single number takes.
        self.adapters.register_dumper(int, Int8Dumper)
        self.adapters.register_dumper(int, Int8BinaryDumper)
        self.adapters.register_dumper(None, _Int2BinaryDumper)
        self.adapters.register_dumper(None, _Int4BinaryDumper)
        self.adapters.register_dumper(Json, _JsonBinaryDumper)
        self.adapters.register_dumper(list, _ListBinaryDumper)
        self.adapters.register_loader("jsonb", _JsonbBinaryLoader)


ADAPTERS = Adapters()
