"""The tables and indexes of a database at one moment, and what happened to them between two."""

from collections.abc import Iterator, Mapping

import attrs

from surf_data.kernel.postgres import Session
from surf_data.migrate.queries import migrate_queries


@attrs.frozen
class Relation:
    """A table, a view, a sequence or an index, in the order of the query's columns."""

    #: PostgreSQL's letter: ``r`` for a table, ``m`` for a materialized view, ``i`` for an index.
    kind: str
    #: Its schema.
    schema: str
    #: Its name within the schema.
    relation: str
    #: Its object identifier.
    oid: int
    #: The object identifier of the table of which it is a partition.
    parent: int | None
    #: Its name with the schema, quoted where need be.
    name: str
    #: The object identifier of the index's table; of a table its own.
    table: int
    #: The file that holds it; ``None`` when it has none.
    file: int | None
    #: How many times this transaction has read it from end to end.
    scans: int
    #: How many times it was vacuumed.
    vacuums: int


#: Tables, indexes and so on, by their object identifiers.
Relations = Mapping[int, Relation]


def relations(session: Session) -> Relations:
    """Return all relations of users' schemas as they are now."""
    rows = (Relation(*row) for row in migrate_queries().locks_relations(session))
    return {relation.oid: relation for relation in rows}


@attrs.frozen
class Change:
    """What happened to relations between two moments."""

    #: The relations at first.
    before: Relations
    #: The relations at last.
    after: Relations

    def rewritten(self) -> set[int]:
        """Return the tables and materialized views that were written anew."""
        return {now.oid for then, now in self._pairs() if now.kind in {"r", "m"} and now.file != then.file}

    def built(self) -> dict[int, list[str]]:
        """Return the names of the indexes that were built, by table."""
        # ALTER COLUMN TYPE replaces an index by another with the same file, if it can.
        files = {then.file for then in self.before.values()}
        built: dict[int, list[str]] = {}
        for now in self.after.values():
            if now.kind == "i" and now.file not in files:
                built.setdefault(now.table, []).append(now.name)
        return {table: sorted(names) for table, names in built.items()}

    def scanned(self) -> set[int]:
        """Return the tables that were read from end to end in the transaction that both moments belong to."""
        return {now.oid for then, now in self._pairs() if now.kind != "i" and now.scans > then.scans}

    def vacuumed(self) -> set[int]:
        """Return the tables that were vacuumed."""
        return {now.oid for then, now in self._pairs() if now.vacuums > then.vacuums}

    def unindexed(self) -> set[int]:
        """Return the tables that lost an index."""
        return {then.table for then in self.before.values() if then.kind == "i" and then.oid not in self.after}

    def detached(self) -> dict[int, int]:
        """Return the tables that are no partitions any more, each with what it was a partition of."""
        return {now.oid: then.parent for then, now in self._pairs() if then.parent is not None and now.parent is None}

    def _pairs(self) -> Iterator[tuple[Relation, Relation]]:
        yield from ((then, self.after[oid]) for oid, then in self.before.items() if oid in self.after)
