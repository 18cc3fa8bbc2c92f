"""What there is to be said of queries and tables where they are declared to be in shards."""

from collections.abc import Iterable, Iterator, Mapping

from surf_data.review.analysis.catalog import Catalog
from surf_data.review.analysis.facts import Facts, Outcome
from surf_data.review.analysis.rows import ForeignKey
from surf_data.review.distribution.layout import Layout
from surf_data.review.distribution.verdicts import Verdict
from surf_data.review.findings.finding import Finding
from surf_data.review.findings.query_rules import found

_SETS = frozenset({"n", "d"})


def shard_findings(outcomes: Iterable[Outcome], verdicts: Mapping[str, Verdict]) -> Iterator[Finding]:
    """Yield the queries that a cluster refuses, and those that ask every shard.

    Arguments:
        outcomes: the queries.
        verdicts: where each of them runs, by its full name.
    """
    for outcome in outcomes:
        verdict = verdicts.get(outcome.query.name)
        if not isinstance(outcome, Facts) or verdict is None:
            continue
        if verdict.kind == "refused":
            yield found(outcome.query, "NO-SHARD", "", f"a cluster refuses it: {verdict.reason}")
        elif verdict.kind == "all shards" and outcome.command != "COPY":
            message = (
                f"it asks every shard, and costs the more the more there are: {verdict.reason}; give it the "
                "distribution column, or say why it may"
            )
            yield found(outcome.query, "ALL-SHARDS", "", message)


def layout_findings(catalog: Catalog, layout: Layout) -> Iterator[Finding]:
    """Yield what of the tables cannot be kept once they are where they are declared to be.

    Arguments:
        catalog: the schema.
        layout: where its tables are.
    """
    for relation, table in layout.distributed.items():
        name = catalog.relation_name(relation)
        for index in catalog.indexes.get(relation, ()):
            if index.is_unique and table.number not in index.columns[: index.size]:
                message = (
                    f"{name} is in shards by {table.column}, and no shard knows what is unique in all of them: add the "
                    "column to the key, or keep the key in a table of its own"
                )
                yield Finding(code="SHARD-KEY", subject=index.name, about=name, message=message)
    for key in catalog.foreign_keys:
        problem = _problem(key, layout, catalog)
        if problem is not None:
            name, parent = catalog.relation_name(key.relation), catalog.relation_name(key.parent)
            message = f"the foreign key from {name} to {parent} cannot be kept: {problem}"
            yield Finding(code="SHARD-KEY", subject=key.name, about=name, message=message)
    for relation in [*layout.distributed, *sorted(layout.references)]:
        for trigger in catalog.triggers.get(relation, ()):
            name = catalog.relation_name(relation)
            message = (
                f"{trigger.function}() would run on each node for itself: let a shard's statement do what it does, or "
                f"leave {name} where it is"
            )
            yield Finding(code="SHARD-TRIGGER", subject=trigger.name, about=name, message=message)


def _problem(key: ForeignKey, layout: Layout, catalog: Catalog) -> str | None:
    """Return why a foreign key cannot be kept, ``None`` if it can."""
    child, parent = layout.distributed.get(key.relation), layout.distributed.get(key.parent)
    if child is None:
        if parent is not None:
            return f"{catalog.relation_name(key.relation)} is not in the shards of its parent"
        is_kept = key.relation not in layout.references or key.parent in layout.references
        return None if is_kept else "a table that is whole on each node leads to none that is not"
    if key.parent in layout.references:
        kept = child.number not in key.columns or not _SETS & {key.on_delete, key.on_update}
        return None if kept else f"it would change {child.column}, which decides the shard"
    if parent is None:
        return "its parent is neither in shards nor a reference table"
    pairs = set(zip(key.columns, key.parent_columns, strict=True))
    if child.group != parent.group or (child.number, parent.number) not in pairs:
        return f"{child.column} does not lead to {parent.column} of the same shard"
    if _SETS & {key.on_delete, key.on_update}:
        return f"it would change {child.column}, which decides the shard"
    return None
