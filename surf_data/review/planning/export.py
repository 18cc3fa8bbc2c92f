"""Writes down how large the tables of a running server are, in the form of a declared scale.

Figures only: rows, pages, how many values are distinct or null, how wide they are. ANALYZE also notes values, the most
frequent ones and the bounds of histograms; those are people's data, and are not even asked for.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import psycopg

from surf_data.kernel.postgres import Session
from surf_data.review.planning.catalog_rows import ExportedColumn, ExportedTable, PlannerSetting
from surf_data.review.planning.scale import MOST_BYTES
from surf_data.review.planning.scale_queries import scale_queries

_BARE_KEY = re.compile("[A-Za-z0-9_-]+")
_HEAD = """\
# How large the tables are, as VACUUM and ANALYZE last found them. Written by surf-data scale export in a read-only
# session; there is no value from the data here. Ranges are such values, and so they are for people to add:
# created_at = { ..., range = ["now - 730 days", "now"] }"""


def export_scale(connection: psycopg.Connection[Any]) -> str:
    """Return what a server knows of the size of its tables, as the text of a ``scale.toml``.

    Nothing can be changed: from here on the session's transactions are read-only.

    Arguments:
        connection: an idle connection in autocommit mode to the database, PostgreSQL 15 or newer, of a role that may
            read the tables; of columns that it may not read, the file only says that they are there.

    Raises:
        DatabaseError: the server cannot be asked.
    """
    ask, session = scale_queries(), Session(connection)
    ask.export_read_only(session)
    columns: dict[tuple[str, str], list[ExportedColumn]] = {}
    for column in ask.export_column_list(session):
        columns.setdefault((column.schema, column.relation), []).append(column)
    tables = (
        "\n".join(_table(table, columns.get((table.schema, table.name), [])))
        for table in ask.export_table_list(session)
    )
    return "\n\n".join([_HEAD, *_settings(ask.planner_setting_list(session)), *tables]) + "\n"


def _settings(settings: list[PlannerSetting]) -> Iterator[str]:
    changed = [f"{setting.name} = {_text(setting.value)}" for setting in settings if not setting.is_default]
    if changed:
        yield "\n".join(
            ["# What the planner reckons with, where that is not PostgreSQL's own.", "[settings]", *changed]
        )


def _table(table: ExportedTable, columns: list[ExportedColumn]) -> Iterator[str]:
    name = table.name if table.is_visible else f"{table.schema}.{table.name}"
    if table.rows < 0:
        yield f"# {_key(name)} was never analysed."
        return
    yield f"[tables.{_key(name)}]"
    yield f"rows = {round(table.rows):_}"
    if not table.is_partitioned:
        yield f"pages = {table.pages:_}"
        yield f"visible = {table.visible / table.pages if table.pages else 1:.3g}"
    if columns:
        yield ""
        yield f"[tables.{_key(name)}.columns]"
    for column in columns:
        if column.nulls is None:
            yield f"# Of {_key(column.name)} nothing is known."
        else:
            yield f"{_key(column.name)} = {{ {', '.join(_figures(column, table.rows))} }}"


def _figures(column: ExportedColumn, rows: float) -> Iterator[str]:
    if column.distinct_values:
        count = column.distinct_values if column.distinct_values > 0 else -column.distinct_values * rows
        yield f"distinct = {min(round(count), round(rows)):_}"
    yield f"nulls = {column.nulls:.4g}"
    if column.width:
        yield f"width = {min(column.width, MOST_BYTES)}"
    if column.correlation is not None:
        yield f"correlation = {column.correlation:.4g}"


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else _text(name)


def _text(value: str) -> str:
    # TOML's strings are JSON's, but for one control character.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
