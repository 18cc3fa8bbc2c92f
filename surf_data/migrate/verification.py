"""Compares a database with what its migrations make: the check for drift."""

import difflib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing

import attrs

from surf_data.kernel.postgres import Session
from surf_data.migrate import catalog
from surf_data.migrate.catalog import KINDS, Catalog, Fact
from surf_data.migrate.files import Migration
from surf_data.migrate.replay import OnProgress, replay
from surf_data.migrate.scratch import Connect, Environment, ScratchServer, direct, scratch_database


@attrs.frozen(kw_only=True)
class Difference:
    """How one object of a database differs from what the migrations make."""

    #: The object: ``TABLE public.lamp_registry``.
    object: str
    #: What differs, a line each. What only the database has begins with ``-`` and a space, what only the migrations
    #: make with ``+`` and a space, and lines around these in a definition of several lines with two spaces.
    lines: tuple[str, ...]


def verify(
    connect: Connect, server: ScratchServer, migrations: Sequence[Migration], on_start: OnProgress | None = None
) -> list[Difference]:
    """Return how a database differs from what migrations make of an empty one; nothing when it does not.

    The database itself is only read.

    Arguments:
        connect: connects to the database; the role needs no privileges.
        server: where the migrations are replayed, in a database that is made for it and dropped.
        migrations: the files that were applied, in order.
        on_start: called with each before it is replayed.

    Raises:
        MigrationError: a migration fails in an empty database; with file and line.
        DatabaseError: a server cannot be reached, or refuses to create a database.
    """
    with closing(direct(connect)) as connection:
        with scratch_database(server, Environment.of(Session(connection))) as scratch:
            replay(scratch, migrations, on_start)
            with closing(scratch()) as other:
                common = min(catalog.major_version(each) for each in (connection, other))
                made = catalog.read(other, common_version=common)
        return differences(catalog.read(connection, common_version=common), made)


def differences(actual: Catalog, made: Catalog) -> list[Difference]:
    """Return how two catalogs differ, in the order of the objects' names.

    Arguments:
        actual: what a database consists of; its lines begin with ``-``.
        made: what it should consist of; its lines begin with ``+``.
    """
    owners = actual.owners | made.owners
    sides = [_by_object(side, owners) for side in (actual, made)]
    found = (
        Difference(object=name, lines=tuple(_lines(*(side.get(name, []) for side in sides))))
        for name in sorted({*sides[0], *sides[1]})
    )
    return [difference for difference in found if difference.lines]


def _by_object(side: Catalog, owners: frozenset[tuple[str, str]]) -> dict[str, list[Fact]]:
    objects: defaultdict[str, list[Fact]] = defaultdict(list)
    for fact in side.facts:
        # What one database's owner may do without a grant may be granted to the same role in the other.
        if fact.kind != "grants" or (fact.object, fact.name) not in owners:
            objects[fact.object].append(fact)
    return objects


def _lines(actual: list[Fact], made: list[Fact]) -> Iterator[str]:
    """Yield what differs between the facts about one object."""
    columns = {name: place for place, name in enumerate(dict.fromkeys([*_columns(made), *_columns(actual)]))}
    definitions: defaultdict[tuple[int, int, str], tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for side, facts in enumerate((actual, made)):
        # Sorted, because a role may have several grants.
        for fact in sorted(facts, key=lambda fact: fact.definition):
            place = columns[fact.name] if fact.kind == "columns" else 0
            definitions[KINDS.index(fact.kind), place, fact.name][side].extend(fact.definition.split("\n"))
    for _, (ours, theirs) in sorted(definitions.items()):
        yield from _unlike(ours, theirs)
    both = {*_columns(actual)} & {*_columns(made)}
    orders = (", ".join(name for name in _columns(facts) if name in both) for facts in (actual, made))
    yield from _unlike(*([f"COLUMN ORDER ({names})"] for names in orders))


def _columns(facts: list[Fact]) -> list[str]:
    return [fact.name for fact in facts if fact.kind == "columns"]


def _unlike(ours: list[str], theirs: list[str]) -> Iterator[str]:
    # The first two lines would name files.
    for line in list(difflib.unified_diff(ours, theirs, lineterm=""))[2:]:
        if not line.startswith("@@"):
            yield f"{line[0]} {line[1:]}"
        elif not line.startswith(("@@ -1 ", "@@ -1,", "@@ -0,")):
            yield "  ..."
