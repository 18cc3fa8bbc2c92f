"""What there is to be said of a schema: of its indexes and foreign keys, which no query has in its header."""

import re
from collections.abc import Iterable, Iterator

from surf_data.review.analysis.catalog import Catalog
from surf_data.review.analysis.rows import ForeignKey, Index
from surf_data.review.findings.finding import Finding
from surf_data.review.findings.thresholds import Thresholds
from surf_data.review.planning.plans import Plan

# A name that needs no quotes, unless it is a keyword.
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")


def missing_indexes(catalog: Catalog, thresholds: Thresholds) -> Iterator[Finding]:
    """Yield the foreign keys whose rows PostgreSQL finds only by reading the whole table when their parent's goes.

    Tables that are known to be small are left out.

    Arguments:
        catalog: the database.
        thresholds: from where on a table is big.
    """
    names = _subjects(((key.relation, key.name) for key in catalog.foreign_keys), catalog)
    for key in catalog.foreign_keys:
        rows = catalog.relations[key.relation].rows
        small = rows is not None and rows < thresholds.big_table
        if small or any(_serves(index, key, catalog) for index in catalog.indexes.get(key.relation, ())):
            continue
        table, parent = catalog.relation_name(key.relation), catalog.relation_name(key.parent)
        columns = ", ".join(map(_quoted, _names(catalog, key.relation, key.columns)))
        size = "" if rows is None else f", {rows:,} rows,"
        message = (
            f"a row of {parent} that goes, or whose key changes, has all of {table}{size} read for those that refer to "
            f"it: CREATE INDEX CONCURRENTLY ON {table} ({columns})"
        )
        yield Finding(code="FK-INDEX", subject=names[key.relation, key.name], about=table, message=message)


def unused_indexes(catalog: Catalog, plans: Iterable[Plan], thresholds: Thresholds) -> Iterator[Finding]:
    """Yield the indexes of big tables that no plan reads, and no constraint needs.

    Arguments:
        catalog: the database, which was told how large its tables are.
        plans: all plans of all queries in it.
        thresholds: from where on a table is big.
    """
    used = {node.index for plan in plans for node in plan.nodes()}
    own = ((relation, index.name) for relation, indexes in catalog.indexes.items() for index in indexes)
    names = _subjects(own, catalog)
    for relation, indexes in catalog.indexes.items():
        rows = catalog.relations[relation].rows or 0
        keys = [key for key in catalog.foreign_keys if key.relation == relation]
        for index in indexes if rows >= thresholds.big_table else ():
            needed = index.is_constraint or index.is_unique or any(_serves(index, key, catalog) for key in keys)
            if not needed and not used & {index.name, *index.parts}:
                table = catalog.relation_name(relation)
                message = (
                    f"no query's plan reads it, no constraint needs it, and every write to {table}, {rows:,} rows, "
                    f"pays for it: DROP INDEX CONCURRENTLY {_quoted(index.name)}, or say who uses it"
                )
                yield Finding(code="UNUSED-INDEX", subject=names[relation, index.name], about=table, message=message)


def _subjects(names: Iterable[tuple[int, str]], catalog: Catalog) -> dict[tuple[int, str], str]:
    """Return what each constraint or index is called: by its name alone where no table before has one of that name."""
    subjects: dict[tuple[int, str], str] = {}
    taken: set[str] = set()
    for relation, name in sorted(names):
        subjects[relation, name] = f"{catalog.relation_name(relation)}.{name}" if name in taken else name
        taken.add(name)
    return subjects


def _serves(index: Index, key: ForeignKey, catalog: Catalog) -> bool:
    """Return whether an index finds the rows that refer to a parent's row."""
    first = index.columns[: index.size][: len(key.columns)]
    # In any order; and what leaves out nulls leaves out nothing that refers to a row.
    names = "|".join(map(re.escape, _names(catalog, key.relation, key.columns)))
    whole = index.condition is None or re.fullmatch(rf'\(*"?(?:{names})"? IS NOT NULL\)*', index.condition)
    return sorted(first) == sorted(key.columns) and bool(whole) and not index.is_summary


def _quoted(name: str) -> str:
    """Return a name as SQL has it, with quotes where it needs them."""
    doubled = name.replace('"', '""')
    return name if _PLAIN.fullmatch(name) else f'"{doubled}"'


def _names(catalog: Catalog, relation: int, numbers: Iterable[int]) -> list[str]:
    columns = catalog.columns[relation]
    return [columns[number].name for number in numbers]
