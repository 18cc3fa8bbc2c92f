"""``surf-data cache``: fill the cache from a file, and empty it."""

from typing import BinaryIO

import click

from surf_data import lamps
from surf_data.cli import output
from surf_data.cli.lamps import surf_file
from surf_data.cli.target import Target, json_option, pass_target
from surf_data.errors import SurfDataError
from surf_data.kernel.cache.json_values import MAX_TTL_SECONDS
from surf_data.lamps import LampsDataLayer


@click.group(name="cache")
def cache_group() -> None:
    """Fill and empty the cache."""


@cache_group.command
@click.argument("file", type=click.File("rb"))
@click.option(
    "--ttl",
    metavar="SECONDS",
    type=click.IntRange(1, MAX_TTL_SECONDS),
    default=1800,
    show_default=True,
    help="For how long the surf data may be used.",
)
@json_option
@pass_target
def warm(target: Target, file: BinaryIO, ttl: int, *, as_json: bool) -> None:
    """Put surf data from FILE into the cache: all of it or nothing.

    FILE holds one JSON object a line, such as {"location_index": 2, "wave_height_m": 1.8, "wave_period_s": 14}, in
    UTF-8; blank lines are skipped, and - is standard input. Every line is read and checked before anything is stored,
    and an error names the number of the line.
    """
    with target.open_for_bulk(lamps.open) as data:
        with output.progress("Reading", file) as advance:
            surf = surf_file.read(file, advance)
        stored = data.cache.warm_surf_data(surf, ttl)
        if surf and not stored:
            raise SurfDataError(f"Redis did not confirm that it stored the surf data: {_reason(data)}")
    if as_json:
        output.write_json({"stored": stored, "ttl_seconds": ttl})
    else:
        locations = "location" if stored == 1 else "locations"
        output.console().print(f"Stored the surf data of {stored:,} {locations} for {ttl:,} seconds.")


@cache_group.command
@json_option
@pass_target
def flush(target: Target, *, as_json: bool) -> None:
    """Delete what this library keeps in Redis, and nothing else.

    Walks through all keys of the server, a thousand at a time, so that others are not held up.
    """
    with target.open_for_bulk(lamps.open) as data:
        if reason := data.redis.ping().reason:
            raise SurfDataError(f"Redis cannot be used: {reason}")
        deleted = data.cache.flush()
        counts = data.redis.stats()
        if counts["errors"] or counts["rejected"]:
            raise SurfDataError(f"only {deleted} keys are known to be deleted: {_reason(data)}")
    if as_json:
        output.write_json({"deleted": deleted})
    else:
        output.console().print(f"Deleted {deleted:,} {'key' if deleted == 1 else 'keys'}.")


def _reason(data: LampsDataLayer) -> str:
    """Return why Redis did not do what it was asked."""
    return data.redis.ping().reason or "it answers, but refused a command or its reply was lost"
