"""What there is to be said of a migration by the locks, rewrites and scans that were measured of it."""

from collections.abc import Iterable, Iterator

import attrs

from surf_data.migrate import MigrationEffect, TableEffect
from surf_data.migrate.locks import LOCKS
from surf_data.review.analysis.catalog import Catalog
from surf_data.review.analysis.rows import Relation
from surf_data.review.findings.finding import Finding
from surf_data.review.findings.thresholds import Thresholds

_ORDER = list(LOCKS)
# From here on all writes wait.
_BLOCKING = _ORDER.index("SHARE")
# What a statement has that changes rows.
_WRITING = _ORDER.index("ROW EXCLUSIVE")
_ADVICE = {
    "LOCK": "build indexes CONCURRENTLY, and add constraints NOT VALID, to be validated by a migration of its own",
    "REWRITE": "fill a new column in batches, and let it take the place of the old one",
    "SCAN": "change the rows in batches, each in a transaction of its own",
}


def lock_findings(effects: Iterable[MigrationEffect], catalog: Catalog, thresholds: Thresholds) -> Iterator[Finding]:
    """Yield what of migrations takes long on big tables while others wait; a table of unknown size counts as big.

    Arguments:
        effects: as `surf_data.migrate.measure_locks` returns them.
        catalog: the database that they lead to, which may know how large its tables are.
        thresholds: from where on a table is big.
    """
    for effect in effects:
        held: dict[str, str] = {}
        for statement in effect.statements:
            hits: dict[tuple[str, str], list[_Hit]] = {}
            for table in statement.tables:
                lock = table.lock or held.get(table.table, _ORDER[0])
                if effect.migration.up.transactional:
                    held[table.table] = lock
                code = _code(table, _ORDER.index(lock))
                if code is not None:
                    known = catalog.named(table.table)
                    # A partition is locked as a part of its table.
                    name = table.table if known is None else catalog.relation_name(known.root)
                    hits.setdefault((code, name), []).append(_Hit(table, lock, known))
            for (code, name), found in hits.items():
                rows = _rows(found)
                if rows is None or rows >= thresholds.big_table:
                    message = f"{_told(found, name, rows)} until the transaction ends; {_ADVICE[code]}"
                    yield Finding(
                        code=code,
                        subject=effect.migration.path.name,
                        about=f"{name}: {' '.join(statement.sql.split())}",
                        message=message,
                        file=effect.migration.path,
                        line=statement.line,
                    )


@attrs.frozen
class _Hit:
    """A table, or a part of one, on which a statement works for long."""

    table: TableEffect
    lock: str
    #: ``None`` if it is no longer there in the end.
    known: Relation | None


def _rows(hits: Iterable[_Hit]) -> int | None:
    """Return how many rows there are in all; ``None`` where that is not known."""
    # A partitioned table has no rows but those of its partitions.
    rows = [hit.known.rows if hit.known else None for hit in hits if hit.known is None or hit.known.kind != "p"]
    known = [each for each in rows if each is not None]
    return sum(known) if rows and len(known) == len(rows) else None


def _told(hits: list[_Hit], name: str, rows: int | None) -> str:
    strongest = max(hits, key=lambda hit: _ORDER.index(hit.lock))
    since = "" if strongest.table.lock else ", held since an earlier statement"
    builds = dict.fromkeys(index for hit in hits for index in hit.table.builds)
    does = (
        "rewrites"
        if any(hit.table.rewrites for hit in hits)
        else f"builds {', '.join(builds)} over"
        if builds
        else "reads"
    )
    size = f"{'all' if rows is None else f'{rows:,}'} rows of {name}"
    return f"{strongest.lock}{since}, {does} {size}: {LOCKS[strongest.lock]}"


def _code(table: TableEffect, lock: int) -> str | None:
    if table.rewrites:
        return "REWRITE"
    if lock >= _BLOCKING and (table.scans or table.builds):
        return "LOCK"
    return "SCAN" if lock == _WRITING and table.scans else None
