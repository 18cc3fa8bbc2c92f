"""What a Citus cluster would do with a query: its own plan, in the words of the review."""

import json
import re
from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg.pq import ExecStatus

from surf_data.kernel.postgres.query_source import QuerySource

# A value of each type; of an array several, so that they are in several shards.
_VALUES = {
    "bigint": "1",
    "boolean": "true",
    "bytea": "x",
    "character varying": "a",
    "date": "2026-01-01",
    "double precision": "1",
    "inet": "127.0.0.1",
    "integer": "1",
    "interval": "1 day",
    "json": "{}",
    "jsonb": "{}",
    "numeric": "1",
    "regclass": "pg_class",
    "smallint": "1",
    "text": "a",
    "timestamp with time zone": "2026-01-01 00:00:00+00",
    "uuid": "00000000-0000-0000-0000-00000000000a",
    "xid8": "1",
}
_SEVERAL = {
    "uuid": ",".join(f"00000000-0000-0000-0000-0000000000{number:02x}" for number in range(20)),
    "text": ",".join("abcdefghijklmnopqrst"),
    "bigint": ",".join(map(str, range(1, 21))),
    "integer": ",".join(map(str, range(1, 21))),
}


def observed(connection: psycopg.Connection[Any], query: QuerySource) -> str:
    """Return where a cluster would run a query: ``one``, ``several``, ``pulled``, ``local`` or ``refused``, and why.

    What is ``pulled`` is inserted by the coordinator, from rows that it has of one shard or of none.

    Arguments:
        connection: to the coordinator, in autocommit mode.
        query: one that can be explained.
    """
    try:
        with connection.transaction(force_rollback=True):
            [[plan]] = _explained(connection, query)
    except psycopg.Error as error:
        return f"refused: {error.sqlstate} {error.diag.message_primary} {error.diag.message_detail or ''}".strip()
    finally:
        connection.execute("DEALLOCATE ALL")
    found = list(_jobs(plan))
    if not found:
        return "local"
    if any(count > 1 for count in found):
        return "several"
    return "one" if all(found) else "pulled"


def _explained(connection: psycopg.Connection[Any], query: QuerySource) -> list[Any]:
    server = connection.pgconn
    prepared = server.prepare(b"asked", query.wire.encode())
    if prepared.status != ExecStatus.COMMAND_OK:
        raise psycopg.errors.error_from_result(prepared)
    told = server.describe_prepared(b"asked")
    oids = [told.param_type(place) for place in range(told.nparams)]
    values = [_value(connection, str(_one(connection, "SELECT format_type(%s, NULL)", oid))) for oid in oids]
    # In their places, because Citus explains some of what it runs with parameters only without.
    written = re.sub(r"\$([0-9]+)", lambda place: values[int(place[1]) - 1], query.wire)
    return connection.execute(f"EXPLAIN (FORMAT JSON, COSTS OFF) {written}".encode()).fetchall()


def _one(connection: psycopg.Connection[Any], sql: str, *values: Any) -> Any:
    row = connection.execute(sql.encode(), values).fetchone()
    return row[0] if row else None


def _value(connection: psycopg.Connection[Any], name: str) -> str:
    if name.endswith("[]"):
        element = name.removesuffix("[]")
        several = _SEVERAL.get(element) or ",".join([json.dumps(_VALUES[element])] * 2)
        return f"'{{{several}}}'::{name}"
    labels = _one(connection, "SELECT enumlabel FROM pg_enum WHERE enumtypid = to_regtype(%s) LIMIT 1", name)
    return f"'{labels or _VALUES[name]}'::{name}"


def _jobs(node: Any) -> Iterator[int]:
    """Yield of how many tasks each part of a plan is; 0 for what goes through the coordinator."""
    if isinstance(node, list):
        for each in node:
            yield from _jobs(each)
    elif isinstance(node, dict):
        if any(each in str(node.get("Custom Plan Provider", "")) for each in ("INSERT ... SELECT", "MERGE INTO")):
            yield 0
        if "Task Count" in node:
            yield int(node["Task Count"])
        for each in node.values():
            yield from _jobs(each)
