"""What a database consists of, read from its catalog as facts that can be compared with those of another."""

from typing import Any

import attrs
import psycopg

from surf_data.kernel.postgres import Session
from surf_data.migrate import history
from surf_data.migrate.queries import migrate_queries

# What is compared: lists of object identifiers, in the order of the query's columns.
_SCOPE = ("schemas", "relations", "routines", "types")
# The kinds of facts, each with the arguments of its query.
_QUERIES = {
    "schemas": ("schemas",),
    "extensions": (),
    "types": ("types",),
    "sequences": ("relations",),
    "tables": ("relations",),
    "views": ("relations",),
    "routines": ("routines",),
    "others": (),
    "columns": ("relations",),
    "constraints": ("relations", "types"),
    "indexes": ("relations",),
    "triggers": ("relations",),
    "rules": ("relations",),
    "settings": ("relations",),
    "policies": ("relations",),
    "statistics": ("relations",),
    "grants": (*_SCOPE, "maintain"),
    "default_grants": (),
    "comments": ("schemas", "relations", "history"),
}
#: The kinds of facts, in the order in which they are shown.
KINDS = tuple(_QUERIES)

# The first major version in which the privilege MAINTAIN exists.
_MAINTAIN = 17


@attrs.frozen
class Fact:
    """One thing that holds for an object of a database."""

    #: Its name within the object: of the column, the constraint, the index; empty for the object itself.
    name: str
    #: What it belongs to, such as ``TABLE public.lamp_registry``.
    object: str
    #: What it is, in SQL or nearly so.
    definition: str
    #: One of `KINDS`.
    kind: str


@attrs.frozen(kw_only=True)
class Catalog:
    """What a database consists of."""

    #: All there is; columns in the order of their tables.
    facts: tuple[Fact, ...]
    #: The objects with their owners, who may do everything with them and need no grants.
    owners: frozenset[tuple[str, str]]


def major_version(connection: psycopg.Connection[Any]) -> int:
    """Return the server's major version: 18."""
    return connection.info.server_version // 10_000


def read(connection: psycopg.Connection[Any], *, common_version: int) -> Catalog:
    """Return what the database of ``connection`` consists of. Any role may ask; nothing is changed.

    Left out are PostgreSQL's own schemas, what belongs to extensions, the history of migrations, partitions by time of
    a table that has a default partition, which come and go with the calendar, and what is not the schema's matter:
    owners, tablespaces, versions of extensions, publications, subscriptions, foreign servers, roles.

    Arguments:
        connection: in autocommit mode; from now on it can only read.
        common_version: the lower major version of the two servers that are compared.

    Raises:
        DatabaseError: the server fails to answer.
    """
    connection.read_only = True
    # One moment, whatever changes meanwhile.
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    with Session(connection).transaction() as session:
        # Asked first: how it is found depends on the search path.
        known: dict[str, Any] = {"history": migrate_queries().catalog_history(session, schema=history.schema(session))}
        migrate_queries().catalog_configure(session)
        scope = migrate_queries().catalog_scope(session, **known)
        known |= zip(_SCOPE, scope, strict=True)
        known["maintain"] = common_version >= _MAINTAIN
        facts = [
            Fact(name, owner, definition, kind)
            for kind, asked in _QUERIES.items()
            for name, owner, definition in _ask(session, kind, asked, known)
        ]
        owners = _ask(session, "owners", _SCOPE, known)
    return Catalog(facts=tuple(facts), owners=frozenset((owned, owner) for owned, owner in owners))


def _ask(session: Session, kind: str, asked: tuple[str, ...], known: dict[str, Any]) -> list[tuple[str, ...]]:
    query = getattr(migrate_queries(), f"catalog_{kind}")
    rows: list[tuple[str, ...]] = query(session, **{name: known[name] for name in asked})
    return rows
