"""asyncpg on uvloop, with the statements as the specification writes them."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, Literal, Self
from uuid import UUID

import asyncpg
import uvloop

from benchmarks.measuring import Side, timed

LAMP_CONFIGURATION = """
SELECT
    lr.lamp_id,
    lr.email,
    lr.name,
    lr.location_index,
    lr.brightness,
    lr.is_active,
    lr.last_seen,
    sc.config_value as location_data,
    COALESCE(
        json_agg(
            json_build_object(
                'website_name', ac.website_name,
                'full_url', ac.full_url,
                'api_key', ac.api_key,
                'city', ac.city,
                'is_json', ac.is_json,
                'is_metric', ac.is_metric,
                'priority', ac.priority_order
            )
            ORDER BY ac.priority_order
        ) FILTER (WHERE ac.id IS NOT NULL),
        '[]'::json
    ) as api_configs
FROM lamp_registry lr
LEFT JOIN api_configuration ac ON ac.is_active = true
LEFT JOIN system_configuration sc ON sc.config_key = 'supported_locations'
WHERE lr.lamp_id = $1 AND lr.is_active = true
GROUP BY lr.lamp_id, lr.email, lr.name, lr.location_index,
         lr.brightness, lr.is_active, lr.last_seen, sc.config_value
"""
UPDATE_LAMP_STATUS = """
UPDATE lamp_registry
SET is_active = $2,
    last_seen = CURRENT_TIMESTAMP,
    updated_at = CURRENT_TIMESTAMP
WHERE lamp_id = $1
"""
LOG_ACTIVITY = """
INSERT INTO activity_log
(lamp_id, activity_type, status, details, created_at)
VALUES ($1, $2, $3, $4, CURRENT_TIMESTAMP)
"""


class Asyncpg:
    """A pool with the specification's parameters, and an event loop to use it in."""

    def __init__(self, url: str, *, json: Literal["decoded", "text", "binary"] = "decoded", size: int = 5) -> None:
        self._loop = uvloop.new_event_loop()
        self._codecs = {"decoded": _decode_json, "text": None, "binary": _binary_json}[json]
        self._pool: asyncpg.Pool = self.run(self._connect(url, size))

    async def _connect(self, url: str, size: int) -> asyncpg.Pool:
        return await asyncpg.create_pool(
            url,
            min_size=size,
            max_size=max(size, 20),
            max_queries=50000,
            max_inactive_connection_lifetime=300,
            timeout=30,
            command_timeout=60,
            server_settings={"jit": "off", "application_name": "surfboard_lamp_backend"},
            init=self._codecs,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.run(self._pool.close())
        self._loop.close()

    def run(self, work: Awaitable[Any]) -> Any:
        """Run a coroutine to its end."""
        return self._loop.run_until_complete(work)

    def side(self, name: str, call: Callable[[], Awaitable[object]], *, tasks: int = 1) -> Side:
        """Return a side that awaits ``call`` again and again, in so many tasks at once."""

        async def some(calls: int) -> None:
            for _ in range(calls):
                await call()

        async def all_of(calls: int) -> None:
            await asyncio.gather(*(some(-(-calls // tasks)) for _ in range(tasks)))

        return Side(name, timed(lambda calls: self.run(some(calls) if tasks == 1 else all_of(calls))))

    async def row(self, statement: str, *arguments: object) -> asyncpg.Record | None:
        """Return the first row of a statement."""
        async with self._pool.acquire() as connection:
            return await connection.fetchrow(statement, *arguments)

    async def execute(self, statement: str, *arguments: object) -> None:
        """Run a statement."""
        async with self._pool.acquire() as connection:
            await connection.execute(statement, *arguments)

    async def copy(self, records: Sequence[tuple[object, ...]], table: str, columns: Sequence[str]) -> None:
        """Copy records to a table."""
        async with self._pool.acquire() as connection:
            await connection.copy_records_to_table(table, records=records, columns=columns)

    async def lamp_configuration(self, lamp_id: UUID) -> dict[str, Any] | None:
        """Return what the specification's repository does."""
        row = await self.row(LAMP_CONFIGURATION, lamp_id)
        return None if row is None else specified(row)


async def _decode_json(connection: asyncpg.Connection) -> None:
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(kind, encoder=json.dumps, decoder=json.loads, schema="pg_catalog")


async def _binary_json(connection: asyncpg.Connection) -> None:
    # The binary form of jsonb is a version byte and the text; COPY takes no other.
    await connection.set_type_codec(
        "jsonb",
        encoder=lambda value: b"\x01" + json.dumps(value).encode(),
        decoder=lambda value: json.loads(value[1:]),
        schema="pg_catalog",
        format="binary",
    )


def specified(row: Any) -> dict[str, Any]:
    """Return a lamp in the specification's format, from a row of its statement."""
    index = row["location_index"]
    names = {location["index"]: location["name"] for location in row["location_data"]}
    keys = ("website_name", "full_url", "api_key", "city", "priority")
    return {
        "lamp_id": str(row["lamp_id"]),
        "location_index": index,
        "location_name": names.get(index, f"Location {index}"),
        "brightness": row["brightness"],
        "is_active": row["is_active"],
        "last_seen": row["last_seen"] and row["last_seen"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        "api_configs": [{key: config[key] for key in keys} for config in row["api_configs"]],
    }
