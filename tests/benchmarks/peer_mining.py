"""The peers of the mining domain: psycopg2 as the original used it, SQLAlchemy 2.1, raw psycopg and redis-py."""

from collections.abc import Sequence
from typing import Any

import psycopg
import psycopg2
import redis
from psycopg2.extras import RealDictCursor, execute_values
from sqlalchemy import BigInteger, Column, Engine, Identity, Integer, Table, Text, create_engine, insert, select
from sqlalchemy.dialects.postgresql import BOOLEAN, DOUBLE_PRECISION, TIMESTAMP
from sqlalchemy.orm import Session, registry

from surf_data.mining.records import CycleRecord, column_types

KEY = CycleRecord.DB_PRIMARY_KEY_FIELD
COLUMNS = CycleRecord.get_column_names()
_LIST = ", ".join(COLUMNS)
_TYPES = {
    "text": Text,
    "int4": Integer,
    "float8": DOUBLE_PRECISION,
    "bool": BOOLEAN,
    "timestamptz": TIMESTAMP(timezone=True),
}

_registry = registry()
table = Table(
    "asset_cycles",
    _registry.metadata,
    Column(KEY, BigInteger, Identity(), primary_key=True),
    *(Column(name, _TYPES[kind]) for name, kind in zip(COLUMNS, column_types(CycleRecord), strict=True)),
    schema="mining",
)


class Cycle:
    """A cycle, as SQLAlchemy's ORM has it."""

    def __init__(self, **values: Any) -> None:
        for name, value in values.items():
            setattr(self, name, value)


_registry.map_imperatively(Cycle, table)


def rows_of(records: Sequence[CycleRecord]) -> list[tuple[Any, ...]]:
    """Return what callers of the original hand to a batch."""
    return [record.data_to_insert_tuple()[0] for record in records]


class Psycopg2:
    """The access object of the original: psycopg2, a commit for each write.

    Arguments:
        url: where the server is.
    """

    def __init__(self, url: str) -> None:
        self.connection = psycopg2.connect(url)

    def insert_many(self, records: Sequence[CycleRecord]) -> list[Any]:
        """Insert a batch by execute_values, whose pages are 100 rows."""
        sql = f"INSERT INTO mining.asset_cycles ({_LIST}) VALUES %s RETURNING {KEY}"
        with self.connection.cursor() as cursor:
            keys: list[Any] = execute_values(cursor, sql, rows_of(records), fetch=True)
        self.connection.commit()
        return keys

    def read(self, sql: str, values: Sequence[Any]) -> list[dict[str, Any]]:
        """Return rows as dictionaries, and end the transaction."""
        with self.connection.cursor(cursor_factory=RealDictCursor) as cursor:
            cursor.execute(sql, values)
            found = [dict(row) for row in cursor.fetchall()]
        self.connection.commit()
        return found

    def write(self, sql: str, values: Sequence[Any]) -> None:
        """Run a write and commit it."""
        with self.connection.cursor() as cursor:
            cursor.execute(sql, values)
        self.connection.commit()

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()


class SqlAlchemy:
    """SQLAlchemy over psycopg.

    Arguments:
        url: where the server is.
    """

    def __init__(self, url: str) -> None:
        self.engine: Engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))

    def core(self, records: Sequence[CycleRecord]) -> list[Any]:
        """Insert a batch by Core."""
        rows = [dict(zip(COLUMNS, row, strict=True)) for row in rows_of(records)]
        with self.engine.begin() as connection:
            return list(connection.scalars(insert(table).returning(table.c[KEY]), rows))

    def orm(self, records: Sequence[CycleRecord]) -> list[Any]:
        """Insert a batch by the ORM."""
        with Session(self.engine) as session:
            cycles = [Cycle(**dict(zip(COLUMNS, row, strict=True))) for row in rows_of(records)]
            session.add_all(cycles)
            session.commit()
            return cycles

    def read(self, limit: int) -> list[Any]:
        """Return the latest open cycles as objects."""
        query = (
            select(Cycle).where(table.c.cycle_status == "INPROGRESS").order_by(table.c.created_date.desc()).limit(limit)
        )
        with Session(self.engine) as session:
            return list(session.scalars(query))

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def executemany(connection: psycopg.Connection[Any], records: Sequence[CycleRecord]) -> list[Any]:
    """Insert a batch by psycopg's executemany, which goes by a pipeline."""
    places = ", ".join(["%s"] * len(COLUMNS))
    sql = f"INSERT INTO mining.asset_cycles ({_LIST}) VALUES ({places}) RETURNING {KEY}"
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(sql.encode(), rows_of(records), returning=True)
        return [result.fetchone() for result in cursor.results()]


def copy(connection: psycopg.Connection[Any], records: Sequence[CycleRecord]) -> None:
    """Insert a batch by COPY in binary, unchecked: what the server can take."""
    sql = f"COPY mining.asset_cycles ({_LIST}) FROM STDIN (FORMAT binary)"
    with connection.cursor().copy(sql.encode()) as writer:
        writer.set_types(column_types(CycleRecord))
        for row in rows_of(records):
            writer.write_row(row)


def site(client: redis.Redis, asset: str) -> str | None:
    """Return an asset's site as the original does: a call for each region, the newest date as text."""
    newest: tuple[str, str] | None = None
    for name in client.smembers(f"asset:{asset}:regions"):  # type: ignore[union-attr]
        fields: Any = client.hgetall(f"region:{name.decode()}")
        if place := fields.get(b"site_guid"):
            newest = max(newest or ("", ""), (fields.get(b"created_date", b"").decode(), place.decode()))
    return newest and newest[1]
