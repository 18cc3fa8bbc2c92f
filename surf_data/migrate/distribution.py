"""Spreads a domain's tables over the nodes of a Citus cluster, and takes them back.

Where a table is, the cluster itself says; the history says when it came there. A table is spread in one transaction
with its record, so a run that is interrupted leaves whole tables, and the next one goes on with the rest.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import timedelta
from graphlib import TopologicalSorter
from time import perf_counter
from typing import Any

import attrs
import psycopg

from surf_data.errors import DatabaseError, MigrationError
from surf_data.kernel import validation
from surf_data.kernel.log_messages import get_logger
from surf_data.kernel.postgres import Session
from surf_data.kernel.postgres.cluster_queries import cluster_queries
from surf_data.migrate import history
from surf_data.migrate.connecting import connected
from surf_data.migrate.execution import Limits, seconds
from surf_data.migrate.lock import run_alone
from surf_data.migrate.placement import Placement

_log = get_logger("surf_data.migrate.distribution")

_NO_EXTENSION = (
    "this database has no Citus: tables are spread over a cluster alone. Run CREATE EXTENSION citus in it, on each "
    "node, and tell the coordinator of the workers by citus_add_node"
)


@attrs.frozen(kw_only=True)
class TablePlacement:
    """One table that is spread, or is to be."""

    #: Its name, as it is declared.
    table: str
    #: Where its rows belong.
    placement: Placement

    @property
    def label(self) -> str:
        """What it is, in words: ``mining.asset_cycles in shards by asset_guid``."""
        if self.placement.is_reference:
            return f"{self.table} whole on each node"
        beside = f" beside {self.placement.beside}" if self.placement.beside else ""
        return f"{self.table} in shards by {self.placement.column}{beside}"


#: Called with each table after its transaction was committed. What it raises ends the run.
OnPlaced = Callable[[TablePlacement], object]


@attrs.frozen
class _Found:
    """A table as it is declared and as it is."""

    wanted: TablePlacement
    relation: int
    #: Whether the cluster has it where it is declared to be.
    is_done: bool


class Distribution:
    """Spreads the tables of one domain over a cluster.

    Arguments:
        connect: returns a new connection; directly to the coordinator, as the owner of the tables.
        placements: where tables are declared to be, by name; what is to stay where it is may be left out.
        domain: the name of the domain's history, 1 to 55 of the characters a to z, 0 to 9, _ and -.
        lock_wait: for how many seconds a run waits for another run to end; 0 or more.
        lock_timeout: for how many seconds a step waits for a lock on a table while others queue behind it; 0.001 or
            more.

    Raises:
        ValidationError: an argument is out of its range.
    """

    def __init__(
        self,
        connect: Callable[[], psycopg.Connection[Any]],
        placements: Mapping[str, Placement],
        domain: str,
        *,
        lock_wait: float = 60.0,
        lock_timeout: float = 3.0,
    ) -> None:
        self._connect = connect
        self._placements = placements
        self._history = history.of_cluster(validation.identifier("domain", domain, marks="_-"))
        self._lock_wait = seconds("lock_wait", lock_wait, minimum=0)
        timeout = seconds("lock_timeout", lock_timeout, minimum=0.001)
        self._limits = Limits(lock_timeout=timeout, statement_timeout=0, attempts=1)

    def distribute(self, on_placed: OnPlaced | None = None, *, dry_run: bool = False) -> list[TablePlacement]:
        """Spread the tables that are declared and not spread yet: those that all need first, parents before others.

        While the rows of a table are spread, no other session writes to it.

        Arguments:
            on_placed: called with each table.
            dry_run: check, say what would be spread, and change nothing.

        Returns:
            The tables that this run has spread, in order; empty when there was nothing to do.

        Raises:
            MigrationError: before anything is done, when the database is on no cluster, a table is missing, is
                elsewhere than it is declared, or has what shards cannot keep, or another run does not end; else because
                a table was refused. Those before it stay spread.
            DatabaseError: the server cannot be reached.
        """
        with self._working(dry_run=dry_run) as (connection, session):
            found = self._found(session)
            chosen = list(_ordered(session, [each for each in found if not each.is_done]))
            _check(session, chosen)
            if not dry_run:
                for each in chosen:
                    self._run(connection, session, each, on_placed)
                if any(each.wanted.placement.is_reference for each in chosen):
                    self._keep(connection, session, found)
                self._free(session, found)
        return [each.wanted for each in chosen]

    def undistribute(self, on_placed: OnPlaced | None = None, *, dry_run: bool = False) -> list[TablePlacement]:
        """Take the tables back to the coordinator, all in one transaction.

        While that is done, no other session reads or writes them, nor what is tied to them by foreign keys.

        Arguments:
            on_placed: called with each table, after the transaction.
            dry_run: say what would be taken back, and change nothing.

        Returns:
            The tables that this run has taken back; empty when there was nothing to do.

        Raises:
            MigrationError: as `distribute`.
            DatabaseError: the server cannot be reached.
        """
        with self._working(dry_run=dry_run) as (connection, session):
            done = [each for each in self._found(session) if each.is_done]
            chosen = list(_ordered(session, done))[::-1]
            if chosen and not dry_run:
                self._restore(connection, session, chosen)
                for each in chosen:
                    _tell(on_placed, each)
        return [each.wanted for each in chosen]

    def _found(self, session: Session) -> list[_Found]:
        """Return the tables that are to be spread, after comparing them with those that are."""
        ask = cluster_queries()
        placed = {relation: rest for relation, *rest in ask.cluster_table_list(session)}
        wanted = {name: each for name, each in self._placements.items() if each.column or each.is_reference}
        looked_up = {name: ask.table_find(session, name=name) for name in wanted}
        relations = {name: relation for name, relation in looked_up.items() if relation is not None}
        if missing := [name for name in wanted if name not in relations]:
            raise MigrationError(f"there is no table {', '.join(missing)}: apply the migrations first")
        found: list[_Found] = []
        for name, placement in wanted.items():
            told = TablePlacement(table=name, placement=placement)
            known = placed.get(relations[name])
            if known is not None:
                is_reference, column, colocation = known
                other = known if placement.beside is None else placed.get(relations[placement.beside])
                beside = other is not None and other[2] == colocation
                if (is_reference, column) != (placement.is_reference, placement.column) or not beside:
                    where = "whole on each node" if is_reference else f"in shards by {column}"
                    raise MigrationError(f"{name} is {where}, and declared as {told.label}: undistribute it first")
            found.append(_Found(told, relations[name], known is not None))
        return found

    def _run(
        self, connection: psycopg.Connection[Any], session: Session, each: _Found, on_placed: OnPlaced | None
    ) -> None:
        started = perf_counter()
        label = each.wanted.label

        def step() -> None:
            self._limits.configure(session, transaction=True)
            _move(session, each.wanted)
            duration = timedelta(seconds=perf_counter() - started)
            history.note(session, self._history, label, hashlib.sha256(label.encode()).hexdigest(), duration)

        _do(connection, step, each.wanted.table)
        facts = {"table": each.wanted.table, "duration_ms": (perf_counter() - started) * 1000}
        _log.info("table spread", extra=facts)
        _tell(on_placed, each)

    def _restore(self, connection: psycopg.Connection[Any], session: Session, chosen: list[_Found]) -> None:
        started = perf_counter()

        def step() -> None:
            self._limits.configure(session, transaction=True)
            cluster_queries().cluster_tables_choose(session, relations=[each.relation for each in chosen])
            cluster_queries().cluster_tables_restore(session)
            for each in chosen:
                history.strike(session, self._history, each.wanted.label)

        tables = ", ".join(each.wanted.table for each in chosen)
        _do(connection, step, tables)
        _log.info("tables taken back", extra={"table": tables, "duration_ms": (perf_counter() - started) * 1000})

    def _keep(self, connection: psycopg.Connection[Any], session: Session, found: list[_Found]) -> None:
        """Let the cluster know of the tables that stay where they are, and refer to one that is whole on each node."""
        ask = cluster_queries()
        wanted = [_relation(session, each.wanted) for each in found if each.wanted.placement.is_reference]

        def step() -> None:
            self._limits.configure(session, transaction=True)
            for (child,) in ask.table_child_list(session, relations=wanted):
                # One takes along those that are tied to it.
                if not ask.cluster_table_is_known(session, relation=child):
                    ask.cluster_table_keep(session, relation=child)

        _do(connection, step, "what refers to tables that are whole on each node")

    def _free(self, session: Session, found: list[_Found]) -> None:
        """Free what the coordinator still holds of rows that are in shards: not seen by any statement, yet on disk."""
        for each in found:
            if each.wanted.placement.column is not None:
                cluster_queries().cluster_table_truncate(session, relation=_relation(session, each.wanted))

    @contextmanager
    def _working(self, *, dry_run: bool) -> Iterator[tuple[psycopg.Connection[Any], Session]]:
        with closing(connected(self._connect, "connecting to spread tables")) as connection:
            session = Session(connection)
            if cluster_queries().cluster_extension(session) is None:
                raise MigrationError(_NO_EXTENSION)
            _check_nodes(session)
            with run_alone(connection, session, self._lock_wait, dry_run=dry_run) as working:
                yield working


def _tell(on_placed: OnPlaced | None, each: _Found) -> None:
    if on_placed is not None:
        on_placed(each.wanted)


def _check_nodes(session: Session) -> None:
    is_coordinator, knows_itself, workers = cluster_queries().cluster_nodes(session)
    if not is_coordinator:
        raise MigrationError("this is not the coordinator of the cluster: tables are spread from there")
    if not knows_itself:
        raise MigrationError("the coordinator does not know itself: SELECT citus_set_coordinator_host(host, port)")
    if not workers:
        raise MigrationError("the cluster has no worker that takes shards: SELECT citus_add_node(host, port)")


def _check(session: Session, chosen: list[_Found]) -> None:
    """Refuse tables that have what shards cannot keep, before any of them is spread."""
    obstacles = cluster_queries().table_obstacle_list(
        session,
        relations=[each.relation for each in chosen],
        distribution_columns=[each.wanted.placement.column or "" for each in chosen],
    )
    names = {each.relation: each.wanted.table for each in chosen}
    told = [
        f"{names[relation]} has the trigger {name}"
        if kind == "trigger"
        else f"{name} of {names[relation]} does not have the column that decides the shard"
        for relation, kind, name in obstacles
    ]
    if told:
        raise MigrationError(f"nothing is spread: {'; '.join(told)}")


def _ordered(session: Session, chosen: list[_Found]) -> Iterator[_Found]:
    """Yield tables in the order in which they can be spread."""
    by_relation = {each.relation: each for each in chosen}
    by_name = {each.wanted.table: each.relation for each in chosen}
    order: TopologicalSorter[int] = TopologicalSorter()
    # Of what may go in any order, those that all need first, then as they are declared.
    ranked = sorted(chosen, key=lambda each: not each.wanted.placement.is_reference)
    for each in ranked:
        order.add(each.relation)
        if each.wanted.placement.beside in by_name:
            order.add(each.relation, by_name[each.wanted.placement.beside])
    for relation, parent in cluster_queries().table_reference_list(session, relations=list(by_relation)):
        order.add(relation, parent)
    for relation in order.static_order():
        yield by_relation[relation]


def _relation(session: Session, wanted: TablePlacement) -> int | None:
    """Return the table of a name as it is now: when its parent is spread, a table gets another number."""
    return cluster_queries().table_find(session, name=wanted.table)


def _move(session: Session, wanted: TablePlacement) -> None:
    ask, placement, relation = cluster_queries(), wanted.placement, _relation(session, wanted)
    ask.cluster_configure(session)
    if placement.column is None:
        ask.cluster_table_refer(session, relation=relation)
    else:
        ask.cluster_table_distribute(
            session, relation=relation, distribution_column=placement.column, beside=placement.beside
        )


def _do(connection: psycopg.Connection[Any], step: Callable[[], None], tables: str) -> None:
    """Do a step in a transaction. What the cluster says against it is ours to say, with its code alone."""
    failure: DatabaseError | psycopg.Error | None = None
    try:
        with connection.transaction():
            step()
    except (DatabaseError, psycopg.Error) as error:
        failure = error
    if failure is not None:
        # Outside the handler, so that it carries no other error, which may quote a row.
        raise MigrationError(
            f"the cluster refuses to move {tables} ({failure.sqlstate}), and nothing of it was moved: surf-data review "
            "says what keeps a table from being spread",
            sqlstate=failure.sqlstate,
        )
