"""``surf-data mining``: what the mining services may read, and what they have left to be archived."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import click

from surf_data import mining
from surf_data.cli import output, tables
from surf_data.cli.target import Target, json_option, pass_target
from surf_data.mining import PgsqlActionDAO, RedisSourceDAO

_PULL_LIMIT = 100


@click.group(name="mining")
def group() -> None:
    """Read cycles, checkpoints and regions, and archive cycles that are over."""


@group.command(name="tables")
@json_option
@pass_target
def list_tables(target: Target, *, as_json: bool) -> None:
    """List the tables that may be read, with their columns and types.

    A filter for them is column = 'text', >= 5, IS NULL, IN (...), BETWEEN ... AND ..., LIKE 'a%', joined by AND, OR,
    NOT and parentheses. Times are in quotes, and UTC unless they have a zone.
    """
    with target.open(mining.open, pool_min_size=1) as data:
        found = data.tables.tables()
    if as_json:
        output.write_json(found)
        return
    rows = [
        (name, f"{len(columns)}", ", ".join(f"{column} {kind}" for column, kind in columns.items()))
        for name, columns in found.items()
    ]
    output.console().print(tables.table("table", "columns", "what", rows=rows, right={"columns"}, whole={"table"}))


@group.command
@click.argument("table")
@click.option("--filter", "condition", metavar="CONDITION", help="Which rows; %s stands for a --value.")
@click.option("--value", "values", metavar="VALUE", multiple=True, help="A text for the next %s; give it as often.")
@click.option("--columns", metavar="LIST", help="Columns, each NAME or NAME AS ALIAS.")
@click.option("--order", metavar="LIST", help="Columns, each with ASC or DESC if wanted.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=_PULL_LIMIT, show_default=True)
@json_option
@pass_target
def pull(
    target: Target,
    *,
    table: str,
    condition: str | None,
    values: Sequence[str],
    columns: str | None,
    order: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """Show rows of TABLE, as a service reads them."""
    query = {
        "table": table,
        "target_columns": columns,
        "target_filter": condition,
        "target_params": list(values),
        "target_order": order,
        "target_limit": limit,
    }
    with target.open(mining.open, pool_min_size=1) as data:
        rows = PgsqlActionDAO(data).pull_data_from_table(single_query=query) or []
    if as_json:
        output.write_json([{name: _plain(value) for name, value in row.items()} for row in rows])
        return
    if not rows:
        output.console().print("No rows.")
        return
    output.console().print(tables.table(*rows[0], rows=[[_shown(value) for value in row.values()] for row in rows]))


@group.command
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=10_000, show_default=True, help="Cycles in one transaction."
)
@json_option
@pass_target
def finalize(target: Target, *, limit: int, as_json: bool) -> None:
    """Archive the cycles that are over and that no service has archived.

    Services archive a cycle when they close it; what is found here was left by one that was interrupted. Several of
    these commands may run at once.
    """
    archived = 0
    with target.open(mining.open, pool_min_size=1) as data:
        dao = PgsqlActionDAO(data)
        while portion := dao.finalize_completed(limit):
            archived += portion
    if as_json:
        output.write_json({"archived": archived})
    else:
        output.console().print(f"Archived {archived:,} {'cycle' if archived == 1 else 'cycles'}.")


@group.command
@click.argument("asset")
@click.option("--all", "every", is_flag=True, help="All versions, not the newest alone.")
@click.option("--versioned", is_flag=True, help="Regions as this library stores them, not as other services do.")
@json_option
@pass_target
def regions(target: Target, asset: str, *, every: bool, versioned: bool, as_json: bool) -> None:
    """Show the regions of ASSET, as Redis has them."""
    with target.open(mining.open, pool_min_size=1) as data:
        dao = RedisSourceDAO(data, layout="versioned" if versioned else "foreign")
        found = dao.get_asset_regions(asset, include_all_versions=every) or []
    if as_json:
        output.write_json(found)
    elif not found:
        output.console().print("No regions.")
    else:
        rows = [[_shown(value) for value in region.values()] for region in found]
        output.console().print(tables.table(*found[0], rows=rows))


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return tables.moment(value) if isinstance(value, datetime) else str(value)
