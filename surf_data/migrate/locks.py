"""What each statement of a migration does to the tables that are there: locks, rewrites, scans, index builds.

It is measured, not guessed: the statement is run on the same schema without rows, in a transaction that is rolled back.
Which lock PostgreSQL takes, and whether it writes a table anew or reads it to its end, does not depend on the rows.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from itertools import chain
from typing import Any, Literal

import attrs
import psycopg

from surf_data.kernel.postgres import Session
from surf_data.migrate.files import Migration, Part
from surf_data.migrate.queries import migrate_queries
from surf_data.migrate.relations import Change, Relations, relations
from surf_data.migrate.replay import OnProgress, described, line_at, replay
from surf_data.migrate.scratch import Connect, Environment, ScratchServer, direct, scratch_database
from surf_data.migrate.statements import Statement, split

#: The locks on tables from the weakest to the strongest, each with what it means for others. Source: PostgreSQL's
#: manual, 13.3.1.
LOCKS = {
    "ACCESS SHARE": "reads and writes go on",
    "ROW SHARE": "writes of the same rows wait",
    "ROW EXCLUSIVE": "writes of the same rows wait",
    "SHARE UPDATE EXCLUSIVE": "reads and writes go on",
    "SHARE": "writes wait",
    "SHARE ROW EXCLUSIVE": "writes wait",
    "EXCLUSIVE": "writes wait",
    "ACCESS EXCLUSIVE": "reads and writes wait",
}
# In the same order, as pg_locks spells them.
_MODES = [f"{lock.title().replace(' ', '')}Lock" for lock in LOCKS]

# What cannot run in a transaction: its lock, and whether it reads the tables from end to end. Source: PostgreSQL's
# manual, 13.3.1 and the pages of the commands.
_MANUAL = (
    (re.compile(r"CREATE (?:UNIQUE )?INDEX CONCURRENTLY\b"), "SHARE UPDATE EXCLUSIVE", True),
    (re.compile(r"DROP INDEX CONCURRENTLY\b"), "SHARE UPDATE EXCLUSIVE", False),
    (re.compile(r"REINDEX\b.* CONCURRENTLY\b"), "SHARE UPDATE EXCLUSIVE", True),
    (re.compile(r"REINDEX\b"), "ACCESS EXCLUSIVE", True),
    (re.compile(r"VACUUM (?:\( (?:[^)]*, )?)?FULL\b(?! (?:FALSE|OFF|0)\b)"), "ACCESS EXCLUSIVE", True),
    (re.compile(r"VACUUM\b"), "SHARE UPDATE EXCLUSIVE", True),
    (re.compile(r"ALTER TABLE\b.* DETACH PARTITION\b.* CONCURRENTLY\b"), "SHARE UPDATE EXCLUSIVE", False),
)
# What reads tables by a query that has no plan to be seen, and as a rule from end to end: to check a foreign key, say.
_READS_ALL = frozenset({"ALTER", "REFRESH"})
# How the server refuses in a transaction block what has to run outside, before it has changed anything.
_NEEDS_NO_TRANSACTION = (psycopg.errors.ActiveSqlTransaction, psycopg.errors.InvalidTransactionTermination)

#: Where the locks are known from: they were ``measured``; or, for what cannot run in a transaction, they are those of
#: PostgreSQL's ``manual``, on the tables that were seen to change; or they are ``unknown``, because that has no entry.
Source = Literal["measured", "manual", "unknown"]


@attrs.frozen(kw_only=True)
class TableEffect:
    """What a statement does to one table, materialized view, view or sequence."""

    #: Its name with the schema.
    table: str
    #: The lock that the statement takes, one of `LOCKS`; ``None`` when the transaction has one as strong already.
    lock: str | None
    #: Whether it is written anew.
    rewrites: bool
    #: Whether it is read from end to end.
    scans: bool
    #: The indexes of it that are built.
    builds: tuple[str, ...]

    @property
    def waits(self) -> str | None:
        """Who has to wait for the lock's end, in words."""
        return None if self.lock is None else LOCKS[self.lock]


@attrs.frozen(kw_only=True)
class StatementEffect:
    """What one statement does to the tables that are there before its transaction."""

    #: Its line in the file, counted from 1.
    line: int
    #: Its text.
    sql: str
    #: How this is known.
    source: Source
    #: The tables, in the order of their names.
    tables: tuple[TableEffect, ...]


@attrs.frozen(kw_only=True)
class MigrationEffect:
    """What a migration does to the tables that are there before."""

    #: The migration.
    migration: Migration
    #: Its statements, without those that are done already.
    statements: tuple[StatementEffect, ...]


def measure_locks(
    connect: Connect,
    server: ScratchServer,
    applied: Sequence[Migration],
    pending: Sequence[tuple[Migration, int]],
    on_start: OnProgress | None = None,
) -> list[MigrationEffect]:
    """Return what pending migrations would do to the tables of a database, which itself is only asked for its settings.

    Arguments:
        connect: connects to the database.
        server: where all is tried, in a database that is made for it and dropped.
        applied: the migrations that were applied, in order.
        pending: those that were not, in order, each with the number of its statements that are done already.
        on_start: called with each before it is tried.

    Raises:
        MigrationError: a migration fails in an empty database; with file and line.
        DatabaseError: a server cannot be reached, or refuses to create a database.
    """
    with closing(direct(connect)) as connection:
        environment = Environment.of(Session(connection))
    with scratch_database(server, environment) as scratch:
        replay(scratch, applied, on_start)
        return measure_in(scratch, pending, on_start)


def measure_in(
    scratch: Connect, pending: Sequence[tuple[Migration, int]], on_start: OnProgress | None = None
) -> list[MigrationEffect]:
    """Return what `measure_locks` does, of a scratch database that holds all that was applied; it is applied there.

    Arguments:
        scratch: connects to the database.
        pending: as for `measure_locks`.
        on_start: as for `measure_locks`.

    Raises:
        MigrationError: a migration fails there; with file and line.
    """
    effects: list[MigrationEffect] = []
    for migration, done in pending:
        if on_start is not None:
            on_start(migration)
        replay(scratch, [_limited(migration, migration.up.parts[:done])])
        measured = [_part(scratch, migration, part) for part in migration.up.parts[done:]]
        effects.append(MigrationEffect(migration=migration, statements=tuple(chain.from_iterable(measured))))
    return effects


def _limited(migration: Migration, parts: tuple[Part, ...]) -> Migration:
    return attrs.evolve(migration, up=attrs.evolve(migration.up, parts=parts))


def _part(connect: Connect, migration: Migration, part: Part) -> list[StatementEffect]:
    """Return what a part does, and do it."""
    statements = list(split(part.sql))
    effects: list[StatementEffect] = []
    with closing(connect()) as connection:
        before = relations(Session(connection))
        failure = _failure(connection, part, statements, effects)
    if failure is not None and (migration.up.transactional or not isinstance(failure, _NEEDS_NO_TRANSACTION)):
        raise described(failure, migration, part, statements[len(effects)].start)
    replay(connect, [_limited(migration, (part,))])
    if failure is None:
        return effects
    with closing(connect()) as connection:
        return [_from_manual(part, statements[0], Change(before, relations(Session(connection))))]


def _failure(
    connection: psycopg.Connection[Any], part: Part, statements: list[Statement], effects: list[StatementEffect]
) -> psycopg.Error | None:
    """Run statements in a transaction that is rolled back, and append what each does; return what ends it early."""
    session = Session(connection)
    # Returned rather than raised, so that what is raised in the end has no driver error hanging on it.
    try:
        with connection.transaction(force_rollback=True):
            known = relations(session)
            after, held = known, _held(session, known)
            for statement in statements:
                planned = _planned_scans(connection, statement, after)
                migrate_queries().locks_scan(session, scans="on" if statement.words[0] in _READS_ALL else "off")
                connection.execute(statement.sql.encode(), prepare=False)
                change = Change(after, relations(session))
                after, before_held, held = change.after, held, _held(session, known)
                taken = {table: lock for table, lock in held.items() if lock > before_held.get(table, -1)}
                if statement.words[0] == "TRUNCATE":
                    # The table and its indexes get new files, with nothing in them.
                    tables = _tables(known, taken, Change(after, after), set())
                else:
                    tables = _tables(known, taken, change, change.scanned() if planned is None else planned)
                line = line_at(part, statement.start)
                effects.append(StatementEffect(line=line, sql=statement.sql, source="measured", tables=tables))
    except psycopg.Error as error:
        return error
    return None


def _held(session: Session, known: Relations) -> dict[int, int]:
    """Return the strongest lock on each known table or an index of it, as its place in `LOCKS`."""
    held: dict[int, int] = {}
    for oid, mode in migrate_queries().locks_held(session):
        if oid is not None and mode is not None and oid in known:
            # Planning a query on a table locks its indexes as well.
            table = known[oid].table
            held[table] = max(held.get(table, -1), _MODES.index(mode))
    return held


def _planned_scans(connection: psycopg.Connection[Any], statement: Statement, present: Relations) -> set[int] | None:
    """Return the tables that a query cannot but read from end to end; ``None`` for a statement without a plan.

    Without rows much of a plan is never run, so it is the plan that tells.
    """
    try:
        with connection.transaction(force_rollback=True):
            migrate_queries().locks_scan(Session(connection), scans="off")
            # A statement of a file cannot be a parameter.
            row = connection.execute(
                b"EXPLAIN (VERBOSE, FORMAT JSON) " + statement.sql.encode(), prepare=False
            ).fetchone()
    except psycopg.Error:
        # It is no query; or it fails, and will say so.
        return None
    [plan] = row[0] if row is not None else [None]
    if not isinstance(plan, dict):
        # Of some it says that they have none.
        return None
    names = {*_sequential(plan["Plan"])}
    return {oid for oid, each in present.items() if (each.schema, each.relation) in names}


def _sequential(plan: Mapping[str, Any], *, limited: bool = False) -> Iterator[tuple[str, str]]:
    # An index may also serve for the order alone.
    ordered = plan["Node Type"] == "Index Scan" and "Index Cond" not in plan
    if plan["Node Type"] == "Seq Scan" or (ordered and not limited):
        yield plan["Schema"], plan["Relation Name"]
    for below in plan.get("Plans", ()):
        yield from _sequential(below, limited=limited or plan["Node Type"] == "Limit")


def _tables(known: Relations, locks: Mapping[int, int], change: Change, scans: set[int]) -> tuple[TableEffect, ...]:
    rewritten, built, modes = change.rewritten(), change.built(), list(LOCKS)
    effects = [
        TableEffect(
            table=known[table].name,
            lock=modes[locks[table]] if table in locks else None,
            rewrites=table in rewritten,
            scans=table in scans,
            builds=tuple(built.get(table, ())),
        )
        # No other session can see a table that the transaction itself has created.
        for table in {*locks, *rewritten, *built, *scans} & {*known}
    ]
    return tuple(sorted(effects, key=lambda effect: effect.table))


def _from_manual(part: Part, statement: Statement, change: Change) -> StatementEffect:
    """Return what the manual says of a statement, for the tables that it has touched."""
    words = " ".join(statement.words)
    found = next(((lock, scans) for pattern, lock, scans in _MANUAL if pattern.match(words)), None)
    line = line_at(part, statement.start)
    if found is None:
        tables = _tables(change.before, {}, change, set())
        return StatementEffect(line=line, sql=statement.sql, source="unknown", tables=tables)
    strength, partitions = list(LOCKS).index(found[0]), change.detached()
    touched = {*change.rewritten(), *change.built(), *change.vacuumed(), *change.unindexed(), *partitions.values()}
    # At its end it waits for the last reader of the partition.
    locks = {**dict.fromkeys(touched, strength), **dict.fromkeys(partitions, list(LOCKS).index("ACCESS EXCLUSIVE"))}
    tables = _tables(change.before, locks, change, touched if found[1] else set())
    return StatementEffect(line=line, sql=statement.sql, source="manual", tables=tables)
