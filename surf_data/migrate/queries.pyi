"""The queries of surf_data.migrate.queries, as PostgreSQL sees them. Written by surf-data stubs; not to be edited."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Generic, TypeVar

from surf_data.kernel.postgres import Executor, Stream
from surf_data.migrate.rows import IndexState, Record, SessionState

_Row = TypeVar("_Row")

class _Rows(Stream, Generic[_Row]):
    def __iter__(self) -> Iterator[_Row]: ...

class _MigrateQueries:
    def catalog_columns(
        self,
        executor: Executor,
        /,
        *,
        relations: list[int] | list[int | None],
    ) -> list[tuple[str, str | None, str]]:
        """Columns of tables and composite types, in their order."""

    def catalog_columns_cursor(
        self,
        executor: Executor,
        /,
        *,
        relations: list[int] | list[int | None],
    ) -> AbstractContextManager[_Rows[tuple[str, str | None, str]]]:
        """Columns of tables and composite types, in their order."""

    def catalog_comments(
        self,
        executor: Executor,
        /,
        *,
        schemas: list[int] | list[int | None] | None,
        relations: list[int] | list[int | None] | None,
        history: int | None,
    ) -> list[tuple[str, str | None, str]]:
        """Comments on anything that is not PostgreSQL's own, an extension's or the runner's, or a partition that is left out."""

    def catalog_comments_cursor(
        self,
        executor: Executor,
        /,
        *,
        schemas: list[int] | list[int | None] | None,
        relations: list[int] | list[int | None] | None,
        history: int | None,
    ) -> AbstractContextManager[_Rows[tuple[str, str | None, str]]]:
        """Comments on anything that is not PostgreSQL's own, an extension's or the runner's, or a partition that is left out."""

    def catalog_configure(self, executor: Executor, /) -> tuple[str, str, str, str, str, str, str]:
        """Makes definitions read the same, whatever a session or a database has set."""

    def catalog_constraints(
        self,
        executor: Executor,
        /,
        *,
        relations: list[int] | list[int | None] | None,
        types: list[int] | list[int | None] | None,
    ) -> list[tuple[str, str | None, str | None]]:
        """Constraints of tables and domains. What partitions have from their parents is left out, and so is NOT NULL, which
        PostgreSQL keeps here from 18 on, unless it is not proved yet."""

    def catalog_constraints_cursor(
        self,
        executor: Executor,
        /,
        *,
        relations: list[int] | list[int | None] | None,
        types: list[int] | list[int | None] | None,
    ) -> AbstractContextManager[_Rows[tuple[str, str | None, str | None]]]:
        """Constraints of tables and domains. What partitions have from their parents is left out, and so is NOT NULL, which
        PostgreSQL keeps here from 18 on, unless it is not proved yet."""

    def catalog_default_grants(self, executor: Executor, /) -> list[tuple[str, str, str]]:
        """What is granted on objects that are yet to be made, and what is not granted to everybody as it would be."""

    def catalog_default_grants_cursor(self, executor: Executor, /) -> AbstractContextManager[_Rows[tuple[str, str, str]]]:
        """What is granted on objects that are yet to be made, and what is not granted to everybody as it would be."""

    def catalog_extensions(self, executor: Executor, /) -> list[tuple[str, str, str]]:
        """Extensions and where they are, but not their versions, which are the server's matter. Nor Citus, which says on which
        nodes the rows of a table are, and nothing of what the table is."""

    def catalog_extensions_cursor(self, executor: Executor, /) -> AbstractContextManager[_Rows[tuple[str, str, str]]]:
        """Extensions and where they are, but not their versions, which are the server's matter. Nor Citus, which says on which
        nodes the rows of a table are, and nothing of what the table is."""

    def catalog_grants(
        self,
        executor: Executor,
        /,
        *,
        schemas: list[int] | list[int | None] | None,
        relations: list[int] | list[int | None] | None,
        routines: list[int] | list[int | None] | None,
        types: list[int] | list[int | None] | None,
        maintain: bool | None,
    ) -> list[tuple[str | None, str | None, str]]:
        """What is granted, to others than the owner, who may do everything. MAINTAIN is left out where one side has none."""

    def catalog_grants_cursor(
        self,
        executor: Executor,
        /,
        *,
        schemas: list[int] | list[int | None] | None,
        relations: list[int] | list[int | None] | None,
        routines: list[int] | list[int | None] | None,
        types: list[int] | list[int | None] | None,
        maintain: bool | None,
    ) -> AbstractContextManager[_Rows[tuple[str | None, str | None, str]]]:
        """What is granted, to others than the owner, who may do everything. MAINTAIN is left out where one side has none."""

    def catalog_history(
        self,
        executor: Executor,
        /,
        *,
        schema: str | None,
    ) -> int | None:
        """The table of the runner's history, which belongs to no migration; null while there is none."""

    def catalog_indexes(
        self,
        executor: Executor,
        /,
        *,
        relations: list[int] | list[int | None],
    ) -> list[tuple[str, str | None, str | None]]:
        """Indexes, except those that a constraint or a parent brings with it. Of a partitioned table as they would be made on
        all partitions; PostgreSQL itself writes ONLY."""

    def catalog_indexes_cursor(
        self,
        executor: Executor,
        /,
        *,
        relations: list[int] | list[int | None],
    ) -> AbstractContextManager[_Rows[tuple[str, str | None, str | None]]]:
        """Indexes, except those that a constraint or a parent brings with it. Of a partitioned table as they would be made on
        all partitions; PostgreSQL itself writes ONLY."""

    def catalog_others(self, executor: Executor, /) -> list[tuple[str, str | None, str | None]]:
        """What else people can make, by its name alone."""

    def catalog_others_cursor(self, executor: Executor, /) -> AbstractContextManager[_Rows[tuple[str, str | None, str | None]]]:
        """What else people can make, by its name alone."""

    def catalog_owners(
        self,
        executor: Executor,
        /,
        *,
        schemas: list[int] | list[int | None] | None,
        relations: list[int] | list[int | None] | None,
        routines: list[int] | list[int | None] | None,
        types: list[int] | list[int | None] | None,
    ) -> list[tuple[str | None, str | None]]:
        """Who owns what. Owners are not compared; but what is granted to one need not be granted on the other side."""

    def catalog_owners_cursor(
        self,
        executor: Executor,
        /,
        *,
        schemas: list[int] | list[int | None] | None,
        relations: list[int] | list[int | None] | None,
        routines: list[int] | list[int | None] | None,
        types: list[int] | list[int | None] | None,
    ) -> AbstractContextManager[_Rows[tuple[str | None, str | None]]]:
        """Who owns what. Owners are not compared; but what is granted to one need not be granted on the other side."""

    def catalog_policies(
        self,
        executor: Executor,
        /,
        *,
        relations: list[int] | list[int | None],
    ) -> list[tuple[str, str | None, str]]:
        """Which rows of a table each role may see and write."""

    def catalog_policies_cursor(
        self,
        executor: Executor,
        /,
        *,
        relations: list[int] | list[int | None],
    ) -> AbstractContextManager[_Rows[tuple[str, str | None, str]]]:
        """Which rows of a table each role may see and write."""

    def catalog_routines(
        self,
        executor: Executor,
        /,
        *,
        routines: list[int] | list[int | None],
    ) -> list[tuple[str, str | None, str | None]]:
        """Functions and procedures with their bodies, and aggregates."""

    def catalog_routines_cursor(
        self,
        executor: Executor,
        /,
        *,
        routines: list[int] | list[int | None],
    ) -> AbstractContextManager[_Rows[tuple[str, str | None, str | None]]]:
        """Functions and procedures with their bodies, and aggregates."""

    def catalog_rules(
        self,
        executor: Executor,
        /,
        *,
        relations: list[int] | list[int | None],
    ) -> list[tuple[str, str | None, str]]:
        """Rewrite rules, without those that make a view."""

    def catalog_rules_cursor(
        self,
        executor: Executor,
        /,
        *,
        relations: list[int] | list[int | None],
    ) -> AbstractContextManager[_Rows[tuple[str, str | None, str]]]:
        """Rewrite rules, without those that make a view."""

    def catalog_schemas(
        self,
        executor: Executor,
        /,
        *,
        schemas: list[int] | list[int | None],
    ) -> list[tuple[str, str, str]]:
        """Schemas."""

    def catalog_schemas_cursor(
        self,
        executor: Executor,
        /,
        *,
        schemas: list[int] | list[int | None],
    ) -> AbstractContextManager[_Rows[tuple[str, str, str]]]:
        """Schemas."""

    def catalog_scope(
        self,
        executor: Executor,
        /,
        *,
        history: int | None,
    ) -> tuple[list[int | None], list[int | None], list[int | None], list[int | None]]:
        """What is compared: all that is not PostgreSQL's own, a session's own, an extension's or the runner's, and not what
        depends on the day: partitions by time. They come and go with the calendar where a default partition is there for
        what has none of its own; that one is compared, and so is the table, which says what all of them are like."""

    def catalog_sequences(
        self,
        executor: Executor,
        /,
        *,
        relations: list[int] | list[int | None],
    ) -> list[tuple[str, str | None, str]]:
        """Sequences with their limits, but not how far they have come."""

    def catalog_sequences_cursor(
        self,
        executor: Executor,
        /,
        *,
        relations: list[int] | list[int | None],
    ) -> AbstractContextManager[_Rows[tuple[str, str | None, str]]]:
        """Sequences with their limits, but not how far they have come."""

    def catalog_settings(
        self,
        executor: Executor,
        /,
        *,
        relations: list[int] | list[int | None],
    ) -> list[tuple[str, str | None, str]]:
        """What holds for a table as a whole: row security, what identifies its rows to a replica, and the order of CLUSTER."""

    def catalog_settings_cursor(
        self,
        executor: Executor,
        /,
        *,
        relations: list[int] | list[int | None],
    ) -> AbstractContextManager[_Rows[tuple[str, str | None, str]]]:
        """What holds for a table as a whole: row security, what identifies its rows to a replica, and the order of CLUSTER."""

    def catalog_statistics(
        self,
        executor: Executor,
        /,
        *,
        relations: list[int] | list[int | None],
    ) -> list[tuple[str, str | None, str | None]]:
        """Statistics over several columns."""

    def catalog_statistics_cursor(
        self,
        executor: Executor,
        /,
        *,
        relations: list[int] | list[int | None],
    ) -> AbstractContextManager[_Rows[tuple[str, str | None, str | None]]]:
        """Statistics over several columns."""

    def catalog_tables(
        self,
        executor: Executor,
        /,
        *,
        relations: list[int] | list[int | None],
    ) -> list[tuple[str, str | None, str]]:
        """Tables without their parts, and composite types."""

    def catalog_tables_cursor(
        self,
        executor: Executor,
        /,
        *,
        relations: list[int] | list[int | None],
    ) -> AbstractContextManager[_Rows[tuple[str, str | None, str]]]:
        """Tables without their parts, and composite types."""

    def catalog_triggers(
        self,
        executor: Executor,
        /,
        *,
        relations: list[int] | list[int | None],
    ) -> list[tuple[str, str | None, str]]:
        """Triggers, and those of foreign keys where they are switched off."""

    def catalog_triggers_cursor(
        self,
        executor: Executor,
        /,
        *,
        relations: list[int] | list[int | None],
    ) -> AbstractContextManager[_Rows[tuple[str, str | None, str]]]:
        """Triggers, and those of foreign keys where they are switched off."""

    def catalog_types(
        self,
        executor: Executor,
        /,
        *,
        types: list[int] | list[int | None],
    ) -> list[tuple[str, str | None, str]]:
        """Enumerations, domains and ranges."""

    def catalog_types_cursor(
        self,
        executor: Executor,
        /,
        *,
        types: list[int] | list[int | None],
    ) -> AbstractContextManager[_Rows[tuple[str, str | None, str]]]:
        """Enumerations, domains and ranges."""

    def catalog_views(
        self,
        executor: Executor,
        /,
        *,
        relations: list[int] | list[int | None],
    ) -> list[tuple[str, str | None, str]]:
        """Views and materialized views with what they select."""

    def catalog_views_cursor(
        self,
        executor: Executor,
        /,
        *,
        relations: list[int] | list[int | None],
    ) -> AbstractContextManager[_Rows[tuple[str, str | None, str]]]:
        """Views and materialized views with what they select."""

    def history_advance(
        self,
        executor: Executor,
        /,
        *,
        domain: str,
        number: int,
        duration: timedelta | None,
    ) -> int:
        """Records that the next statement of an unfinished section is done."""

    def history_baseline(
        self,
        executor: Executor,
        /,
        *,
        domain: str,
        number: int,
        name: str,
        checksum: str,
    ) -> int:
        """Records a migration as applied that was not run: the database had what it makes."""

    def history_create(self, executor: Executor, /) -> str | None:
        """Creates the table. The checksum is SHA-256 over the file with its newlines normalized, in hexadecimal.
        A section without a transaction is unfinished until its last statement is done, and says how many are; begun_at is
        set while one is under way that could not run in a transaction together with its record."""

    def history_delete(
        self,
        executor: Executor,
        /,
        *,
        domain: str,
        number: int,
    ) -> int:
        """Records that a migration was reverted."""

    def history_find(self, executor: Executor, /) -> list[tuple[str, bool, list[str | None]]]:
        """All tables that have its name, with their columns in order, and whether the search path leads to it. The runner asks
        before it reads or creates: the path may have changed, and the name may be taken by another tool's table."""

    def history_find_cursor(self, executor: Executor, /) -> AbstractContextManager[_Rows[tuple[str, bool, list[str | None]]]]:
        """All tables that have its name, with their columns in order, and whether the search path leads to it. The runner asks
        before it reads or creates: the path may have changed, and the name may be taken by another tool's table."""

    def history_finish(
        self,
        executor: Executor,
        /,
        *,
        domain: str,
        number: int,
        name: str,
        checksum: str,
        duration: timedelta,
    ) -> int:
        """Records that a migration was applied, in the transaction that applied it, or its last statement."""

    def history_forget(
        self,
        executor: Executor,
        /,
        *,
        domain: str,
    ) -> int:
        """Forgets a domain: what its migrations made was dropped."""

    def history_list(
        self,
        executor: Executor,
        /,
        *,
        domain: str,
    ) -> list[Record]:
        """What has been applied of one domain, in order."""

    def history_list_cursor(
        self,
        executor: Executor,
        /,
        *,
        domain: str,
    ) -> AbstractContextManager[_Rows[Record]]:
        """What has been applied of one domain, in order."""

    def history_mark(
        self,
        executor: Executor,
        /,
        *,
        domain: str,
        number: int,
        begun: bool | None,
    ) -> int:
        """Records that the next statement begins outside a transaction, or that it has failed and left nothing."""

    def history_path(self, executor: Executor, /) -> tuple[str | None, bool]:
        """Where new tables go, and whether that is meant for this session alone: said by the client, or said of its role with
        nothing there yet. A migration changes the path of a role or a database as well, after it has created something."""

    def history_repair(
        self,
        executor: Executor,
        /,
        *,
        domain: str,
        number: int,
        name: str,
        checksum: str,
    ) -> int:
        """Accepts a file as it is now."""

    def history_start(
        self,
        executor: Executor,
        /,
        *,
        domain: str,
        number: int,
        name: str,
        checksum: str,
        direction: str | None,
    ) -> int:
        """Records that a section without a transaction begins."""

    def history_use(
        self,
        executor: Executor,
        /,
        *,
        schema: str | None,
    ) -> str:
        """Has the name lead to the table in a schema, for the rest of the transaction."""

    def index_state(
        self,
        executor: Executor,
        /,
        *,
        index_name: str | None,
        table_name: str | None,
    ) -> IndexState | None:
        """How the index of a statement stands, by its name as written there: in the schema of its table, or found by itself.
        It has no row while there is no such index. A backend that is just building it is not to be disturbed; which index
        another role's backend builds is shown to few, but everybody sees which table it has locked for it."""

    def limits_configure(
        self,
        executor: Executor,
        /,
        *,
        lock_timeout: str | None,
        statement_timeout: str | None,
        transaction: bool | None,
    ) -> tuple[str, str, str, str | None]:
        """A lock is given up soon, because every later session waits behind us; the work itself takes as long as it takes.
        Files are UTF-8, whatever the client's locale is."""

    def lock_acquire(self, executor: Executor, /) -> bool:
        """Takes the lock if it is free, else says false at once.
        A run polls instead of waiting in the server: CREATE INDEX CONCURRENTLY waits for every session that waits there."""

    def lock_holder(self, executor: Executor, /) -> int | None:
        """The backend that holds the lock; none if it has just been given back."""

    def lock_release(self, executor: Executor, /) -> bool:
        """Gives the lock back; false when this session did not hold it any more."""

    def locks_held(self, executor: Executor, /) -> list[tuple[int | None, str | None]]:
        """The locks on relations that this session holds."""

    def locks_held_cursor(self, executor: Executor, /) -> AbstractContextManager[_Rows[tuple[int | None, str | None]]]:
        """The locks on relations that this session holds."""

    def locks_relations(self, executor: Executor, /) -> list[tuple[str, str, str, int, int | None, str, int, int | None, int, int]]:
        """Tables and indexes with what changes when they are written anew, read from end to end, vacuumed or detached."""

    def locks_relations_cursor(self, executor: Executor, /) -> AbstractContextManager[_Rows[tuple[str, str, str, int, int | None, str, int, int | None, int, int]]]:
        """Tables and indexes with what changes when they are written anew, read from end to end, vacuumed or detached."""

    def locks_scan(
        self,
        executor: Executor,
        /,
        *,
        scans: str | None,
    ) -> tuple[str, str]:
        """Lets the planner read tables from end to end as it likes (on), or only where no index can serve (off): without rows
        it likes to. An index that is read in the table's stead would be read from end to end, too."""

    def reset_configure(
        self,
        executor: Executor,
        /,
        *,
        lock_timeout: str | None,
    ) -> str:
        """Lets the transaction wait for locks this long, and its statements take as long as they take."""

    def reset_outside(
        self,
        executor: Executor,
        /,
        *,
        schemas: list[str] | list[str | None] | None,
    ) -> list[tuple[str | None]]:
        """What there is outside of some schemas: columns, constraints, functions, policies, triggers and types, described.
        Compared before and after a drop it tells what CASCADE took along."""

    def reset_outside_cursor(
        self,
        executor: Executor,
        /,
        *,
        schemas: list[str] | list[str | None] | None,
    ) -> AbstractContextManager[_Rows[tuple[str | None]]]:
        """What there is outside of some schemas: columns, constraints, functions, policies, triggers and types, described.
        Compared before and after a drop it tells what CASCADE took along."""

    def scratch_claim(
        self,
        executor: Executor,
        /,
        *,
        database: str | None,
    ) -> tuple[str, str]:
        """Names the session after its database, so that others see that it is still in use. It has to write, though the
        client's environment may say that its sessions only read."""

    def scratch_configure(
        self,
        executor: Executor,
        /,
        *,
        date_style: str | None,
        interval_style: str | None,
        search_path: str | None,
        time_zone: str | None,
    ) -> tuple[str, str, str, str, str, str, str]:
        """Makes a session read files as the database does that is checked. Files are UTF-8, whatever the client's locale is."""

    def scratch_environment(self, executor: Executor, /) -> tuple[str, str, str, str]:
        """What decides how a session reads a migration: where names are looked for, and what times without a zone mean."""

    def scratch_extensions(self, executor: Executor, /) -> list[tuple[str | None]]:
        """The extensions that can be created on this server."""

    def scratch_extensions_cursor(self, executor: Executor, /) -> AbstractContextManager[_Rows[tuple[str | None]]]:
        """The extensions that can be created on this server."""

    def scratch_leftovers(
        self,
        executor: Executor,
        /,
        *,
        prefix: str,
    ) -> list[tuple[str]]:
        """Our databases that no session claims or is connected to: what made them was killed."""

    def scratch_leftovers_cursor(
        self,
        executor: Executor,
        /,
        *,
        prefix: str,
    ) -> AbstractContextManager[_Rows[tuple[str]]]:
        """Our databases that no session claims or is connected to: what made them was killed."""

    def scratch_roles(self, executor: Executor, /) -> list[tuple[str]]:
        """The roles of this server, without PostgreSQL's own."""

    def scratch_roles_cursor(self, executor: Executor, /) -> AbstractContextManager[_Rows[tuple[str]]]:
        """The roles of this server, without PostgreSQL's own."""

    def seed_configure(
        self,
        executor: Executor,
        /,
        *,
        lock_timeout: str | None,
    ) -> tuple[str, str, str]:
        """As for migrations: a lock is given up soon, because others queue behind a session that waits; files are UTF-8."""

    def session_backend(self, executor: Executor, /) -> int:
        """The server process that answers; another one than greeted us when a pooler sits between."""

    def session_configure(
        self,
        executor: Executor,
        /,
        *,
        settings: str | None,
    ) -> list[tuple[str]]:
        """Sets what was set in the session before a migration."""

    def session_configure_cursor(
        self,
        executor: Executor,
        /,
        *,
        settings: str | None,
    ) -> AbstractContextManager[_Rows[tuple[str]]]:
        """Sets what was set in the session before a migration."""

    def session_discard(self, executor: Executor, /) -> str | None:
        """Drops the temporary tables of the session."""

    def session_follow_client(self, executor: Executor, /) -> str | None:
        """Lets the server end what it does for us when our process has died, and with it the lock that admits one run.
        Without it a statement would go on to its end, however long that takes."""

    def session_identify(
        self,
        executor: Executor,
        /,
        *,
        session_authorization: str | None,
        role: str | None,
    ) -> tuple[str, str]:
        """Gives the session back to who it belonged to before a migration, with their rights."""

    def session_reset(self, executor: Executor, /) -> str | None:
        """Resets everything that was set in the session, whatever has set it."""

    def session_state(self, executor: Executor, /) -> SessionState:
        """What a migration may set, and neither its record nor the migrations after it must feel."""

def migrate_queries() -> _MigrateQueries: ...
